//! Whose alias it is, when several rollouts name it: the oldest one's, across namespaces.

use jiff::Timestamp;
use kube::ResourceExt as _;

use super::memory::Memory;
use crate::{
    api::canary_rollout::CanaryRollout,
    aws::{
        accounts::{self, NamespaceFacts, Pinned, Settings},
        session::Session,
    },
    context::Context,
    facts::peers::Peer,
};

/// The rollout that the alias belongs to, as `namespace/name`, if it is not this one's. Not asked
/// while this one is in flight: then the alias is its own.
pub fn taken_by(object: &CanaryRollout, context: &Context, session: &Session) -> Option<String> {
    if Memory::recall(object.status.as_ref()).flight.is_some() {
        return None;
    }
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
    use super::*;
    use crate::{api::shared::AwsLocation, aws::accounts::ExternalIdTemplate};

    const HERE: Here<'_> = Here { region: "eu-central-1", account: "123456789012" };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn peer(namespace: &str, name: &str, created: i64) -> Peer {
        Peer {
            namespace: namespace.into(),
            name: name.into(),
            created: at(created),
            location: None,
            region: None,
            account: None,
        }
    }

    #[track_caller]
    fn check_older(rivals: &[(&str, &str, i64)], expected: Option<&str>) {
        let me = (at(100), "shop".to_owned(), "checkout".to_owned());
        let rivals =
            rivals.iter().map(|(namespace, name, created)| peer(namespace, name, *created));
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
        let one = peer("shop", "one", 1);
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
        assert!(!rival(&peer("shop", "one", 1), None), "no credentials");
        assert!(!rival(&peer("shop", "one", 1), Some("no role")));
    }

    #[test]
    fn the_operators_own_credentials_are_taken_to_be_of_this_account() {
        assert!(rival(&peer("own", "one", 1), None));
    }
}
