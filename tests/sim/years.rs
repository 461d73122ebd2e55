//! Years of simulated time: windows in time zones whose clocks change, with people who change their
//! minds and an operator that dies, is away or cannot reach AWS, at random moments. All invariants are
//! checked all the time; at the end each opening of the calendar must be accounted for, and nothing may
//! be quiet that nobody wants quiet.

pub mod chronicle;
mod counts;
mod disturber;
mod oracle;
mod plans;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use groundcrew::api::maintenance_window::MaintenanceWindow;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, sleep_until};

use self::{chronicle::Chronicle, counts::Counts, disturber::Disturber};
use crate::{
    explore::EPOCH_SECOND,
    faults::{Faults, Random},
    world::{State, World, notices::Chance, operator, trace::Trace},
};

/// Where the windows are.
pub const ZONES: [&str; 5] = [
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    // Clocks change by half an hour.
    "Australia/Lord_Howe",
    // Clocks change at midnight.
    "America/Santiago",
];

/// How long nothing happens at the end: every time-out and every opening that was extended is over.
const QUIET: Duration = Duration::from_secs(2 * 86_400);
/// How long before the end all windows are suspended: then nobody wants anything quiet.
const SUSPENDED: Duration = Duration::from_secs(30 * 60);
/// One call in so many fails.
const RARITY: u64 = 60;
/// One notice in so many is not taken, or slowly.
const UNTAKEN: u64 = 6;

/// A part of a year in a time zone.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub zone: &'static str,
    pub begins: Timestamp,
    pub days: u64,
    pub seed: u64,
}

/// What a part came to.
pub struct Outcome {
    pub part: Part,
    pub counts: Counts,
    pub violations: Vec<String>,
    /// The last of what happened.
    pub trace: Trace,
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Two whole years, with a leap day and two turns of the year.
pub fn long(seeds: u64) -> Vec<Part> {
    let begins = at("2027-01-05T00:00:00Z");
    let zones = |seed| ZONES.map(|zone| Part { zone, begins, days: 731, seed });
    (0..seeds).flat_map(zones).collect()
}

/// Some days in each zone: around changes of clocks, around New Year, and around a leap day.
pub fn short() -> Vec<Part> {
    let part = |zone, begins, seed| Part { zone, begins: at(begins), days: 16, seed };
    vec![
        part(ZONES[0], "2027-03-08T00:00:00Z", 1),
        part(ZONES[0], "2027-12-22T00:00:00Z", 2),
        part(ZONES[1], "2027-10-25T00:00:00Z", 3),
        part(ZONES[1], "2028-02-21T00:00:00Z", 4),
        part(ZONES[2], "2027-03-22T00:00:00Z", 5),
        part(ZONES[2], "2027-12-26T00:00:00Z", 6),
        part(ZONES[3], "2027-03-29T00:00:00Z", 7),
        part(ZONES[3], "2027-09-27T00:00:00Z", 8),
        part(ZONES[4], "2027-04-01T00:00:00Z", 9),
        part(ZONES[4], "2027-09-01T00:00:00Z", 10),
    ]
}

/// Runs a part.
pub fn run(part: Part) -> Outcome {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let Part { zone, begins, days, seed } = part;
        let mut random = Random::new(seed ^ EPOCH_SECOND.unsigned_abs());
        let end = Instant::now() + Duration::from_secs(days * 86_400);
        let until = end - QUIET;
        let faults = Faults::Drawn {
            random: Random::new(random.below(u64::MAX)),
            until,
            rarity: RARITY,
            edits: 0,
            edit_rarity: 1,
            windows: true,
        };
        let world = World::new(begins, faults);
        world.lock().chronicle = Some(Box::new(Chronicle::default()));
        let chance = Random::new(random.below(u64::MAX));
        world.lock().notices.chance = Some(Chance { random: chance, until, rarity: UNTAKEN });
        let people = Disturber::new(&world, random, zone);
        let people = tokio::spawn(people.work(until, end - SUSPENDED));
        let watchman = tokio::spawn(watch(Arc::clone(&world)));
        tokio::select! {
            biased;
            () = operator::run(&world, end) => sleep_until(end).await,
            () = broken(&world) => {}
        }
        people.abort();
        watchman.abort();
        let mut state = world.lock();
        state.finish();
        outcome(&mut state, part)
    })
}

fn outcome(state: &mut State, part: Part) -> Outcome {
    let now = state.now();
    let mut violations = state.invariants.violations.clone();
    let (notices, untaken) = (state.notices.all.len(), state.notices.failed);
    let ends = state.notices.all.iter().filter(|notice| notice.last);
    let ends = ends.map(|notice| {
        let window = notice.about.split(' ').next_back().unwrap_or_default().to_owned();
        (window, notice.id.clone(), notice.channel.clone())
    });
    let ends = ends.collect();
    // What was cut off has not come to its end.
    let left = if violations.is_empty() { left(state) } else { Vec::new() };
    let whole = violations.is_empty();
    let chronicle = state.chronicle.as_mut().expect("a chronicle");
    if whole {
        violations.extend(chronicle.unaccounted(now));
        violations.extend(chronicle.untold(now, &ends));
    }
    violations.extend(left);
    let counts = Counts { notices, untaken, ..chronicle.counts };
    Outcome { part, counts, violations, trace: std::mem::take(&mut state.trace) }
}

/// What is quiet, or will be, although nothing is open.
fn left(state: &State) -> Vec<String> {
    let muted = state.cloudwatch.alarms.muted(state.now());
    let muted = muted.into_iter().map(|alarm| format!("{alarm} is quiet, and nothing is open"));
    let rules = state.cloudwatch.alarms.rules_until(state.now());
    let lost = |name: &str| state.invariants.silence.lost().any(|(lost, _)| lost == name);
    let rules = rules.into_iter().filter(|(name, _)| !lost(name));
    let rules = rules.map(|(name, until)| format!("the rule {name} is there until {until}"));
    muted.chain(rules).map(|what| format!("Quiet: {what}")).collect()
}

/// Returns soon after something is wrong: what led to it is still traced then.
async fn broken(world: &World) {
    let mut changes = world.changes();
    while world.lock().invariants.violations.is_empty() {
        let _ = changes.changed().await;
    }
    sleep(Duration::from_secs(60)).await;
}

/// Looks from time to time whether anything is quiet while nothing is open.
async fn watch(world: Arc<World>) {
    loop {
        sleep(Duration::from_secs(3 * 3_600 + 17 * 60)).await;
        let mut state = world.lock();
        let now = state.now();
        let rests = state.windows().all(|window| is_at_rest(window, now));
        let settled = state.chronicle.as_ref().is_some_and(|chronicle| chronicle.is_settled(now));
        let let_be = state.invariants.silence.lost().any(|(_, until)| now < until);
        if rests && settled && !let_be {
            let found = left(&state);
            state.chronicle.iter_mut().for_each(|chronicle| chronicle.counts.quiet += 1);
            state.broken(found);
        }
    }
}

/// Whether nothing of a window is open or prepared, nor was asked for lately.
fn is_at_rest(window: &MaintenanceWindow, now: Timestamp) -> bool {
    let soon = now + SignedDuration::from_mins(10);
    let Some(status) = &window.status else { return false };
    let next = status.next.as_ref().is_none_or(|next| soon < next.opens_at.0);
    let told = status.observed_generation == window.metadata.generation;
    status.current.is_none() && next && told
}

/// What happened in all of them, and in how many days.
pub fn sum(outcomes: &[Outcome]) -> (Counts, u64) {
    let counts = outcomes.iter().fold(Counts::default(), |sum, one| sum.and(&one.counts));
    (counts, outcomes.iter().map(|one| one.part.days).sum())
}

/// Tells what happened; what went wrong comes first.
pub fn tell(outcomes: &[Outcome], took: Duration) -> String {
    let (counts, days) = sum(outcomes);
    let mut text = String::new();
    for Outcome { part, violations, .. } in outcomes.iter().filter(|one| !one.violations.is_empty())
    {
        let first: Vec<&String> = violations.iter().take(5).collect();
        let _ = writeln!(text, "{part:?}: {} wrong, such as {first:#?}", violations.len());
    }
    let _ = writeln!(text, "{days} days in {took:?}: {counts:?}");
    text
}
