//! The operator in a simulated world: its real passes, on paused time, with faults at every call.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::large_enum_variant,
    clippy::panic,
    clippy::type_complexity,
    clippy::unreachable,
    missing_docs,
    reason = "tests"
)]

mod agreement;
mod checks;
mod claims;
mod denied;
mod evidence;
mod explore;
mod faults;
#[allow(clippy::unwrap_used, dead_code, reason = "tests/it uses all of it")]
mod harness;
mod history;
mod invariants;
mod modes;
mod random;
mod releases;
mod scenarios;
mod script;
mod windows;
mod world;
mod years;

use std::sync::atomic::{AtomicU64, Ordering};

use explore::FaultPoints;
use faults::Faults;
use groundcrew::metrics::Metrics;
use scenarios::minutes;
use world::sights::Sight;

#[test]
fn every_scenario_ends_as_it_should_without_faults() {
    let mut wrong = Vec::new();
    for scenario in scenarios::all() {
        let begun = std::time::Instant::now();
        let run = explore::run(&scenario, Faults::none());
        let name = scenario.name;
        println!("{name}: {} calls {:?}", run.calls.len(), begun.elapsed());
        assert!(run.violations.is_empty(), "{name}: {:?}\n{}", run.violations, run.trace);
        if !run.unrest.is_empty() && !explore::RESTLESS.contains(&name) {
            wrong.push((name, run.unrest));
        }
        assert_eq!(run.end, Some(scenario.ends), "{name}\n{}", run.trace);
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_single_fault_ends_the_same_way() {
    let only = std::env::var("GROUNDCREW_SIM_SCENARIO").ok();
    let one_of = number("GROUNDCREW_SIM_ONE_OF").map_or(1, |number| number as usize);
    let scenarios: Vec<_> = scenarios::all()
        .into_iter()
        .filter(|scenario| {
            only.as_ref().is_none_or(|only| only.split(',').any(|only| scenario.name == only))
        })
        .collect();
    let deviations = in_parallel(0..scenarios.len() as u64, |index| {
        let scenario = &scenarios[usize::try_from(index).expect("small")];
        let golden = explore::run(scenario, Faults::none());
        let (runs, deviations) = explore::every_single_fault(scenario, &golden, one_of);
        println!("{}: {} calls, {runs} runs", scenario.name, golden.calls.len());
        for deviation in &deviations {
            let explore::Deviation { scenario, label, fault, found, trace: _ } = deviation;
            println!("{scenario} with {fault:?} at {label}:");
            found.iter().for_each(|line| println!("    {line}"));
        }
        deviations
    });
    let deviations: Vec<_> = deviations.into_iter().flatten().collect();
    if let Some(first) = deviations.first() {
        panic!("{} deviations, the first:\n{}", deviations.len(), first.trace);
    }
}

#[test]
fn no_fault_point_is_lost_unnoticed() {
    let now: Vec<FaultPoints> = scenarios::all().iter().map(FaultPoints::of).collect();
    let text = now.iter().map(ToString::to_string).collect::<String>();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sim/fault-points.txt");
    if std::env::var_os("GROUNDCREW_SIM_WRITE").is_some() {
        std::fs::write(path, &text).expect("the file is written");
    }
    let committed = std::fs::read_to_string(path).expect("the committed fault points");
    let update = "GROUNDCREW_SIM_WRITE=1 cargo test --test sim no_fault_point";
    for (name, count) in explore::counts(&committed) {
        let found = now.iter().find(|points| points.name == name).map_or(0, FaultPoints::count);
        assert!(found >= count, "{name} has {found} fault points, {count} are committed");
        if found > count {
            println!("{name} has more fault points now; record them with `{update}`");
        }
    }
    let recorded = explore::counts(&committed).len();
    assert_eq!(recorded, now.len(), "record the fault points of new scenarios with `{update}`");
}

#[test]
fn a_healthy_rollout_is_left_alone() {
    for lasts in [minutes(10), minutes(24 * 60)] {
        let before = explore::simulate(scenarios::at_rest, Vec::new(), Faults::none, minutes(3));
        let after =
            explore::simulate(scenarios::at_rest, Vec::new(), Faults::none, minutes(3) + lasts);
        let counts = |run: &explore::Run| (run.writes.len(), run.status_writes, run.events);
        assert_eq!(counts(&before), counts(&after), "{}", after.trace);
        let idle = "groundcrew_reconcile_queue_depth{kind=\"CanaryRollout\"} 0";
        let metrics = after.metrics.as_ref().map_or_else(String::new, Metrics::render);
        assert!(metrics.contains(idle), "{metrics}");
        assert_eq!(after.writes.len(), 0, "the alias served the release from the start");
        let polls = lasts.as_secs() / (15 * 60);
        let calls = (after.all_calls - before.all_calls) as u64;
        assert!(calls <= 2 * polls + 2, "{calls} calls in {lasts:?}: two reads each 15 minutes");
    }
}

#[test]
fn what_waits_for_a_window_is_left_alone() {
    let waits = |lasts| explore::simulate(windows::far_away, Vec::new(), Faults::none, lasts);
    for lasts in [minutes(10), minutes(24 * 60)] {
        let (before, after) = (waits(minutes(3)), waits(minutes(3) + lasts));
        let counts = |run: &explore::Run| {
            (run.writes.len(), run.status_writes, run.window_status_writes, run.events)
        };
        assert_eq!(counts(&before), counts(&after), "{}", after.trace);
        assert_eq!((after.writes.len(), after.window_status_writes), (0, 1), "{}", after.trace);
        assert!(after.violations.is_empty(), "{:?}", after.violations);
        // The alias is read, and what would be released.
        let polls = lasts.as_secs() / (15 * 60);
        let calls = (after.all_calls - before.all_calls) as u64;
        assert!(calls <= 7 * (polls + 1), "{calls} calls in {lasts:?}: seven each 15 minutes");
    }
}

#[test]
fn a_release_is_ready_whatever_becomes_of_old_versions() {
    let cannot = |scenario: &&scenarios::Scenario| scenario.name.starts_with("old-versions-cannot");
    for scenario in denied::all().iter().filter(cannot) {
        let run = explore::run(scenario, Faults::none());
        let status = run.status.expect("a status");
        let conditions = status["conditions"].as_array().expect("conditions");
        let ready = conditions.iter().find(|one| one["type"] == "Ready").expect("Ready");
        assert_eq!(ready["status"], "True", "{}", run.trace);
        assert!(conditions.iter().all(|one| one["type"] != "Stalled"), "{conditions:?}");
        let message = ready["message"].as_str().unwrap_or_default();
        assert!(message.contains("old versions stay: cannot"), "{message}");
    }
}

/// The window of a run ended its openings so; none: it is gone. The second one did as well, if there is
/// to be one.
fn assert_ends(run: &explore::Run, name: &str, ends: windows::quiet::Ends) {
    let told = |window: &serde_json::Value| -> Vec<String> {
        let history = window["history"].as_array().into_iter().flatten();
        history.rev().map(|entry| entry["outcome"].as_str().unwrap_or("?").to_owned()).collect()
    };
    for (window, ends) in [(windows::WEEKLY, ends), (windows::SECOND, windows::second(name))] {
        let is = run.windows.get(&format!("flights/{window}"));
        let ends = ends.map(|ends| ends.iter().map(|end| format!("{end:?}")).collect());
        assert_eq!(is.map(told), ends, "{name}: {window}\n{}", run.trace);
    }
}

#[test]
fn windows_with_checks_end_as_they_should() {
    for (scenario, ends) in windows::checked::ending() {
        let run = explore::run(&scenario, Faults::none());
        assert_ends(&run, scenario.name, ends);
    }
}

#[test]
fn windows_with_tasks_end_as_they_should() {
    for (scenario, ends, expected) in windows::tasks::ending() {
        let run = explore::run(&scenario, Faults::none());
        assert_ends(&run, scenario.name, ends);
        let tasks = run.windows["flights/weekly"]["history"][0]["tasks"].as_array();
        let states = tasks.into_iter().flatten().map(|task| task["state"].as_str().unwrap_or("?"));
        assert_eq!(states.collect::<Vec<_>>(), expected, "{}\n{}", scenario.name, run.trace);
    }
}

#[test]
fn windows_with_alarms_end_as_they_should() {
    let muting = windows::quiet::ending().into_iter().chain(windows::open::muting());
    let muting = muting.map(|(scenario, ends)| (scenario, ends, None));
    let switching = windows::toggle::ending().into_iter().chain(windows::open::switching());
    let switching = switching.map(|(scenario, ends, off)| (scenario, ends, Some(off)));
    alarms_end_as_they_should(muting.chain(switching));
}

#[test]
fn clocks_that_are_set_open_nothing_twice_and_leave_nothing_quiet() {
    let all = windows::clocks::ending().into_iter();
    alarms_end_as_they_should(all.map(|(scenario, ends)| (scenario, ends, None)));
}

/// Each scenario with how its window ends, and the alarms that are switched off then, if some are.
fn alarms_end_as_they_should<'a>(
    scenarios: impl Iterator<Item = (scenarios::Scenario, windows::quiet::Ends, Option<&'a [&'a str]>)>,
) {
    for (scenario, ends, off) in scenarios {
        let run = explore::run(&scenario, Faults::none());
        assert_ends(&run, scenario.name, ends);
        let window = run.windows.get("flights/weekly");
        let silenced = window.map_or(&serde_json::Value::Null, |window| &window["silenced"]);
        assert!(silenced.is_null(), "{}\n{}", scenario.name, run.trace);
        let broken = (scenario.name, &run.violations);
        assert!(run.violations.is_empty(), "{broken:?}\n{}", run.trace);
        assert!(run.muted.is_empty(), "{}: {:?}\n{}", scenario.name, run.muted, run.trace);
        if let Some(off) = off {
            assert_eq!(run.switched_off, off, "{}\n{}", scenario.name, run.trace);
        }
    }
}

/// What a variable of the environment says.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// Seeds that CI runs.
const SEEDS: u64 = 2_000;

#[test]
fn random_faults_and_edits_break_nothing() {
    let seeds = match number("GROUNDCREW_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("GROUNDCREW_SIM_SEEDS").unwrap_or(SEEDS),
    };
    let single = seeds.end - seeds.start == 1;
    let count = seeds.end - seeds.start;
    let mut runs = in_parallel(seeds, |seed| {
        let (found, run) = random::run(seed);
        if single {
            println!("{}", run.trace);
        }
        if !found.is_empty() {
            println!("GROUNDCREW_SIM_SEED={seed}: {found:?}");
        }
        (seed, (!found.is_empty()).then_some(run.trace), run.sights)
    });
    runs.sort();
    let missed: Vec<String> = Sight::ALL
        .iter()
        .filter_map(|(sight, least)| {
            let seen = runs.iter().filter(|(.., sights)| sights.contains(sight)).count();
            println!("{sight:?}: {seen}");
            (seen * 1_000 < least * runs.len()).then(|| format!("{sight:?} in {seen}"))
        })
        .collect();
    let failed: Vec<_> =
        runs.iter().filter_map(|(seed, trace, _)| Some((seed, trace.as_ref()?))).collect();
    if let Some((seed, trace)) = failed.first() {
        let failures = failed.len();
        panic!("{failures} seeds failed, the first is GROUNDCREW_SIM_SEED={seed}:\n{trace}");
    }
    assert!(count < SEEDS || missed.is_empty(), "of {count} seeds too few had: {missed:?}");
}

#[test]
fn a_seed_replays_as_it_was() {
    for seed in 0..20 {
        assert_eq!(random::run(seed).1.trace, random::run(seed).1.trace, "seed {seed}");
    }
}

#[test]
fn some_weeks_in_five_time_zones() {
    let mut parts = years::short();
    if let Some(seed) = number("GROUNDCREW_YEARS_SEED") {
        parts.iter_mut().for_each(|part| part.seed += 100 * seed);
    }
    years_are_as_they_should(&parts);
}

#[test]
#[ignore = "takes minutes: `make soak` runs it"]
fn two_years_in_five_time_zones() {
    years_are_as_they_should(&years::long(number("GROUNDCREW_YEARS_SEEDS").unwrap_or(1)));
}

fn years_are_as_they_should(parts: &[years::Part]) {
    let begun = std::time::Instant::now();
    let zone = std::env::var("GROUNDCREW_YEARS_ZONE").ok();
    let only = number("GROUNDCREW_YEARS_PART");
    let wanted = |(index, part): &(u64, &years::Part)| {
        zone.as_ref().is_none_or(|zone| part.zone == zone) && only.is_none_or(|only| only == *index)
    };
    let parts: Vec<_> = (0..).zip(parts).filter(wanted).map(|(_, part)| part).collect();
    assert!(!parts.is_empty(), "there is no such part");
    let mut outcomes = in_parallel(0..parts.len() as u64, |index| {
        years::run(*parts[usize::try_from(index).expect("small")])
    });
    outcomes.sort_by_key(|one| (one.part.seed, one.part.zone));
    let told = years::tell(&outcomes, begun.elapsed());
    println!("{told}");
    if let Some(failed) = outcomes.iter().find(|one| !one.violations.is_empty()) {
        panic!("{}\n{told}", failed.trace);
    }
    let (counts, days) = years::sum(&outcomes);
    let lacking = counts.lacks(days);
    assert!(zone.is_some() || only.is_some() || lacking.is_empty(), "too few: {lacking:?}");
}

/// Does something for each number, on as many threads as there are cores.
fn in_parallel<T: Send>(numbers: std::ops::Range<u64>, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(numbers.start);
    let take = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if !numbers.contains(&number) {
                return done;
            }
            done.push(work(number));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}
