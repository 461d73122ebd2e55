//! What CloudWatch says of the release: metrics for an evaluation, and alarms.

use super::Place;
use crate::{
    canary_rollout::{
        decide::{AlarmReport, Terms},
        evidence::{self, Evidence, Subject},
        memory::Memory,
    },
    error::chain,
    facts::cloudwatch::{Alarm, AlarmState},
};

/// Reads what an evaluation needs, if one is due. What cannot be read is a fact, too: undo and verbs
/// must not wait for CloudWatch.
pub(super) async fn read_evidence(
    terms: Option<&Terms>,
    memory: &Memory,
    place: &Place<'_>,
) -> Result<Option<Evidence>, String> {
    let Some(terms) = terms else { return Ok(None) };
    let Some(span) = evidence::due(&terms.criteria, memory, place.now) else { return Ok(None) };
    let subject = Subject { function: &place.key.function, alias: &place.key.alias };
    let wanted = evidence::wanted(&terms.criteria, memory, subject);
    let series = place.context.hub.metrics(place.session, &wanted, span).await;
    series.map(|series| Some(Evidence { span, series })).map_err(|error| chain(&error))
}

/// Reads the alarms that the spec names.
pub(super) async fn read_alarms(
    terms: Option<&Terms>,
    place: &Place<'_>,
) -> Option<Result<AlarmReport, String>> {
    let alarms = terms?.criteria.alarms.as_ref()?;
    let found =
        place.context.hub.alarms(place.session, &alarms.names, &alarms.prefixes, place.now).await;
    let in_state = |alarms: &[Alarm], state| {
        let found = alarms.iter().filter(|alarm| alarm.state == state);
        found.map(|alarm| alarm.name.clone()).collect::<Vec<_>>()
    };
    Some(found.map_err(|error| chain(&error)).map(|found| AlarmReport {
        firing: in_state(&found.alarms, AlarmState::Alarm),
        insufficient: in_state(&found.alarms, AlarmState::InsufficientData),
        missing: found.missing,
    }))
}
