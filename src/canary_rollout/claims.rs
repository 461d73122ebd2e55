//! What rollouts have in common. Whose alias it is, when several name it: the oldest one's, across
//! namespaces. And which versions of a function they still need.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kube::ResourceExt as _;

use super::{memory::Memory, observe::alias_key, rollout::window};
use crate::{
    api::canary_rollout::{CanaryRollout, CanaryRolloutStatus},
    aws::{
        accounts::{self, NamespaceFacts, Pinned, Settings},
        session::Session,
    },
    context::Context,
    facts::peers::Peer,
};

/// The rollout that the alias belongs to, as `namespace/name`, if it is not this one's.
pub fn taken_by(object: &CanaryRollout, context: &Context, session: &Session) -> Option<String> {
    let function = &object.spec.function;
    let created = object.metadata.creation_timestamp.as_ref()?.0;
    let me = (created, object.namespace().unwrap_or_default(), object.name_any());
    let here = Here { region: session.region(), account: session.account() };
    let peers = context.rollouts.of_alias(&function.name, &function.alias);
    let rivals = peers.into_iter().filter(|peer| {
        let facts = context.namespaces.facts(&peer.namespace);
        here.holds(peer, &facts, &context.settings)
    });
    older(me, rivals)
}

/// What others need to know of an object.
#[must_use]
pub fn peer(object: &CanaryRollout) -> Peer {
    let status = object.status.as_ref();
    Peer {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        created: object.metadata.creation_timestamp.as_ref().map_or(Timestamp::MAX, |made| made.0),
        location: object.spec.aws.clone(),
        region: status.and_then(|status| status.region.clone()),
        account: status.and_then(|status| status.account_id.clone()),
        uses: uses(object),
    }
}

/// The versions that this object and all others of the function serve, release, or may still go back to,
/// and those that another alias of the function named lately: of what has just left one, the watch may not
/// have told yet.
pub fn in_use(
    object: &CanaryRollout,
    context: &Context,
    session: &Session,
    now: Timestamp,
) -> BTreeSet<String> {
    let me = (object.namespace().unwrap_or_default(), object.name_any());
    let here = Here { region: session.region(), account: session.account() };
    let peers = context.rollouts.of_function(&object.spec.function.name);
    let others = peers.into_iter().filter(|peer| (&peer.namespace, &peer.name) != (&me.0, &me.1));
    let near = others.filter(|peer| here.may_hold(peer));
    let named = context.hub.named_by_others(&alias_key(object, session), now);
    near.flat_map(|peer| peer.uses).chain(uses(object)).chain(named).collect()
}

/// The versions that an object serves, releases, or may still go back to. Its stable version may be
/// named by no alias: while it bakes, everybody is at the new one.
fn uses(object: &CanaryRollout) -> BTreeSet<String> {
    let asked = object.spec.release.version.clone();
    let Some(status) = &object.status else { return asked.into_iter().collect() };
    let CanaryRolloutStatus { stable, canary, publishing, .. } = status;
    let stable = stable.as_ref().map(|stable| stable.version.clone());
    let canary = canary.as_ref().map(|canary| canary.version.clone());
    let made = publishing.as_ref().and_then(|publishing| publishing.version.clone());
    let back = Memory::recall(Some(status)).ways_back(window(&object.spec));
    [asked, stable, canary, made].into_iter().flatten().chain(back).collect()
}

/// The oldest of the rivals that are older than this one; of the same second, the first by
/// namespace and name.
fn older(me: (Timestamp, String, String), rivals: impl Iterator<Item = Peer>) -> Option<String> {
    rivals
        .map(|peer| (peer.created, peer.namespace, peer.name))
        .filter(|peer| *peer < me)
        .min()
        .map(|(_, namespace, name)| format!("{namespace}/{name}"))
}

/// Where the alias of this rollout lives.
#[derive(Clone, Copy)]
struct Here<'a> {
    region: &'a str,
    account: &'a str,
}

impl Here<'_> {
    /// Whether a peer's versions may be those of this account and region, as far as it ever told: one
    /// that cannot be worked on now still needs its way back.
    fn may_hold(self, peer: &Peer) -> bool {
        let same = |told: Option<&String>, here: &str| told.is_none_or(|told| told == here);
        same(peer.region.as_ref(), self.region) && same(peer.account.as_ref(), self.account)
    }

    /// Whether a peer's alias is in this account and region.
    ///
    /// One that was never looked at has no account yet: its role's ARN tells, and without a role
    /// the operator's own credentials are taken to be of this account, because wrong is worse than
    /// late.
    fn holds(self, peer: &Peer, facts: &NamespaceFacts, settings: &Settings) -> bool {
        let pinned = Pinned { region: peer.region.clone(), account_id: peer.account.clone() };
        let target = accounts::resolve(settings, facts, peer.location.as_ref(), &pinned);
        // One that cannot be worked on claims nothing.
        let Ok(target) = target else { return false };
        let account = peer.account.clone().or_else(|| {
            let role = target.role.as_ref()?;
            role.arn.split(':').nth(4).map(str::to_owned)
        });
        target.region == self.region && account.is_none_or(|account| account == self.account)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{api::shared::AwsLocation, aws::accounts::ExternalIdTemplate};

    const HERE: Here<'_> = Here { region: "eu-central-1", account: "123456789012" };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn peer_of(namespace: &str, name: &str, created: i64) -> Peer {
        Peer {
            namespace: namespace.into(),
            name: name.into(),
            created: at(created),
            location: None,
            region: None,
            account: None,
            uses: BTreeSet::new(),
        }
    }

    #[track_caller]
    fn check_older(rivals: &[(&str, &str, i64)], expected: Option<&str>) {
        let me = (at(100), "shop".to_owned(), "checkout".to_owned());
        let rivals =
            rivals.iter().map(|(namespace, name, created)| peer_of(namespace, name, *created));
        assert_eq!(older(me, rivals).as_deref(), expected);
    }

    #[test]
    fn the_oldest_acts_across_namespaces() {
        check_older(&[], None);
        check_older(&[("shop", "later", 101), ("other", "later", 200)], None);
        check_older(&[("other", "first", 99)], Some("other/first"));
        check_older(
            &[("b", "second", 98), ("z", "first", 97), ("a", "third", 99)],
            Some("z/first"),
        );
    }

    #[test]
    fn of_the_same_second_the_first_by_name_acts() {
        check_older(&[("shop", "checkout-2", 100), ("tests", "checkout", 100)], None);
        check_older(&[("shop", "billing", 100)], Some("shop/billing"));
        check_older(&[("a", "z", 100), ("shop", "billing", 100)], Some("a/z"));
    }

    /// Whether a peer is a rival, with this role on its namespace and the operator's own
    /// credentials for the namespace `own`.
    fn rival(peer: &Peer, role: Option<&str>) -> bool {
        let settings = Settings::new(
            "prod".into(),
            Some(HERE.region.into()),
            "own".parse().unwrap(),
            ExternalIdTemplate::default(),
        );
        let facts = NamespaceFacts {
            name: peer.namespace.clone(),
            region: None,
            role_arn: role.map(str::to_owned),
        };
        HERE.holds(peer, &facts, &settings.unwrap())
    }

    #[test]
    fn a_rival_is_in_the_same_account_and_region() {
        let role = |account: &str| format!("arn:aws:iam::{account}:role/groundcrew");
        let one = peer_of("shop", "one", 1);
        assert!(rival(&one, Some(&role(HERE.account))));
        assert!(!rival(&one, Some(&role("999999999999"))), "another account");
        let location = AwsLocation { region: Some("eu-west-1".into()), account_id: None };
        let elsewhere = Peer { location: Some(location), ..one.clone() };
        assert!(!rival(&elsewhere, Some(&role(HERE.account))), "another region");
        let known = Peer { account: Some("999999999999".into()), ..one };
        assert!(!rival(&known, Some(&role(HERE.account))), "its status counts more than a role");
    }

    #[test]
    fn one_that_cannot_be_worked_on_claims_nothing() {
        assert!(!rival(&peer_of("shop", "one", 1), None), "no credentials");
        assert!(!rival(&peer_of("shop", "one", 1), Some("no role")));
    }

    #[test]
    fn the_operators_own_credentials_are_taken_to_be_of_this_account() {
        assert!(rival(&peer_of("own", "one", 1), None));
    }

    fn uses_of(status: serde_json::Value) -> Vec<String> {
        let function = json!({"name": "f", "alias": "live"});
        let spec = json!({
            "function": function, "release": {"version": "7"}, "preset": "AllAtOnce",
            "rollbackWindow": {"revisions": 1},
        });
        let object = json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
            "metadata": {"name": "one", "namespace": "shop"}, "spec": spec, "status": status,
        });
        let object: CanaryRollout = serde_json::from_value(object).unwrap();
        peer(&object).uses.into_iter().collect()
    }

    #[test]
    fn a_rollout_uses_what_it_serves_releases_and_may_go_back_to() {
        let time = "2026-12-06T01:00:00Z";
        let entry = |version: &str, stable: &str, outcome: &str| {
            json!({
                "version": version, "revision": version, "stable": stable, "outcome": outcome,
                "reason": "x", "startedAt": time, "endedAt": time,
            })
        };
        assert_eq!(uses_of(json!({})), ["7"]);
        let baking = json!({
            "stable": {"version": "5"},
            "canary": {"version": "6", "weight": 100, "startedAt": time},
            "publishing": {"revision": "x", "version": "8"},
        });
        assert_eq!(uses_of(baking), ["5", "6", "7", "8"]);
        let served = json!({
            "stable": {"version": "6"},
            "history": [
                entry("6", "2", "Promoted"), entry("5", "2", "RolledBack"),
                entry("4", "3", "Promoted"), entry("3", "1", "Promoted"),
            ],
        });
        assert_eq!(uses_of(served), ["2", "4", "6", "7"]);
    }

    #[test]
    fn versions_of_another_account_or_region_are_others() {
        let one = peer_of("shop", "one", 1);
        let told = |region: Option<&str>, account: Option<&str>| {
            let (region, account) = (region.map(Into::into), account.map(Into::into));
            HERE.may_hold(&Peer { region, account, ..one.clone() })
        };
        assert!(told(None, None), "one that was never looked at");
        assert!(told(Some(HERE.region), Some(HERE.account)));
        assert!(!told(Some("eu-west-1"), Some(HERE.account)));
        assert!(!told(Some(HERE.region), Some("999999999999")));
    }
}
