//! Nothing is in flight: the alias serves the release, or a rollout starts.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    audit, checks, conflict,
    ending::serves,
    lost,
    plan::{Action, Plan, Purpose, Revisit},
    preflight::{self, Cleared},
    prune::prune,
    release::Wanted,
    situation::{Destination, FLIGHT_POLL, PENDING_POLL, SETTLED_POLL, Situation},
    window,
};
use crate::{
    api::canary_rollout::{Ending, HistoryEntry, Outcome, Phase},
    api::check::CheckStatus,
    canary_rollout::{
        memory::{Canary, Flight},
        rollout::Steps,
    },
    facts::lambda::{Alias, Source},
    names,
};

/// Rule: an older rollout moves the same alias. This one touches nothing, whatever it is asked.
pub(super) fn taken(situation: &Situation<'_>) -> Option<Plan> {
    if situation.memory.flight.is_some() {
        return None;
    }
    let message = format!("{}; delete one of the two", conflict::older(situation)?);
    let report = situation.report(Phase::Held, "AliasTaken", message);
    Some(situation.plan(report, Revisit::At(situation.later(FLIGHT_POLL))))
}

/// Rule: there is no alias. It is made on first use, and only then.
pub(super) fn alias_missing(situation: &Situation<'_>) -> Option<Plan> {
    if situation.facts.alias.is_some() {
        return None;
    }
    let wanted = situation.facts.wanted.as_ref().ok()?;
    if situation.memory.flight.is_some() || situation.memory.stable.is_some() {
        return Some(situation.conflict());
    }
    let (function, alias) = (&situation.facts.function, &situation.facts.alias_name);
    if situation.facts.suspended {
        let text = format!("the alias {alias} of {function} would be made");
        return Some(suspended(situation, &text));
    }
    if audit::is_on(situation) {
        return Some(audit::would_make(situation, wanted));
    }
    let message = format!("making alias {alias} at version {}", wanted.version);
    let report = situation.report(Phase::Pending, "Initializing", message);
    let mut plan = situation.plan(report, Revisit::Now);
    plan.actions.push(Action::CreateAlias {
        function: function.clone(),
        alias: alias.clone(),
        version: wanted.version.clone(),
        description: names::made_for(&situation.facts.owner),
    });
    Some(plan)
}

/// Rule: the alias carries weights although nothing is in flight.
///
/// With our mark they are ours: the status was lost, and the flight is taken up where the mark
/// says. Without it nobody owns them, and nothing is touched.
pub(super) fn unowned_weights(situation: &Situation<'_>) -> Option<Plan> {
    let alias = situation.facts.alias.as_ref()?;
    if situation.memory.flight.is_some() || alias.weights.is_empty() {
        return None;
    }
    if let Some(marked) = lost::marked(situation) {
        let memory = &situation.memory;
        return Some(if memory.revision.is_none() {
            // What is no version yet becomes one first.
            lost::take_up(situation, &marked, situation.facts.wanted.as_ref().ok()?)
        } else if memory.stable.as_ref() == Some(&alias.version) {
            take_away(situation, alias)
        } else {
            conflict::settle(situation)
        });
    }
    if situation.memory.revision.is_some() {
        return Some(conflict::settle(situation));
    }
    let found = situation.found();
    let message = format!(
        "{found}, and this rollout did not set these weights; remove them, or finish what set them"
    );
    let mut plan = situation.out_of_sync(Phase::Held, "UnownedWeights", message, found);
    // Our finalizer may be all that is left of a flight whose mark had no room: it stays.
    plan.finalizer = situation.facts.finalizer;
    Some(plan)
}

/// Weights of a flight that is known to have ended: a write of ours was carried out after its answer
/// was given up, or the read is older than our last write. In the first case they are taken away, in
/// the second Lambda refuses it because of the revision id.
fn take_away(situation: &Situation<'_>, alias: &Alias) -> Plan {
    let message = format!("{}; these weights are left over and go away", situation.found());
    let report = situation.report(Phase::Pending, "LeftOverWeights", message);
    let alone = Destination::Alone(alias.version.clone());
    situation.moving(alias, alone, report, Purpose::Undo)
}

/// Rule: the alias serves the release, stays where a failed one left it, or a rollout starts.
pub(super) fn settle_or_start(situation: &Situation<'_>) -> Option<Plan> {
    let alias = situation.facts.alias.as_ref()?;
    let wanted = situation.facts.wanted.as_ref().ok()?;
    let memory = &situation.memory;
    let ended = memory.concluded().filter(|entry| entry.revision == wanted.revision);
    let failed =
        ended.filter(|entry| matches!(entry.outcome, Outcome::RolledBack | Outcome::Aborted));

    Some(if let Some(entry) = failed.filter(|entry| may_be_old(situation, alias, entry)) {
        look_again(situation, entry)
    } else if alias.version == wanted.version {
        prune(situation, settled(situation, wanted, ended))
    } else if memory.stable.as_ref().is_some_and(|stable| *stable != alias.version) {
        conflict::settle(situation)
    } else if let Some(entry) = failed {
        stays_back(situation, alias, wanted, entry)
    } else if situation.facts.suspended {
        suspended(situation, &format!("release of version {} would start", wanted.version))
    } else {
        begin(situation, alias, wanted)
    })
}

/// A rollout starts, would start, or cannot.
fn begin(situation: &Situation<'_>, alias: &Alias, wanted: &Wanted) -> Plan {
    // A way back must be open while a check fails that is the reason for it.
    let checked = !audit::is_on(situation) && !served_lately(situation, &wanted.revision);
    let Cleared { ignored_alarms, warnings } =
        match preflight::before_start(situation, wanted, checked) {
            Ok(cleared) => cleared,
            Err(plan) => return *plan,
        };
    let mut plan = if audit::is_on(situation) {
        audit::would_start(situation, alias, wanted)
    } else if let Some(waiting) = window::before_start(situation, wanted) {
        waiting
    } else if checked {
        match checks::before_start(situation) {
            Ok(checks) => start(situation, alias, wanted, ignored_alarms, checks),
            Err(waiting) => *waiting,
        }
    } else {
        start(situation, alias, wanted, ignored_alarms, Vec::new())
    };
    plan.findings.get_or_insert_default().extend(warnings);
    plan
}

/// Whether a read may show the alias as it was before it went back.
fn may_be_old(situation: &Situation<'_>, alias: &Alias, entry: &HistoryEntry) -> bool {
    situation.facts.alias_source != Source::Write
        && alias.version == entry.version
        && situation.memory.went_back_lately(situation.now)
}

/// The end stays as it was told until the alias was read again.
fn look_again(situation: &Situation<'_>, entry: &HistoryEntry) -> Plan {
    let phase = if entry.outcome == Outcome::Aborted { Phase::Aborted } else { Phase::RolledBack };
    let report = situation.report(phase, phase.as_str(), entry.message.clone());
    situation.plan(report, Revisit::At(situation.later(PENDING_POLL)))
}

fn stays_back(
    situation: &Situation<'_>,
    alias: &Alias,
    wanted: &Wanted,
    entry: &HistoryEntry,
) -> Plan {
    let phase = if entry.outcome == Outcome::Aborted { Phase::Aborted } else { Phase::RolledBack };
    let message = format!(
        "version {} was {}: {}; the alias serves version {}; release something else, or try again with the verb retry@{}",
        entry.version,
        if entry.outcome == Outcome::Aborted { "aborted" } else { "rolled back" },
        if entry.message.is_empty() { &entry.reason } else { &entry.message },
        alias.version,
        entry.revision
    );
    let report = situation.report(phase, phase.as_str(), message);
    let mut plan = situation.plan(report, Revisit::At(situation.later(at_rest(wanted))));
    plan.memory.publishing = None;
    checks::after_rollback(situation, entry, &mut plan);
    plan
}

/// How often what is at rest is looked at: what `$LATEST` holds may change at any time.
pub(super) fn at_rest(wanted: &Wanted) -> SignedDuration {
    if wanted.follows_latest { FLIGHT_POLL } else { SETTLED_POLL }
}

fn settled(situation: &Situation<'_>, wanted: &Wanted, ended: Option<&HistoryEntry>) -> Plan {
    if situation.facts.suspended {
        let text = serves(&situation.facts.alias_name, &wanted.version);
        return suspended(situation, &text);
    }
    let message = serves(&situation.facts.alias_name, &wanted.version);
    let mut report = situation.report(Phase::Healthy, "Promoted", message);
    report.weight = None;
    let mut plan = situation.plan(report, Revisit::At(situation.later(at_rest(wanted))));
    plan.memory.publishing = None;
    let known =
        ended.filter(|entry| matches!(entry.outcome, Outcome::Promoted | Outcome::Initialized));
    if known.is_none() {
        let at = Time(situation.stamp());
        plan.memory.remember(HistoryEntry {
            version: wanted.version.clone(),
            revision: wanted.revision.clone(),
            code_sha256: Some(wanted.code_sha256.clone()),
            stable: None,
            outcome: Outcome::Initialized,
            reason: "AlreadyServed".into(),
            message: String::new(),
            started_at: at.clone(),
            ended_at: at,
        });
        plan.memory.revision = Some(wanted.revision.clone());
    }
    plan.memory.stable = Some(wanted.version.clone());
    plan.memory.canary = None;
    plan
}

fn suspended(situation: &Situation<'_>, what: &str) -> Plan {
    let message = format!("suspended: {what}; set spec.suspend to false to go on");
    let report = situation.report(Phase::Suspended, "Suspended", message);
    situation.plan(report, Revisit::At(situation.later(SETTLED_POLL)))
}

/// Whether the release was served at most as many revisions ago as `rollbackWindow` says. The newest
/// entry that was served is the one that is served now, 0 revisions ago.
pub(super) fn served_lately(situation: &Situation<'_>, revision: &str) -> bool {
    let window = situation.facts.terms.as_ref().map_or(0, |terms| terms.rollback_window);
    situation.memory.served_lately(window).any(|entry| entry.revision == revision)
}

fn start(
    situation: &Situation<'_>,
    alias: &Alias,
    wanted: &Wanted,
    ignored_alarms: Vec<String>,
    checks: Vec<CheckStatus>,
) -> Plan {
    let lately = served_lately(situation, &wanted.revision);
    let message = if lately {
        format!("going back to version {}, which was served lately", wanted.version)
    } else {
        format!("releasing version {} in place of {}", wanted.version, alias.version)
    };
    let steps = if lately { Steps::default() } else { wanted.steps.clone() };
    let report = situation.report(Phase::Pending, "Starting", message.clone());
    let mut plan = situation.plan(report, Revisit::Now);
    let ending = steps.is_empty().then(|| Ending {
        outcome: Outcome::Promoted,
        reason: if lately { window::LATELY } else { "StepsCompleted" }.into(),
        message,
    });
    plan.memory.revision = Some(wanted.revision.clone());
    plan.memory.stable = Some(alias.version.clone());
    plan.memory.canary = Some(Canary {
        version: wanted.version.clone(),
        code_sha256: Some(wanted.code_sha256.clone()),
        timeout: wanted.timeout,
        started_at: situation.stamp(),
    });
    plan.memory.paused_at = None;
    plan.memory.publishing = None;
    plan.memory.ignored_alarms = ignored_alarms;
    plan.memory.checks = checks;
    plan.memory.flight = Some(Flight { ending, ..Flight::before(steps, 0) });
    plan.finalizer = true;
    plan
}
