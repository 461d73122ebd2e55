//! Lambda with one function, its versions and its aliases, as strict as AWS where it matters here.

mod ports;
mod refusals;
mod route;
mod writes;

use std::collections::BTreeMap;

use groundcrew::facts::{
    lambda::{Alias, AliasChange, Provisioned, VersionWeight},
    surplus::Surplus,
};
use tokio::time::{Duration, Instant};

pub use self::{
    ports::Aws,
    refusals::{error, refusal},
};
use self::{
    refusals::UNPROVISIONED,
    route::{Route, versioned, well_formed},
};
use super::{
    ALIAS,
    functions::{BUSY, Functions, INVALID, LATEST, MISSING, Refusal, STALE, described, known},
    provisioned::Provision,
};
use crate::history::Write;

/// The account that all credentials belong to.
pub const ACCOUNT: &str = "123456789012";
/// How long GetAlias may answer what was true before a change.
pub const STALENESS: Duration = Duration::from_secs(5);

/// Lambda in one account and region.
pub struct Lambda {
    /// The aliases by their names.
    routes: BTreeMap<String, Route>,
    old_until: Option<Instant>,
    /// When GetAlias could have answered what is not true any more.
    pub doubtful_reads: Vec<Instant>,
    revisions: u64,
    /// The function and its versions.
    pub functions: Functions,
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
        let mut lambda = Self {
            routes: BTreeMap::new(),
            old_until: None,
            doubtful_reads: Vec::new(),
            revisions: 0,
            functions,
            writes: Vec::new(),
        };
        lambda.add_alias(ALIAS, version);
        lambda
    }

    /// There is an alias of this name, too.
    pub fn add_alias(&mut self, name: &str, version: u64) {
        let alias = Alias {
            version: version.to_string(),
            weights: Vec::new(),
            revision_id: format!("{name}-0"),
            description: "live traffic".into(),
        };
        self.routes.insert(name.to_owned(), Route::of(alias));
    }

    /// There is no alias yet.
    pub fn without_alias(&mut self) {
        self.routes.remove(ALIAS);
    }

    fn main(&mut self) -> Option<&mut Route> {
        self.routes.get_mut(ALIAS)
    }

    /// The alias serves `$LATEST`.
    pub fn at_latest(&mut self) {
        if let Some(route) = self.main() {
            route.alias.version = LATEST.into();
        }
    }

    /// The alias has provisioned concurrency; `fails` tells whether it cannot move.
    pub fn provision(&mut self, fails: bool) {
        if let Some(route) = self.main() {
            route.provision = Some(Provision::of(&route.alias.version, fails));
        }
    }

    /// The same, and moves begin only some time after the alias was set.
    pub fn provision_late(&mut self, fails: bool) {
        if let Some(route) = self.main() {
            route.provision = Some(Provision::late(&route.alias.version, fails));
        }
    }

    /// Provisioned concurrency of the alias, if it has any.
    pub fn provisioning(&mut self) -> Option<&mut Provision> {
        self.main()?.provision.as_mut()
    }

    /// Another description, as whoever made the alias wrote it.
    pub fn describe(&mut self, description: &str) {
        if let Some(route) = self.main() {
            route.alias.description = description.into();
        }
    }

    /// The alias as it is.
    pub fn alias(&self) -> Option<&Alias> {
        self.alias_named(ALIAS)
    }

    /// The alias of this name.
    pub fn alias_named(&self, name: &str) -> Option<&Alias> {
        self.routes.get(name).map(|route| &route.alias)
    }

    /// Whether another tool ever changed the alias of this name.
    pub fn is_disturbed(&self, name: &str) -> bool {
        self.routes.get(name).is_some_and(|route| route.disturbed)
    }

    /// Whether Lambda writes weights of its own to the alias of this name.
    pub fn is_provisioned(&self, name: &str) -> bool {
        self.routes.get(name).is_some_and(|route| route.provision.is_some())
    }

    /// Whether provisioned concurrency of the alias of this name could not move.
    pub fn provision_failed(&self, name: &str) -> bool {
        let provision = self.routes.get(name).and_then(|route| route.provision.as_ref());
        provision.is_some_and(Provision::failed)
    }

    /// The versions that the aliases name.
    fn named(&self) -> Vec<String> {
        self.routes.values().flat_map(Route::named).collect()
    }

    /// Whether an alias names this version.
    pub fn names(&self, version: &str) -> bool {
        self.named().iter().any(|named| named == version)
    }

    /// From now on GetAlias answers what was true before the last change, while a change is fresh.
    pub fn answer_old(&mut self) {
        self.old_until = Some(Instant::now() + STALENESS);
    }

    /// What was due happens: where provisioned concurrency has moved, everybody goes with it.
    fn settle(&mut self) {
        for route in self.routes.values_mut() {
            route.settle(&mut self.revisions);
        }
    }

    /// What GetAlias answers.
    fn answered(&mut self, function: &str, name: &str) -> Option<Alias> {
        self.settle();
        let old = self.old_until.is_some_and(|until| Instant::now() < until);
        if self.routes.get(name).is_some_and(Route::changed_lately) {
            self.doubtful_reads.push(Instant::now());
        }
        match self.routes.get(name).filter(|_| known(function).is_ok()) {
            Some(route) if old => route.answered_old(),
            route => route.map(|route| route.alias.clone()),
        }
    }

    /// What UpdateAlias makes of the alias.
    fn changed(&mut self, change: &AliasChange) -> Result<Alias, Refusal> {
        well_formed(change)?;
        known(&change.function)?;
        self.settle();
        let route = self.routes.get(&change.alias).ok_or(MISSING)?;
        if change.revision_id != route.alias.revision_id {
            return Err(STALE);
        }
        self.may_route(&change.version, change.weight.as_ref())?;
        let route = self.routes.get_mut(&change.alias).ok_or(MISSING)?;
        route.change(change, &mut self.revisions)
    }

    /// CreateAlias.
    fn created(&mut self, function: &str, name: &str, alias: Alias) -> Result<Alias, Refusal> {
        described(&alias.description)?;
        versioned(&alias.version)?;
        known(function)?;
        if self.routes.contains_key(name) {
            return Err(BUSY);
        }
        self.may_route(&alias.version, None)?;
        let route = Route::made(alias, &mut self.revisions);
        let made = route.alias.clone();
        self.routes.insert(name.to_owned(), route);
        Ok(made)
    }

    /// Whether an alias may be routed like this.
    fn may_route(&self, version: &str, extra: Option<&VersionWeight>) -> Result<(), Refusal> {
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
        if self.names(&surplus.version().to_string()) {
            return Err(BUSY);
        }
        Ok(self.functions.delete(surplus.version()))
    }

    /// GetProvisionedConcurrencyConfig.
    fn provisioned(&mut self, function: &str, name: &str) -> Result<Provisioned, Refusal> {
        known(function)?;
        self.settle();
        let route = self.routes.get(name).ok_or(MISSING)?;
        route.provision.as_ref().map(Provision::described).ok_or(UNPROVISIONED)
    }
}

/// A share as a percentage.
pub fn percent(extra: &VersionWeight) -> (String, i32) {
    #[expect(clippy::cast_possible_truncation, reason = "weights are 0 to 1")]
    let weight = (extra.weight * 100.0).round() as i32;
    (extra.version.clone(), weight)
}
