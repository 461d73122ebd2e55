//! Everything that a pass reads, into one struct.

mod cloudwatch;
mod preflight;
mod release;
pub mod surplus;

use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt as _;

use self::cloudwatch::{read_alarms, read_evidence};
use super::{
    claims,
    decide::{
        Facts, Terms, UNCHECKED, Unread, VersionFact, decide, provisioned_matters, wanted, way_back,
    },
    error::Error,
    memory::Memory,
    rollout::{self, InvalidSpec, Rollout},
};
use crate::{
    api::{
        canary_rollout::{CanaryRollout, Ending, Phase},
        shared::Mode,
    },
    aws::{
        self, Class,
        accounts::Pinned,
        hub::{AliasKey, Want},
        limits::{self, Priority},
        port::Lambda,
        session::Session,
    },
    context::{Context, NoSession, terms as call_terms},
    engine::Class as TurnClass,
    facts::{
        kubernetes::Deletion,
        lambda::{Alias, Provisioned, Source},
    },
    kubernetes::objects,
    names::Owner,
    verbs::{Request, Verb},
    window_gate::{self, Verdict},
};

/// What observing needs.
pub struct Place<'a> {
    /// What every pass is handed.
    pub context: &'a Context,
    /// Calls to the account and region.
    pub session: &'a Arc<Session>,
    /// The alias.
    pub key: &'a AliasKey,
    /// The pass's time.
    pub now: Timestamp,
}

/// Reads what a decision needs, and no more: what goes back needs the alias alone.
///
/// # Errors
///
/// [`Error::ReadAlias`]. Everything else that cannot be read is a fact, and so are objects that do not
/// exist.
pub async fn observe(
    object: &CanaryRollout,
    memory: &Memory,
    place: &Place<'_>,
) -> Result<Facts, Error> {
    let rollout = Rollout::parse(&object.spec);
    let want = wants(object, memory, &rollout);
    let namespace = object.namespace().unwrap_or_default();
    let lambda = place.session.lambda(call_terms(priority(object, want), &namespace));
    if is_doubtful(object, memory, place.now) {
        place.context.hub.forget_read(place.key);
    }
    let seen = place
        .context
        .hub
        .alias(&lambda, place.key, want, place.now)
        .await
        .map_err(|source| Error::ReadAlias { alias: place.key.alias.clone(), source })?;
    let alias = seen.as_ref().map(|seen| &seen.alias);
    let provisioned = read_provisioned(&lambda, memory, place.key, alias).await;
    let stable_gone = is_stable_gone(memory, alias, place, &namespace).await;
    let claimed = || claims::taken_by(object, place.context, place.session);
    let mut facts = Facts {
        alias_source: seen.as_ref().map_or(Source::Read, |seen| seen.source),
        alias: seen.map(|seen| seen.alias),
        provisioned: provisioned.map_err(|error| Unread::from(&error)),
        terms: rollout.as_ref().ok().map(terms_of),
        windows: rollout.as_ref().ok().and_then(|rollout| ask_windows(rollout, &namespace, place)),
        taken_by: asks_whose(memory, starts(object, want)).then(claimed).flatten(),
        stable_gone,
        ..unseen(object, place)
    };
    // Where there is no way back, the next release may be one out.
    if facts.stable_gone || !goes_back(&facts, memory, place.now) {
        read_more(&mut facts, (object, &rollout, want), (memory, &lambda), place).await;
    }
    Ok(facts)
}

/// What the windows say that a rollout obeys.
fn ask_windows(rollout: &Rollout, namespace: &str, place: &Place<'_>) -> Option<Verdict> {
    let gate = rollout.gate.as_ref()?;
    let Some(windows) = place.context.windows.of(namespace) else {
        return Some(Verdict::Unknown(window_gate::unread(place.now)));
    };
    Some(window_gate::ask(&gate.windows, &windows, place.now))
}

/// Who goes first: undo before work, and a look at what is at rest after both.
fn priority(object: &CanaryRollout, want: Want) -> Priority {
    match (class(object), want) {
        (TurnClass::Undo, _) => Priority::Undo,
        (_, Want::Work) => Priority::Work,
        (_, Want::Drift | Want::Follow) => Priority::Drift,
    }
}

/// What is known before anything is read.
fn unseen(object: &CanaryRollout, place: &Place<'_>) -> Facts {
    Facts {
        owner: owner(object, place.context),
        function: place.key.function.clone(),
        alias_name: place.key.alias.clone(),
        suspended: object.spec.suspend.unwrap_or(false),
        mode: object.spec.mode.unwrap_or_default(),
        on_conflict: object.spec.on_conflict.unwrap_or_default(),
        deletion: objects::deletion(object),
        finalizer: objects::has_finalizer(object),
        request: objects::action_request(object),
        alias_source: Source::Read,
        alias: None,
        taken_by: None,
        stable_gone: false,
        provisioned: Ok(None),
        surplus: Ok(None),
        wanted: Err(Unread::unasked().into()),
        latest: None,
        published: None,
        terms: None,
        evidence: Ok(None),
        preflight: None,
        alarms: None,
        checks: None,
        windows: None,
        edited: object.status.as_ref().and_then(|status| status.observed_generation)
            != object.metadata.generation,
    }
}

/// Whether nothing but the alias is needed, because it goes back whatever the rest says, or the object
/// is deleted.
fn goes_back(facts: &Facts, memory: &Memory, now: Timestamp) -> bool {
    let flight = decide(facts, memory, now).memory.flight;
    let ending = flight.and_then(|flight| flight.ending);
    facts.deletion != Deletion::None || ending.is_some_and(|ending| ending.goes_back())
}

/// What is at rest starts nothing. In Audit it tells what would start.
fn starts(object: &CanaryRollout, want: Want) -> bool {
    want == Want::Work || object.spec.mode == Some(Mode::Audit)
}

/// Reads the release, the evidence, and what may be cleared away.
async fn read_more(
    facts: &mut Facts,
    (object, rollout, want): (&CanaryRollout, &Result<Rollout, InvalidSpec>, Want),
    (memory, lambda): (&Memory, &dyn Lambda),
    place: &Place<'_>,
) {
    let unread = |error: Error| Unread::from(&error);
    let alias = facts.alias.as_ref();
    let release = release::read(lambda, rollout, memory, place.key, alias).await;
    if let (Some(keep), Some(alias)) = (kept(rollout, want), alias) {
        let in_use = || claims::in_use(object, place.context, place.session, place.now);
        let owner = &facts.owner;
        facts.surplus = surplus::read(lambda, (memory, alias), place, (owner, keep), in_use).await;
    }
    let mut version = VersionFact::Missing;
    match release {
        Ok(read) => {
            facts.wanted = wanted(rollout.as_ref(), &read.facts);
            facts.latest = read.facts.latest;
            facts.published = read.published;
            version = read.facts.version;
        }
        Err(error) => facts.wanted = Err(unread(error).into()),
    }
    facts.evidence = read_evidence(facts.terms.as_ref(), memory, place).await;
    if starts(object, want) {
        facts.alarms = read_alarms(facts.terms.as_ref(), place).await;
    }
    if decide(facts, memory, place.now).report.reason == UNCHECKED {
        // What was at rest, and followed `$LATEST`, starts after all.
        if !starts(object, want) {
            facts.alarms = read_alarms(facts.terms.as_ref(), place).await;
            facts.taken_by = claims::taken_by(object, place.context, place.session);
        }
        match preflight::read(facts, memory, &version, lambda, place).await {
            Ok(preflight) => facts.preflight = Some(preflight),
            Err(error) => facts.wanted = Err(unread(error).into()),
        }
    }
}

/// How fresh the alias must be.
fn wants(object: &CanaryRollout, memory: &Memory, rollout: &Result<Rollout, InvalidSpec>) -> Want {
    match (at_rest(object, memory), rollout) {
        (true, Ok(rollout)) if rollout.release.source == rollout::Source::Latest => Want::Follow,
        (true, _) => Want::Drift,
        (false, _) => Want::Work,
    }
}

/// Whether it matters whose alias it is: before a start, and where somebody moved it. A flight whose
/// alias is where it was left has it to its end.
fn asks_whose(memory: &Memory, starts: bool) -> bool {
    memory.conflict.is_some() || starts && memory.flight.is_none()
}

/// Whether the version that the alias has to be pointed at to go back was deleted. What cannot be read
/// keeps nothing from going back.
async fn is_stable_gone(
    memory: &Memory,
    alias: Option<&Alias>,
    place: &Place<'_>,
    namespace: &str,
) -> bool {
    let Some(stable) = alias.and_then(|alias| way_back(memory, alias)) else { return false };
    let lambda = place.session.lambda(call_terms(Priority::Undo, namespace));
    let found = lambda.get_function(&place.key.function, Some(stable)).await;
    matches!(found, Err(aws::Error { class: Class::NotFound, .. }))
}

/// How many old versions are kept. Only at rest: what cannot be listed must not keep anything from
/// starting or going back.
fn kept(rollout: &Result<Rollout, InvalidSpec>, want: Want) -> Option<usize> {
    rollout.as_ref().ok().filter(|_| want != Want::Work)?.keep_versions
}

/// What a spec says of judging, and of what follows.
pub(super) fn terms_of(rollout: &Rollout) -> Terms {
    let invoking = rollout.checks.iter().filter(|check| check.invokes());
    Terms {
        criteria: rollout.criteria.clone(),
        bake: rollout.bake,
        on_failure: rollout.on_failure,
        gate: rollout.gate.clone(),
        rollback_window: rollout.rollback_window,
        checks: rollout.checks.iter().map(|check| check.name.clone()).collect(),
        invoking: invoking.map(|check| check.name.clone()).collect(),
        post_checks: rollout.post_checks.iter().map(|check| check.name.clone()).collect(),
    }
}

fn owner(object: &CanaryRollout, context: &Context) -> Owner {
    Owner {
        cluster: context.settings.cluster_name().to_owned(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

/// Whether what is known of the alias may be out of date where that matters: then it is read again,
/// so that a second look is not the first one again.
fn is_doubtful(object: &CanaryRollout, memory: &Memory, now: Timestamp) -> bool {
    let conflict = memory.conflict.is_some() && object.spec.on_conflict.is_some();
    conflict || memory.went_back_lately(now)
}

/// The session that an object is worked on with.
///
/// # Errors
///
/// [`NoSession`]; nothing may be called then.
pub async fn session(object: &CanaryRollout, context: &Context) -> Result<Arc<Session>, NoSession> {
    let namespace = object.namespace().unwrap_or_default();
    let pinned = object.status.as_ref().map_or_else(Pinned::default, |status| Pinned {
        region: status.region.clone(),
        account_id: status.account_id.clone(),
    });
    context.session(&namespace, object.spec.aws.as_ref(), &pinned).await
}

/// Where the alias of an object is.
pub fn alias_key(object: &CanaryRollout, session: &Session) -> AliasKey {
    AliasKey {
        account: session.account().to_owned(),
        region: session.region().to_owned(),
        function: object.spec.function.name.clone(),
        alias: object.spec.function.alias.clone(),
    }
}

/// Fetches the evidence and alarms that a pass will ask for, together with those of all others. What
/// goes back needs none, and waits for none.
pub async fn prepare(object: &CanaryRollout, context: &Context) {
    if class(object) == TurnClass::Undo {
        return;
    }
    let memory = Memory::recall(object.status.as_ref());
    let (Some(_), Ok(rollout)) = (&memory.flight, Rollout::parse(&object.spec)) else { return };
    let Ok(session) = session(object, context).await else { return };
    let key = alias_key(object, &session);
    let terms = Terms { criteria: rollout.criteria, ..Terms::default() };
    let place = Place { context, session: &session, key: &key, now: context.clock.now() };
    // What fails here fails again in the pass, which tells.
    let _ = read_evidence(Some(&terms), &memory, &place).await;
    let _ = read_alarms(Some(&terms), &place).await;
}

/// Who goes first.
pub fn class(object: &CanaryRollout) -> TurnClass {
    let memory = Memory::recall(object.status.as_ref());
    let ending = memory.flight.as_ref().and_then(|flight| flight.ending.as_ref());
    let deleted = object.metadata.deletion_timestamp.is_some();
    let back = ending.is_some_and(Ending::goes_back) || asks_to_go_back(object, &memory) || deleted;
    match back {
        true => TurnClass::Undo,
        false if at_rest(object, &memory) => TurnClass::Other,
        false => TurnClass::Urgent,
    }
}

/// The account and region where the object was worked on; none when it was not yet.
pub fn place(object: &CanaryRollout) -> Option<limits::Place> {
    let status = object.status.as_ref()?;
    let (account, region) = status.account_id.clone().zip(status.region.clone())?;
    Some(limits::Place { account, region })
}

/// Whether a verb that goes back was not answered yet.
fn asks_to_go_back(object: &CanaryRollout, memory: &Memory) -> bool {
    let Some(request) = objects::action_request(object) else { return false };
    let answered = memory.last_action.as_ref().is_some_and(|last| last.value == request.value);
    let verb = Request::parse(&request.value).map(|request| request.verb);
    !answered && matches!(verb, Ok(Verb::Abort | Verb::Rollback))
}

/// Whether a change of windows may let it go on, or stop it.
#[must_use]
pub fn awaits_windows(object: &CanaryRollout) -> bool {
    object.spec.windows.is_some() && !at_rest(object, &Memory::recall(object.status.as_ref()))
}

/// Whether nothing is to be done as far as is known: such a look can wait for better times.
pub fn at_rest(object: &CanaryRollout, memory: &Memory) -> bool {
    let status = object.status.as_ref();
    let seen = status.and_then(|status| status.observed_generation);
    let request = objects::action_request(object).map(|request| request.value);
    let answered = memory.last_action.as_ref().map(|last| last.value.clone());
    memory.concluded().is_some()
        && memory.publishing.is_none()
        && seen == object.metadata.generation
        && (request.is_none() || request == answered)
        && object.metadata.deletion_timestamp.is_none()
        && !waits_to_start(object)
}

/// Whether the status tells of something that keeps a release from starting: one that may go away
/// by itself, so the next pass may start it. In Audit nothing starts.
fn waits_to_start(object: &CanaryRollout) -> bool {
    let phase = object.status.as_ref().and_then(|status| status.phase);
    matches!(phase, Some(Phase::Pending | Phase::WaitingWindow | Phase::Held | Phase::Invalid))
        && object.spec.mode != Some(Mode::Audit)
}

/// Provisioned concurrency, where a decision needs to know of it.
async fn read_provisioned(
    lambda: &dyn Lambda,
    memory: &Memory,
    key: &AliasKey,
    alias: Option<&Alias>,
) -> Result<Option<Provisioned>, Error> {
    if !alias.is_some_and(|alias| provisioned_matters(memory, alias)) {
        return Ok(None);
    }
    match lambda.get_provisioned_concurrency(&key.function, &key.alias).await {
        Ok(provisioned) => Ok(Some(provisioned)),
        Err(aws::Error { class: Class::NotFound, .. }) => Ok(None),
        Err(source) => Err(Error::ReadProvisioned { alias: key.alias.clone(), source }),
    }
}

#[cfg(test)]
mod tests;
