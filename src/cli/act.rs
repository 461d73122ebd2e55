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
    cluster::{self, Connection, Object, span},
    follow, terminal,
};
use crate::{
    api::{
        ACTION_ANNOTATION, ACTION_BY_ANNOTATION,
        canary_rollout::CanaryRollout,
        duration::Duration,
        maintenance_window::MaintenanceWindow,
        shared::{ActionResult, LastAction},
    },
    context::Clock,
    error::{clean, one_line},
    verbs::{self, Verb, windows},
};

/// Field manager of the annotations.
const CLI_FIELD_MANAGER: &str = "groundcrew-cli";
/// Longest name of a person that the status takes.
const BY_MAX: usize = 256;

/// Arguments of the verbs of a rollout.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the CanaryRollout
    name: String,
    /// Revision that is meant; refused when another one is current [default: the current one]
    #[arg(long)]
    revision: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Arguments of `close` and `skip`.
#[derive(Debug, clap::Args)]
pub(super) struct WindowArgs {
    /// Name of the MaintenanceWindow
    name: String,
    #[command(flatten)]
    opening: Opening,
}

/// Arguments of `extend`.
#[derive(Debug, clap::Args)]
pub(super) struct ExtendArgs {
    /// Name of the MaintenanceWindow
    name: String,
    /// By how much, like 30m
    duration: Duration,
    #[command(flatten)]
    opening: Opening,
}

/// Which opening of a window is meant.
#[derive(Debug, clap::Args)]
struct Opening {
    /// Id of the opening that is meant, as the status has it [default: what is open; for skip what is
    /// next]
    #[arg(long, value_name = "ID")]
    opening: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// How the operator is asked.
#[derive(Debug, clap::Args)]
struct Asking {
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

/// Asks for something of a rollout.
pub(super) async fn rollout(verb: Verb, args: &Args) -> Result<u8, Error> {
    let asked = |object: &CanaryRollout, nonce: &str| bound(verb, args, object, nonce);
    execute(&args.name, &args.asking, asked).await
}

/// Closes what is open of a window, or skips what is next.
pub(super) async fn window(verb: windows::Verb, args: &WindowArgs) -> Result<u8, Error> {
    let asked = |object: &MaintenanceWindow, nonce: &str| args.opening.bound(verb, object, nonce);
    execute(&args.name, &args.opening.asking, asked).await
}

/// Pushes the close of what is open of a window.
pub(super) async fn extend(args: &ExtendArgs) -> Result<u8, Error> {
    let verb = windows::Verb::Extend(args.duration);
    let asked = |object: &MaintenanceWindow, nonce: &str| args.opening.bound(verb, object, nonce);
    execute(&args.name, &args.opening.asking, asked).await
}

/// The request to a rollout, bound to what is current.
fn bound(verb: Verb, args: &Args, object: &CanaryRollout, nonce: &str) -> Result<String, Error> {
    let target = verbs::bind(verb, object.status.as_ref(), args.revision.as_deref())?;
    Ok(target.compose(verb, nonce)?)
}

impl Opening {
    /// The request to a window, bound to an opening.
    fn bound(
        &self,
        verb: windows::Verb,
        object: &MaintenanceWindow,
        nonce: &str,
    ) -> Result<String, Error> {
        let opening = windows::bind(verb, object.status.as_ref(), self.opening.as_deref())?;
        Ok(windows::compose(verb, &opening, nonce)?)
    }
}

async fn execute<K: Object>(
    name: &str,
    asking: &Asking,
    compose: impl FnOnce(&K, &str) -> Result<String, Error>,
) -> Result<u8, Error> {
    let connection = asking.cluster.connect().await?;
    // Tells two requests of the same words apart.
    let millis = Clock::System.now().as_millisecond();
    let nonce = format!("{millis:x}-{:x}", std::process::id());
    let compose = |object: &K| compose(object, &nonce);
    let (text, code) = match ask(name, asking, &connection, compose).await? {
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

async fn ask<K: Object>(
    name: &str,
    asking: &Asking,
    connection: &Connection,
    compose: impl FnOnce(&K) -> Result<String, Error>,
) -> Result<Asked, Error> {
    let object: K = connection.get(name).await?;
    let value = compose(&object)?;
    let by: String = clean(&connection.user().await).chars().take(BY_MAX).collect();
    write(connection, &object, &value, &by).await?;
    if asking.no_wait {
        return Ok(Asked::Written(value));
    }
    let look = |object: Option<&K>| {
        let Some(object) = object else { return Err(connection.not_found::<K>(name)) };
        Ok(object.last_action().filter(|last| last.value == value).cloned())
    };
    let answer = follow::until(connection.watched(), name, span(asking.timeout), look);
    Ok(match answer.await? {
        Some(answer) => Asked::Answered(answer),
        None => Asked::Silence(silence::<K>(name, asking, connection, &value)),
    })
}

/// Writes the annotations, on this very object.
async fn write<K: Object>(
    connection: &Connection,
    object: &K,
    value: &str,
    by: &str,
) -> Result<(), Error> {
    let name = object.name_any();
    // A merge patch, because an apply would make the object anew if it was deleted meanwhile; the
    // uid keeps it from a successor of the same name.
    let patch = json!({"metadata": {
        "uid": object.meta().uid,
        "annotations": {ACTION_ANNOTATION: value, ACTION_BY_ANNOTATION: by},
    }});
    let params =
        PatchParams { field_manager: Some(CLI_FIELD_MANAGER.into()), ..Default::default() };
    let written = connection.objects::<K>().patch(&name, &params, &Patch::Merge(&patch)).await;
    match written {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => {
            Err(connection.not_found::<K>(&name))
        }
        Err(source) => Err(Error::api(format!("annotate {} {name}", K::kind(&())), &source)),
    }
}

/// The answer in words, and its exit code.
fn told(answer: &LastAction) -> (String, u8) {
    let message = one_line(&answer.message);
    match answer.result {
        ActionResult::Accepted => (format!("accepted: {message}"), EXIT_DONE),
        ActionResult::Refused => (format!("refused: {message}"), EXIT_FAILED),
    }
}

fn silence<K: Object>(name: &str, asking: &Asking, connection: &Connection, value: &str) -> String {
    format!(
        "no answer within {}: is the operator running, and does it watch namespace {ns}? Look at \
         `kubectl get lease -A | grep groundcrew` and at its pod's log. The request {value} stays \
         and is answered when the operator comes to it; `kubectl get {} {name} -n {ns} -o yaml` \
         shows it",
        asking.timeout,
        K::plural(&()),
        ns = connection.namespace,
    )
}
