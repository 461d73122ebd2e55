use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000 + 60 * minute).unwrap()
}

/// Closed, looked at, with another opening to come.
fn window(name: &str) -> WindowFact {
    WindowFact {
        name: name.into(),
        labels: [("env".to_owned(), "prod".to_owned())].into(),
        gate: Some(GateFact::default()),
        current: true,
        next: Some("Sun 6 Dec 2026 02:00–04:00 CET".into()),
        ..WindowFact::default()
    }
}

/// Open from minute 0: no new work from minute 90, closed from minute 120.
fn open(name: &str) -> WindowFact {
    let gate = GateFact {
        state: GateState::Open,
        until: Some(at(90)),
        closes: Some(at(120)),
        schedules: vec![("weekly".into(), at(0), at(90))],
        ..GateFact::default()
    };
    WindowFact { gate: Some(gate), ..window(name) }
}

fn with(mut window: WindowFact, change: impl FnOnce(&mut GateFact)) -> WindowFact {
    change(window.gate.as_mut().unwrap());
    window
}

fn emergency(for_: &[&str]) -> WindowFact {
    let emergency_for = for_.iter().map(|name| (*name).to_owned()).collect();
    WindowFact { emergency_for, labels: BTreeMap::new(), ..open("fire") }
}

fn names(names: &[&str]) -> Selection {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Selection { by: By::Names(names), schedules: Vec::new() }
}

fn prod() -> Selection {
    let labels = [("env".to_owned(), "prod".to_owned())].into();
    Selection { by: By::Labels(labels), schedules: Vec::new() }
}

/// Until when work may start; or why it may not.
#[track_caller]
fn check(
    selection: &Selection,
    windows: &[WindowFact],
    now: i64,
    expected: Result<Option<i64>, &str>,
) {
    let seen = match ask(selection, windows, at(now)) {
        Verdict::Open(open) => Ok(open.until),
        Verdict::Ending(why, _) | Verdict::Closed(why) | Verdict::Unknown(why) => Err(why.message),
    };
    let expected = expected.map(|until| until.map(at)).map_err(str::to_owned);
    assert_eq!(seen, expected);
}

#[test]
fn an_open_window_lets_work_start_until_its_cutoff() {
    check(&names(&["a"]), &[open("a")], 89, Ok(Some(90)));
    let ending = format!("window a takes no new work any more, it closes at {}", at(120));
    check(&names(&["a"]), &[open("a")], 90, Err(&ending));
    let cut = with(open("a"), |gate| gate.state = GateState::Closed);
    check(&names(&["a"]), &[cut], 119, Err(&ending));
    let closed = "window a is closed, it opens Sun 6 Dec 2026 02:00–04:00 CET";
    check(&names(&["a"]), &[open("a")], 120, Err(closed));
    check(&names(&["a"]), &[window("a")], 1, Err(closed));
    let last = WindowFact { next: None, ..window("a") };
    check(&names(&["a"]), &[last], 1, Err("window a is closed, and no opening is to come"));
}

#[test]
fn no_selector_sees_a_routine_and_who_names_it_is_told() {
    let routine = WindowFact { routine: true, ..open("morning") };
    let windows = [routine, window("weekly")];
    let says = "window morning is a Routine, whose gate never opens: name another one";
    check(&names(&["morning"]), &windows, 10, Err(says));
    let closed = "window weekly is closed, it opens Sun 6 Dec 2026 02:00–04:00 CET";
    check(&prod(), &windows, 10, Err(closed));
    let none = "no MaintenanceWindow has the labels env=prod";
    check(&prod(), &windows[..1], 10, Err(none));
}

#[test]
fn one_open_window_of_several_is_enough_and_the_longest_counts() {
    let longer = with(open("b"), |gate| {
        gate.until = Some(at(200));
        gate.closes = Some(at(200));
    });
    check(&names(&["a", "b"]), &[window("a"), open("b")], 1, Ok(Some(90)));
    check(&prod(), &[open("a"), longer.clone()], 1, Ok(Some(200)));
    let endless = with(open("c"), |gate| (gate.until, gate.closes) = (None, None));
    check(&prod(), &[endless, longer], 1, Ok(None));
}

#[test]
fn a_window_that_cannot_be_asked_closes_the_gate_and_is_named() {
    let missing = "there is no MaintenanceWindow b";
    check(&names(&["a", "b"]), &[open("a")], 1, Err(missing));
    let none = [WindowFact { labels: BTreeMap::new(), ..open("a") }];
    check(&prod(), &none, 1, Err("no MaintenanceWindow has the labels env=prod"));
    let edited = WindowFact { current: false, ..open("b") };
    let why = "window b was edited and not looked at since";
    check(&names(&["a", "b"]), &[open("a"), edited.clone()], 1, Err(why));
    check(&prod(), &[open("a"), edited], 1, Err(why));
    let deleted = WindowFact { current: false, deleting: true, ..open("b") };
    check(&names(&["a", "b"]), &[open("a"), deleted], 1, Err("window b is being deleted"));
    let unseen = WindowFact { gate: None, ..window("b") };
    check(&names(&["a", "b"]), &[open("a"), unseen], 1, Err("window b was not looked at yet"));
    let invalid = with(window("b"), |gate| {
        gate.state = GateState::Invalid;
        gate.message = "spec.timeZone must be an IANA name".into();
    });
    let why = "window b is invalid: spec.timeZone must be an IANA name";
    check(&prod(), &[open("a"), invalid], 1, Err(why));
}

#[test]
fn a_suspended_window_closes_the_gate_whatever_the_others_say() {
    let suspended = with(window("b"), |gate| gate.state = GateState::Suspended);
    check(&prod(), &[open("a"), suspended], 1, Err("window b is suspended"));
}

#[test]
fn a_blackout_of_one_window_closes_the_gate_from_its_first_to_its_last_moment() {
    let dark = with(window("b"), |gate| gate.blackout = Some(("freeze".into(), at(30), at(60))));
    let windows = [open("a"), dark];
    check(&prod(), &windows, 29, Ok(Some(30)));
    let until = at(60);
    let why = format!("blackout freeze of window b holds until {until}");
    check(&prod(), &windows, 30, Err(&why));
    check(&prod(), &windows, 59, Err(&why));
    check(&prod(), &windows, 60, Ok(Some(90)));
}

#[test]
fn only_openings_of_the_schedules_that_are_named_count() {
    let of = |schedule: &str| Selection { schedules: vec![schedule.into()], ..names(&["a"]) };
    let both = with(open("a"), |gate| {
        gate.schedules.push(("monthly".into(), at(20), at(60)));
    });
    let windows = [both];
    check(&of("weekly"), &windows, 10, Ok(Some(90)));
    check(&of("monthly"), &windows, 20, Ok(Some(60)));
    let Verdict::Open(open) = ask(&of("monthly"), &windows, at(20)) else { panic!("closed") };
    assert_eq!(open.closes, Some(at(90)), "as far behind the end of new work as the window's");
    let other = "window a is open, but not by its schedule monthly";
    let begins = format!("{other}, which begins at {}", at(20));
    check(&of("monthly"), &windows, 19, Err(&begins));
    check(&of("monthly"), &windows, 90, Err(other));
    let closed = "window a is closed, it opens Sun 6 Dec 2026 02:00–04:00 CET";
    check(&of("monthly"), &windows, 120, Err(closed));
    // Without schedules it is open without end.
    let always = with(window("a"), |gate| gate.state = GateState::Open);
    check(&of("monthly"), &[always], 19, Err(other));
}

#[test]
fn an_open_emergency_stands_in_for_the_windows_that_it_names() {
    let dark = with(window("a"), |gate| gate.blackout = Some(("freeze".into(), at(0), at(600))));
    let suspended = with(window("a"), |gate| gate.state = GateState::Suspended);
    for stopped in [window("a"), dark.clone(), suspended] {
        check(&names(&["a"]), &[stopped.clone(), emergency(&["a"])], 1, Ok(Some(90)));
        check(&prod(), &[stopped, emergency(&["a"])], 1, Ok(Some(90)));
    }
    let others = [dark, emergency(&["b"])];
    let until = at(600);
    check(&prod(), &others, 1, Err(&format!("blackout freeze of window a holds until {until}")));
    check(&names(&["b"]), &[emergency(&["b"])], 1, Err("there is no MaintenanceWindow b"));
}

#[test]
fn an_emergency_that_is_over_or_edited_stands_in_for_nothing() {
    let closed = "window a is closed, it opens Sun 6 Dec 2026 02:00–04:00 CET";
    check(&names(&["a"]), &[window("a"), emergency(&["a"])], 120, Err(closed));
    let edited = WindowFact { current: false, ..emergency(&["a"]) };
    check(&names(&["a"]), &[window("a"), edited], 1, Err(closed));
}

prop_compose! {
    fn any_window(name: &'static str)(
        state in prop_oneof![
            Just(GateState::Open), Just(GateState::Closed), Just(GateState::Suspended),
            Just(GateState::Invalid),
        ],
        until in 0_i64..200, cutoff in 0_i64..60, current in prop::bool::weighted(0.9),
        dark in prop::option::of((0_i64..200, 1_i64..60)),
        labelled in prop::bool::weighted(0.8),
        emergency in prop::bool::weighted(0.2),
    ) -> WindowFact {
        let gate = GateFact {
            state,
            until: Some(at(until)),
            closes: Some(at(until + cutoff)),
            blackout: dark.map(|(from, long)| ("freeze".into(), at(from), at(from + long))),
            ..GateFact::default()
        };
        WindowFact {
            gate: Some(gate),
            current,
            labels: if labelled { window(name).labels } else { BTreeMap::new() },
            emergency_for: if emergency { vec!["a".into()] } else { Vec::new() },
            ..window(name)
        }
    }
}

#[test]
fn when_a_schedule_that_counts_begins_in_an_open_window_is_told() {
    let begins = |schedule: &str, now: i64| {
        let parts = vec![("weekly".into(), at(0), at(90)), ("monthly".into(), at(60), at(90))];
        let window = with(open("weekly"), |gate| gate.schedules = parts);
        let selection = Selection { schedules: vec![schedule.into()], ..names(&["weekly"]) };
        match ask(&selection, &[window], at(now)) {
            Verdict::Closed(closed) | Verdict::Ending(closed, _) => closed.again,
            Verdict::Open(_) | Verdict::Unknown(_) => None,
        }
    };
    assert_eq!(begins("monthly", 59), Some(at(60)));
    assert_eq!(begins("monthly", 60), None);
    assert_eq!(begins("yearly", 59), None);
}

proptest! {
    /// Open means open: some window accepts work at that moment, and at each one until `until`.
    #[test]
    fn what_is_open_is_open_until_it_says(
        windows in (any_window("a"), any_window("b"), any_window("c")),
        now in 0_i64..200,
    ) {
        let windows = [windows.0, windows.1, windows.2];
        if let Verdict::Open(open) = ask(&prod(), &windows, at(now)) {
            let until = open.until.unwrap();
            prop_assert!(until > at(now));
            let last = until - SignedDuration::from_secs(1);
            // A blackout that lies wholly behind an emergency ends with it, so only openness counts.
            prop_assert!(matches!(ask(&prod(), &windows, last), Verdict::Open(_)));
            prop_assert!(open.closes.unwrap() >= until);
        }
    }

    /// The order in which windows are known says nothing.
    #[test]
    fn the_order_of_windows_does_not_matter(
        a in any_window("a"), b in any_window("b"), now in 0_i64..200,
    ) {
        let open = |windows: &[WindowFact]| match ask(&prod(), windows, at(now)) {
            Verdict::Open(open) => Some((open.until, open.closes)),
            Verdict::Ending(..) | Verdict::Closed(_) | Verdict::Unknown(_) => None,
        };
        prop_assert_eq!(open(&[a.clone(), b.clone()]), open(&[b, a]));
    }
}

#[test]
fn windows_that_were_not_read_yet_are_asked_again_soon() {
    assert_eq!(unread(at(0)).again, Some(at(0) + SignedDuration::from_secs(5)));
}
