//! One alias: where it routes, and where it did.

use groundcrew::facts::lambda::{Alias, AliasChange};
use tokio::time::Instant;

use super::{
    super::{
        functions::{LATEST, MALFORMED, Refusal, described},
        provisioned::Provision,
    },
    STALENESS,
};

/// An alias and what is with it.
pub struct Route {
    pub alias: Alias,
    /// The alias before its last change, and when that was.
    before: Option<(Option<Alias>, Instant)>,
    /// The alias before the last change by another tool.
    before_foreign: Option<Alias>,
    /// Whether another tool ever changed it.
    pub disturbed: bool,
    /// Its provisioned concurrency, if it has any.
    pub provision: Option<Provision>,
}

impl Route {
    /// An alias that has been there for long.
    pub fn of(alias: Alias) -> Self {
        Self { alias, before: None, before_foreign: None, disturbed: false, provision: None }
    }

    /// An alias that is made now.
    pub fn made(alias: Alias, revisions: &mut u64) -> Self {
        let mut route = Self::of(alias.clone());
        route.set(alias, revisions);
        route.before = Some((None, Instant::now()));
        route
    }

    /// The versions that it names.
    pub fn named(&self) -> Vec<String> {
        let weighted = self.alias.weights.iter().map(|extra| extra.version.clone());
        weighted.chain([self.alias.version.clone()]).collect()
    }

    /// What was true before the last change, while that is fresh.
    pub fn answered_old(&self) -> Option<Alias> {
        match &self.before {
            Some((before, _)) if self.changed_lately() => before.clone(),
            Some(_) | None => Some(self.alias.clone()),
        }
    }

    /// Whether the last change is so fresh that answers may be older.
    pub fn changed_lately(&self) -> bool {
        self.before.as_ref().is_some_and(|(_, at)| at.elapsed() < STALENESS)
    }

    fn set(&mut self, alias: Alias, revisions: &mut u64) -> Alias {
        *revisions += 1;
        self.before = Some((Some(self.alias.clone()), Instant::now()));
        self.alias = Alias { revision_id: format!("rev-{revisions}"), ..alias };
        self.alias.clone()
    }

    /// What was due happens: where provisioned concurrency has moved, everybody goes with it.
    pub fn settle(&mut self, revisions: &mut u64) {
        if let Some(weights) = self.provision.as_mut().and_then(Provision::begins) {
            self.set(Alias { weights, ..self.alias.clone() }, revisions);
        }
        if self.provision.as_mut().is_some_and(Provision::ends) {
            self.set(Alias { weights: Vec::new(), ..self.alias.clone() }, revisions);
        }
    }

    /// The alias after a change that may be made.
    pub fn change(&mut self, change: &AliasChange, revisions: &mut u64) -> Result<Alias, Refusal> {
        let weights = match &mut self.provision {
            Some(provision) => provision.follow(&self.alias, change)?,
            None => change.weight.clone().into_iter().collect(),
        };
        let alias = Alias {
            version: change.version.clone(),
            weights,
            description: change.description.clone(),
            revision_id: String::new(),
        };
        Ok(self.set(alias, revisions))
    }

    /// Another tool changes it; none where Lambda refuses that.
    pub fn disturb(&mut self, change: &AliasChange, revisions: &mut u64) -> Option<Alias> {
        let before = self.alias.clone();
        let after = self.change(change, revisions).ok()?;
        self.disturbed = true;
        self.before_foreign = Some(before);
        Some(after)
    }

    /// The change with which another tool undoes the last change of another tool.
    pub fn put_back(&mut self) -> Option<Alias> {
        self.before_foreign.take()
    }
}

/// What breaks a bound of the API is told before anything is looked at.
pub fn well_formed(change: &AliasChange) -> Result<(), Refusal> {
    described(&change.description)?;
    versioned(&change.version)?;
    let fits = change.weight.as_ref().is_none_or(|extra| {
        extra.version.parse::<u64>().is_ok() && (0.0..=1.0).contains(&extra.weight)
    });
    if fits { Ok(()) } else { Err(MALFORMED) }
}

/// It is the number of a version, or `$LATEST`.
pub fn versioned(version: &str) -> Result<(), Refusal> {
    if version == LATEST || version.parse::<u64>().is_ok() { Ok(()) } else { Err(MALFORMED) }
}
