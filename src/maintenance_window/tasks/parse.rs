//! What tasks do, parsed.

use std::collections::BTreeMap;

use super::Work;
use crate::{
    api::window_tasks::{
        EcsAction, ParameterValues, RdsAction, SsmAutomation, SsmCommand, SsmTarget,
        Task as RawTask,
    },
    checks::{Check, InvalidCheck, job::cron_job},
    facts::ssm::{Run, Target},
    maintenance_window::checks::List,
};

const ON_AT_ONCE: &str = "1";
const NO_ERRORS: &str = "0";

/// What a task does.
///
/// # Errors
///
/// The field below the task that cannot work, and what to write.
pub(super) fn work(raw: &RawTask) -> Result<Work, (String, String)> {
    match (&raw.job, &raw.check) {
        (Some(job), None) if is_of_cluster(raw) => {
            let wrong = |(field, expected)| (format!(".job.{field}"), format!("write {expected}"));
            Ok(Work::Job { cron_job: cron_job(job).map_err(wrong)? })
        }
        (None, Some(check)) if is_of_cluster(raw) => {
            let wrong = |InvalidCheck { field, expected }| {
                (format!(".check{field}"), format!("write {expected}"))
            };
            let check = Check::parse_one(&check.named(&raw.name)).map_err(wrong)?;
            Ok(Work::Check(List::new(vec![check])))
        }
        (None, None) => of_aws(raw).ok_or_else(which),
        (Some(_) | None, Some(_) | None) => Err(which()),
    }
}

fn which() -> (String, String) {
    let which = "a task has exactly one of job, check, rds, ecs, ssm.command and ssm.automation";
    (String::new(), which.to_owned())
}

/// Whether it does nothing to AWS.
fn is_of_cluster(raw: &RawTask) -> bool {
    raw.rds.is_none() && raw.ecs.is_none() && raw.ssm.is_none()
}

fn of_aws(raw: &RawTask) -> Option<Work> {
    match (&raw.rds, &raw.ecs, &raw.ssm) {
        (Some(rds), None, None) => {
            let instance = rds.instance.clone();
            Some(match rds.action {
                RdsAction::RebootIfPending => Work::Reboot { instance },
                RdsAction::ApplyPendingMaintenance => Work::Maintain { instance },
            })
        }
        (None, Some(ecs), None) => {
            let (cluster, service) = (ecs.cluster.clone(), ecs.service.clone());
            Some(match ecs.action {
                EcsAction::ForceNewDeployment => Work::Deploy { cluster, service },
            })
        }
        (None, None, Some(ssm)) => match (&ssm.command, &ssm.automation) {
            (Some(raw), None) => {
                let SsmCommand { document, parameters, targets, max_concurrency, max_errors } = raw;
                Some(Work::Command(run(document, parameters, targets, max_concurrency, max_errors)))
            }
            (None, Some(raw)) => {
                let SsmAutomation { document, parameters, max_concurrency, max_errors, .. } = raw;
                let targets = raw.targets.as_deref().unwrap_or_default();
                Some(Work::Automation {
                    run: run(document, parameters, targets, max_concurrency, max_errors),
                    target_parameter: raw.target_parameter.clone(),
                })
            }
            (Some(_), Some(_)) | (None, None) => None,
        },
        _ => None,
    }
}

fn run(
    document: &str,
    parameters: &Option<BTreeMap<String, ParameterValues>>,
    targets: &[SsmTarget],
    max_concurrency: &Option<String>,
    max_errors: &Option<String>,
) -> Run {
    let named = |(name, values): (&String, &ParameterValues)| (name.clone(), values.0.clone());
    let target = |raw: &SsmTarget| Target { key: raw.key.clone(), values: raw.values.clone() };
    Run {
        document: document.to_owned(),
        parameters: parameters.iter().flatten().map(named).collect(),
        targets: targets.iter().map(target).collect(),
        max_concurrency: max_concurrency.clone().unwrap_or(ON_AT_ONCE.into()),
        max_errors: max_errors.clone().unwrap_or(NO_ERRORS.into()),
    }
}
