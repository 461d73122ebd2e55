//! Checks before the start, at 100, after the bake, and after a rollback.
//!
//! Running them is expensive, so a decision asks for them only where it depends on them
//! ([`Plan::needs`]), and what they said is remembered in the status.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    flight::{Here, MAX_WAIT},
    plan::{Plan, Revisit},
    situation::{PENDING_POLL, Situation},
};
use crate::{
    api::{
        canary_rollout::{HistoryEntry, Outcome, Phase, PreflightFinding, Severity},
        check::{
            CheckStage, CheckStatus,
            CheckVerdict::{Failed, Passed, Running, Unreadable},
        },
        duration::Duration,
    },
    canary_rollout::{evidence::later, judge},
};

/// How soon checks that do not all pass run again.
const AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// Reasons of a start that waits for checks.
const FAILED: &str = "ChecksFailed";
const UNREADABLE: &str = "ChecksUnreadable";

/// What is known of a list of checks.
struct Checked {
    /// What to remember.
    found: Vec<CheckStatus>,
    /// What it means.
    meaning: Meaning,
}

enum Meaning {
    /// All of them hold.
    Hold,
    /// They have to run first.
    Due(CheckStage),
    /// Some run still.
    Running(String),
    /// At least one does not hold.
    Broken(String),
    /// At least one could not be looked at, and the others hold.
    Unreadable(String),
}

/// What is known of these checks for this stage.
fn look(situation: &Situation<'_>, stage: CheckStage, names: &[String]) -> Checked {
    if names.is_empty() {
        return Checked { found: Vec::new(), meaning: Meaning::Hold };
    }
    let run = situation.facts.checks.as_ref().filter(|run| {
        run.stage == stage && run.results.iter().map(|result| &result.name).eq(names)
    });
    let Some(run) = run else { return recall(situation, stage, names) };
    let at = Time(situation.stamp());
    let status = |result: &crate::facts::check::CheckResult| CheckStatus {
        name: result.name.clone(),
        stage,
        verdict: result.verdict,
        message: result.message.clone(),
        at: at.clone(),
    };
    let found: Vec<CheckStatus> = run.results.iter().map(status).collect();
    let meaning = meaning(&found);
    Checked { found, meaning }
}

/// What an earlier pass recorded, as long as it may be used.
fn recall(situation: &Situation<'_>, stage: CheckStage, names: &[String]) -> Checked {
    let found = situation.memory.checks.clone();
    let same = found.len() == names.len()
        && found.iter().zip(names).all(|(entry, name)| entry.stage == stage && entry.name == *name);
    let recent = found.iter().all(|entry| later(entry.at.0, AGAIN) > situation.now);
    let usable = match meaning(&found) {
        // What held before an earlier start says nothing of this one.
        Meaning::Hold => stage != CheckStage::BeforeStart,
        Meaning::Unreadable(_) => recent && !situation.facts.edited,
        // After 100 a failure has its consequence at once; who goes on then asks for a new look.
        Meaning::Broken(_) => stage == CheckStage::BeforeStart && recent && !situation.facts.edited,
        Meaning::Running(_) | Meaning::Due(_) => false,
    };
    let meaning = if same && usable { meaning(&found) } else { Meaning::Due(stage) };
    Checked { found, meaning }
}

fn meaning(found: &[CheckStatus]) -> Meaning {
    let any = |verdict| found.iter().any(|entry| entry.verdict == verdict);
    if any(Running) {
        let running = found.iter().filter(|entry| entry.verdict == Running);
        let names: Vec<&str> = running.map(|entry| entry.name.as_str()).collect();
        Meaning::Running(names.join(", "))
    } else if any(Failed) {
        Meaning::Broken(words(found))
    } else if any(Unreadable) {
        Meaning::Unreadable(words(found))
    } else {
        Meaning::Hold
    }
}

/// All checks that do not hold, with what they say.
fn words(found: &[CheckStatus]) -> String {
    let words: Vec<String> = broken(found).map(|(_, message)| message).collect();
    words.join("; ")
}

/// Reason and message of each check that does not hold.
fn broken(found: &[CheckStatus]) -> impl Iterator<Item = (&'static str, String)> {
    let broken = found.iter().filter(|entry| entry.verdict != Passed);
    broken.map(|entry| {
        let reason = if entry.verdict == Unreadable { UNREADABLE } else { FAILED };
        (reason, format!("check {}: {}", entry.name, entry.message))
    })
}

/// When checks that were looked at then are looked at again.
fn again(situation: &Situation<'_>, found: &[CheckStatus]) -> Timestamp {
    let oldest = found.iter().map(|entry| entry.at.0).min();
    later(oldest.unwrap_or(situation.now), AGAIN).max(situation.later(PENDING_POLL))
}

/// What did not hold is told until the checks that run again have said otherwise: else it would come
/// and go each minute.
fn last_word(situation: &Situation<'_>, looked: Checked) -> Checked {
    let known = &situation.memory.checks;
    let about = |entries: &[CheckStatus]| {
        entries.iter().map(|entry| (entry.name.clone(), entry.stage)).collect::<Vec<_>>()
    };
    match (&looked.meaning, meaning(known)) {
        (Meaning::Running(_), old @ (Meaning::Broken(_) | Meaning::Unreadable(_)))
            if about(known) == about(&looked.found) && !situation.facts.edited =>
        {
            Checked { found: known.clone(), meaning: old }
        }
        (_, _) => looked,
    }
}

/// Whether a rollout may start as far as its checks go; what they said, else the plan to wait.
pub(super) fn before_start(situation: &Situation<'_>) -> Result<Vec<CheckStatus>, Box<Plan>> {
    let names = situation.facts.terms.as_ref().map(|terms| terms.checks.as_slice());
    let Checked { found, meaning } = before(situation, names.unwrap_or_default());
    let until_hold = |why: &str| format!("waits to start until all checks hold: {why}");
    let (reason, message) = match &meaning {
        Meaning::Hold => return Ok(found),
        Meaning::Due(_) => ("ChecksPending", "waits to start: its checks run".to_owned()),
        Meaning::Running(names) => {
            ("ChecksPending", format!("waits to start: checks run: {names}"))
        }
        Meaning::Broken(why) => (FAILED, until_hold(why)),
        Meaning::Unreadable(why) => (UNREADABLE, until_hold(why)),
    };
    let waiting = Waiting::of(situation, Checked { found, meaning });
    let findings = waiting.broken.iter().map(|(reason, message)| PreflightFinding {
        severity: Severity::Blocking,
        reason: (*reason).to_owned(),
        message: message.clone(),
    });
    let findings = Some(findings.collect());
    let report = situation.report(Phase::Pending, reason, message);
    // Checks that are waited for say when to look again.
    let plan = Plan { findings, ..situation.plan(report, Revisit::At(Timestamp::MAX)) };
    Err(Box::new(waiting.told(plan)))
}

/// What the checks say of a release that something else keeps from starting: it is told together. One
/// that invokes a function is spared until nothing else is in the way. None where no other is asked.
pub(super) fn beside(situation: &Situation<'_>) -> Option<Waiting> {
    let terms = situation.facts.terms.as_ref()?;
    let spared = |name: &&String| terms.invoking.contains(*name);
    let names: Vec<String> = terms.checks.iter().filter(|name| !spared(name)).cloned().collect();
    if names.is_empty() {
        return None;
    }
    let waiting = Waiting::of(situation, before(situation, &names));
    let spared = terms.checks.iter().filter(spared).cloned().collect();
    Some(Waiting { spared, ..waiting })
}

fn before(situation: &Situation<'_>, names: &[String]) -> Checked {
    last_word(situation, look(situation, CheckStage::BeforeStart, names))
}

/// Checks that a start waits for.
pub(super) struct Waiting {
    /// Reason and message of those that do not hold.
    pub(super) broken: Vec<(&'static str, String)>,
    found: Vec<CheckStatus>,
    needs: Option<CheckStage>,
    spared: Vec<String>,
    then: Option<Timestamp>,
}

impl Waiting {
    fn of(situation: &Situation<'_>, Checked { found, meaning }: Checked) -> Self {
        let soon = situation.later(PENDING_POLL);
        let (needs, then, broken) = match meaning {
            Meaning::Hold => (None, None, Vec::new()),
            Meaning::Due(stage) => (Some(stage), Some(soon), Vec::new()),
            Meaning::Running(_) => (None, Some(soon), Vec::new()),
            Meaning::Broken(_) | Meaning::Unreadable(_) => {
                (None, Some(again(situation, &found)), broken(&found).collect())
            }
        };
        Self { broken, found, needs, spared: Vec::new(), then }
    }

    /// The plan with what is to be remembered and done for them.
    pub(super) fn told(self, mut plan: Plan) -> Plan {
        plan.memory.checks = self.found;
        (plan.needs, plan.spared) = (self.needs, self.spared);
        match self.then {
            Some(then) => plan.no_later_than(then),
            None => plan,
        }
    }
}

/// What is known of the checks of a release that serves everybody: they run at once, and again
/// when a bake has `ended`.
fn after_100(situation: &Situation<'_>, bakes: bool, ended: bool) -> Checked {
    let names = situation.facts.terms.as_ref().map(|terms| terms.post_checks.as_slice());
    let names = names.unwrap_or_default();
    let bake_over = bakes && ended;
    let stage = situation.memory.checks.first().map(|entry| entry.stage);
    if bake_over && stage == Some(CheckStage::AfterBake) {
        return look(situation, CheckStage::AfterBake, names);
    }
    let checked = look(situation, CheckStage::At100, names);
    match checked.meaning {
        Meaning::Hold if bake_over && !names.is_empty() => {
            let ran = situation.facts.checks.as_ref().map(|run| run.stage);
            match ran {
                // Recorded first.
                Some(CheckStage::At100) => {
                    Checked { meaning: Meaning::Running(names.join(", ")), ..checked }
                }
                Some(_) | None => look(situation, CheckStage::AfterBake, names),
            }
        }
        Meaning::Hold
        | Meaning::Due(_)
        | Meaning::Running(_)
        | Meaning::Broken(_)
        | Meaning::Unreadable(_) => checked,
    }
}

impl Here<'_, '_> {
    /// The alias is at 100: watched, and checked.
    pub(super) fn bake_and_check(&self, entered: Timestamp, awaited: Option<String>) -> Plan {
        let terms = self.situation.facts.terms.as_ref();
        let bake = terms.map_or(Duration::ZERO, |terms| terms.bake);
        let until = later(entered, bake.signed());
        let ended = until <= self.situation.now;
        let Checked { found, meaning } = after_100(self.situation, bake > Duration::ZERO, ended);
        let looked = self.situation.with_checks(found);
        let here = Here { situation: &looked, ..*self };
        match meaning {
            Meaning::Hold => here.bake(entered, awaited),
            Meaning::Broken(message) => {
                here.fail(&judge::Failed { reason: "PostCheckFailed", message })
            }
            Meaning::Due(stage) => {
                let mut plan = here.checking("its checks run".to_owned());
                plan.needs = Some(stage);
                plan
            }
            Meaning::Running(names) => here.checking(format!("checks run: {names}")),
            Meaning::Unreadable(why) => {
                let then = again(&looked, &looked.memory.checks);
                let plan = match awaited {
                    None if ended => here.wait_for_data(later(until, MAX_WAIT.signed()), &why),
                    None => here.bake(entered, Some(why)),
                    Some(what) => here.bake(entered, Some(format!("{what}; {why}"))),
                };
                plan.no_later_than(then)
            }
        }
    }

    fn checking(&self, what: String) -> Plan {
        let report = self.situation.report(Phase::Baking, "ChecksPending", format!("100%: {what}"));
        let soon = self.situation.later(PENDING_POLL);
        self.situation.plan(report, Revisit::At(soon))
    }
}

/// After a rollback the checks run once, for the report; what could not be looked at, until it can.
pub(super) fn after_rollback(situation: &Situation<'_>, entry: &HistoryEntry, plan: &mut Plan) {
    let names = situation.facts.terms.as_ref().map(|terms| terms.post_checks.as_slice());
    let names = names.unwrap_or_default();
    let asked = entry.outcome == Outcome::RolledBack && !situation.facts.suspended;
    if names.is_empty() || !asked {
        return;
    }
    let stage = CheckStage::AfterRollback;
    let ran = situation.facts.checks.as_ref().is_some_and(|run| run.stage == stage);
    if ran {
        plan.memory.checks = look(situation, stage, names).found;
    }
    let found = &plan.memory.checks;
    let recorded = !found.is_empty() && found.iter().all(|entry| entry.stage == stage);
    match meaning(found) {
        _ if !recorded => plan.needs = Some(stage),
        Meaning::Running(_) if !ran => plan.needs = Some(stage),
        Meaning::Running(_) => plan.revisit = Revisit::At(situation.later(PENDING_POLL)),
        // Nothing was reported yet: the next look at what is at rest tries again.
        Meaning::Unreadable(_)
            if !ran && again(situation, found) <= situation.later(PENDING_POLL) =>
        {
            plan.needs = Some(stage);
        }
        Meaning::Hold => plan.report.message.push_str("; its checks hold since"),
        Meaning::Broken(why) | Meaning::Unreadable(why) => {
            plan.report.message.push_str(&format!("; since then, {why}"));
        }
        Meaning::Due(_) => {}
    }
}
