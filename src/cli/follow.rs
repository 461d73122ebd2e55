//! Watching one object until something is the case.

use std::{borrow::Cow, pin::pin, time::Duration};

use futures::StreamExt as _;
use kube::{
    Api,
    runtime::{WatchStreamExt as _, watcher},
};
use tokio::time::{Instant, timeout_at};

use super::{Error, cluster::Object, error::FailedWatch};

/// How long an API server may refuse what it allowed before. One that starts answers before it has
/// read all permissions and CRDs.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Whether a watch that fails is worth to go on.
#[derive(Debug)]
pub(super) struct Patience {
    /// What is watched.
    kind: Cow<'static, str>,
    /// It was answered before.
    worked: bool,
    refused_since: Option<Instant>,
}

impl Patience {
    /// With a watch of this kind, at its begin.
    pub(super) fn with<K: Object>() -> Self {
        Self { kind: K::kind(&()), worked: false, refused_since: None }
    }

    /// The watch was answered.
    pub(super) fn worked(&mut self) {
        self.worked = true;
        self.refused_since = None;
    }

    /// The watch failed.
    ///
    /// # Errors
    ///
    /// What failed, when it is not worth to go on.
    pub(super) fn failed(&mut self, source: &watcher::Error) -> Result<(), Error> {
        match Error::watch(&self.kind, source) {
            FailedWatch::Broken => {
                tracing::debug!(error = %crate::error::chain(source), "watches again");
                Ok(())
            }
            FailedWatch::Unreadable(error) => Err(error),
            FailedWatch::Refused(error) => {
                let since = *self.refused_since.get_or_insert_with(Instant::now);
                let starts = self.worked && since.elapsed() < STARTS_WITHIN;
                if starts { Ok(()) } else { Err(error) }
            }
        }
    }
}

/// Shows the object to `look` whenever it changes (none: it does not exist), until that has an
/// answer; none when `timeout` passes first. Lost connections are made again.
///
/// # Errors
///
/// [`Error`] when the API server does not allow it, or the object cannot be read.
pub(super) async fn until<K: Object, T>(
    api: Api<K>,
    name: &str,
    timeout: Duration,
    mut look: impl FnMut(Option<&K>) -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let Some(deadline) = Instant::now().checked_add(timeout) else { return Ok(None) };
    let mut changes = pin!(watcher::watch_object(api, name).default_backoff());
    let mut patience = Patience::with::<K>();
    loop {
        let Ok(Some(change)) = timeout_at(deadline, changes.next()).await else { return Ok(None) };
        match change {
            Ok(object) => {
                patience.worked();
                if let Some(answer) = look(object.as_ref())? {
                    return Ok(Some(answer));
                }
            }
            Err(error) => patience.failed(&error)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use tokio::time::advance;

    use super::*;
    use crate::api::canary_rollout::CanaryRollout;

    fn refused(code: u16) -> watcher::Error {
        let status = Status::failure("not now", "Forbidden").with_code(code);
        watcher::Error::WatchStartFailed(kube::Error::Api(status.boxed()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_allowed_before_may_be_refused_while_a_server_starts() {
        for code in [401, 403, 404] {
            assert!(
                Patience::with::<CanaryRollout>().failed(&refused(code)).is_err(),
                "{code} at first"
            );
            let mut patience = Patience::with::<CanaryRollout>();
            patience.worked();
            patience.failed(&refused(code)).unwrap();
            advance(STARTS_WITHIN - Duration::from_secs(1)).await;
            patience.failed(&refused(code)).unwrap();
            advance(Duration::from_secs(1)).await;
            assert!(patience.failed(&refused(code)).is_err(), "{code} for long");
            patience.worked();
            patience.failed(&refused(code)).unwrap();
        }
    }

    #[tokio::test]
    async fn a_broken_watch_is_taken_up_again_and_an_unreadable_object_told_at_once() {
        let mut patience = Patience::with::<CanaryRollout>();
        patience.failed(&watcher::Error::NoResourceVersion).unwrap();
        patience.failed(&refused(503)).unwrap();
        patience.worked();
        let unreadable = serde_json::from_str::<u8>("x").unwrap_err();
        let unreadable = watcher::Error::WatchFailed(kube::Error::SerdeError(unreadable));
        assert!(patience.failed(&unreadable).is_err());
    }
}
