//! What is due is done soon.

use groundcrew::api::ACTION_ANNOTATION;

use super::*;
use crate::{faults::Fault, history::Made};

/// Another object, on another alias.
const OTHER: &str = "freight/other";

/// Something that happens, by seconds.
enum Act<'a> {
    Happens(Event),
    /// The watch tells of an object.
    Told(&'a str, CanaryRollout),
    /// The process has another version of an object.
    Seen(&'a str, CanaryRollout),
    /// A call for an object, or for several, and what goes wrong.
    Called(Option<&'a str>, &'a str, Option<Fault>),
    Dies,
    Leads,
    Nothing,
}

#[track_caller]
fn play(acts: &[(i64, Act<'_>)], expected: &[&str]) {
    let mut invariants = Invariants::default();
    for (second, act) in acts {
        let now = at(*second);
        invariants.overdue(now);
        match act {
            Act::Happens(event) => drop(invariants.observe(now, event)),
            Act::Told(key, object) => {
                invariants.seen(now, key, object);
                invariants.told(now, key, object);
            }
            Act::Seen(key, object) => invariants.seen(now, key, object),
            Act::Called(by, what, fault) => {
                invariants.called(now, &Made { by: *by, what, fault: fault.as_ref() });
            }
            Act::Dies => invariants.process_died(),
            Act::Leads => invariants.process_leads(now),
            Act::Nothing => {}
        }
    }
    let names: Vec<_> =
        invariants.violations.iter().filter_map(|found| Some(found.split_once(':')?.0)).collect();
    assert_eq!(names, expected, "{:?}", invariants.violations);
}

/// Ten percent are at the new version, and from second 10 on the process knows that it goes back.
fn going_back() -> Vec<(i64, Act<'static>)> {
    vec![
        (0, Act::Told(MAIN, flying())),
        (1, Act::Happens(first_weight())),
        (10, Act::Seen(MAIN, ending(Outcome::Aborted))),
    ]
}

/// What happens after that.
#[track_caller]
fn goes_back(acts: Vec<(i64, Act<'_>)>, expected: &[&str]) {
    play(&going_back().into_iter().chain(acts).collect::<Vec<_>>(), expected);
}

/// The alias is pointed at the stable version alone.
fn undone() -> Act<'static> {
    let weighted = alias("42", Some(("43", 0.1)), "next");
    Act::Happens(write(&weighted, change("42", None, "next"), ending(Outcome::Aborted)))
}

const FAULTY: &str = "UpdateAlias production";

#[test]
fn what_goes_back_is_sent_soon() {
    goes_back(vec![(11, undone()), (90, Act::Nothing)], &[]);
    goes_back(vec![(24, Act::Nothing)], &[]);
    goes_back(vec![(26, Act::Nothing), (90, Act::Nothing)], &["C7"]);
    goes_back(vec![(11, Act::Dies), (90, Act::Nothing)], &[]);
    let again = Act::Told(MAIN, ending(Outcome::Aborted));
    goes_back(vec![(11, Act::Dies), (13, Act::Leads), (14, again), (90, Act::Nothing)], &["C7"]);
    // It was promoted.
    let forward = Act::Seen(MAIN, ending(Outcome::Promoted));
    play(
        &[
            (0, Act::Told(MAIN, flying())),
            (1, Act::Happens(first_weight())),
            (2, forward),
            (90, Act::Nothing),
        ],
        &[],
    );
}

#[test]
fn only_what_goes_wrong_on_the_way_back_is_a_reason_to_wait() {
    let lost = |by, what| vec![(11, Act::Called(by, what, Some(Fault::Lost))), (60, Act::Nothing)];
    goes_back(lost(Some(MAIN), FAULTY), &[]);
    goes_back(lost(Some(MAIN), "GetFunction 42"), &[]);
    goes_back(lost(None, "GetCallerIdentity"), &[]);
    goes_back(lost(Some(OTHER), FAULTY), &["C7"]);
    goes_back(lost(Some(MAIN), "event RollingBack"), &["C7"]);
    let denied = |what| {
        let denied = Act::Called(Some(MAIN), what, Some(Fault::Denied));
        vec![(11, denied), (120, Act::Nothing)]
    };
    goes_back(denied(FAULTY), &[]);
    goes_back(denied("GetFunction 42"), &["C7"]);
    let throttled = || Act::Called(Some(MAIN), FAULTY, Some(Fault::Throttled));
    goes_back(vec![(11, throttled()), (45, Act::Nothing)], &[]);
    goes_back(vec![(11, throttled()), (47, Act::Nothing)], &["C7"]);
}

#[test]
fn what_goes_back_asks_for_nothing_that_it_does_not_need() {
    let asks = |by, what| vec![(11, Act::Called(by, what, None)), (12, undone())];
    for needed in [FAULTY, "GetAlias production", "GetFunction 42", "apply status", "event Aborted"]
    {
        goes_back(asks(Some(MAIN), needed), &[]);
    }
    goes_back(asks(Some(MAIN), "GetFunction 43"), &["C7"]);
    goes_back(asks(Some(MAIN), "ListVersionsByFunction"), &["C7"]);
    goes_back(asks(None, "DescribeAlarms"), &["C7"]);
    // It may be for the other one.
    let other = (10, Act::Told(OTHER, flying()));
    goes_back(vec![other, (11, Act::Called(None, "DescribeAlarms", None)), (12, undone())], &[]);
}

#[test]
fn where_somebody_else_moved_the_alias_or_there_is_no_way_back_nothing_is_due() {
    let moved = Event::ForeignAlias { alias: ALIAS.into(), after: alias("45", None, "theirs") };
    goes_back(vec![(11, Act::Happens(moved)), (90, Act::Nothing)], &[]);
    let gone = |version: &str| Act::Happens(Event::VersionTaken { version: version.into() });
    goes_back(vec![(11, gone("42")), (90, Act::Nothing)], &[]);
    goes_back(vec![(11, gone("41")), (90, Act::Nothing)], &["C7"]);
}

/// A person changed the spec.
fn edited() -> CanaryRollout {
    let mut object = flying();
    object.metadata.generation = Some(2);
    object
}

#[test]
fn a_change_is_answered_soon_whatever_goes_wrong_for_others() {
    let told = || (0, Act::Told(MAIN, edited()));
    let mut answer = edited();
    answer.status.as_mut().unwrap().observed_generation = Some(2);
    let answered = || Act::Happens(applied(edited(), answer.clone(), &alias("42", None, "r0")));
    play(&[told(), (9, answered()), (90, Act::Nothing)], &[]);
    play(&[told(), (16, Act::Nothing)], &["G9"]);
    let fault = |by, what| (1, Act::Called(by, what, Some(Fault::Lost)));
    play(&[told(), fault(Some(OTHER), FAULTY), (60, Act::Nothing)], &["G9"]);
    play(&[told(), fault(Some(MAIN), FAULTY), (60, Act::Nothing)], &[]);
    play(&[told(), fault(None, "GetMetricData"), (60, Act::Nothing)], &[]);
    play(&[told(), (1, Act::Dies), (60, Act::Nothing)], &[]);
}

#[test]
fn a_verb_is_answered_soon_and_a_deletion_carried_out() {
    let mut asked = flying();
    let verb = (ACTION_ANNOTATION.to_owned(), "abort@rev".to_owned());
    asked.metadata.annotations = Some([verb].into());
    play(&[(0, Act::Told(MAIN, asked)), (16, Act::Nothing)], &["G9"]);
    let mut deleted = edited();
    deleted.metadata.deletion_timestamp = Some(Time(at(0)));
    let begun = [(0, Act::Told(MAIN, flying())), (1, Act::Happens(first_weight()))];
    let told = || [(2, Act::Told(MAIN, deleted.clone()))];
    let all = |more: Vec<(i64, Act<'static>)>| told().into_iter().chain(more).collect::<Vec<_>>();
    play(&begun, &[]);
    play(&all(vec![(18, Act::Nothing)]), &["G11"]);
    play(&all(vec![(3, undone()), (18, Act::Nothing)]), &[]);
}
