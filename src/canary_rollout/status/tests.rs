use super::*;
use crate::api::canary_rollout::{HistoryEntry, Outcome};
use crate::{
    canary_rollout::{
        decide::{Revisit, Unread},
        world::{World, denied, ended, k8s_time, release, time},
    },
    facts::kubernetes::Deletion,
};

mod failures;
mod notes;
mod sizes;

/// `Type=Status Reason`, in the order in which they are published.
fn conditions_of(status: &CanaryRolloutStatus) -> Vec<String> {
    let told = status.conditions.iter().map(|c| format!("{}={} {}", c.type_, c.status, c.reason));
    told.collect()
}

fn condition<'s>(status: &'s CanaryRolloutStatus, kind: &str) -> &'s Condition {
    status.conditions.iter().find(|c| c.type_ == kind).expect("the condition is there")
}

/// A plan of nothing that reports a phase.
fn plan(phase: Phase) -> Plan {
    Plan {
        memory: Memory::default(),
        report: Report {
            phase,
            reason: "Why",
            message: "because".into(),
            weight: None,
            hold_until: None,
            difference: None,
            alias_revision: Some("alias-0".into()),
            window: None,
        },
        actions: Vec::new(),
        not_after: None,
        finalizer: false,
        notes: Vec::new(),
        revisit: Revisit::Now,
        needs: None,
        spared: Vec::new(),
        findings: None,
        unread: None,
        ahead: Vec::new(),
    }
}

fn attempt(plan: Plan) -> Attempt {
    Attempt { plan: Some(plan), failure: None, place: None }
}

fn after(old: Option<&CanaryRolloutStatus>, plan: Plan) -> CanaryRolloutStatus {
    summarize(old, Some(1), &attempt(plan), time("01:44:00"))
}

const PHASES: [Phase; 12] = [
    Phase::Pending,
    Phase::Progressing,
    Phase::WaitingApproval,
    Phase::Promoting,
    Phase::Healthy,
    Phase::RollingBack,
    Phase::RolledBack,
    Phase::Aborted,
    Phase::Held,
    Phase::Conflict,
    Phase::Suspended,
    Phase::Invalid,
];

#[test]
fn each_phase_has_its_readiness() {
    let told = PHASES.map(|phase| {
        let status = after(None, plan(phase));
        let readiness = status
            .conditions
            .iter()
            .filter(|c| ["Ready", "Reconciling", "Stalled"].contains(&c.type_.as_str()))
            .map(|c| format!("{}={}", c.type_, c.status))
            .collect::<Vec<_>>();
        (phase, readiness.join(" "))
    });
    let (ready, reconciling, stalled) =
        ("Ready=True", "Ready=False Reconciling=True", "Ready=False Stalled=True");
    let expected = [
        (Phase::Pending, reconciling),
        (Phase::Progressing, reconciling),
        (Phase::WaitingApproval, reconciling),
        (Phase::Promoting, reconciling),
        (Phase::Healthy, ready),
        (Phase::RollingBack, reconciling),
        (Phase::RolledBack, stalled),
        (Phase::Aborted, stalled),
        (Phase::Held, stalled),
        (Phase::Conflict, stalled),
        (Phase::Suspended, "Ready=False"),
        (Phase::Invalid, stalled),
    ];
    assert_eq!(told, expected.map(|(phase, text)| (phase, text.to_owned())));
}

#[test]
fn suspended_keeps_the_last_ready_and_says_so() {
    for (before, ready) in [(Phase::Healthy, "True"), (Phase::Progressing, "False")] {
        let old = after(None, plan(before));
        let status = after(Some(&old), plan(Phase::Suspended));
        let kept = condition(&status, "Ready");
        assert_eq!((kept.status.as_str(), kept.reason.as_str()), (ready, "Suspended"));
        assert_eq!(kept.message, "because");
        assert!(
            !status.conditions.iter().any(|c| c.type_ == "Stalled" || c.type_ == "Reconciling")
        );
    }
}

#[test]
fn conditions_carry_the_generation_and_keep_their_time_while_nothing_changes() {
    let first = summarize(None, Some(1), &attempt(plan(Phase::Healthy)), time("01:44:00"));
    let second = summarize(Some(&first), Some(2), &attempt(plan(Phase::Healthy)), time("02:00:00"));
    assert_eq!(second.observed_generation, Some(2));
    for condition in &second.conditions {
        assert_eq!(condition.observed_generation, Some(2));
        assert_eq!(condition.last_transition_time, k8s_time("01:44:00"));
    }
    let third = summarize(Some(&second), Some(2), &attempt(plan(Phase::Held)), time("02:00:00"));
    assert_eq!(condition(&third, "Ready").last_transition_time, k8s_time("02:00:00"));
}

#[test]
fn ready_says_what_the_status_says() {
    let status = after(None, plan(Phase::Healthy));
    let ready = condition(&status, "Ready");
    assert_eq!((ready.reason.as_str(), ready.message.as_str()), ("Why", "because"));
    assert_eq!((status.phase, status.message.as_deref()), (Some(Phase::Healthy), Some("because")));
}

#[track_caller]
fn check_progressing(mut world: World, expected: &str) {
    world.pass();
    let progressing = condition(&world.status, "Progressing");
    let told = format!("{} {}: {}", progressing.status, progressing.reason, progressing.message);
    assert_eq!(told, expected);
}

#[test]
fn progressing_says_what_moves_and_where_it_is() {
    let flying = || World::flying(0, Some("01:44:00"));
    let ending = |outcome| World::ending(0, Some("01:44:00"), outcome, "Why");
    check_progressing(flying(), "True InFlight: version 43 takes the place of 42, step 1/3");
    check_progressing(
        flying().asked("pause@9f2c1a"),
        "True Paused: version 43 waits at step 1/3 until it is resumed",
    );
    check_progressing(
        flying().with(|world| world.facts.suspended = true),
        "True Suspended: version 43 waits at step 1/3: see Ready",
    );
    check_progressing(
        flying().with(|world| world.alias_is("41", &[], "")),
        "True AliasMoved: version 43 waits at step 1/3: see Ready",
    );
    check_progressing(
        ending(Outcome::RolledBack),
        "True GoingBack: the alias goes back to version 42",
    );
    check_progressing(
        ending(Outcome::Promoted),
        "True Promoting: the alias moves to version 43 alone",
    );
    check_progressing(World::concluded(Outcome::Promoted, "x"), "False Idle: nothing is in flight");
    check_progressing(
        World::concluded(Outcome::Promoted, "x").with(|world| world.alias_is("41", &[], "")),
        "False Idle: nothing is in flight",
    );
}

#[track_caller]
fn check_in_sync(mut world: World, expected: &str) {
    world.pass();
    let in_sync = condition(&world.status, "AliasInSync");
    assert_eq!(format!("{} {}: {}", in_sync.status, in_sync.reason, in_sync.message), expected);
}

#[test]
fn alias_in_sync_says_what_is_different() {
    check_in_sync(World::flying(0, Some("01:44:00")), "True AsLeft: the alias is as it was left");
    check_in_sync(
        World::new().with(|world| world.facts.alias = None),
        "True NoAlias: there is no alias yet",
    );
    check_in_sync(
        World::concluded(Outcome::Promoted, "x").with(|world| world.alias_is("41", &[], "")),
        "False AliasMoved: alias production serves version 41; it belongs at version 43",
    );
    check_in_sync(
        World::new().with(|world| world.alias_is("42", &[("41", 0.1)], "")),
        "False UnownedWeights: alias production serves version 42 with 41 at 10%",
    );
}

#[test]
fn a_step_is_told_by_index_and_by_display() {
    for (index, entered, display) in [
        (0, None, "1/3"),
        (1, Some("01:44:00"), "2/3"),
        (2, Some("01:44:00"), "3/3"),
        (3, None, "3/3"),
    ] {
        let step = World::flying(index, entered).status.step.unwrap();
        assert_eq!((step.index, step.count), (index.try_into().unwrap(), 3));
        assert_eq!((step.display.as_str(), step.entered_at), (display, entered.map(k8s_time)));
    }
}

#[test]
fn a_step_tells_until_when_it_holds() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.pass();
    assert_eq!(world.status.step.unwrap().hold_until, Some(k8s_time("02:14:00")));
    assert_eq!(world.status.message.as_deref(), Some("10%: holds until 02:14:00Z"));
}

#[test]
fn the_weight_stays_as_last_read_when_the_alias_is_in_no_state_of_ours() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.pass();
    assert_eq!(world.status.canary.as_ref().map(|canary| canary.weight), Some(10));
    world.alias_is("41", &[("40", 0.2)], "");
    world.pass();
    assert_eq!(world.status.canary.as_ref().map(|canary| canary.weight), Some(10));
}

#[test]
fn region_and_account_stay_once_they_are_known() {
    let place = Some(("eu-central-1".to_owned(), "111122223333".to_owned()));
    let known = Attempt { plan: None, failure: None, place };
    let first = summarize(None, Some(1), &known, time("01:44:00"));
    let second = after(Some(&first), plan(Phase::Healthy));
    assert_eq!(second.region.as_deref(), Some("eu-central-1"));
    assert_eq!(second.account_id.as_deref(), Some("111122223333"));
}

#[test]
fn nothing_empty_is_written_out() {
    let mut world = World::new().asked("abort@x");
    world.facts.request.as_mut().unwrap().by = String::new();
    world.settle();
    let text = serde_json::to_string(&world.status).unwrap();
    for empty in ["\"\"", "null", "[]", "{}"] {
        assert!(!text.contains(empty), "{empty} in {text}");
    }
}

#[test]
fn long_texts_are_cut_to_what_the_crd_takes() {
    let mut long = plan(Phase::Conflict);
    long.report.message = "é\n".repeat(4_000);
    long.report.difference = Some("x".repeat(4_000));
    let status = after(None, long);
    let message = status.message.as_deref().unwrap();
    assert_eq!(message.chars().count(), 1_000);
    assert!(!message.contains('\n'));
    assert!(status.conditions.iter().all(|c| c.message.chars().count() <= 1_000));
}

#[test]
fn nothing_changes_on_a_pass_that_changes_nothing() {
    for world in [
        World::new(),
        World::flying(0, Some("01:44:00")),
        World::flying(1, Some("01:44:00")),
        World::flying(0, Some("01:44:00")).with(|world| world.alias_is("41", &[], "")),
        World::concluded(Outcome::Aborted, "AbortedByUser"),
        World::concluded(Outcome::Promoted, "StepsCompleted").with(|w| w.facts.suspended = true),
    ] {
        let mut world = world;
        world.settle();
        let before = world.status.clone();
        world.now = time("01:44:59");
        let again = summarize(Some(&before), Some(1), &attempt(world.plan()), world.now);
        assert_eq!(again, before);
    }
}

#[test]
fn conditions_are_published_in_one_order() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.pass();
    assert_eq!(
        conditions_of(&world.status),
        [
            "AliasInSync=True AsLeft",
            "Progressing=True InFlight",
            "Ready=False Progressing",
            "Reconciling=True Progressing",
        ]
    );
}
