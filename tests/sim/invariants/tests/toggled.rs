//! Windows that switch alarms off, and on again.

use groundcrew::api::{
    maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus},
    window_alarms::{
        AlarmMode, Alarms, Silenced, SilencedRegion,
        SwitchState::{self, Intended, Left, Off},
        SwitchedAlarm,
    },
};

use super::{
    windows::{Act, CLOSES, Ended, ID, KEY, OPENS, begun, ended, open, play, scheduled, window},
    *,
};
use crate::{harness::REGION, history::AlarmsSwitched};

const RED: &str = "red";

fn toggling() -> MaintenanceWindow {
    let mut window = window();
    window.spec.alarms = Some(choosing());
    window.metadata.finalizers = Some(vec![FINALIZER.into()]);
    window
}

fn choosing() -> Alarms {
    let (mode, names) = (Some(AlarmMode::Toggle), Some(vec![RED.into()]));
    Alarms { mode, names, ..Alarms::default() }
}

/// The status with these alarms in its ledger.
fn holding(
    status: MaintenanceWindowStatus,
    alarms: &[(&str, SwitchState)],
) -> MaintenanceWindowStatus {
    let alarms = alarms.iter().map(|(name, state)| SwitchedAlarm {
        name: (*name).to_owned(),
        state: *state,
        configured_at: None,
    });
    let region = SilencedRegion {
        region: REGION.into(),
        alarms: alarms.collect(),
        ..SilencedRegion::default()
    };
    let (mode, occurrence) = (AlarmMode::Toggle, ID.to_owned());
    let silenced = Some(Silenced { mode, occurrence, ending: None, regions: vec![region] });
    MaintenanceWindowStatus { silenced, ..status }
}

/// It is open, and tells this of its alarm.
fn opened(state: SwitchState) -> Act {
    Act::Tells(holding(open(CLOSES), &[(RED, state)]))
}

fn intends() -> Act {
    Act::Tells(holding(scheduled(), &[(RED, Intended)]))
}

/// It switches all on.
fn ending() -> Act {
    let mut status = holding(open(CLOSES), &[(RED, Off)]);
    status.gate = None;
    status.current.as_mut().unwrap().closing = Some(groundcrew::api::maintenance_window::Closing {
        outcome: Ended::Completed,
        message: String::new(),
    });
    status.silenced.as_mut().unwrap().ending = Some(true);
    Act::Tells(status)
}

fn act(alarms: &[&str], on: bool) -> AlarmsSwitched {
    AlarmsSwitched {
        by: format!("window {KEY}"),
        alarms: alarms.iter().map(|alarm| (*alarm).to_owned()).collect(),
        on,
        finalized: true,
        taken: true,
        leads: true,
        late: false,
    }
}

fn happens(act: AlarmsSwitched) -> Act {
    Act::Happens(Event::AlarmsSwitched(Box::new(act)))
}

fn switches_off() -> Act {
    happens(act(&[RED], false))
}

fn switches_on() -> Act {
    happens(act(&[RED], true))
}

fn person(on: bool, told: bool) -> Act {
    Act::Happens(Event::AlarmPut { name: RED.into(), on, told })
}

fn looks() -> Act {
    Act::Nothing
}

/// A history of the window with its alarm, after which these things happen.
#[track_caller]
fn follow(acts: Vec<(i64, Act)>, expected: &[&str]) {
    let made = Act::Happens(Event::AlarmMade { name: RED.into(), rule: None });
    let begin = vec![(0, Act::Person(toggling())), (0, made)];
    play(begin.into_iter().chain(acts).collect(), expected);
}

/// It is off and open as it should be; then these things happen.
#[track_caller]
fn then(acts: Vec<(i64, Act)>, expected: &[&str]) {
    let begin = vec![
        (OPENS, intends()),
        (OPENS, switches_off()),
        (OPENS + 1, opened(Intended)),
        (OPENS + 3, opened(Off)),
    ];
    follow(begin.into_iter().chain(acts).collect(), expected);
}

#[test]
fn an_alarm_is_switched_off_once_it_is_told_and_the_finalizer_is_there() {
    let intended = || (OPENS, intends());
    follow(vec![intended(), (OPENS, switches_off())], &[]);
    follow(vec![(OPENS, switches_off())], &["Ledger", "M1"]);
    let others = || holding(scheduled(), &[("other", Intended)]);
    follow(vec![(OPENS, Act::Tells(others())), (OPENS, switches_off())], &["Ledger", "M1"]);
    // It tells of it as a person's.
    let left = Act::Tells(holding(scheduled(), &[(RED, Left)]));
    follow(vec![(OPENS, left), (OPENS, switches_off())], &["Ledger", "M1"]);
    let bare = AlarmsSwitched { finalized: false, ..act(&[RED], false) };
    follow(vec![intended(), (OPENS, happens(bare))], &["G1"]);
    let alone = AlarmsSwitched { leads: false, ..act(&[RED], false) };
    follow(vec![intended(), (OPENS, happens(alone))], &["G7"]);
    // One that is carried out when nothing tells of it any more leaves an alarm off for ever.
    let late = AlarmsSwitched { late: true, ..act(&[RED], false) };
    follow(vec![(OPENS, happens(late))], &["M1"]);
}

#[test]
fn an_alarm_is_switched_off_for_nothing_but_an_opening() {
    for (second, expected) in [(OPENS - 3, ["M4"].as_slice()), (OPENS, &[]), (CLOSES, &["M4"])] {
        let soon = (second, Act::Person(toggling()));
        follow(vec![soon, (second, intends()), (second, switches_off())], expected);
    }
}

#[test]
fn alarms_are_switched_off_as_long_as_the_spec_says_that_it_opened_with() {
    let mut longer = toggling();
    longer.metadata.generation = Some(2);
    longer.spec.schedules = crate::windows::once("14:15", 16).schedules;
    let late = |acts: Vec<(i64, Act)>| {
        let again = [(CLOSES + 1, opened(Intended)), (CLOSES + 1, switches_off())];
        acts.into_iter().chain(again).collect::<Vec<_>>()
    };
    let on = || (CLOSES - 9, person(true, true));
    let raised = || (OPENS + 9, Act::Person(longer.clone()));
    then(late(vec![raised(), on()]), &["M4"]);
    // It was raised before.
    let early = vec![(9, Act::Person(longer.clone())), (CLOSES + 1, intends())];
    follow(early.into_iter().chain([(CLOSES + 1, switches_off())]).collect(), &[]);
}

#[test]
fn what_is_told_to_be_off_was_off() {
    let tells = |second| (second, Act::Tells(holding(scheduled(), &[(RED, Off)])));
    let intended = || (OPENS, intends());
    follow(vec![intended(), (OPENS, switches_off()), tells(OPENS + 1)], &[]);
    follow(vec![intended(), tells(OPENS + 1)], &["M6"]);
    // A person switched it on before it was read, or right after that.
    let on = |second| (second, person(true, true));
    let off = || [intended(), (OPENS, switches_off())];
    let after = |acts: Vec<(i64, Act)>| off().into_iter().chain(acts).collect();
    follow(after(vec![on(OPENS + 1), tells(OPENS + 2)]), &[]);
    follow(after(vec![on(OPENS + 1), tells(OPENS + 4)]), &["M6"]);
    // It is gone.
    let gone = (OPENS + 1, Act::Happens(Event::AlarmTaken(RED.into())));
    follow(after(vec![gone, tells(OPENS + 9)]), &[]);
}

#[test]
fn a_call_switches_at_most_a_hundred_alarms() {
    let many: Vec<String> = (0..101).map(|number| format!("db-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (names, expected) in [(&many[..100], [].as_slice()), (&many, &["M6"]), (&[], &["M6"])] {
        follow(vec![(OPENS, happens(act(names, true)))], expected);
    }
}

#[test]
fn what_is_off_because_of_a_window_comes_back() {
    then(vec![(CLOSES, ending()), (CLOSES, switches_on())], &[]);
    let over = || Act::Tells(ended(Ended::Completed));
    then(vec![(CLOSES, ending()), (CLOSES, switches_on()), (CLOSES + 1, over())], &[]);
    // It is told to be over, and the alarm is off.
    then(vec![(CLOSES, ending()), (CLOSES + 1, over())], &["M1"]);
    // Nobody does anything.
    then(vec![(CLOSES, ending()), (CLOSES + 1, looks()), (CLOSES + 10, looks())], &[]);
    then(vec![(CLOSES, ending()), (CLOSES + 1, looks()), (CLOSES + 20, looks())], &["M1"]);
    let fails = || (CLOSES + 1, Act::Fails("window flights/weekly"));
    then(vec![(CLOSES, ending()), fails(), (CLOSES + 20, looks())], &[]);
    // It counts as a person's, who did nothing.
    then(vec![(OPENS + 9, opened(Left))], &["M1"]);
}

#[test]
fn the_finalizer_stays_while_alarms_are_off() {
    let leaves = |window| Act::Happens(Event::WindowLetGo(Box::new(window)));
    then(vec![(OPENS + 9, leaves(toggling()))], &["G3"]);
    then(vec![(OPENS + 9, switches_on()), (OPENS + 9, leaves(toggling()))], &[]);
    let mut abandoned = toggling();
    let annotation = (groundcrew::api::ABANDON_ANNOTATION.to_owned(), "true".to_owned());
    abandoned.metadata.annotations = Some([annotation].into());
    then(vec![(OPENS + 9, leaves(abandoned))], &[]);
}

#[test]
fn what_a_person_switched_off_stays_off() {
    let off = || (9, person(false, true));
    follow(vec![off(), (OPENS, Act::Tells(holding(scheduled(), &[(RED, Left)])))], &[]);
    follow(vec![off(), (OPENS, intends())], &["M2"]);
    follow(vec![off(), (OPENS, switches_on())], &["M2"]);
    // Right before the operator looked nobody can tell.
    follow(vec![(OPENS - 1, person(false, true)), (OPENS, intends())], &[]);
    // While the ledger says no more than that it is to be off, either.
    let races = vec![(OPENS, intends()), (OPENS + 30, person(false, true))];
    follow(races.into_iter().chain([(OPENS + 60, switches_on())]).collect(), &[]);
    for (told, expected) in [(true, ["M2"].as_slice()), (false, &[])] {
        // On and off again between two looks.
        let on = (OPENS + 60, person(true, told));
        let off = (OPENS + 90, person(false, told));
        then(vec![on, off, (CLOSES, ending()), (CLOSES, switches_on())], expected);
    }
}

#[test]
fn what_another_window_keeps_off_is_left_to_it() {
    // The other one has the same times.
    let other = |second: i64, silenced: bool| {
        let mut before = toggling();
        before.metadata.name = Some("second".into());
        before.metadata.uid = Some("uid-2".into());
        let mut after = before.clone();
        let mut status = open(CLOSES);
        *status.current.as_mut().unwrap().spec.0 = before.spec.clone();
        after.status = Some(if silenced { holding(status, &[(RED, Off)]) } else { scheduled() });
        let told = Event::WindowTold { before: Box::new(before.clone()), after: Box::new(after) };
        let made = Event::WindowEdited(Box::new(before));
        [(second, Act::Happens(made)), (second, Act::Happens(told))]
    };
    let on = || (OPENS + 60, switches_on());
    let held = |silenced| other(OPENS + 9, silenced).into_iter().chain([on()]).collect();
    then(held(false), &[]);
    then(held(true), &["M3"]);
    // It said so only now: it switches it off again.
    let late = other(OPENS + 58, true).into_iter().chain([on()]).collect();
    then(late, &[]);
}

#[test]
fn a_window_opens_once_its_alarms_are_off() {
    let intended = || (OPENS, intends());
    let made = || (1, Act::Happens(Event::AlarmMade { name: RED.into(), rule: None }));
    follow(vec![made(), intended(), (OPENS, switches_off()), (OPENS + 1, opened(Intended))], &[]);
    follow(vec![made(), intended(), (OPENS + 1, opened(Intended))], &["Loud"]);
    // A person wants it on.
    let wanted = (OPENS + 1, person(true, true));
    follow(vec![made(), intended(), wanted, (OPENS + 2, opened(Left))], &[]);
}

#[test]
fn what_is_told_to_be_off_is() {
    // It is open for an hour.
    let hour = OPENS + 3_600;
    let long = || {
        let mut window = toggling();
        window.metadata.generation = Some(2);
        window.spec.schedules = crate::windows::once("14:15", 60).schedules;
        (1, Act::Person(window))
    };
    let quiet = || {
        let mut status = holding(open(hour), &[(RED, Off)]);
        let condition = Condition { type_: "AlarmsSilenced".into(), ..is_ready() };
        status.conditions.push(condition);
        (OPENS + 9, Act::Tells(MaintenanceWindowStatus { observed_generation: Some(2), ..status }))
    };
    let off = || [long(), (OPENS, intends()), (OPENS, switches_off())];
    let after = |acts: Vec<(i64, Act)>| off().into_iter().chain(acts).collect();
    follow(after(vec![quiet()]), &[]);
    follow(after(vec![(OPENS + 5, person(true, true)), quiet()]), &["M6", "Told"]);
    // A person's change is noticed with the next look.
    let on = || (OPENS + 20, person(true, true));
    follow(after(vec![quiet(), on(), (OPENS + 354, looks())]), &[]);
    follow(after(vec![quiet(), on(), (OPENS + 356, looks())]), &["Loud"]);
    // What another window switches on is off again soon.
    let theirs = || (OPENS + 20, switches_on());
    follow(after(vec![quiet(), theirs(), (OPENS + 54, looks())]), &[]);
    follow(after(vec![quiet(), theirs(), (OPENS + 56, looks())]), &["Loud"]);
}

#[test]
fn a_ledger_that_people_take_away_excuses_and_nothing_else_does() {
    let mut invariants = Invariants::default();
    let mut stored = toggling();
    let now = begun(OPENS);
    invariants.process_leads(begun(0));
    invariants.observe(begun(0), &Event::WindowEdited(Box::new(stored.clone())));
    invariants.observe(begun(0), &Event::AlarmMade { name: RED.into(), rule: None });
    stored.status = Some(holding(scheduled(), &[(RED, Intended)]));
    let told = |before: &MaintenanceWindow, after: &MaintenanceWindow| Event::WindowTold {
        before: Box::new(before.clone()),
        after: Box::new(after.clone()),
    };
    invariants.observe(now, &told(&toggling(), &stored));
    invariants.observe(now, &Event::AlarmsSwitched(Box::new(act(&[RED], false))));
    invariants.window_status_emptied(now, KEY);
    let mut empty = stored.clone();
    empty.status = Some(scheduled());
    assert!(invariants.observe(now, &told(&toggling(), &empty)).is_empty());
    assert!(invariants.overdue(begun(CLOSES + 60)).is_empty());
    assert!(invariants.violations.is_empty(), "{:?}", invariants.violations);
}
