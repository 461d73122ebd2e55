//! What is open goes by the spec that it opened with.

use groundcrew::api::maintenance_window::{
    Extend, FrozenSpec, MaintenanceWindow, MaintenanceWindowSpec, MaintenanceWindowStatus,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::windows::{Act, CLOSES, ID, OPENS, begun, edited, open, play};
use crate::windows::once;

/// Ten minutes more.
const LATER: i64 = CLOSES + 600;

fn longer() -> MaintenanceWindow {
    edited(|window| window.spec = once("14:15", 16))
}

fn extensible() -> MaintenanceWindow {
    edited(|window| window.spec.extend = Some(Extend { max: "10m".parse().unwrap() }))
}

fn asked(window: MaintenanceWindow) -> MaintenanceWindow {
    let verb = ("groundcrew.dev/action".to_owned(), format!("extend=5m@{ID}#1"));
    let mut window = window;
    window.metadata.annotations = Some([verb].into());
    window
}

/// Open until then by the latest spec; `spec`: what it says that it opened with, if not that of then.
fn tells(closes: i64, spec: Option<MaintenanceWindowSpec>) -> Act {
    let mut status = open(closes);
    if let Some(spec) = spec {
        status.current.as_mut().unwrap().spec = FrozenSpec(Box::new(spec));
    }
    Act::Tells(MaintenanceWindowStatus { observed_generation: Some(2), ..status })
}

/// It is open; then its spec becomes another one, and these things happen.
#[track_caller]
fn follow(spec: MaintenanceWindow, acts: Vec<(i64, Act)>, expected: &[&str]) {
    let begin = vec![(OPENS, Act::Tells(open(CLOSES))), (OPENS + 9, Act::Person(spec))];
    play(begin.into_iter().chain(acts).collect(), expected);
}

#[test]
fn a_longer_duration_is_for_the_next_opening() {
    follow(longer(), vec![(OPENS + 10, tells(CLOSES, None))], &[]);
    follow(longer(), vec![(OPENS + 10, tells(LATER, None))], &["Gate"]);
    follow(longer(), vec![(CLOSES + 1, Act::Nothing), (CLOSES + 9, Act::Nothing)], &["Prompt"]);
    // What is not open yet begins with it.
    let early = vec![(9, Act::Person(longer())), (OPENS, tells(LATER, None))];
    play(early, &[]);
}

#[test]
fn what_it_opened_with_is_what_somebody_asked_for_and_stays() {
    let spec = || Some(longer().spec);
    follow(longer(), vec![(OPENS + 10, tells(CLOSES, spec()))], &["Gate"]);
    play(vec![(OPENS, tells(CLOSES, spec()))], &["Gate", "Gate"]);
    play(vec![(9, Act::Person(longer())), (OPENS, tells(LATER, spec()))], &[]);
    // It is deleted while it is told to be open.
    let deleted = edited(|window| window.metadata.deletion_timestamp = Some(Time(begun(OPENS))));
    play(vec![(OPENS, Act::Untold(deleted)), (OPENS, Act::Tells(open(CLOSES)))], &[]);
}

#[test]
fn a_higher_limit_is_for_the_next_opening() {
    let asks = || (OPENS + 20, Act::Person(asked(extensible())));
    follow(extensible(), vec![asks(), (OPENS + 21, tells(CLOSES, None))], &[]);
    follow(extensible(), vec![asks(), (OPENS + 21, tells(CLOSES + 300, None))], &["Gate"]);
    let known = |closes| {
        let begin = [(9, Act::Person(extensible())), (OPENS, tells(CLOSES, None))];
        let then = [asks(), (OPENS + 21, tells(closes, None))];
        begin.into_iter().chain(then).collect()
    };
    play(known(CLOSES + 300), &[]);
    play(known(CLOSES + 360), &["Gate"]);
}
