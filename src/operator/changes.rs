//! Names that change, for those that want to know: bounded, and never waiting for a listener.

use futures::{Stream, StreamExt as _};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use tokio::sync::broadcast;

use crate::engine::{Kind, Packed, Reader};

/// Changes that a listener may be behind: a cluster's worth of objects that change at once.
const KEPT: usize = 4_096;

/// Names of Namespaces in which something changes.
#[derive(Clone)]
pub struct Changes(broadcast::Sender<String>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::channel(KEPT).0)
    }
}

impl Changes {
    /// Tells of a change; without listeners nothing happens.
    pub fn tell(&self, namespace: String) {
        let _ = self.0.send(namespace);
    }

    /// Namespaces in which something changes from now on; `what` is for the log.
    pub fn stream(&self, what: &'static str) -> impl Stream<Item = String> + Send + use<> {
        futures::stream::unfold(self.0.subscribe(), move |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(name) => return Some((name, receiver)),
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        tracing::warn!(missed, "changes of {what} were missed");
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        })
    }
}

/// The objects of these Namespaces that are `concerned`.
pub fn concerned<K: Kind>(
    namespaces: impl Stream<Item = String> + Send + 'static,
    objects: Reader<K>,
    concerned: impl Fn(&Packed<K>) -> bool + Send + 'static,
) -> impl Stream<Item = ObjectRef<Packed<K>>> + Send {
    namespaces.flat_map(move |namespace| {
        let theirs = objects.state_filter(|object| {
            object.namespace().as_ref() == Some(&namespace) && concerned(object)
        });
        let refs: Vec<_> = theirs.iter().map(|object| ObjectRef::from_obj(&**object)).collect();
        futures::stream::iter(refs)
    })
}
