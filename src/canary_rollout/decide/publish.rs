//! The release becomes a version: code and settings of `$LATEST` first, then PublishVersion.
//!
//! Updates are guarded by the revision id of `$LATEST` and can be repeated. PublishVersion is sent
//! only after what it publishes was written into the status, and with exactly that as its guards:
//! whatever else happens to `$LATEST`, nothing is released that was not looked at.

use super::{
    audit, conflict,
    plan::{Action, Plan, Purpose, Revisit},
    preflight,
    release::{Draft, Unready, guard, ready, tell, update_failed},
    situation::{FLIGHT_POLL, PENDING_POLL, Situation},
};
use crate::{
    api::canary_rollout::{Phase, PreflightFinding},
    canary_rollout::{
        memory::{Intent, Publishing},
        rollout::{Release, Settings, Source, Steps, digest_of, held_revision},
    },
    facts::lambda::{
        AliasChange, CodeChange, CodeSource, ConfigurationChange, FunctionState, FunctionVersion,
        LastUpdate, Publication,
    },
    names,
};

/// The version name of what is not published.
const LATEST: &str = "$LATEST";

/// Rule: the alias is at `$LATEST`, which cannot carry weights and changes under its callers. What it
/// holds is published before anything else happens, and the alias set to it: callers notice nothing.
pub(super) fn leave_latest(situation: &Situation<'_>) -> Option<Plan> {
    let alias = situation.facts.alias.as_ref()?;
    if alias.version != LATEST || situation.memory.flight.is_some() {
        return None;
    }
    if situation.memory.stable.is_some() {
        // It was at a version before: somebody moved it.
        return Some(conflict::settle(situation));
    }
    let Some(latest) = &situation.facts.latest else {
        return Some(tell_missing(situation));
    };
    let release =
        Release { source: Source::Latest, code_sha256: None, settings: Settings::default() };
    let draft = Draft { revision: held_revision(latest), release, steps: Steps::default() };
    if situation.facts.suspended {
        return Some(suspended(situation, "what the alias serves at $LATEST would be published"));
    }
    if audit::is_on(situation) {
        let what = "publish what the alias serves at $LATEST, and point it at that version";
        return Some(audit::would(situation, what, FLIGHT_POLL));
    }
    let published = situation.facts.published.as_ref().filter(|version| {
        situation.memory.version_of(&draft.revision) == Some(version.version.as_str())
    });
    let Some(published) = published else { return Some(advance(situation, &draft, latest)) };
    if let Err(unusable) = ready(&situation.facts.function, &draft.release, published) {
        return Some(tell(situation, &unusable));
    }
    let version = &published.version;
    let message = format!("setting the alias from $LATEST to version {version}, the same code");
    let report = situation.report(Phase::Publishing, "Initializing", message);
    let mut plan = situation.plan(report, Revisit::Now);
    let change = AliasChange {
        function: situation.facts.function.clone(),
        alias: situation.facts.alias_name.clone(),
        version: version.clone(),
        weight: None,
        description: names::unmarked(&alias.description),
        revision_id: alias.revision_id.clone(),
    };
    plan.actions.push(Action::UpdateAlias { change, purpose: Purpose::Initialize });
    Some(plan)
}

/// Rule: the release is no version yet.
pub(super) fn publish(situation: &Situation<'_>) -> Option<Plan> {
    match &situation.facts.wanted {
        Err(Unready::Unpublished(draft)) => Some(release(situation, draft)),
        Ok(_) | Err(Unready::Unusable(_) | Unready::Unread(_)) => None,
    }
}

/// The release becomes a version, beside what is in flight if something is.
pub(super) fn release(situation: &Situation<'_>, draft: &Draft) -> Plan {
    let memory = &situation.memory;
    let alias = situation.facts.alias.as_ref();
    if memory.flight.is_none() && memory.stable.is_some() {
        let at = alias.map(|alias| &alias.version);
        if at != memory.stable.as_ref() {
            return conflict::settle(situation);
        }
    }
    if situation.facts.suspended {
        let what = format!("{} would be published", describe(&draft.release));
        return suspended(situation, &what);
    }
    let findings = match look(situation, draft) {
        Ok(findings) => findings,
        Err(plan) => return *plan,
    };
    let mut plan = if audit::is_on(situation) {
        let what = format!("publish {} and release it", describe(&draft.release));
        audit::would(situation, &what, FLIGHT_POLL)
    } else if let Some(latest) = &situation.facts.latest {
        advance(situation, draft, latest)
    } else {
        tell_missing(situation)
    };
    plan.findings = findings;
    plan
}

/// What speaks against the release, before it begins to be published; none once it has begun. Beside a
/// flight and without an alias nothing starts. Weights are ours and have to go: what they belong to
/// must be a version again.
fn look(
    situation: &Situation<'_>,
    draft: &Draft,
) -> Result<Option<Vec<PreflightFinding>>, Box<Plan>> {
    let memory = &situation.memory;
    let begun = memory.publishing.as_ref().is_some_and(|one| one.revision == draft.revision);
    let alone = situation.facts.alias.as_ref().is_some_and(|alias| alias.weights.is_empty());
    if begun || memory.flight.is_some() || !alone {
        return Ok(None);
    }
    preflight::before_publishing(situation, draft).map(Some)
}

/// One step closer to a version.
fn advance(situation: &Situation<'_>, draft: &Draft, latest: &FunctionVersion) -> Plan {
    let step = Step { situation, draft, latest };
    let known = situation.memory.publishing.clone().filter(|one| one.revision == draft.revision);
    let Some(publishing) = known else { return step.begin() };
    if latest.last_update == LastUpdate::InProgress || latest.state == FunctionState::Pending {
        return step.await_update();
    }
    // What an older release left behind does not count: the next update mends it.
    let tried = match &draft.release.source {
        Source::Code(_) => publishing.uploaded.is_some(),
        Source::Version(_) | Source::Latest => draft.release.settings.are_those_of(latest),
    };
    if latest.last_update == LastUpdate::Failed && tried {
        return tell(situation, &update_failed(&situation.facts.function, latest));
    }
    if !step.has_the_code(&publishing) {
        return step.replace_code();
    }
    if !draft.release.settings.are_those_of(latest) {
        return step.configure();
    }
    let what = format!("$LATEST of {}", situation.facts.function);
    if let Err(unusable) = guard(&what, &draft.release, &latest.code_sha256) {
        return tell(situation, &unusable);
    }
    let intended =
        Intent { code_sha256: latest.code_sha256.clone(), revision_id: latest.revision_id.clone() };
    if publishing.intent.as_ref() == Some(&intended) {
        return step.publish(intended);
    }
    let message = format!("publishing {}", describe(&draft.release));
    let mut plan = step.plan(message, Revisit::Now);
    plan.memory.publishing = Some(Publishing { intent: Some(intended), ..publishing });
    plan
}

/// A release, what `$LATEST` holds, and what is known of both.
struct Step<'s, 'f> {
    situation: &'s Situation<'f>,
    draft: &'s Draft,
    latest: &'s FunctionVersion,
}

impl Step<'_, '_> {
    fn plan(&self, message: String, revisit: Revisit) -> Plan {
        let message = self.situation.beside_flight(message);
        let report = self.situation.report(Phase::Publishing, "Publishing", message);
        self.situation.plan(report, revisit)
    }

    /// Remembers which revision this is about: verbs name it from now on.
    fn begin(&self) -> Plan {
        let mut plan =
            self.plan(format!("publishing {}", describe(&self.draft.release)), Revisit::Now);
        let revision = self.draft.revision.clone();
        if plan.memory.flight.is_none() && plan.memory.stable.is_some() {
            plan.memory.revision = Some(revision.clone());
            plan.memory.canary = None;
        }
        plan.memory.publishing = Some(Publishing { revision, ..Publishing::default() });
        plan
    }

    fn await_update(&self) -> Plan {
        let function = &self.situation.facts.function;
        let message = format!("waits for Lambda to finish the update of $LATEST of {function}");
        self.plan(message, Revisit::At(self.situation.later(PENDING_POLL)))
    }

    /// Whether `$LATEST` holds the code of the release.
    fn has_the_code(&self, publishing: &Publishing) -> bool {
        let latest = self.latest;
        let in_force = latest.last_update == LastUpdate::Successful;
        let code_sha256 = Some(&latest.code_sha256);
        match &self.draft.release.source {
            Source::Version(_) | Source::Latest => true,
            Source::Code(CodeSource::Image { uri }) => {
                let image = latest.image.as_deref();
                in_force && image.is_some_and(|image| digest_of(image) == digest_of(uri))
            }
            // What an object of S3 holds is known by the guard, or once Lambda has read it.
            Source::Code(CodeSource::S3 { .. }) => {
                let guarded = self.draft.release.code_sha256.as_ref();
                in_force && (guarded == code_sha256 || publishing.uploaded.as_ref() == code_sha256)
            }
        }
    }

    fn replace_code(&self) -> Plan {
        let Source::Code(source) = &self.draft.release.source else { return self.begin() };
        let function = &self.situation.facts.function;
        let message =
            format!("{} becomes the code of $LATEST of {function}", describe(&self.draft.release));
        let mut plan = self.plan(message, Revisit::Now);
        plan.actions.push(Action::UpdateFunctionCode(CodeChange {
            function: function.clone(),
            source: source.clone(),
            revision_id: self.latest.revision_id.clone(),
        }));
        plan
    }

    fn configure(&self) -> Plan {
        let function = &self.situation.facts.function;
        let message = format!("spec.configuration becomes that of $LATEST of {function}");
        let Settings { memory_mb, timeout_secs, runtime } = self.draft.release.settings.clone();
        let mut plan = self.plan(message, Revisit::Now);
        plan.actions.push(Action::UpdateFunctionConfiguration(ConfigurationChange {
            function: function.clone(),
            memory_mb,
            timeout_secs,
            runtime,
            revision_id: self.latest.revision_id.clone(),
        }));
        plan
    }

    fn publish(&self, intended: Intent) -> Plan {
        let message = format!("publishing {}", describe(&self.draft.release));
        let mut plan = self.plan(message, Revisit::Now);
        let Intent { code_sha256, revision_id } = intended;
        plan.actions.push(Action::PublishVersion(Publication {
            function: self.situation.facts.function.clone(),
            code_sha256,
            revision_id,
            description: names::published(&self.situation.facts.owner, &self.draft.revision),
        }));
        plan
    }
}

/// A release in words.
pub(super) fn describe(release: &Release) -> String {
    match &release.source {
        Source::Version(version) => format!("version {version}"),
        Source::Latest => "what $LATEST holds".to_owned(),
        Source::Code(CodeSource::Image { uri }) => format!("image {uri}"),
        Source::Code(CodeSource::S3 { bucket, key, object_version }) => match object_version {
            Some(version) => format!("s3://{bucket}/{key} version {version}"),
            None => format!("s3://{bucket}/{key}"),
        },
    }
}

fn suspended(situation: &Situation<'_>, what: &str) -> Plan {
    let message =
        situation.beside_flight(format!("suspended: {what}; set spec.suspend to false to go on"));
    let report = situation.report(Phase::Suspended, "Suspended", message);
    situation.plan(report, Revisit::At(situation.later(FLIGHT_POLL)))
}

fn tell_missing(situation: &Situation<'_>) -> Plan {
    let message = format!(
        "there is no function {}; create it, or correct spec.function.name by a new CanaryRollout",
        situation.facts.function
    );
    let report = situation.report(Phase::Invalid, "FunctionNotFound", message);
    situation.plan(report, Revisit::At(situation.later(FLIGHT_POLL)))
}
