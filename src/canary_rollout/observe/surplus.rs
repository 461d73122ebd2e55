//! Versions that may be deleted.

use std::collections::BTreeSet;

use crate::{
    aws::{self, hub::AliasKey, port::Lambda},
    canary_rollout::{decide::pruning_is_due, error::Error, memory::Memory},
    facts::{
        lambda::Alias,
        surplus::{ListedVersion, Surplus, Terms},
    },
    names::Owner,
};

/// Most pages of a list: 50 versions each, and an account has room for some thousands. With more than
/// that nothing is deleted, because not all aliases were seen.
const PAGES_MAX: usize = 200;

/// Versions of `owner` that may go, where `keep` says how many stay and it is time to look. `in_use` tells
/// which versions rollouts still need. It is asked last: a stable version that an alias still named is
/// found in one or the other, because a status tells of it before the alias moves.
///
/// # Errors
///
/// [`Error::ListVersions`]: with a list that is not complete nothing is deleted.
pub async fn read(
    lambda: &dyn Lambda,
    memory: &Memory,
    key: &AliasKey,
    (owner, keep): (&Owner, Option<usize>),
    alias: Option<&Alias>,
    in_use: impl FnOnce() -> BTreeSet<String>,
) -> Result<Option<Vec<Surplus>>, Error> {
    let (Some(alias), Some(keep)) = (alias, keep) else { return Ok(None) };
    if !pruning_is_due(memory, alias) {
        return Ok(None);
    }
    let failed = |source| Error::ListVersions { function: key.function.clone(), source };
    let listed = versions(lambda, &key.function).await.map_err(failed)?;
    let named = named(lambda, &key.function).await.map_err(failed)?;
    let (Some(listed), Some(named)) = (listed, named) else { return Ok(Some(Vec::new())) };
    let (served, failed, pinned) = (&alias.version, &memory.failed(), &(&named | &in_use()));
    let terms = Terms { owner, served, keep, failed, pinned };
    Ok(Some(Surplus::of(&key.function, &listed, &terms)))
}

async fn versions(
    lambda: &dyn Lambda,
    function: &str,
) -> Result<Option<Vec<ListedVersion>>, aws::Error> {
    let (mut all, mut next) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = lambda.list_versions(function, next.as_deref()).await?;
        all.extend(page.versions);
        next = page.next;
        if next.is_none() {
            return Ok(Some(all));
        }
    }
    Ok(None)
}

async fn named(
    lambda: &dyn Lambda,
    function: &str,
) -> Result<Option<BTreeSet<String>>, aws::Error> {
    let (mut all, mut next) = (BTreeSet::new(), None);
    for _ in 0..PAGES_MAX {
        let page = lambda.list_named(function, next.as_deref()).await?;
        all.extend(page.versions);
        next = page.next;
        if next.is_none() {
            return Ok(Some(all));
        }
    }
    Ok(None)
}
