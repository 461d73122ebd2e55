//! What waits for a window, and what becomes of a rollout when it closes.

use proptest::prelude::*;

use super::{check, check_passes, laws, worlds};
use crate::{
    api::canary_rollout::{OnClose, Outcome, Phase},
    canary_rollout::{
        decide::{Action, Purpose, Revisit},
        rollout::Gate,
        world::{World, time, usual_steps},
    },
    window_gate::{By, Closed, Opened, Selection, Verdict},
};

const SHUT: &str = "window weekly is closed, it opens Sun 13 Dec 2026 02:00–04:00 CET";

fn gate(at: &str) -> Gate {
    Gate {
        windows: Selection { by: By::Names(vec!["weekly".into()]), schedules: Vec::new() },
        start: at.contains("Start"),
        advance: at.contains("Advance"),
        promote: at.contains("Promote"),
        on_close: OnClose::Hold,
        require_fit: false,
    }
}

fn open(until: &str) -> Verdict {
    let until = Some(time(until));
    Verdict::Open(Opened { window: "weekly".into(), until, closes: until })
}

fn closed() -> Verdict {
    Verdict::Closed(Closed { reason: "WindowClosed", message: SHUT.into(), again: None })
}

fn ending() -> Verdict {
    let message = "window weekly takes no new work any more".into();
    Verdict::Ending(Closed { reason: "WindowEnding", message, again: None }, time("04:00:00"))
}

fn unknown() -> Verdict {
    let message = "window weekly was edited and not looked at since".into();
    Verdict::Unknown(Closed { reason: "WindowUnusable", message, again: None })
}

fn gated(world: World, gate: Gate, verdict: Verdict) -> World {
    world.with(|world| {
        world.facts.terms.as_mut().unwrap().gate = Some(gate);
        world.facts.windows = Some(verdict);
    })
}

#[test]
fn a_release_waits_for_its_window_to_start() {
    for verdict in [closed(), ending(), unknown()] {
        let message = match &verdict {
            Verdict::Open(_) => panic!("open"),
            Verdict::Ending(why, _) | Verdict::Closed(why) | Verdict::Unknown(why) => why.clone(),
        };
        let world = gated(World::new(), gate("Start"), verdict);
        let told =
            format!("WaitingWindow {}: version 43 waits: {}", message.reason, message.message);
        // The close of the window is the next thing that happens to it.
        let next = if message.reason == "WindowEnding" { "04:00:00" } else { "01:59:00" };
        let plan = world.plan();
        assert_eq!(super::told(&plan).first(), Some(&told));
        assert!(plan.actions.is_empty() && plan.memory.flight.is_none());
        let Revisit::At(then) = plan.revisit else { panic!("it waits") };
        assert!(then <= time(next), "{then}");
        laws::hold(&world, &plan);
    }
}

#[test]
fn an_open_window_lets_a_release_start() {
    let world = gated(World::new(), gate("Start"), open("04:00:00"));
    check(&world, &["Pending Starting: releasing version 43 in place of 42", "now !"]);
    let free = gated(World::new(), gate("Promote"), closed());
    check(&free, &["Pending Starting: releasing version 43 in place of 42", "now !"]);
}

#[test]
fn what_speaks_against_a_start_is_told_before_the_window_opens() {
    let mut world = gated(World::new(), gate("Start"), closed());
    world.facts.taken_by = Some("shop/older".into());
    assert_eq!(world.plan().report.phase, Phase::Held);
}

#[test]
fn a_release_without_steps_waits_where_only_100_does() {
    let mut world = gated(World::new(), gate("Promote"), closed());
    if let Ok(wanted) = &mut world.facts.wanted {
        wanted.steps = crate::canary_rollout::rollout::Steps::default();
    }
    assert_eq!(world.plan().report.phase, Phase::WaitingWindow);
}

#[test]
fn a_release_that_was_served_lately_waits_for_no_window() {
    let mut world = gated(World::new(), gate("Start, Advance, Promote"), closed());
    world.facts.terms.as_mut().unwrap().rollback_window = 3;
    world.status.history = ["43", "42"]
        .iter()
        .rev()
        .map(|version| {
            let revision = format!("rev-{version}");
            crate::canary_rollout::world::ended(&revision, version, Outcome::Promoted, "Why")
        })
        .collect();
    world.status.history[1].revision = crate::canary_rollout::world::REVISION.into();
    let plans = world.settle();
    assert!(plans.iter().all(|plan| plan.report.phase != Phase::WaitingWindow), "{plans:#?}");
    assert_eq!(world.facts.alias.unwrap().version, "43");
}

#[test]
fn when_the_window_closes_a_rollout_holds_and_goes_on_when_it_opens() {
    let mut world = gated(World::flying(0, Some("01:44:00")), gate("Start"), closed());
    let held = format!("WaitingWindow: version 43 stays at 10%: {SHUT}");
    check_passes(&mut world, &[&held]);
    world.now = time("02:30:00");
    check_passes(&mut world, &[&held]);
    world.facts.windows = Some(open("04:00:00"));
    let plans = world.settle();
    assert_eq!(plans.last().unwrap().report.phase, Phase::WaitingApproval);
}

#[test]
fn the_close_is_not_slept_through() {
    let world = gated(World::flying(0, Some("01:44:00")), gate("Start"), open("01:44:30"));
    assert_eq!(world.plan().revisit, Revisit::At(time("01:44:30")));
    let world = gated(World::flying(0, Some("01:44:00")), gate("Start"), ending());
    assert_eq!(world.clone().at("03:59:30").plan().revisit, Revisit::Now, "its hold is over");
}

#[test]
fn the_begin_of_a_schedule_that_counts_is_not_slept_through() {
    let again = Some(time("02:30:00"));
    let (reason, message) = ("WindowClosed", SHUT.to_owned());
    let verdict = Verdict::Closed(Closed { reason, message, again });
    let world = gated(World::new(), gate("Start"), verdict).at("02:29:00");
    assert_eq!(world.plan().revisit, Revisit::At(time("02:30:00")));
}

#[test]
fn in_the_cutoff_what_is_under_way_goes_on() {
    let world = gated(World::flying(0, Some("01:44:00")), gate("Start"), ending());
    assert_eq!(world.plan().report.phase, Phase::Progressing);
}

#[test]
fn continue_goes_on_and_rollback_goes_back() {
    let on_close = |on_close| Gate { on_close, ..gate("Start") };
    let world = gated(World::flying(0, Some("01:44:00")), on_close(OnClose::Continue), closed());
    assert_eq!(world.plan().report.phase, Phase::Progressing);
    let mut world =
        gated(World::flying(0, Some("01:44:00")), on_close(OnClose::Rollback), closed());
    world.settle();
    assert_eq!(world.facts.alias.as_ref().unwrap().weights, []);
    let entry = world.status.history.first().unwrap();
    assert_eq!((entry.outcome, entry.reason.as_str()), (Outcome::RolledBack, "WindowClosed"));
    assert_eq!(entry.message, SHUT);
}

#[test]
fn a_window_that_cannot_be_asked_holds_and_never_rolls_back() {
    let rollback = Gate { on_close: OnClose::Rollback, ..gate("Start") };
    let world = gated(World::flying(0, Some("01:44:00")), rollback, unknown());
    assert_eq!(world.plan().report.phase, Phase::WaitingWindow);
}

#[test]
fn what_serves_everybody_is_watched_whatever_the_windows_say() {
    let rollback = Gate { on_close: OnClose::Rollback, ..gate("Start, Advance, Promote") };
    let mut world = gated(World::flying(3, Some("01:40:00")), rollback, closed());
    world.facts.terms.as_mut().unwrap().bake = "1h".parse().unwrap();
    world.alias_is("43", &[], "");
    assert_eq!(world.plan().report.phase, Phase::Baking);
}

#[test]
fn each_further_weight_waits_where_the_gate_says_so() {
    let continues = |at| Gate { on_close: OnClose::Continue, ..gate(at) };
    let world = World::flying(2, None);
    let held = gated(world.clone(), continues("Advance"), ending()).plan();
    assert_eq!(held.report.phase, Phase::WaitingWindow);
    assert!(held.actions.is_empty());
    let moves = gated(world.clone(), continues("Start, Promote"), ending()).plan();
    assert_eq!(moves.actions.len(), 1);
    // The first weight belongs to the start.
    let first = gated(World::flying(0, None), continues("Advance"), ending()).plan();
    assert_eq!(first.actions.len(), 1);
}

#[test]
fn one_hundred_waits_where_the_gate_says_so() {
    let continues = Gate { on_close: OnClose::Continue, ..gate("Promote") };
    let mut world = gated(World::flying(2, Some("01:10:00")), continues, closed());
    let held = format!("WaitingWindow: version 43 stays at 50%: {SHUT}");
    check_passes(&mut world, &[&held]);
    world.facts.windows = Some(open("04:00:00"));
    world.settle();
    assert_eq!(world.facts.alias.unwrap().version, "43");
}

#[test]
fn a_promotion_that_was_intended_is_not_carried_out_after_the_close() {
    let world = World::ending(2, Some("01:10:00"), Outcome::Promoted, "StepsCompleted");
    for at in ["Start", "Promote"] {
        let plan = gated(world.clone(), gate(at), closed()).plan();
        assert_eq!(plan.report.phase, Phase::WaitingWindow, "{at}");
        assert!(plan.actions.is_empty());
    }
    assert_eq!(gated(world, gate("Start"), open("04:00:00")).plan().actions.len(), 1);
}

#[test]
fn a_move_forward_leaves_before_the_close_or_not_at_all() {
    let flying = |gate, verdict| gated(World::flying(2, None), gate, verdict).plan();
    for verdict in [open("04:00:00"), ending()] {
        assert_eq!(flying(gate("Start"), verdict).not_after, Some(time("04:00:00")));
    }
    let continues = Gate { on_close: OnClose::Continue, ..gate("Start") };
    assert_eq!(flying(continues, open("04:00:00")).not_after, None);
}

#[test]
fn going_back_waits_for_nothing() {
    let rollback = Gate { on_close: OnClose::Hold, ..gate("Start, Advance, Promote") };
    let world = World::ending(2, Some("01:10:00"), Outcome::RolledBack, "ErrorRate");
    let plan = gated(world, rollback.clone(), closed()).plan();
    assert_eq!((plan.actions.len(), plan.not_after), (1, None));
    let mut aborted = gated(World::flying(0, Some("01:44:00")), rollback.clone(), closed());
    aborted = aborted.asked("abort@9f2c1a");
    aborted.settle();
    assert_eq!(aborted.facts.alias.as_ref().unwrap().weights, []);
    let mut back = World::concluded(Outcome::Promoted, "StepsCompleted");
    back.status.history[0].stable = Some("42".into());
    let mut back = gated(back, rollback, closed()).asked("rollback@9f2c1a");
    back.settle();
    assert_eq!(back.facts.alias.unwrap().version, "42");
}

#[test]
fn a_newer_release_sends_the_held_one_back_and_waits_itself() {
    let mut world = gated(World::flying(0, Some("01:44:00")), gate("Start"), closed());
    world.facts.wanted = Ok(crate::canary_rollout::world::release(
        "44",
        crate::canary_rollout::world::NEXT_REVISION,
    ));
    let plans = world.settle();
    assert_eq!(world.facts.alias.as_ref().unwrap().weights, []);
    assert_eq!(plans.last().unwrap().report.phase, Phase::WaitingWindow);
}

#[test]
fn a_person_does_not_promote_past_a_closed_window() {
    let held = gated(World::flying(0, Some("01:44:00")), gate("Start"), closed());
    let refused = held.asked("promote-full@9f2c1a").plan().memory.last_action.unwrap().message;
    assert!(refused.starts_with(SHUT), "{refused}");
    let free = gated(World::flying(0, Some("01:44:00")), gate("Start"), open("04:00:00"));
    let plan = free.asked("promote-full@9f2c1a").plan();
    assert_eq!(plan.memory.flight.unwrap().ending.unwrap().outcome, Outcome::Promoted);
}

#[test]
fn what_is_left_must_fit_before_the_close() {
    let fits = Gate { require_fit: true, ..gate("Start, Advance") };
    // 30 minutes at 10%, and as long at 50%: an hour.
    assert_eq!(usual_steps().len(), 3);
    let start = |until| gated(World::new(), fits.clone(), open(until)).plan().report;
    assert_eq!(start("02:44:00").phase, Phase::Pending);
    let short = start("02:43:59");
    assert_eq!((short.phase, short.reason), (Phase::WaitingWindow, "WindowTooShort"));
    let told = "version 43 waits: what is left takes 1h, and window weekly closes at 02:43:59Z";
    assert_eq!(short.message, told);
    let next = |until| gated(World::flying(2, None), fits.clone(), open(until)).plan();
    assert_eq!(next("02:14:00").actions.len(), 1);
    assert_eq!(next("02:13:59").report.phase, Phase::WaitingWindow);
}

#[test]
fn the_condition_tells_of_the_windows_while_something_waits_or_flies() {
    let word = |world: World| world.plan().report.window.map(|word| (word.open, word.message));
    assert_eq!(word(World::flying(0, Some("01:44:00"))), None);
    let flying = gated(World::flying(0, Some("01:44:00")), gate("Start"), open("04:00:00"));
    let told = "window weekly takes new work until 04:00:00Z".to_owned();
    assert_eq!(word(flying), Some((true, told)));
    assert_eq!(word(gated(World::new(), gate("Start"), closed())), Some((false, SHUT.into())));
    let rests = World::concluded(Outcome::Promoted, "StepsCompleted");
    assert_eq!(word(gated(rests, gate("Start"), closed())), None);
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(open("04:00:00")), Just(ending()), Just(closed()), Just(unknown())]
}

fn gates() -> impl Strategy<Value = Gate> {
    let on_close = prop::sample::select(vec![OnClose::Hold, OnClose::Continue, OnClose::Rollback]);
    (any::<[bool; 4]>(), on_close).prop_map(|([start, advance, promote, require_fit], on_close)| {
        Gate { start, advance, promote, require_fit, on_close, ..gate("") }
    })
}

proptest! {
    /// Outside of its windows a rollout moves forward only where the gate does not ask, whatever the
    /// world is like; and what goes back goes back as it would without windows.
    #[test]
    fn closed_windows_stop_what_goes_forward_and_nothing_else(
        world in prop_oneof![worlds::any_world(), worlds::flights()],
        gate in gates(),
        verdict in verdicts(),
    ) {
        let free = world.plan();
        let plan = gated(world.clone(), gate.clone(), verdict.clone()).plan();
        let forward = |action: &Action| {
            matches!(action, Action::UpdateAlias { purpose: Purpose::Advance, .. })
        };
        let lately = plan.memory.flight.as_ref().and_then(|flight| flight.ending.as_ref());
        let lately = lately.is_some_and(|ending| ending.reason == "RollbackWindow");
        let strict = gate.start && gate.advance && gate.promote;
        let shut = matches!(verdict, Verdict::Closed(_) | Verdict::Unknown(_));
        let baking = world.memory().flight.is_some_and(|flight| flight.is_baking());
        if shut && gate.on_close == OnClose::Hold && strict && !lately && !baking {
            prop_assert!(!plan.actions.iter().any(forward), "{plan:#?}");
        }
        let goes_back = |action: &Action| {
            matches!(action, Action::UpdateAlias { purpose: Purpose::Undo, .. })
        };
        if free.actions.iter().any(goes_back) {
            prop_assert_eq!(&plan.actions, &free.actions);
            prop_assert_eq!(plan.not_after, None);
        }
    }
}
