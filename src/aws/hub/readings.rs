//! Readings of a whole account and region, which a start waits for, but not for long.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::gather::{Ask, Gather};
use crate::aws::{Error, session::Session};

/// Longest that a start waits for a reading. What takes longer is there for the next one.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is found in readings, unless they take too long.
pub(super) async fn in_time<A: Ask, T>(
    about: &A::Item,
    found: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(PATIENCE, found).await.unwrap_or_else(|_| {
        let words = format!("no answer within {} s; the next start has it", PATIENCE.as_secs());
        Err(A::error(A::resource(about), words))
    })
}

impl<A: Ask<Scope = ()>> Gather<A> {
    /// The answer of one item.
    ///
    /// # Errors
    ///
    /// As for [`Self::get`].
    pub(super) async fn one(
        &self,
        session: &Arc<Session>,
        item: A::Item,
        now: A::Stamp,
    ) -> Result<A::Answer, Error> {
        let items = BTreeSet::from([item.clone()]);
        let answer = self.get(session, &(), &items, now).await?.remove(&item);
        answer.ok_or_else(|| A::error(A::resource(&item), "it was not answered".to_owned()))
    }
}
