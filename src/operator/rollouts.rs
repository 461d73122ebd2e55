//! The CanaryRollouts that are watched, for those that ask about each other.

use crate::{
    api::canary_rollout::CanaryRollout,
    canary_rollout::{CanaryRollouts, peer, same_function, subject},
    context::Rollouts,
    engine::Reader,
    facts::peers::Peer,
};

/// The CanaryRollouts that are watched.
pub struct KnownRollouts(pub Reader<CanaryRollouts>);

impl KnownRollouts {
    /// Looks through all of them: asked only when a rollout is about to start, or a version may go.
    fn find(
        &self,
        subject: impl Fn(u64) -> bool,
        named: impl Fn(&CanaryRollout) -> bool,
    ) -> Vec<Peer> {
        let found = self.0.state_filter(|packed| subject(packed.subject()));
        let objects = found.iter().filter_map(|packed| packed.unpack());
        objects.filter(named).map(|object| peer(&object)).collect()
    }
}

impl Rollouts for KnownRollouts {
    fn of_alias(&self, function: &str, alias: &str) -> Vec<Peer> {
        let sought = subject(function, alias);
        self.find(
            |subject| subject == sought,
            |object| {
                let named = &object.spec.function;
                named.name == function && named.alias == alias
            },
        )
    }

    fn of_function(&self, function: &str) -> Vec<Peer> {
        let sought = subject(function, "");
        self.find(
            |subject| same_function(subject, sought),
            |object| object.spec.function.name == function,
        )
    }
}
