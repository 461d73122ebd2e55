//! AWS as a walk has it: every write is carried out, and what it makes is ready at once.

use crate::{
    canary_rollout::{
        decide::{Action, Answer, Facts, Wanted},
        rollout::{Rollout, Settings, Source, digest_of},
    },
    facts::lambda::{
        Alias, AliasChange, Changed, CodeChange, CodeSource, FunctionState, FunctionVersion,
        Invocation, LastUpdate, Publication, Snapshot,
    },
};

/// Stands for a revision that cannot be computed, because the version is not there.
const NO_REVISION: &str = "<revision>";
/// Stands for the number of a version that is not published yet.
const NEW_VERSION: &str = "<new>";
/// Stands for the version that is made of what `$LATEST` holds, before it holds something else.
const OLD_VERSION: &str = "<as it is>";
/// Stands for the CodeSha256 of code that Lambda has not read yet.
const NEW_CODE: &str = "<new>";

/// What answers the writes.
pub(super) struct Model<'a> {
    /// What is asked for, where that is known.
    pub(super) rollout: Option<&'a Rollout>,
}

impl Model<'_> {
    /// Does to the facts what AWS would do, and answers. None where nobody knows what is published.
    pub(super) fn carry_out(&self, action: &Action, facts: &mut Facts) -> Option<Answer> {
        Some(match action {
            Action::CreateAlias { version, description, .. } => {
                let (version, description) = (version.clone(), description.clone());
                set(facts, Alias { version, weights: Vec::new(), ..blank(description) })
            }
            Action::UpdateAlias { change, .. } => {
                let AliasChange { version, weight, description, .. } = change.clone();
                let weights = weight.into_iter().collect();
                set(facts, Alias { version, weights, ..blank(description) })
            }
            Action::UpdateFunctionCode(change) => replace_code(self.rollout?, change, facts),
            Action::UpdateFunctionConfiguration(change) => {
                if let Some(latest) = &mut facts.latest {
                    latest.memory_mb = change.memory_mb.unwrap_or(latest.memory_mb);
                    latest.timeout_secs = change.timeout_secs.unwrap_or(latest.timeout_secs);
                    latest.runtime = change.runtime.clone().or(latest.runtime.take());
                }
                Answer::Changed
            }
            Action::PublishVersion(publication) => publish(self.rollout?, publication, facts),
            Action::DeleteVersion(surplus) => {
                if let Ok(Some(all)) = &mut facts.surplus {
                    all.retain(|one| one != surplus);
                }
                Answer::Changed
            }
            Action::Invoke { smoke, .. } => {
                let status = smoke.expect_status.unwrap_or(200);
                Answer::Invoked(Invocation::Answered {
                    function_error: None,
                    payload: format!("{{\"statusCode\":{status}}}").into_bytes(),
                    took: std::time::Duration::ZERO,
                })
            }
        })
    }
}

fn publish(rollout: &Rollout, publication: &Publication, facts: &mut Facts) -> Answer {
    let leaves_latest = facts.alias.as_ref().is_some_and(|alias| alias.version == "$LATEST");
    let same =
        rollout.release.source == Source::Latest && rollout.release.settings == Settings::default();
    let version = if leaves_latest { OLD_VERSION } else { NEW_VERSION }.to_owned();
    if leaves_latest {
        facts.published = facts
            .latest
            .clone()
            .map(|latest| FunctionVersion { version: version.clone(), ..ready(latest) });
    }
    if same || !leaves_latest {
        facts.wanted = Ok(Wanted { version: version.clone(), ..published(rollout) });
    }
    Answer::Published(Changed {
        version,
        code_sha256: publication.code_sha256.clone(),
        revision_id: publication.revision_id.clone(),
    })
}

fn replace_code(rollout: &Rollout, change: &CodeChange, facts: &mut Facts) -> Answer {
    let guard = rollout.release.code_sha256.clone();
    let code_sha256 = guard.unwrap_or_else(|| NEW_CODE.to_owned());
    if let Some(latest) = facts.latest.take() {
        let image = match &change.source {
            CodeSource::Image { uri } => Some(format!("image@{}", digest_of(uri))),
            CodeSource::S3 { .. } => None,
        };
        let code_sha256 = code_sha256.clone();
        facts.latest = Some(FunctionVersion { code_sha256, image, ..ready(latest) });
    }
    Answer::CodeReplaced(Changed {
        version: "$LATEST".to_owned(),
        code_sha256,
        revision_id: change.revision_id.clone(),
    })
}

/// The release as if it were a version that is ready.
pub fn published(rollout: &Rollout) -> Wanted {
    let release = &rollout.release;
    Wanted {
        revision: NO_REVISION.to_owned(),
        version: match &release.source {
            Source::Version(version) => version.clone(),
            Source::Latest | Source::Code(_) => NEW_VERSION.to_owned(),
        },
        code_sha256: release.code_sha256.clone().unwrap_or_default(),
        timeout: None,
        follows_latest: release.source == Source::Latest,
        steps: rollout.steps.clone(),
    }
}

fn ready(function: FunctionVersion) -> FunctionVersion {
    FunctionVersion {
        state: FunctionState::Active,
        last_update: LastUpdate::Successful,
        snapshot: Snapshot::NotWanted,
        ..function
    }
}

fn blank(description: String) -> Alias {
    Alias { version: String::new(), weights: Vec::new(), revision_id: String::new(), description }
}

/// The alias as it is after a write, with another revision id than before.
fn set(facts: &mut Facts, alias: Alias) -> Answer {
    let before = facts.alias.as_ref();
    let count = before.and_then(|alias| alias.revision_id.parse::<u64>().ok()).unwrap_or(0);
    let revision_id = count.saturating_add(1).to_string();
    facts.alias = Some(Alias { revision_id, ..alias });
    Answer::Changed
}
