//! `groundcrew promote NAME` and the other verbs: writes the annotation, waits for the answer.

#[cfg(test)]
mod tests;

use kube::{
    ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{
    EXIT_DONE, EXIT_FAILED, EXIT_TIMED_OUT, Error,
    cluster::{self, Connection, span},
    follow, terminal,
};
use crate::{
    api::{
        ACTION_ANNOTATION, ACTION_BY_ANNOTATION,
        canary_rollout::CanaryRollout,
        duration::Duration,
        shared::{ActionResult, LastAction},
    },
    context::Clock,
    error::clean,
    verbs::{self, Verb},
};

/// Field manager of the annotations.
const CLI_FIELD_MANAGER: &str = "groundcrew-cli";
/// Longest name of a person that the status takes.
const BY_MAX: usize = 256;

/// Arguments of every verb.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the CanaryRollout
    name: String,
    /// Revision that is meant; refused when another one is current [default: the current one]
    #[arg(long)]
    revision: Option<String>,
    /// How long to wait for the operator's answer
    #[arg(long, default_value = "30s")]
    timeout: Duration,
    /// Do not wait for the operator's answer
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
    #[command(flatten)]
    cluster: cluster::Args,
}

/// How it went.
enum Asked {
    /// The operator's answer.
    Answered(LastAction),
    /// Written, and that was all.
    Written(String),
    /// No answer in time.
    Silence(String),
}

pub(super) async fn execute(verb: Verb, args: &Args) -> Result<u8, Error> {
    let connection = args.cluster.connect().await?;
    // Tells two requests of the same words apart.
    let millis = Clock::System.now().as_millisecond();
    let nonce = format!("{millis:x}-{:x}", std::process::id());
    let (text, code) = match ask(verb, args, &connection, &nonce).await? {
        Asked::Answered(answer) => told(&answer),
        Asked::Written(value) => (format!("asked for {value}"), EXIT_DONE),
        Asked::Silence(text) => (text, EXIT_TIMED_OUT),
    };
    if code == EXIT_DONE {
        terminal::print(&format!("{text}\n"))?;
    } else {
        eprintln!("groundcrew: {text}");
    }
    Ok(code)
}

async fn ask(
    verb: Verb,
    args: &Args,
    connection: &Connection,
    nonce: &str,
) -> Result<Asked, Error> {
    let object = connection.get(&args.name).await?;
    let target = verbs::bind(verb, object.status.as_ref(), args.revision.as_deref())?;
    let value = target.compose(verb, nonce)?;
    let by: String = clean(&connection.user().await).chars().take(BY_MAX).collect();
    write(connection, &object, &value, &by).await?;
    if args.no_wait {
        return Ok(Asked::Written(value));
    }
    let answer = follow::until(connection.watched(), &args.name, span(args.timeout), |object| {
        let Some(object) = object else { return Err(connection.not_found(&args.name)) };
        let last = object.status.as_ref().and_then(|status| status.last_action.as_ref());
        Ok(last.filter(|last| last.value == value).cloned())
    });
    Ok(match answer.await? {
        Some(answer) => Asked::Answered(answer),
        None => Asked::Silence(silence(args, connection, &value)),
    })
}

/// Writes the annotations, on this very object.
async fn write(
    connection: &Connection,
    object: &CanaryRollout,
    value: &str,
    by: &str,
) -> Result<(), Error> {
    let name = object.name_any();
    // A merge patch, because an apply would make the object anew if it was deleted meanwhile; the
    // uid keeps it from a successor of the same name.
    let patch = json!({"metadata": {
        "uid": object.uid(),
        "annotations": {ACTION_ANNOTATION: value, ACTION_BY_ANNOTATION: by},
    }});
    let params =
        PatchParams { field_manager: Some(CLI_FIELD_MANAGER.into()), ..Default::default() };
    let written = connection.rollouts().patch(&name, &params, &Patch::Merge(&patch)).await;
    match written {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Err(connection.not_found(&name)),
        Err(source) => Err(Error::api(format!("annotate CanaryRollout {name}"), &source)),
    }
}

/// The answer in words, and its exit code.
fn told(answer: &LastAction) -> (String, u8) {
    match answer.result {
        ActionResult::Accepted => (format!("accepted: {}", answer.message), EXIT_DONE),
        ActionResult::Refused => (format!("refused: {}", answer.message), EXIT_FAILED),
    }
}

fn silence(args: &Args, connection: &Connection, value: &str) -> String {
    format!(
        "no answer within {}: is the operator running, and does it watch namespace {ns}? Look at \
         `kubectl get lease -A | grep groundcrew` and at its pod's log. The request {value} stays \
         and is answered when the operator comes to it; `groundcrew status {} -n {ns}` shows it",
        args.timeout,
        args.name,
        ns = connection.namespace,
    )
}
