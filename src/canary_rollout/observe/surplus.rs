//! Versions that may be deleted.

use std::collections::BTreeSet;

use super::Place;
use crate::{
    aws::{self, hub::Refusal, port::Lambda},
    canary_rollout::{
        decide::{Unread, pruning_is_due},
        error::Error,
        memory::Memory,
    },
    error::Remedy,
    facts::{
        lambda::Alias,
        surplus::{ListedVersion, Surplus, Terms},
    },
    names::Owner,
};

/// Most pages of a list: 50 versions each, and an account has room for some thousands. With more than
/// that nothing is deleted, because not all aliases were seen.
const PAGES_MAX: usize = 200;

/// Versions of `owner` that may go beside the `keep` newest, where it is time to look. `in_use` tells
/// which versions rollouts still need. It is asked last: a stable version that an alias still named is
/// found in one or the other, because a status tells of it before the alias moves.
///
/// # Errors
///
/// With a list that is not complete nothing is deleted, nor where AWS refused it lately.
pub async fn read(
    lambda: &dyn Lambda,
    (memory, alias): (&Memory, &Alias),
    place: &Place<'_>,
    (owner, keep): (&Owner, usize),
    in_use: impl FnOnce() -> BTreeSet<String>,
) -> Result<Option<Vec<Surplus>>, Unread> {
    if !pruning_is_due(memory, alias) {
        return Ok(None);
    }
    if let Some(known) = place.context.hub.pruning_refusal(place.key, place.now) {
        let Refusal { reason, message } = known;
        return Err(Unread { remedy: Remedy::AwaitEdit, reason, message });
    }
    let function = &place.key.function;
    let lists = async { Ok((versions(lambda, function).await?, named(lambda, function).await?)) };
    let (listed, named) = lists.await.map_err(|source| {
        let error = Error::ListVersions { function: function.clone(), source };
        refused(&error, place);
        Unread::from(&error)
    })?;
    let (Some(listed), Some(named)) = (listed, named) else { return Ok(Some(Vec::new())) };
    let (served, failed, pinned) = (&alias.version, &memory.failed(), &(&named | &in_use()));
    let terms = Terms { owner, served, keep, failed, pinned };
    Ok(Some(Surplus::of(function, &listed, &terms)))
}

/// Remembers for a while what only a person can mend: a rollout that follows `$LATEST` is looked at
/// each minute.
pub fn refused(error: &Error, place: &Place<'_>) {
    let Unread { remedy, reason, message } = Unread::from(error);
    if remedy == Remedy::AwaitEdit {
        place.context.hub.refused_pruning(place.key, Refusal { reason, message }, place.now);
    }
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
