//! `groundcrew wait NAME`: for CI, until a release is promoted or went back.

mod judge;

use self::judge::{Goal, Verdict, Wanted, flies, judge};
use super::{
    EXIT_DONE, EXIT_FAILED, EXIT_TIMED_OUT, Error,
    cluster::{self, span},
    follow,
    terminal::print,
};
use crate::{
    api::{canary_rollout::CanaryRollout, duration::Duration},
    error::one_line,
};

/// Arguments of `wait`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 the release is there, 1 it went back, was replaced or is invalid, 4 not in time.

Examples, in a pipeline:
  kubectl apply -f processor.yaml
  groundcrew wait processor --version 43 --timeout 2h

  code=$(aws lambda update-function-code … --query CodeSha256 --output text)
  groundcrew wait processor --code-sha256 \"$code\"")]
pub(super) struct Args {
    /// Name of the CanaryRollout
    name: String,
    /// Revision to wait for, as status.revision has it
    #[arg(long, conflicts_with_all = ["version", "code_sha256"])]
    revision: Option<String>,
    /// Lambda version to wait for [default: what the spec asks for now, unless that is `latest`]
    #[arg(long, value_name = "NUMBER")]
    version: Option<String>,
    /// Code to wait for, as Lambda's CodeSha256 of it; what `latest: true` needs
    #[arg(long, value_name = "HASH", conflicts_with = "version")]
    code_sha256: Option<String>,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t)]
    goal: Goal,
    /// How long to wait
    #[arg(long, default_value = "1h")]
    timeout: Duration,
    #[command(flatten)]
    cluster: cluster::Args,
}

pub(super) async fn execute(args: &Args) -> Result<u8, Error> {
    let connection = args.cluster.connect().await?;
    let object: CanaryRollout = connection.get(&args.name).await?;
    let wanted = wanted(args, &object)?;
    let mut seen = false;
    let mut last = String::new();
    let verdict = follow::until(
        connection.watched(),
        &args.name,
        span(args.timeout),
        |object: Option<&CanaryRollout>| {
            let Some(object) = object else {
                return Ok(Some(Verdict::Failed(format!("{} was deleted", args.name))));
            };
            seen = seen || flies(object, &wanted);
            match judge(object, &wanted, args.goal, seen) {
                Verdict::Waiting(text) => {
                    let text = one_line(&text);
                    if text != last {
                        print(&format!("{text}\n"))?;
                        last = text;
                    }
                    Ok(None)
                }
                verdict @ (Verdict::Done(_) | Verdict::Failed(_)) => Ok(Some(verdict)),
            }
        },
    );
    let verdict = verdict.await?;
    Ok(match verdict {
        Some(Verdict::Done(text)) => {
            print(&format!("{}\n", one_line(&text)))?;
            EXIT_DONE
        }
        Some(Verdict::Failed(text) | Verdict::Waiting(text)) => {
            eprintln!("groundcrew: {}", one_line(&text));
            EXIT_FAILED
        }
        None => {
            eprintln!("groundcrew: not {} within {}: {last}", args.goal.as_str(), args.timeout);
            EXIT_TIMED_OUT
        }
    })
}

/// Which release is waited for.
///
/// New code in `$LATEST` changes nothing in the object until the operator notices, up to a minute
/// later: what such a release is at must not be taken for the release that was just made.
fn wanted(args: &Args, object: &CanaryRollout) -> Result<Wanted, Error> {
    let Args { name, revision, version, code_sha256, goal: _, timeout: _, cluster: _ } = args;
    let release = &object.spec.release;
    Ok(match (revision, version, code_sha256) {
        (Some(revision), _, _) => Wanted::Revision(revision.clone()),
        (None, Some(version), _) => Wanted::Version(version.clone()),
        (None, None, Some(code)) => Wanted::Code(code.clone()),
        (None, None, None) if release.latest.is_some() && release.code_sha256.is_none() => {
            return Err(Error::WhichLatest { name: name.clone() });
        }
        (None, None, None) => Wanted::of_spec(object),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn asked(line: &[&str], release: Value) -> Result<Wanted, Error> {
        let line = Line::try_parse_from([&["wait", "web"], line].concat()).unwrap();
        let object = serde_json::from_value(json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
            "metadata": {"name": "web"},
            "spec": {"function": {"name": "web", "alias": "live"}, "release": release},
        }));
        wanted(&line.args, &object.unwrap())
    }

    #[test]
    fn without_saying_which_nobody_waits_for_what_latest_holds() {
        let latest = json!({"latest": true});
        let error = asked(&[], latest.clone()).unwrap_err();
        assert!(error.to_string().contains("--code-sha256"), "{error}");
        assert_eq!(error.code(), crate::cli::EXIT_USAGE);
        for (line, expected) in [
            (["--code-sha256", "hash"], Wanted::Code("hash".into())),
            (["--version", "44"], Wanted::Version("44".into())),
            (["--revision", "9f2c1a"], Wanted::Revision("9f2c1a".into())),
        ] {
            assert_eq!(asked(&line, latest.clone()).unwrap(), expected);
        }
        let guarded = json!({"latest": true, "codeSha256": "hash"});
        assert_eq!(asked(&[], guarded).unwrap(), Wanted::Code("hash".into()));
        assert_eq!(asked(&[], json!({"version": "2"})).unwrap(), Wanted::Version("2".into()));
        let image = json!({"image": {"uri": "x@sha256:y"}});
        assert_eq!(asked(&[], image).unwrap(), Wanted::Current);
    }

    #[test]
    fn one_thing_is_waited_for() {
        for more in [["--version", "2"], ["--revision", "9f2c1a"]] {
            let line = [&["wait", "web", "--code-sha256", "hash"][..], &more].concat();
            assert!(Line::try_parse_from(line).is_err());
        }
    }
}
