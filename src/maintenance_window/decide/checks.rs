//! Pre-checks and post-checks: when they are looked at, and what their words mean.
//!
//! What runs is learned before any rule decides; the rules read the memory alone. A round counts when
//! all of its checks have said something; until then the last one does.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{plan::Ask, situation::Situation};
use crate::{
    api::{
        check::{
            Check,
            CheckVerdict::{Failed, Passed, Running},
        },
        maintenance_window::{Outcome, WindowHistoryEntry},
        window_checks::{Checking, FrozenChecks, WindowCheck, WindowStage},
    },
    facts::{check::CheckResult, kubernetes::Deletion},
    maintenance_window::{
        checks::{List, Question},
        window::Window,
    },
    time::{Opening, moments},
};

/// How long before an opening its pre-checks begin to count: a failure before is only told.
pub(super) const NEAR: SignedDuration = SignedDuration::from_mins(15);
/// How often pre-checks are looked at before that.
const FAR: SignedDuration = SignedDuration::from_mins(30);
/// How long a round that holds counts: a little longer than [`NEAR`], so that one which began then
/// counts at the opening.
const FRESH: SignedDuration = SignedDuration::from_mins(20);
/// How often checks that hold are looked at.
const REFRESH: SignedDuration = SignedDuration::from_mins(5);
/// The same for lists that run Jobs.
const REFRESH_JOBS: SignedDuration = SignedDuration::from_mins(30);
/// How soon checks that do not all hold are looked at again.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// How soon checks are asked that run still.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// How checks stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// All of them hold.
    Hold,
    /// They have not said enough yet.
    Pending,
    /// Some do not hold; in words.
    Broken(String),
}

/// Writes down what checks say; what to ask for first, where some are due.
pub(super) fn learn(situation: &mut Situation<'_>) -> Option<Ask> {
    let before = before(situation);
    let after = after(situation);
    before.or(after)
}

/// The opening whose pre-checks are looked at.
struct Target {
    id: String,
    opens_at: Timestamp,
    list: List,
    /// Whether it will not open any more.
    too_late: bool,
}

fn target(situation: &Situation<'_>) -> Option<Target> {
    let facts = situation.facts;
    if facts.deletion != Deletion::None || facts.suspended() {
        return None;
    }
    if let Some(current) = &situation.memory.current {
        // It did not wait for them.
        let known = situation.memory.before.as_ref()?;
        let pending = known.occurrence == current.id && current.closing.is_none();
        let list = current.window.pre_checks.clone();
        let (id, opens_at) = (current.id.clone(), current.opens_at);
        return pending.then_some(Target { id, opens_at, list, too_late: false });
    }
    let window = situation.window()?;
    let opening = situation.coming()?;
    let begins = moments::before(opening.opens_at, window.pre_check_lead);
    let checked = !window.pre_checks.is_empty() && begins <= situation.now;
    let too_late = situation.too_late(window, &opening).is_some();
    let (id, opens_at, list) = (opening.id, opening.opens_at, window.pre_checks.clone());
    checked.then_some(Target { id, opens_at, list, too_late })
}

fn before(situation: &mut Situation<'_>) -> Option<Ask> {
    let Some(Target { id, opens_at, list, too_late }) = target(situation) else {
        situation.memory.before = None;
        return None;
    };
    let known = situation.memory.before.take().filter(|known| known.occurrence == id);
    let mut known = known.unwrap_or_else(|| Checking { occurrence: id, ..Checking::default() });
    forget_others(&mut known, &list, situation.facts.edited);
    let said = situation.facts.checks.get(&WindowStage::BeforeOpening);
    if let Some(said) = said {
        if record(&mut known, said, WindowStage::BeforeOpening, situation.now)
            && let Some(current) = &mut situation.memory.current
        {
            current.checks = known.results;
            return None;
        }
        situation.memory.before = Some(known);
        return None;
    }
    let due = !too_late && due_before(&known, opens_at, list.has_jobs()) <= situation.now;
    let question =
        Question { stage: WindowStage::BeforeOpening, occurrence: known.occurrence.clone(), list };
    situation.memory.before = Some(known);
    due.then_some(Ask::Checks(question))
}

fn after(situation: &mut Situation<'_>) -> Option<Ask> {
    let mut watch = situation.memory.after.take()?;
    let facts = situation.facts;
    if facts.deletion != Deletion::None {
        return None;
    }
    if situation.memory.current.is_some() {
        cut_off(situation, &watch);
        return None;
    }
    let list = match List::of(watched(&watch)) {
        Ok(list) => list,
        // They were frozen under older rules.
        Err(why) => {
            let why = format!("its post-checks cannot be run any more: postChecks{why}");
            fails(situation, &watch.occurrence, &why);
            return None;
        }
    };
    if facts.suspended() || list.is_empty() {
        situation.memory.after = Some(watch).filter(|_| !list.is_empty());
        return None;
    }
    if let Some(said) = facts.checks.get(&WindowStage::AfterClose) {
        if record(&mut watch, said, WindowStage::AfterClose, situation.now) {
            report(situation, &watch, due_after(&watch).is_none());
        }
        situation.memory.after = Some(watch).filter(|watch| due_after(watch).is_some());
        return None;
    }
    let due = due_after(&watch).is_some_and(|due| due <= situation.now);
    let question =
        Question { stage: WindowStage::AfterClose, occurrence: watch.occurrence.clone(), list };
    situation.memory.after = Some(watch);
    due.then_some(Ask::Checks(question))
}

/// The checks that are watched: those that the opening froze.
fn watched(watch: &Checking) -> &[Check] {
    watch.checks.as_ref().map(|FrozenChecks(checks)| checks.as_slice()).unwrap_or_default()
}

/// The next opening ends the watch: what was not seen to hold by then has failed.
fn cut_off(situation: &mut Situation<'_>, watch: &Checking) {
    if watch.at.is_some() {
        report(situation, watch, true);
    } else {
        let why = "its post-checks did not end before the next opening";
        fails(situation, &watch.occurrence, why);
    }
}

/// What other checks said, or the same in another form, is of no use.
fn forget_others(known: &mut Checking, list: &List, edited: bool) {
    let same = known.results.iter().map(|one| one.name.as_str()).eq(list.names());
    if edited || !same {
        known.at = None;
        known.results.clear();
    }
}

/// Writes a round down, if it is whole.
fn record(known: &mut Checking, said: &[CheckResult], stage: WindowStage, now: Timestamp) -> bool {
    if said.iter().any(|result| result.verdict == Running) {
        return false;
    }
    let at = Time(moments::stamp(now));
    let told = said.iter().map(|result| WindowCheck {
        name: result.name.clone(),
        stage,
        verdict: result.verdict,
        message: result.message.clone(),
        at: at.clone(),
    });
    known.results = told.collect();
    known.failed_since = match broken(&known.results) {
        Some(_) => known.failed_since.take().or_else(|| Some(at.clone())),
        None => None,
    };
    known.at = Some(at);
    true
}

/// Writes a round of post-checks into the history. One failure is enough; what cannot be looked at is
/// one at the end, when the watch is `over`.
fn report(situation: &mut Situation<'_>, watch: &Checking, over: bool) {
    let mut entries = situation.memory.history.iter_mut();
    let Some(entry) = entries.find(|entry| entry.id == watch.occurrence) else { return };
    entry.checks.retain(|check| check.stage != WindowStage::AfterClose);
    entry.checks.extend(watch.results.iter().cloned());
    let failed = watch.results.iter().any(|check| check.verdict == Failed);
    if let Some(words) = broken(&watch.results).filter(|_| failed || over) {
        fails(situation, &watch.occurrence, &format!("its post-checks do not hold: {words}"));
    }
}

/// What was completed has failed.
fn fails(situation: &mut Situation<'_>, opening: &str, why: &str) {
    let mut entries = situation.memory.history.iter_mut();
    let completed = |entry: &&mut WindowHistoryEntry| {
        entry.id == opening && entry.outcome == Outcome::Completed
    };
    let Some(entry) = entries.find(completed) else { return };
    entry.outcome = Outcome::Failed;
    // What became of tasks and alarms stays told.
    let more = entry.message.split_once("; ").map(|(_, more)| format!("; {more}"));
    entry.message = format!("{why}{}", more.unwrap_or_default());
}

/// The checks that do not hold, in words; none when all do.
pub fn broken(results: &[WindowCheck]) -> Option<String> {
    let broken = results.iter().filter(|check| check.verdict != Passed);
    let words: Vec<String> =
        broken.map(|check| format!("check {}: {}", check.name, check.message)).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// How the pre-checks of an opening stand.
fn standing(situation: &Situation<'_>, opening: &str) -> Standing {
    let known = situation.memory.before.as_ref().filter(|known| known.occurrence == opening);
    let Some((known, at)) = known.and_then(|known| Some((known, known.at.as_ref()?.0))) else {
        return Standing::Pending;
    };
    match broken(&known.results) {
        Some(words) => Standing::Broken(words),
        None if moments::after(at, FRESH) < situation.now => Standing::Pending,
        None => Standing::Hold,
    }
}

/// How its pre-checks keep an opening closed; none where they do not.
pub(super) fn keeps_closed(
    situation: &Situation<'_>,
    window: &Window,
    opening: &Opening,
) -> Option<Standing> {
    let standing = standing(situation, &opening.id);
    (window.is_blocked_by_checks() && standing != Standing::Hold).then_some(standing)
}

/// When pre-checks are looked at next.
fn due_before(known: &Checking, opens_at: Timestamp, jobs: bool) -> Timestamp {
    let Some(at) = known.at.as_ref().map(|at| at.0) else { return Timestamp::MIN };
    let near = moments::before(opens_at, NEAR);
    if at < near {
        moments::after(at, FAR).min(near)
    } else if known.failed_since.is_some() {
        moments::after(at, AGAIN)
    } else {
        moments::after(at, if jobs { FRESH } else { REFRESH })
    }
}

/// When post-checks are looked at next; none when they have been watched long enough.
fn due_after(watch: &Checking) -> Option<Timestamp> {
    let Some(at) = watch.at.as_ref().map(|at| at.0) else { return Some(Timestamp::MIN) };
    let until = watch.until.as_ref().map_or(at, |until| until.0);
    let pause = if watched(watch).iter().any(|check| check.job.is_some()) {
        REFRESH_JOBS
    } else if broken(&watch.results).is_some() {
        AGAIN
    } else {
        REFRESH
    };
    (at < until).then(|| moments::after(at, pause).min(until))
}

/// When something about checks changes by itself.
pub(super) fn next(situation: &Situation<'_>) -> Option<Timestamp> {
    let window = situation.window();
    let coming = || situation.coming();
    let before = match &situation.memory.before {
        Some(known) => {
            let opens_at = coming().map_or(situation.now, |opening| opening.opens_at);
            let jobs = window.is_some_and(|window| window.pre_checks.has_jobs());
            Some(due_before(known, opens_at, jobs))
        }
        None => window
            .filter(|window| !window.pre_checks.is_empty())
            .and_then(|window| Some(moments::before(coming()?.opens_at, window.pre_check_lead)))
            .filter(|begins| *begins > situation.now),
    };
    // What is suspended starts nothing; its watch goes on later.
    let after = situation.memory.after.as_ref().filter(|_| !situation.facts.suspended());
    let after = after.and_then(due_after);
    // What is due and was asked for runs still.
    let soon = moments::after(situation.now, SOON);
    let later = |due: Timestamp| if due <= situation.now { soon } else { due };
    before.into_iter().chain(after).map(later).min()
}

/// Whether the checks that were looked at last hold, and in words; none where there are none.
pub(super) fn told(situation: &Situation<'_>) -> Option<(bool, &'static str, String)> {
    let memory = &situation.memory;
    let list = |known: &Checking| (known.occurrence.clone(), known.results.clone());
    let running = memory.before.iter().chain(&memory.after);
    let known = running.clone().find(|known| known.at.is_some()).map(list);
    let open = || memory.current.as_ref().map(|open| (open.id.clone(), open.checks.clone()));
    let last = || memory.history.first().map(|last| (last.id.clone(), last.checks.clone()));
    let found = known.into_iter().chain(open()).chain(last());
    let mut found = found.filter(|(_, results)| !results.is_empty());
    let Some((id, results)) = found.next() else {
        let pending = running.map(|known| known.occurrence.clone()).next()?;
        return Some((false, "ChecksPending", format!("checks of {pending} run")));
    };
    Some(match broken(&results) {
        Some(words) => (false, "ChecksFailed", format!("{id}: {words}")),
        None => (true, "ChecksPassed", format!("{id}: {} hold", counted(results.len()))),
    })
}

/// So many checks, in words.
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 check".to_owned() } else { format!("all {count} checks") }
}
