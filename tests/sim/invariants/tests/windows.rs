//! Windows, and the rollouts that obey them.

use groundcrew::api::{
    canary_rollout::{OnClose, WindowGate},
    check::CheckVerdict,
    maintenance_window::{
        CurrentOpening, Extend, FrozenSpec, Gate, GateReason, MaintenanceWindow,
        MaintenanceWindowStatus, WindowHistoryEntry,
    },
    window_alarms::{AlarmMode, Alarms},
    window_checks::{Checking, WindowCheck, WindowStage},
};

pub(super) use groundcrew::api::maintenance_window::Outcome as Ended;

pub(super) use super::play::{Act, play};
use super::*;
use crate::{
    explore::EPOCH_SECOND,
    faults::Fault,
    history::Made,
    windows::{WEEKLY, named, once},
};

/// Seconds from the begin of a run: the window opens at 14:15 and closes at 14:21.
pub(super) const OPENS: i64 = 100;
pub(super) const CLOSES: i64 = 460;
pub(super) const ID: &str = "once-20260921T1415Z";
pub(super) const KEY: &str = "flights/weekly";

pub(super) fn begun(second: i64) -> Timestamp {
    at(EPOCH_SECOND + second)
}

pub(super) fn window() -> MaintenanceWindow {
    let mut window = MaintenanceWindow::new(WEEKLY, once("14:15", 6));
    window.metadata.namespace = Some(NAMESPACE.into());
    window.metadata.uid = Some("uid-1".into());
    window.metadata.generation = Some(1);
    window
}

/// A later generation.
pub(super) fn edited(change: impl FnOnce(&mut MaintenanceWindow)) -> MaintenanceWindow {
    let mut window = window();
    window.metadata.generation = Some(2);
    change(&mut window);
    window
}

fn suspended() -> MaintenanceWindow {
    edited(|window| window.spec.suspend = Some(true))
}

fn deleted() -> MaintenanceWindow {
    edited(|window| window.metadata.deletion_timestamp = Some(Time(begun(0))))
}

pub(super) fn scheduled() -> MaintenanceWindowStatus {
    MaintenanceWindowStatus { observed_generation: Some(1), ..MaintenanceWindowStatus::default() }
}

/// Open until then.
pub(super) fn open(closes: i64) -> MaintenanceWindowStatus {
    let ends = Time(begun(closes));
    MaintenanceWindowStatus {
        gate: Some(Gate {
            open: true,
            until: Some(ends.clone()),
            closes: Some(ends.clone()),
            reason: GateReason::Open,
            ..Gate::default()
        }),
        current: Some(CurrentOpening {
            id: ID.into(),
            parts: Vec::new(),
            opens_at: Time(begun(OPENS)),
            closes_at: ends,
            closes: String::new(),
            extended_by: None,
            opened_at: Time(begun(OPENS)),
            alarms: None,
            checks: Vec::new(),
            closing: None,
            tasks: Vec::new(),
            metrics: Vec::new(),
            spec: FrozenSpec::default(),
        }),
        ..scheduled()
    }
}

pub(super) fn ended(outcome: Ended) -> MaintenanceWindowStatus {
    let entry = WindowHistoryEntry {
        id: ID.into(),
        opens_at: Time(begun(OPENS)),
        closes_at: Time(begun(CLOSES)),
        opened_at: None,
        closed_at: None,
        outcome,
        message: String::new(),
        extended_by: None,
        alarms: None,
        checks: Vec::new(),
        tasks: Vec::new(),
        metrics: Vec::new(),
        still_in_alarm: Vec::new(),
    };
    MaintenanceWindowStatus { history: vec![entry], ..scheduled() }
}

#[test]
fn an_occurrence_opens_once_and_its_end_is_told_once() {
    let opens = || (OPENS, Act::Tells(open(CLOSES)));
    let completed = || (CLOSES, Act::Tells(ended(Ended::Completed)));
    play(vec![opens(), completed()], &[]);
    let again = (CLOSES + 1, Act::Tells(MaintenanceWindowStatus { gate: None, ..open(CLOSES) }));
    play(vec![opens(), completed(), again], &["M7", "M7"]);
    let mut twice = ended(Ended::Missed);
    twice.history.extend(twice.history.clone());
    play(vec![(CLOSES, Act::Tells(twice))], &["M7"]);
    let changed = (CLOSES + 1, Act::Tells(ended(Ended::Missed)));
    play(vec![opens(), completed(), changed], &["M7"]);
}

#[test]
fn an_end_changes_only_by_post_checks_that_are_watched() {
    let opens = || (OPENS, Act::Tells(open(CLOSES)));
    let watched = |id: &str, status: MaintenanceWindowStatus| {
        let post_checks = Some(Checking { occurrence: id.into(), ..Checking::default() });
        Act::Tells(MaintenanceWindowStatus { post_checks, ..status })
    };
    let fails = |stage| {
        let mut failed = ended(Ended::Failed);
        failed.history[0].message = "its post-checks do not hold".into();
        failed.history[0].checks.push(WindowCheck {
            name: "api".into(),
            stage,
            verdict: CheckVerdict::Failed,
            message: "down".into(),
            at: Time(begun(CLOSES + 1)),
        });
        (CLOSES + 1, Act::Tells(failed))
    };
    let after = || fails(WindowStage::AfterClose);
    let completed = |id| (CLOSES, watched(id, ended(Ended::Completed)));
    play(vec![opens(), completed(ID), after()], &[]);
    play(vec![opens(), completed("another"), after()], &["M7"]);
    play(vec![opens(), completed(ID), fails(WindowStage::BeforeOpening)], &["M7"]);
    play(vec![opens(), (CLOSES, Act::Tells(ended(Ended::Completed))), after()], &["M7"]);
    let mended = (CLOSES + 1, Act::Tells(ended(Ended::Completed)));
    play(vec![opens(), (CLOSES, watched(ID, ended(Ended::Failed))), mended], &["M7"]);
}

#[test]
fn a_gate_is_open_only_as_its_specs_let_it() {
    play(vec![(OPENS, Act::Tells(open(CLOSES)))], &[]);
    play(vec![(OPENS - 1, Act::Tells(open(CLOSES)))], &["G8", "Gate"]);
    play(vec![(OPENS, Act::Tells(open(CLOSES + 60)))], &["Gate"]);
    play(vec![(CLOSES + 3, Act::Tells(open(CLOSES)))], &["G8", "Gate"]);
    // What is suspended is another spec, by which nothing opens either.
    for (stopped, expected) in [(suspended(), ["Gate"; 2].as_slice()), (deleted(), &["Gate"])] {
        let told = |status: MaintenanceWindowStatus| {
            Act::Tells(MaintenanceWindowStatus { observed_generation: Some(2), ..status })
        };
        let person = (OPENS + 9, Act::Person(stopped));
        play(vec![person, (OPENS + 10, told(open(CLOSES)))], expected);
    }
    // What was open stays so, whatever the next one will be.
    let later = edited(|window| window.spec = once("18:00", 6));
    let begins = (OPENS, Act::Tells(open(CLOSES)));
    let kept = MaintenanceWindowStatus { observed_generation: Some(2), ..open(CLOSES) };
    play(vec![begins, (OPENS + 9, Act::Person(later)), (OPENS + 10, Act::Tells(kept))], &[]);
}

#[test]
fn a_window_may_be_made_again_before_the_end_of_the_former_one_is_told() {
    let again = || {
        let mut window = window();
        window.metadata.uid = Some("uid-2".into());
        window
    };
    let made = || vec![(5, Act::Untold(again())), (6, Act::Forgets)];
    let opens = || (OPENS, Act::Tells(open(CLOSES)));
    let told = (7, Act::Person(again()));
    play(made().into_iter().chain([told, opens()]).collect(), &[]);
    play(made().into_iter().chain([opens()]).collect(), &["Gate", "Gate"]);
}

#[test]
fn a_gate_closes_soon_after_its_end_and_a_fault_excuses() {
    let opens = || (OPENS, Act::Tells(open(CLOSES)));
    play(vec![opens(), (CLOSES + 1, Act::Nothing)], &[]);
    play(vec![opens(), (CLOSES + 2, Act::Nothing), (CLOSES + 9, Act::Nothing)], &["Prompt"]);
    let fails = (CLOSES, Act::Fails("window flights/weekly"));
    play(vec![opens(), fails, (CLOSES + 60, Act::Nothing)], &[]);
    let fails = (CLOSES, Act::Fails(MAIN));
    play(vec![opens(), fails, (CLOSES + 60, Act::Nothing)], &["Prompt"]);
    let suspended = || (OPENS + 60, Act::Person(suspended()));
    play(vec![opens(), suspended(), (OPENS + 61, Act::Nothing)], &[]);
    play(vec![opens(), suspended(), (OPENS + 62, Act::Nothing)], &["Prompt"]);
}

#[test]
fn nothing_is_written_where_nothing_changes() {
    let news =
        || Act::Tells(MaintenanceWindowStatus { message: Some("news".into()), ..scheduled() });
    play(vec![(OPENS - 50, news())], &["G8"]);
    play(vec![(1, news())], &[]);
    play(vec![(OPENS, news())], &[]);
    let renamed = edited(|window| window.spec.cutoff = None);
    play(vec![(40, Act::Person(renamed)), (41, news())], &[]);
    play(vec![(40, Act::Untold(suspended())), (41, news())], &["G8"]);
    // What is learned of AWS for the first time is news.
    let account_id = Some("123456789012".to_owned());
    let learned = Act::Tells(MaintenanceWindowStatus { account_id, ..scheduled() });
    play(vec![(OPENS - 50, learned)], &[]);
}

/// The rollout of these tests, in the window.
fn gated(object: CanaryRollout, on_close: OnClose) -> CanaryRollout {
    let mut object = object;
    object.spec.windows = Some(named(&[WEEKLY]));
    let gate = WindowGate { on_close: Some(on_close), ..WindowGate::default() };
    object.spec.window_gate = Some(gate);
    object
}

fn weighted(on_close: OnClose) -> Act {
    let object = gated(flying(), on_close);
    Act::Happens(write(&alias("42", None, "r0"), change("42", Some(("43", 0.1)), "r0"), object))
}

fn started() -> Act {
    let resting = with(|status| status.step = None);
    let (before, after) = (gated(resting, OnClose::Hold), gated(flying(), OnClose::Hold));
    Act::Happens(applied(before, after, &alias("42", None, "r0")))
}

#[test]
fn a_release_starts_only_while_its_window_takes_work() {
    play(vec![(OPENS - 1, started())], &["Gate"]);
    play(vec![(OPENS, started())], &[]);
    play(vec![(CLOSES + 3, started())], &["Gate"]);
    let cutoff = || edited(|window| window.spec.cutoff = Some("5m".parse().unwrap()));
    play(vec![(1, Act::Person(cutoff())), (OPENS + 59, started())], &[]);
    play(vec![(1, Act::Person(cutoff())), (OPENS + 63, started())], &["Gate"]);
    play(vec![(OPENS, Act::Person(suspended())), (OPENS + 3, started())], &["Gate"]);
    play(vec![(OPENS, Act::Untold(suspended())), (OPENS + 3, started())], &[]);
    play(vec![(OPENS, Act::Person(deleted())), (OPENS + 3, started())], &["Gate"]);
}

#[test]
fn a_rollout_goes_forward_only_while_its_window_is_open() {
    let hold = || weighted(OnClose::Hold);
    play(vec![(OPENS, hold())], &[]);
    play(vec![(OPENS - 1, hold())], &["Gate"]);
    play(vec![(CLOSES, hold())], &[]);
    play(vec![(CLOSES + 1, hold())], &["Gate"]);
    play(vec![(CLOSES + 1, weighted(OnClose::Continue))], &[]);
    // A person pushed the close.
    let extended =
        || edited(|window| window.spec.extend = Some(Extend { max: "10m".parse().unwrap() }));
    let asked = || {
        let mut window = extended();
        let verb = ("groundcrew.dev/action".to_owned(), format!("extend=5m@{ID}#1"));
        window.metadata.annotations = Some([verb].into());
        window
    };
    let asks = || [(1, Act::Person(extended())), (OPENS, Act::Person(asked()))].into_iter();
    play(asks().chain([(CLOSES + 299, hold())]).collect(), &[]);
    play(asks().chain([(CLOSES + 301, hold())]).collect(), &["Gate"]);
    // What goes back waits for nothing.
    let object = gated(ending(Outcome::Aborted), OnClose::Hold);
    let back = write(&alias("42", Some(("43", 0.1)), "r0"), change("42", None, "r0"), object);
    play(vec![(CLOSES + 60, Act::Happens(back))], &[]);
}

#[test]
fn what_waits_goes_on_soon_after_its_window_has_opened() {
    let waiting = || {
        Act::Rollout(gated(with(|status| status.phase = Some(Phase::WaitingWindow)), OnClose::Hold))
    };
    let going = || Act::Rollout(gated(flying(), OnClose::Hold));
    let waits = || (9, waiting());
    play(vec![waits(), (OPENS + 1, Act::Nothing)], &[]);
    play(vec![waits(), (OPENS + 1, going()), (OPENS + 9, Act::Nothing)], &[]);
    play(vec![waits(), (OPENS + 2, Act::Nothing), (OPENS + 9, Act::Nothing)], &["Prompt"]);
    for excused in [MAIN, "window flights/weekly"] {
        play(vec![waits(), (OPENS, Act::Fails(excused)), (OPENS + 60, Act::Nothing)], &[]);
    }
    let other = (OPENS, Act::Fails("freight/other"));
    play(vec![waits(), other, (OPENS + 60, Act::Nothing)], &["Prompt"]);
    play(vec![waits(), (50, Act::Person(suspended())), (OPENS + 9, Act::Nothing)], &[]);
    play(vec![waits(), (50, Act::Person(deleted())), (OPENS + 9, Act::Nothing)], &[]);
}

#[test]
fn what_waits_for_alarms_to_be_off_waits_until_that_was_read_back() {
    let switching = || {
        edited(|window| {
            let (mode, names) = (Some(AlarmMode::Toggle), Some(vec!["red".to_owned()]));
            window.spec.alarms = Some(Alarms { mode, names, ..Alarms::default() });
        })
    };
    let waiting = || gated(with(|status| status.phase = Some(Phase::WaitingWindow)), OnClose::Hold);
    let begin = || vec![(1, Act::Person(switching())), (9, Act::Rollout(waiting()))];
    let looks = |second| begin().into_iter().chain([(OPENS + second, Act::Nothing)]).collect();
    play(looks(5), &[]);
    play(looks(6), &["Prompt"]);
}

#[test]
fn one_watch_tells_of_all_windows() {
    let waiting = || gated(with(|status| status.phase = Some(Phase::WaitingWindow)), OnClose::Hold);
    for (fault, told) in [(Fault::WatchLost, true), (Fault::Lost, false)] {
        let mut invariants = Invariants::default();
        invariants.process_leads(begun(0));
        let stored = MaintenanceWindow { status: Some(scheduled()), ..window() };
        invariants.observe(begun(0), &Event::WindowEdited(Box::new(window())));
        invariants.windows.told(begun(0), KEY, &window());
        let (before, after) = (Box::new(window()), Box::new(stored));
        invariants.observe(begun(0), &Event::WindowTold { before, after });
        invariants.seen(begun(9), MAIN, &waiting());
        let by = Some("window flights/other");
        let made = Made { by, what: "window apply status", fault: Some(&fault) };
        invariants.called(begun(OPENS), &made);
        assert_eq!(invariants.overdue(begun(OPENS + 9)).is_empty(), told, "{fault:?}");
    }
}
