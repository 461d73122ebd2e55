//! From the answers of Lambda to facts.

use std::time::Duration;

use aws_sdk_lambda::{
    operation::{
        get_function::GetFunctionOutput,
        get_provisioned_concurrency_config::GetProvisionedConcurrencyConfigOutput,
        invoke::InvokeOutput, list_aliases::ListAliasesOutput,
        list_versions_by_function::ListVersionsByFunctionOutput,
    },
    types::{
        AliasRoutingConfiguration, FunctionConfiguration, LastUpdateStatus,
        ProvisionedConcurrencyStatusEnum, SnapStartResponse, State,
    },
};

use super::super::settings::settings;
use crate::facts::{
    lambda::{
        Alias, Changed, FunctionState, FunctionVersion, Invocation, LastUpdate, NamedPage,
        Provisioned, ProvisionedStatus, Snapshot, VersionPage, VersionWeight,
    },
    surplus::ListedVersion,
};

/// Most bytes of what a function returned that are kept: enough to judge it, and to quote it.
const PAYLOAD_MAX: usize = 256 * 1024;

/// What an answer says of an alias.
pub(super) struct AnsweredAlias<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) revision_id: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) routing: Option<&'a AliasRoutingConfiguration>,
}

pub(super) fn alias(answer: AnsweredAlias<'_>) -> Result<Alias, String> {
    let AnsweredAlias { version, revision_id, description, routing } = answer;
    let answered = routing.and_then(AliasRoutingConfiguration::additional_version_weights);
    let mut weights = Vec::new();
    for (version, weight) in answered.into_iter().flatten() {
        if !(0.0..=1.0).contains(weight) {
            return Err(format!("the weight of version {version} is {weight}, not 0 to 1"));
        }
        weights.push(VersionWeight { version: version.clone(), weight: *weight });
    }
    weights.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(Alias {
        version: required(version, "FunctionVersion")?,
        weights,
        revision_id: required(revision_id, "RevisionId")?,
        description: description.unwrap_or_default().to_owned(),
    })
}

pub(super) fn changed(
    version: Option<&str>,
    code_sha256: Option<&str>,
    revision_id: Option<&str>,
) -> Result<Changed, String> {
    Ok(Changed {
        version: required(version, "Version")?,
        code_sha256: required(code_sha256, "CodeSha256")?,
        revision_id: required(revision_id, "RevisionId")?,
    })
}

/// Tag that CloudFormation puts on what it makes. Source: CloudFormation user guide, resource tags.
const STACK_TAG: &str = "aws:cloudformation:stack-name";

pub(super) fn function_version(answer: &GetFunctionOutput) -> Result<FunctionVersion, String> {
    let answered = answer.configuration().ok_or_else(|| missing("Configuration"))?;
    let dead_letter_target = answered.dead_letter_config().and_then(|config| config.target_arn());
    let environment = answered.environment();
    let update_code = answered.last_update_status_reason_code().map_or("", |code| code.as_str());
    let whole = |number: Option<i32>| number.and_then(|n| n.try_into().ok()).unwrap_or_default();
    Ok(FunctionVersion {
        version: required(answered.version(), "Version")?,
        code_sha256: required(answered.code_sha256(), "CodeSha256")?,
        revision_id: required(answered.revision_id(), "RevisionId")?,
        state: answered.state().map_or_else(|| FunctionState::Other(String::new()), state),
        state_reason: reason(
            answered.state_reason_code().map_or("", |code| code.as_str()),
            answered.state_reason(),
        ),
        last_update: last_update(answered),
        last_update_reason: reason(update_code, answered.last_update_status_reason()),
        snapshot: answered.snap_start().map_or(Snapshot::NotWanted, snapshot),
        timeout_secs: whole(answered.timeout()),
        memory_mb: whole(answered.memory_size()),
        runtime: answered.runtime().map(|runtime| runtime.as_str().to_owned()),
        architectures: answered.architectures().iter().map(|one| one.as_str().to_owned()).collect(),
        settings: settings(answered),
        environment_readable: environment.and_then(|one| one.error()).is_none(),
        image: answer
            .code()
            .and_then(|code| code.resolved_image_uri())
            .filter(|uri| !uri.is_empty())
            .map(str::to_owned),
        description: answered.description().unwrap_or_default().to_owned(),
        role: required(answered.role(), "Role")?,
        dead_letter_target: dead_letter_target.filter(|arn| !arn.is_empty()).map(str::to_owned),
        stack: answer.tags().and_then(|tags| tags.get(STACK_TAG)).cloned(),
    })
}

/// Lambda's code and its words, as far as it gave them.
fn reason(code: &str, words: Option<&str>) -> String {
    match (code, words.unwrap_or_default()) {
        ("", words) => words.to_owned(),
        (code, "") => code.to_owned(),
        (code, words) => format!("{code}: {words}"),
    }
}

/// A version has no status of its own: it was published whole.
fn last_update(answered: &FunctionConfiguration) -> LastUpdate {
    match answered.last_update_status().map(LastUpdateStatus::as_str) {
        Some("Successful") | None => LastUpdate::Successful,
        Some("Failed") => LastUpdate::Failed,
        Some(_) => LastUpdate::InProgress,
    }
}

fn snapshot(answered: &SnapStartResponse) -> Snapshot {
    let wanted = answered.apply_on().is_some_and(|on| on.as_str() == "PublishedVersions");
    let on = answered.optimization_status().is_some_and(|status| status.as_str() == "On");
    match (wanted, on) {
        (false, _) => Snapshot::NotWanted,
        (true, false) => Snapshot::Pending,
        (true, true) => Snapshot::Ready,
    }
}

pub(super) fn versions(answer: &ListVersionsByFunctionOutput) -> Result<VersionPage, String> {
    let listed = |answered: &FunctionConfiguration| {
        Ok(ListedVersion {
            version: required(answered.version(), "Version")?,
            description: answered.description().unwrap_or_default().to_owned(),
        })
    };
    let versions = answer.versions().iter().map(listed).collect::<Result<_, String>>()?;
    Ok(VersionPage { versions, next: next(answer.next_marker()) })
}

/// Every version that an alias sends anybody to; none may be missing, or it would be deleted.
pub(super) fn named(answer: &ListAliasesOutput) -> Result<NamedPage, String> {
    let mut versions = Vec::new();
    for alias in answer.aliases() {
        versions.push(required(alias.function_version(), "FunctionVersion")?);
        let routing = alias.routing_config();
        let weights = routing.and_then(AliasRoutingConfiguration::additional_version_weights);
        versions.extend(weights.into_iter().flatten().map(|(version, _)| version.clone()));
    }
    Ok(NamedPage { versions, next: next(answer.next_marker()) })
}

fn next(marker: Option<&str>) -> Option<String> {
    marker.filter(|marker| !marker.is_empty()).map(str::to_owned)
}

pub(super) fn provisioned(
    answer: &GetProvisionedConcurrencyConfigOutput,
) -> Result<Provisioned, String> {
    let status = answer.status().map(ProvisionedConcurrencyStatusEnum::as_str);
    Ok(Provisioned {
        status: match status {
            Some("READY") => ProvisionedStatus::Ready,
            Some("FAILED") => ProvisionedStatus::Failed,
            Some("IN_PROGRESS") => ProvisionedStatus::InProgress,
            Some(other) => return Err(format!("Status is {other}")),
            None => return Err(missing("Status")),
        },
        reason: answer.status_reason().unwrap_or_default().to_owned(),
        requested: answer.requested_provisioned_concurrent_executions().unwrap_or_default().into(),
        allocated: answer.allocated_provisioned_concurrent_executions().unwrap_or_default().into(),
    })
}

pub(super) fn invocation(answer: &InvokeOutput, took: Duration) -> Invocation {
    let payload = answer.payload().map(AsRef::as_ref).unwrap_or_default();
    Invocation::Answered {
        function_error: answer.function_error().map(str::to_owned),
        payload: payload.iter().copied().take(PAYLOAD_MAX).collect(),
        took,
    }
}

/// Matched by Lambda's word: the SDK's enum has states that we treat like any other.
fn state(state: &State) -> FunctionState {
    match state.as_str() {
        "Active" => FunctionState::Active,
        "Pending" => FunctionState::Pending,
        "Inactive" => FunctionState::Inactive,
        "Failed" => FunctionState::Failed,
        other => FunctionState::Other(other.to_owned()),
    }
}

fn required(value: Option<&str>, field: &str) -> Result<String, String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| missing(field))
}

fn missing(field: &str) -> String {
    format!("{field} is missing")
}
