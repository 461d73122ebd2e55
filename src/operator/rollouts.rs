//! The CanaryRollouts that are watched, for those that ask about each other.

use kube::ResourceExt as _;

use crate::{
    canary_rollout::{CanaryRollouts, subject},
    context::Rollouts,
    engine::Reader,
    facts::peers::Peer,
};

/// The CanaryRollouts that are watched.
pub struct KnownRollouts(pub Reader<CanaryRollouts>);

impl Rollouts for KnownRollouts {
    /// Looks through all of them: asked only when a rollout is about to start.
    fn of_alias(&self, function: &str, alias: &str) -> Vec<Peer> {
        let subject = subject(function, alias);
        let found = self.0.state_filter(|packed| packed.subject() == subject);
        let objects = found.iter().filter_map(|packed| packed.unpack());
        let named = objects.filter(|object| {
            let named = &object.spec.function;
            named.name == function && named.alias == alias
        });
        named
            .map(|object| Peer {
                namespace: object.namespace().unwrap_or_default(),
                name: object.name_any(),
                created: object
                    .metadata
                    .creation_timestamp
                    .as_ref()
                    .map_or(jiff::Timestamp::MAX, |created| created.0),
                location: object.spec.aws.clone(),
                region: object.status.as_ref().and_then(|status| status.region.clone()),
                account: object.status.as_ref().and_then(|status| status.account_id.clone()),
            })
            .collect()
    }
}
