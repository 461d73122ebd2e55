//! Writes to aliases, by the operator and by others.

use groundcrew::{
    aws::{self, Class, operations::Operation, resource},
    facts::lambda::{Alias, AliasChange, VersionWeight},
};

use super::{
    super::{FUNCTION, State, functions::Refusal, sights::Sight},
    percent,
    refusals::error,
};
use crate::history::{Event, Write};

impl State {
    /// A person deletes a version. Lambda refuses that where an alias names it.
    pub fn somebody_deletes(&mut self, version: &str) {
        if let Ok(number) = version.parse()
            && !self.lambda.names(version)
            && self.lambda.functions.delete(number).is_some()
        {
            self.saw(Sight::VersionTaken);
            self.happened(&Event::VersionTaken { version: version.to_owned() });
        }
    }

    /// Another tool points an alias at a version, with a share for another one. Lambda refuses that
    /// for versions that are not there.
    pub fn foreign(&mut self, name: &str, version: Option<&str>, weight: Option<VersionWeight>) {
        let Some(alias) = self.lambda.alias_named(name).cloned() else { return };
        let version = version.unwrap_or(&alias.version).to_owned();
        let weight = weight.filter(|extra| extra.version != version);
        self.disturb(name, Alias { version, weights: weight.into_iter().collect(), ..alias });
    }

    /// Another tool undoes the last change of another tool.
    pub fn put_back(&mut self, name: &str) {
        let before = |state: &mut Self| state.lambda.routes.get_mut(name)?.put_back();
        if let Some(left) = before(self) {
            self.disturb(name, left);
            // What was put back is not put back again.
            let _ = before(self);
        }
    }

    fn disturb(&mut self, name: &str, alias: Alias) {
        let change = AliasChange {
            function: FUNCTION.to_owned(),
            alias: name.to_owned(),
            version: alias.version,
            weight: alias.weights.into_iter().next(),
            description: alias.description,
            revision_id: alias.revision_id,
        };
        self.lambda.settle();
        if self.lambda.may_route(&change.version, change.weight.as_ref()).is_err() {
            return;
        }
        let lambda = &mut self.lambda;
        let route = lambda.routes.get_mut(name);
        let after = route.and_then(|route| route.disturb(&change, &mut lambda.revisions));
        if let Some(after) = after {
            self.happened(&Event::ForeignAlias { alias: name.to_owned(), after });
        }
    }

    /// Tells whose write was carried out, and whose alias it is.
    fn acted(&mut self, by: &str, alias: &str, applied: bool) {
        if applied {
            let event = Event::Acted { by: by.to_owned(), oldest: self.oldest_object(alias) };
            self.happened(&event);
            self.look_at_move(by, alias);
        }
    }

    /// On behalf of the object `by`.
    pub(super) fn update_alias(
        &mut self,
        change: &AliasChange,
        by: &str,
    ) -> Result<Alias, aws::Error> {
        let before = self.lambda.alias_named(&change.alias).cloned();
        let outcome = self.lambda.changed(change);
        let write = Write {
            by: by.to_owned(),
            version: change.version.clone(),
            weight: change.weight.as_ref().map(percent),
            description: change.description.clone(),
            applied: outcome.is_ok(),
            versionless: matches!(outcome, Err((Class::NotFound, _))),
        };
        self.note(format!("      {write}"));
        self.lambda.writes.push(write);
        let object = self.object(by).cloned();
        let spec = object.as_ref().and_then(|object| self.spec_told(object));
        let leads = self.leads();
        self.acted(by, &change.alias, outcome.is_ok());
        self.happened(&Event::AliasUpdated {
            by: by.to_owned(),
            before,
            change: change.clone(),
            after: outcome.as_ref().ok().cloned(),
            object: object.map(Box::new),
            spec,
            leads,
            late: self.is_late(),
            provisioned: self.lambda.is_provisioned(&change.alias),
        });
        outcome.map_err(|(class, code)| {
            let about = resource::alias(&change.function, &change.alias);
            error(Operation::LambdaUpdateAlias, &about, class, code)
        })
    }

    pub(super) fn create_alias(
        &mut self,
        (function, name): (&str, &str),
        alias: Alias,
        by: &str,
    ) -> Result<Alias, Refusal> {
        let version = alias.version.clone();
        let outcome = self.lambda.created(function, name, alias);
        self.lambda.writes.push(Write {
            by: by.to_owned(),
            version,
            weight: None,
            description: String::new(),
            applied: outcome.is_ok(),
            versionless: false,
        });
        let made = outcome?;
        let leads = self.leads();
        self.acted(by, name, true);
        let (by, alias) = (by.to_owned(), name.to_owned());
        self.happened(&Event::AliasCreated { by, alias, after: made.clone(), leads });
        Ok(made)
    }
}
