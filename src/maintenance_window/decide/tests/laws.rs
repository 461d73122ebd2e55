//! What holds for any window at any time.

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    api::{maintenance_window::Phase, shared::Mode},
    maintenance_window::{
        window::Window,
        world::{World, december},
    },
};

const SPECS: [&str; 5] = [
    "{timeZone: Europe/Berlin, schedules: [{name: weekly, cron: '0 2 * * SUN', duration: 2h}]}",
    "{timeZone: Etc/UTC, cutoff: 20m, extend: {max: 1h}, schedules: [{name: a, cron: '30 */6 * * *', duration: 1h}, {name: b, cron: '0 1 * * *', duration: 90m}], metrics: [{name: p95, metric: {namespace: N, metricName: M, statistic: p95, period: 10m}}]}",
    "{timeZone: Asia/Tokyo, always: true, blackouts: [{name: x, from: '2026-12-06', until: '2026-12-08'}]}",
    "{timeZone: Europe/Berlin, lateOpen: {minRemaining: 30m}, schedules: [{name: n, cron: '0 22 * * *', until: '02:00'}], blackouts: [{name: x, from: '2026-12-07T23:00', until: '2026-12-09', onOverlap: Truncate}]}",
    "{timeZone: Etc/UTC, schedules: [{name: now, once: '2026-12-05T12:30', duration: 2h}], emergency: {reason: r, requestedBy: a, for: [w]}}",
];

/// What happens to a window.
#[derive(Clone, Debug)]
enum Turn {
    Minutes(i64),
    Due,
    Suspend(bool),
    Audit(bool),
    Other(usize),
    Verb(&'static str),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        4 => (1_i64..600).prop_map(Turn::Minutes),
        6 => Just(Turn::Due),
        1 => any::<bool>().prop_map(Turn::Suspend),
        1 => any::<bool>().prop_map(Turn::Audit),
        1 => (0..SPECS.len()).prop_map(Turn::Other),
        2 => select(vec!["close", "extend=10m", "skip"]).prop_map(Turn::Verb),
    ]
}

/// Carries out a turn; false where it changes nothing but the time.
fn take(world: &mut World, turn: &Turn, number: usize) {
    match turn {
        Turn::Minutes(minutes) => world.now += jiff::SignedDuration::from_mins(*minutes),
        Turn::Due => {
            if let crate::plan::Revisit::At(then) = world.plan().revisit {
                world.now = then;
            }
        }
        Turn::Suspend(on) => world.edit(|spec| spec.suspend = Some(*on)),
        Turn::Audit(on) => {
            world.edit(|spec| spec.mode = Some(if *on { Mode::Audit } else { Mode::Enforce }));
        }
        Turn::Other(index) => {
            let spec = crate::maintenance_window::world::spec(SPECS[*index]);
            world.edit(|old| *old = spec);
        }
        Turn::Verb(verb) => {
            let status = world.told();
            let id = match (verb, &status.current, &status.next) {
                (&"skip", _, Some(next)) => next.id.clone(),
                (_, Some(current), _) => current.id.clone(),
                _ => "none".into(),
            };
            world.ask(&format!("{verb}@{id}#{number}"));
        }
    }
}

proptest! {
    // Each case looks through calendars some hundred times.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happens: an opening opens once, the gate is open only inside of it and never while
    /// suspended, in Audit or in a blackout of the spec that it opened with, and a pass that changes
    /// nothing says nothing new.
    #[test]
    fn a_window_keeps_its_word(first in 0..SPECS.len(), turns in vec(turn(), 1..30)) {
        let mut world = World::new(SPECS[first], "05T12:00");
        world.passes();
        let mut opened: Vec<String> = Vec::new();
        let mut was_open: Option<String> = None;
        for (number, turn) in turns.iter().enumerate() {
            take(&mut world, turn, number);
            world.passes();
            let status = world.told().clone();
            let gate = status.gate.clone().unwrap();
            let now = world.now;
            if gate.open {
                prop_assert_eq!(status.phase, Some(Phase::Open));
                prop_assert!(gate.until.is_none_or(|until| now < until.0));
                prop_assert!(world.facts.spec.suspend != Some(true));
                prop_assert!(world.facts.spec.mode != Some(Mode::Audit));
                let opened = status.current.as_ref().map(|current| &*current.spec.0);
                let spec = opened.unwrap_or(&world.facts.spec);
                let calendar = Window::parse(spec).unwrap().calendar;
                prop_assert_eq!(calendar.blackout_at(now), None);
            }
            if let Some(current) = &status.current {
                prop_assert!(current.opens_at.0 <= now && now < current.closes_at.0);
                prop_assert!(current.closing.is_none());
                if was_open.as_ref() != Some(&current.id) {
                    prop_assert!(!opened.contains(&current.id), "{} opened twice", current.id);
                    opened.push(current.id.clone());
                }
            }
            was_open = status.current.as_ref().map(|current| current.id.clone());
            let ids: Vec<_> = status.upcoming.iter().map(|next| next.opens_at.0).collect();
            prop_assert!(ids.is_sorted());
            // Nothing changed: nothing is told.
            world.pass();
            prop_assert_eq!(world.told(), &status);
        }
        prop_assert!(world.now >= december("05T12:00"));
    }
}
