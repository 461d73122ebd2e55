//! Lambda with one function, its versions and one alias, as strict as AWS where it matters here.

use std::sync::Arc;

use async_trait::async_trait;
use groundcrew::{
    aws::{
        self, Class,
        accounts::{Connector, Ports, Target},
        operations::Operation,
        port, resource,
    },
    facts::{
        lambda::{
            Alias, AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion,
            Invocation, NamedPage, Provisioned, Publication, VersionPage, VersionWeight,
        },
        surplus::Surplus,
    },
};
use tokio::time::{Duration, Instant};

use super::{
    ALIAS, State, World,
    functions::{
        BUSY, Functions, INVALID, LATEST, MALFORMED, MISSING, Refusal, STALE, described, known,
    },
    provisioned::Provision,
};
use crate::{
    faults::{Fault, Sort},
    history::{Event, Write},
};

/// The account that all credentials belong to.
pub const ACCOUNT: &str = "123456789012";
/// How long GetAlias may answer what was true before a change.
pub const STALENESS: Duration = Duration::from_secs(5);
/// The alias has none.
const UNPROVISIONED: Refusal = (Class::NotFound, "ProvisionedConcurrencyConfigNotFoundException");

/// Lambda in one account and region.
pub struct Lambda {
    alias: Option<Alias>,
    /// The alias before its last change, and when that was.
    before: Option<(Option<Alias>, Instant)>,
    /// The alias before the last change by another tool.
    before_foreign: Option<Alias>,
    /// Whether another tool ever changed the alias.
    pub disturbed: bool,
    old_until: Option<Instant>,
    revisions: u64,
    /// The function and its versions.
    pub functions: Functions,
    /// Provisioned concurrency of the alias, if it has any.
    pub provision: Option<Provision>,
    /// Writes that were tried, applied or not.
    pub writes: Vec<Write>,
}

impl Lambda {
    /// Versions 42 to 45; the alias serves 42.
    pub fn new() -> Self {
        Self::serving(42, Functions::new())
    }

    /// The alias serves this version of the function.
    pub fn serving(version: u64, functions: Functions) -> Self {
        let alias = Alias {
            version: version.to_string(),
            weights: Vec::new(),
            revision_id: "rev-0".into(),
            description: "live traffic".into(),
        };
        Self {
            alias: Some(alias),
            before: None,
            before_foreign: None,
            disturbed: false,
            old_until: None,
            revisions: 0,
            functions,
            provision: None,
            writes: Vec::new(),
        }
    }

    /// There is no alias yet.
    pub fn without_alias(&mut self) {
        self.alias = None;
    }

    /// The alias serves `$LATEST`.
    pub fn at_latest(&mut self) {
        if let Some(alias) = &mut self.alias {
            alias.version = LATEST.into();
        }
    }

    /// The alias has provisioned concurrency; `fails` tells whether it cannot move.
    pub fn provision(&mut self, fails: bool) {
        self.provision = self.alias.as_ref().map(|alias| Provision::of(&alias.version, fails));
    }

    /// The same, and moves begin only some time after the alias was set.
    pub fn provision_late(&mut self, fails: bool) {
        self.provision = self.alias.as_ref().map(|alias| Provision::late(&alias.version, fails));
    }

    /// Another description, as whoever made the alias wrote it.
    pub fn describe(&mut self, description: &str) {
        if let Some(alias) = &mut self.alias {
            alias.description = description.into();
        }
    }

    /// The alias as it is.
    pub fn alias(&self) -> Option<&Alias> {
        self.alias.as_ref()
    }

    /// The versions that the alias names.
    fn named(&self) -> Vec<String> {
        let alias = self.alias.iter();
        let names = |alias: &Alias| {
            let weighted = alias.weights.iter().map(|extra| extra.version.clone());
            weighted.chain([alias.version.clone()]).collect::<Vec<_>>()
        };
        alias.flat_map(names).collect()
    }

    /// From now on GetAlias answers what was true before the last change, while a change is fresh.
    pub fn answer_old(&mut self) {
        self.old_until = Some(Instant::now() + STALENESS);
    }

    /// What was due happens: where provisioned concurrency has moved, everybody goes with it.
    fn settle(&mut self) {
        let held = self.provision.as_mut().and_then(Provision::begins);
        if let (Some(weights), Some(alias)) = (held, self.alias.clone()) {
            self.set(Alias { weights, ..alias });
        }
        let moved = self.provision.as_mut().is_some_and(Provision::ends);
        if moved && let Some(alias) = self.alias.clone() {
            self.set(Alias { weights: Vec::new(), ..alias });
        }
    }

    /// What GetAlias answers.
    fn answered(&mut self, function: &str, alias: &str) -> Option<Alias> {
        self.settle();
        if known(function).is_err() || alias != ALIAS {
            return None;
        }
        let old = self.old_until.is_some_and(|until| Instant::now() < until);
        match &self.before {
            Some((before, at)) if old && at.elapsed() < STALENESS => before.clone(),
            Some(_) | None => self.alias.clone(),
        }
    }

    fn set(&mut self, mut alias: Alias) -> Alias {
        self.revisions += 1;
        alias.revision_id = format!("rev-{}", self.revisions);
        self.before = Some((self.alias.clone(), Instant::now()));
        self.alias = Some(alias.clone());
        alias
    }

    /// What UpdateAlias makes of the alias.
    fn changed(&mut self, change: &AliasChange) -> Result<Alias, Refusal> {
        well_formed(change)?;
        known(&change.function)?;
        self.settle();
        let alias = self.alias.clone().filter(|_| change.alias == ALIAS).ok_or(MISSING)?;
        if change.revision_id != alias.revision_id {
            return Err(STALE);
        }
        self.routes(&change.version, change.weight.as_ref())?;
        let weights = match &mut self.provision {
            Some(provision) => provision.follow(&alias, change)?,
            None => change.weight.clone().into_iter().collect(),
        };
        Ok(self.set(Alias {
            version: change.version.clone(),
            weights,
            description: change.description.clone(),
            revision_id: alias.revision_id,
        }))
    }

    /// Whether an alias may be routed like this.
    fn routes(&self, version: &str, extra: Option<&VersionWeight>) -> Result<(), Refusal> {
        if version != LATEST && !self.functions.exists(version) {
            return Err(MISSING);
        }
        let Some(extra) = extra else { return Ok(()) };
        if extra.version == version || version == LATEST {
            return Err(INVALID);
        }
        if !self.functions.exists(&extra.version) {
            return Err(MISSING);
        }
        let alike = self.functions.role(&extra.version) == self.functions.role(version);
        if alike { Ok(()) } else { Err(INVALID) }
    }

    /// DeleteFunction of a version; the description that it had.
    fn delete(&mut self, surplus: &Surplus) -> Result<Option<String>, Refusal> {
        known(surplus.function())?;
        self.settle();
        if self.named().contains(&surplus.version().to_string()) {
            return Err(BUSY);
        }
        Ok(self.functions.delete(surplus.version()))
    }

    /// GetProvisionedConcurrencyConfig.
    fn provisioned(&mut self, function: &str, alias: &str) -> Result<Provisioned, Refusal> {
        known(function)?;
        self.settle();
        if self.alias.is_none() || alias != ALIAS {
            return Err(MISSING);
        }
        self.provision.as_ref().map(Provision::described).ok_or(UNPROVISIONED)
    }
}

/// What breaks a bound of the API is told before anything is looked at.
fn well_formed(change: &AliasChange) -> Result<(), Refusal> {
    described(&change.description)?;
    versioned(&change.version)?;
    let fits = change.weight.as_ref().is_none_or(|extra| {
        extra.version.parse::<u64>().is_ok() && (0.0..=1.0).contains(&extra.weight)
    });
    if fits { Ok(()) } else { Err(MALFORMED) }
}

/// It is the number of a version, or `$LATEST`.
fn versioned(version: &str) -> Result<(), Refusal> {
    if version == LATEST || version.parse::<u64>().is_ok() { Ok(()) } else { Err(MALFORMED) }
}

impl State {
    /// A person deletes a version. Lambda refuses that where an alias names it.
    pub fn somebody_deletes(&mut self, version: &str) {
        if let Ok(number) = version.parse()
            && !self.lambda.named().iter().any(|named| named == version)
        {
            self.lambda.functions.delete(number);
        }
    }

    /// Another tool changes the alias.
    pub fn foreign(&mut self, change: impl FnOnce(&mut Alias)) {
        let Some(mut alias) = self.lambda.alias.clone() else { return };
        self.lambda.disturbed = true;
        self.lambda.before_foreign = Some(alias.clone());
        change(&mut alias);
        alias.weights.retain(|extra| extra.version != alias.version);
        let after = self.lambda.set(alias);
        self.happened(&Event::ForeignAlias { after });
    }

    /// Another tool undoes the last change of another tool.
    pub fn put_back(&mut self) {
        let Some(before) = self.lambda.before_foreign.take() else { return };
        let after = self.lambda.set(before);
        self.happened(&Event::ForeignAlias { after });
    }

    /// Tells whose write was carried out, and whose alias it is.
    fn acted(&mut self, by: &str, applied: bool) {
        if applied {
            let event = Event::Acted { by: by.to_owned(), oldest: self.oldest_object() };
            self.happened(&event);
        }
    }

    /// On behalf of the object of this name.
    fn update_alias(&mut self, change: &AliasChange, by: &str) -> Result<Alias, aws::Error> {
        let before = self.lambda.alias.clone();
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
        let leads = self.leads();
        self.acted(by, outcome.is_ok());
        self.happened(&Event::AliasUpdated {
            before,
            change: change.clone(),
            after: outcome.as_ref().ok().cloned(),
            object: object.map(Box::new),
            leads,
            late: self.is_late(),
        });
        outcome.map_err(|(class, code)| {
            let about = resource::alias(&change.function, &change.alias);
            error(Operation::LambdaUpdateAlias, &about, class, code)
        })
    }

    fn create_alias(&mut self, function: &str, alias: Alias, by: &str) -> Result<Alias, Refusal> {
        described(&alias.description)?;
        versioned(&alias.version)?;
        known(function)?;
        let applied = self.lambda.alias.is_none();
        self.lambda.writes.push(Write {
            by: by.to_owned(),
            version: alias.version.clone(),
            weight: None,
            description: String::new(),
            applied,
            versionless: false,
        });
        if !applied {
            return Err(BUSY);
        }
        self.lambda.routes(&alias.version, None)?;
        let alias = self.lambda.set(alias);
        let leads = self.leads();
        self.acted(by, true);
        self.happened(&Event::AliasCreated { after: alias.clone(), leads });
        Ok(alias)
    }
}

/// A share as a percentage.
pub fn percent(extra: &VersionWeight) -> (String, i32) {
    #[expect(clippy::cast_possible_truncation, reason = "weights are 0 to 1")]
    let weight = (extra.weight * 100.0).round() as i32;
    (extra.version.clone(), weight)
}

/// The ports of the world.
pub struct Aws(pub Arc<World>);

#[async_trait]
impl Connector for Aws {
    async fn connect(&self, _target: &Target) -> Result<Ports, aws::Error> {
        let service = Arc::new(Self(Arc::clone(&self.0)));
        Ok(Ports {
            lambda: Arc::<Self>::clone(&service),
            auto_scaling: Arc::<Self>::clone(&service),
            codedeploy: Arc::<Self>::clone(&service),
            dynamodb: Arc::<Self>::clone(&service),
            rds: Arc::<Self>::clone(&service),
            cloudwatch: Arc::<Self>::clone(&service),
            sts: service,
        })
    }
}

#[async_trait]
impl port::Sts for Aws {
    async fn get_caller_account(&self) -> Result<String, aws::Error> {
        let operation = Operation::StsGetCallerIdentity;
        self.0
            .call(
                Sort::AwsRead,
                "GetCallerIdentity".into(),
                |_| Ok(ACCOUNT.to_owned()),
                move |fault| refusal(operation, "the operator's own credentials", fault),
            )
            .await
    }
}

#[async_trait]
impl port::Lambda for Aws {
    async fn get_alias(&self, function: &str, alias: &str) -> Result<Alias, aws::Error> {
        let (operation, about) = (Operation::LambdaGetAlias, resource::alias(function, alias));
        let (missing, function) = (about.clone(), function.to_owned());
        let named = alias.to_owned();
        self.0
            .call(
                Sort::AwsRead,
                format!("GetAlias {alias}"),
                move |state| {
                    let answer = state.lambda.answered(&function, &named);
                    state.happened(&Event::AliasRead { answer: answer.clone() });
                    let (class, code) = MISSING;
                    answer.ok_or_else(|| error(operation, &missing, class, code))
                },
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }

    async fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> Result<Alias, aws::Error> {
        let operation = Operation::LambdaCreateAlias;
        let about = resource::alias(function, alias);
        let (refused, function) = (about.clone(), function.to_owned());
        let made = Alias {
            version: version.to_owned(),
            weights: Vec::new(),
            revision_id: String::new(),
            description: description.to_owned(),
        };
        let by = self.0.lock().acting.clone();
        self.0
            .call(
                Sort::AwsWrite,
                format!("CreateAlias {alias}"),
                move |state| {
                    let made = state.create_alias(&function, made, &by);
                    made.map_err(|(class, code)| error(operation, &refused, class, code))
                },
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }

    async fn update_alias(&self, change: &AliasChange) -> Result<Alias, aws::Error> {
        let about = resource::alias(&change.function, &change.alias);
        let (applied, by) = (change.clone(), self.0.lock().acting.clone());
        self.0
            .call(
                Sort::AwsWrite,
                format!("UpdateAlias {}", change.alias),
                move |state| state.update_alias(&applied, &by),
                move |fault| refusal(Operation::LambdaUpdateAlias, &about, fault),
            )
            .await
    }

    async fn get_function(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<FunctionVersion, aws::Error> {
        let operation = Operation::LambdaGetFunction;
        let about = resource::function(function, qualifier);
        let (missing, function) = (about.clone(), function.to_owned());
        let version = qualifier.unwrap_or(LATEST).to_owned();
        let asked = qualifier.map(str::to_owned);
        self.0
            .call(
                Sort::AwsRead,
                format!("GetFunction {version}"),
                move |state| {
                    let get = |()| state.lambda.functions.get(asked.as_deref());
                    let found = known(&function).and_then(get);
                    found.map_err(|(class, code)| error(operation, &missing, class, code))
                },
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }

    async fn update_function_code(&self, change: &CodeChange) -> Result<Changed, aws::Error> {
        let applied = change.clone();
        let operation = Operation::LambdaUpdateFunctionCode;
        let about = resource::function(&change.function, None);
        self.change(operation, "UpdateFunctionCode", about, move |state| {
            state.lambda.functions.update_code(&applied)
        })
        .await
    }

    async fn update_function_configuration(
        &self,
        change: &ConfigurationChange,
    ) -> Result<Changed, aws::Error> {
        let applied = change.clone();
        let operation = Operation::LambdaUpdateFunctionConfiguration;
        let about = resource::function(&change.function, None);
        self.change(operation, "UpdateFunctionConfiguration", about, move |state| {
            state.lambda.functions.update_settings(&applied)
        })
        .await
    }

    async fn publish_version(&self, publication: &Publication) -> Result<Changed, aws::Error> {
        let applied = publication.clone();
        let about = resource::function(&publication.function, None);
        self.change(Operation::LambdaPublishVersion, "PublishVersion", about, move |state| {
            let before = state.lambda.functions.count();
            let answer = state.lambda.functions.publish(&applied);
            if state.lambda.functions.count() > before {
                state.happened(&Event::Published {
                    publication: applied.clone(),
                    object: state.object(super::NAME).cloned().map(Box::new),
                    leads: state.leads(),
                });
            }
            answer
        })
        .await
    }

    async fn get_provisioned_concurrency(
        &self,
        function: &str,
        alias: &str,
    ) -> Result<Provisioned, aws::Error> {
        let operation = Operation::LambdaGetProvisionedConcurrencyConfig;
        let about = resource::alias(function, alias);
        let (missing, function) = (about.clone(), function.to_owned());
        let named = alias.to_owned();
        self.0
            .call(
                Sort::AwsRead,
                format!("GetProvisionedConcurrencyConfig {alias}"),
                move |state| {
                    let found = state.lambda.provisioned(&function, &named);
                    found.map_err(|(class, code)| error(operation, &missing, class, code))
                },
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }

    async fn invoke(
        &self,
        function: &str,
        version: &str,
        _payload: &str,
        _patience: std::time::Duration,
    ) -> Result<Invocation, aws::Error> {
        let (invoked, named) = (version.to_owned(), function.to_owned());
        let about = resource::function(function, Some(version));
        self.change(Operation::LambdaInvoke, &format!("Invoke {version}"), about, move |state| {
            known(&named).and_then(|()| state.lambda.functions.invoke(&invoked))
        })
        .await
    }

    async fn list_versions(
        &self,
        function: &str,
        _next: Option<&str>,
    ) -> Result<VersionPage, aws::Error> {
        let operation = Operation::LambdaListVersionsByFunction;
        self.list(operation, "ListVersionsByFunction", function, |state| VersionPage {
            versions: state.lambda.functions.listed(),
            next: None,
        })
        .await
    }

    async fn list_named(
        &self,
        function: &str,
        _next: Option<&str>,
    ) -> Result<NamedPage, aws::Error> {
        self.list(Operation::LambdaListAliases, "ListAliases", function, |state| {
            state.lambda.settle();
            NamedPage { versions: state.lambda.named(), next: None }
        })
        .await
    }

    async fn delete_version(&self, surplus: &Surplus) -> Result<(), aws::Error> {
        let (version, deleted) = (surplus.version(), surplus.clone());
        let about = resource::function(surplus.function(), Some(&version.to_string()));
        let what = format!("Delete {version}");
        self.change(Operation::LambdaDeleteFunction, &what, about, move |state| {
            let description = state.lambda.delete(&deleted)?;
            let leads = state.leads();
            state.happened(&Event::VersionDeleted { version, description, leads });
            Ok(())
        })
        .await
    }
}

impl Aws {
    /// A list of what the function has.
    async fn list<T: Send + 'static>(
        &self,
        operation: Operation,
        what: &str,
        function: &str,
        apply: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, aws::Error> {
        let (about, function) = (resource::function(function, None), function.to_owned());
        let missing = about.clone();
        self.0
            .call(
                Sort::AwsRead,
                what.to_owned(),
                move |state| {
                    let found = known(&function).map(|()| apply(state));
                    found.map_err(|(class, code)| error(operation, &missing, class, code))
                },
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }

    /// A write to the function.
    async fn change<T: Send + 'static>(
        &self,
        operation: Operation,
        what: &str,
        about: String,
        apply: impl FnOnce(&mut State) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, aws::Error> {
        let refused = about.clone();
        self.0
            .call(
                Sort::AwsWrite,
                what.to_owned(),
                move |state| {
                    apply(state).map_err(|(class, code)| error(operation, &refused, class, code))
                },
                move |fault| refusal(operation, &about, fault),
            )
            .await
    }
}

pub(super) fn error(operation: Operation, about: &str, class: Class, code: &str) -> aws::Error {
    aws::Error {
        operation,
        resource: about.to_owned(),
        class,
        code: code.to_owned(),
        message: String::new(),
        request_id: None,
        retry_after: None,
    }
}

pub(super) fn refusal(operation: Operation, about: &str, fault: &Fault) -> aws::Error {
    let refuse = |class, code| error(operation, about, class, code);
    match fault {
        Fault::Denied => refuse(Class::Denied, "AccessDeniedException"),
        Fault::Throttled => aws::Error {
            retry_after: Some(Duration::from_secs(1)),
            ..refuse(Class::Throttled, "TooManyRequestsException")
        },
        Fault::Stale => refuse(Class::Stale, "PreconditionFailedException"),
        Fault::Conflict => refuse(Class::Conflict, "ResourceConflictException"),
        Fault::Lost
        | Fault::CrashBefore
        | Fault::CrashAfter
        | Fault::AppliedUnanswered
        | Fault::AppliedLate
        | Fault::OldAnswers
        | Fault::LeaseLost
        | Fault::WatchLost
        | Fault::Meanwhile(_) => refuse(Class::Unknown, ""),
    }
}
