//! Watching one object until something is the case.

use std::{pin::pin, time::Duration};

use futures::StreamExt as _;
use kube::{
    Api,
    runtime::{WatchStreamExt as _, watcher},
};
use tokio::time::{Instant, timeout_at};

use super::Error;
use crate::api::canary_rollout::CanaryRollout;

/// Shows the object to `look` whenever it changes (none: it does not exist), until that has an
/// answer; none when `timeout` passes first. Lost connections are made again.
///
/// # Errors
///
/// [`Error`] when the API server does not allow it, or the object cannot be read.
pub(super) async fn until<T>(
    api: Api<CanaryRollout>,
    name: &str,
    timeout: Duration,
    mut look: impl FnMut(Option<&CanaryRollout>) -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let Some(deadline) = Instant::now().checked_add(timeout) else { return Ok(None) };
    let mut changes = pin!(watcher::watch_object(api, name).default_backoff());
    loop {
        let Ok(Some(change)) = timeout_at(deadline, changes.next()).await else { return Ok(None) };
        match change {
            Ok(object) => {
                if let Some(answer) = look(object.as_ref())? {
                    return Ok(Some(answer));
                }
            }
            Err(error) => match Error::watch(&error) {
                Some(error) => return Err(error),
                None => tracing::debug!(error = %crate::error::chain(&error), "watches again"),
            },
        }
    }
}
