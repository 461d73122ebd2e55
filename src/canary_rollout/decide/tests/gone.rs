use super::{check, check_passes};
use crate::{
    api::{canary_rollout::Outcome, shared::Mode},
    canary_rollout::{
        decide::{Draft, Unready, way_back},
        world::{NEXT_REVISION, World, release, unusable},
    },
    facts::kubernetes::Deletion,
};

const HELD: &str = "Held StableVersionGone: alias production still serves version 43, because version 42 of flightdata-processor, which it should go back to, does not exist; release a good version, or accept version 43 with the verb retry@9f2c1a; it goes back because: because of ErrorRate";

/// The release failed in its bake, and somebody deleted the version that was stable.
fn gone() -> World {
    World::ending(3, Some("01:40:00"), Outcome::RolledBack, "ErrorRate").with(|world| {
        world.alias_is("43", &[], "");
        world.facts.stable_gone = true;
    })
}

#[test]
fn where_the_stable_version_is_gone_nothing_is_written_and_a_person_is_told_what_to_do() {
    check(&gone(), &[HELD, "01:45:00 !"]);
    let deleted = gone().with(|world| world.facts.deletion = Deletion::Undo);
    let plan = deleted.plan();
    assert_eq!((plan.actions.as_slice(), plan.finalizer), ([].as_slice(), true));
    assert!(plan.report.message.contains("groundcrew.dev/abandon"), "{}", plan.report.message);
}

#[test]
fn a_newer_release_goes_forward_from_where_there_is_no_way_back() {
    let newer = |world: World| world.with(|w| w.facts.wanted = Ok(release("44", NEXT_REVISION)));
    let mut world = newer(gone());
    check_passes(
        &mut world,
        &[
            "Pending: version 43 stays until the next release takes its place",
            "Pending: releasing version 44 in place of 43",
            "Progressing: setting version 44 to 10%",
            "Progressing: 10%: holds until 02:14:00Z",
            "Progressing: 10%: holds until 02:14:00Z",
        ],
    );
    assert_eq!(world.memory().stable.as_deref(), Some("43"));
    assert_eq!(world.memory().history[0].outcome, Outcome::RolledBack);

    let halted: [fn(&mut World); 3] = [
        |world| world.facts.suspended = true,
        |world| world.facts.mode = Mode::Audit,
        |world| world.facts.wanted = Err(unusable(false, "VersionNotFound", "no version 44")),
    ];
    for halt in halted {
        let plan = newer(gone()).with(halt).plan();
        assert_eq!((plan.report.reason, plan.actions.len()), ("StableVersionGone", 0));
        assert!(plan.memory.flight.is_some(), "nothing new starts");
    }
}

#[test]
fn a_release_that_is_to_be_published_ends_the_wait_for_a_way_back_too() {
    let wanted = release("44", NEXT_REVISION);
    let draft = |revision: &str| {
        let release = crate::canary_rollout::rollout::Release {
            source: crate::canary_rollout::rollout::Source::Latest,
            code_sha256: None,
            settings: crate::canary_rollout::rollout::Settings::default(),
        };
        let steps = crate::canary_rollout::rollout::Steps::default();
        Err(Unready::Unpublished(Box::new(Draft { revision: revision.into(), release, steps })))
    };
    let ends = |revision: &str| {
        gone().with(|world| world.facts.wanted = draft(revision)).plan().memory.flight.is_none()
    };
    assert!(ends(&wanted.revision));
    assert!(!ends("9f2c1a"), "it is the release that failed");
}

#[test]
fn retry_accepts_what_is_served_where_there_is_no_way_back() {
    let mut world = gone().asked("retry@9f2c1a");
    let said = world.settle();
    assert_eq!(said.last().unwrap().report.message, "alias production serves version 43");
    let reasons: Vec<_> = world.status.history.iter().map(|entry| entry.reason.as_str()).collect();
    assert_eq!(reasons, ["AlreadyServed", "StableVersionGone"]);
    assert_eq!(world.memory().stable.as_deref(), Some("43"));
}

#[test]
fn the_stable_version_is_asked_for_only_where_the_alias_must_be_pointed_at_it() {
    let asked = |world: &World| {
        way_back(&world.memory(), world.facts.alias.as_ref().unwrap()).map(str::to_owned)
    };
    assert_eq!(asked(&gone()).as_deref(), Some("42"));
    assert_eq!(asked(&World::ending(0, Some("01:44:00"), Outcome::Aborted, "x")), None);
    assert_eq!(asked(&gone().with(|world| world.alias_is("43", &[("42", 1.0)], ""))), None);
    assert_eq!(asked(&gone().with(|world| world.status.ending = None)), None);
    let promoted = World::ending(2, Some("01:44:00"), Outcome::Promoted, "StepsCompleted");
    assert_eq!(asked(&promoted.with(|world| world.alias_is("43", &[], ""))), None);
}
