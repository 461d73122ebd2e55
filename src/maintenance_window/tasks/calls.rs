//! The calls to AWS that tasks need.

use std::sync::Arc;

use super::{Failed, Failure, Mark, Seen, TaskQuestion, TaskStep, Work};
use crate::{
    aws::{
        self, Class,
        limits::Priority,
        port::{Ecs as _, Rds as _, Ssm as _},
        session::{CallContext, Session},
    },
    context::terms,
    error::{chain, clean, without_request},
    facts::ssm::{Command, CommandSearch, NewAutomation, NewCommand},
    plan::Unread,
};

/// Most pages of commands that are looked through for one of ours: 50 commands each.
const PAGES_MAX: usize = 20;
/// Bounds of the time within which nodes must have begun a command. Source: SSM API reference,
/// SendCommand.
const DELIVERY_SECS: (i32, i32) = (30, 2_592_000);

/// Calls on behalf of one window.
pub struct TaskCalls<'a> {
    /// In the window's own region.
    pub session: &'a Arc<Session>,
    /// Its namespace.
    pub namespace: &'a str,
}

impl TaskCalls<'_> {
    fn terms(&self, priority: Priority) -> CallContext {
        terms(priority, self.namespace)
    }

    /// Asks about a task.
    ///
    /// # Errors
    ///
    /// [`Failed`] as AWS failed.
    pub async fn look(&self, question: &TaskQuestion) -> Result<Seen, Failed> {
        let terms = self.terms(Priority::Work);
        match &question.work {
            Work::Reboot { instance } => self.database(instance, false).await.map_err(failed),
            Work::Maintain { instance } => self.database(instance, true).await.map_err(failed),
            Work::Deploy { cluster, service } => {
                let found = self.session.ecs(terms).describe_service(cluster, service).await;
                found.map(Seen::Service).map_err(failed)
            }
            Work::Command(_) => self.command(question).await.map(Seen::Command),
            Work::Automation { .. } => match &question.id {
                None => Ok(Seen::Automation(None)),
                Some(id) => {
                    let found = self.session.ssm(terms).get_automation(id).await;
                    found.map(|found| Seen::Automation(Some(found))).map_err(failed)
                }
            },
            // Nothing of these is in AWS.
            Work::Job { .. } | Work::Check(_) => Err(Failed::ours()),
        }
    }

    async fn database(&self, name: &str, maintenance: bool) -> Result<Seen, aws::Error> {
        let rds = self.session.rds(self.terms(Priority::Work));
        let found = rds.describe_db_instance_in_full(name).await?;
        let mut pending_reboot = !found.pending_reboot.is_empty();
        // The parameter group of a cluster waits for a reboot of each of its members.
        if let Some(cluster) = found.cluster.as_ref().filter(|_| !maintenance && !pending_reboot) {
            let members = rds.describe_db_cluster_members(cluster).await?;
            let own = members.iter().find(|member| member.instance.eq_ignore_ascii_case(name));
            pending_reboot = own.is_some_and(|member| member.pending_reboot);
        }
        let maintenance = match maintenance {
            true => rds.describe_pending_maintenance(&found.arn).await?,
            false => Vec::new(),
        };
        Ok(Seen::Database {
            arn: found.arn,
            status: clean(&found.status),
            pending_reboot,
            maintenance,
        })
    }

    async fn command(&self, question: &TaskQuestion) -> Result<Option<Command>, Failed> {
        let ssm = self.session.ssm(self.terms(Priority::Work));
        let search = match &question.id {
            Some(id) => CommandSearch::Id(id.clone()),
            None => CommandSearch::Since(question.since),
        };
        let is_it = |command: &Command| match &question.id {
            Some(id) => command.id == *id,
            None => command.comment == question.mark.comment,
        };
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let page = ssm.list_commands(&search, next.as_deref()).await.map_err(failed)?;
            if let Some(found) = page.commands.into_iter().find(is_it) {
                return Ok(Some(found));
            }
            next = page.next;
            if next.is_none() {
                return Ok(None);
            }
        }
        Err(Failed {
            failure: Failure::Unsure,
            unread: Unread {
                remedy: crate::error::Remedy::Later,
                reason: "TooManyCommands",
                message: format!(
                    "more than {PAGES_MAX} pages of commands were sent since {}: the one of this task cannot be found among them",
                    question.since
                ),
            },
        })
    }

    /// Carries out a step; what was begun has an id.
    ///
    /// # Errors
    ///
    /// [`Failed`] says whether it may have been done.
    pub async fn carry_out(&self, step: &TaskStep) -> Result<String, Failed> {
        match step {
            TaskStep::Begin { work, arn, action, mark, timeout, not_after, .. } => {
                let context =
                    CallContext { not_after: Some(*not_after), ..self.terms(Priority::Advance) };
                let secs = i32::try_from(timeout.as_secs()).unwrap_or(DELIVERY_SECS.1);
                self.begin(work, (arn, action), mark, secs, context).await
            }
            TaskStep::Cancel { work, id, .. } => {
                let ssm = self.session.ssm(self.terms(Priority::Undo));
                match work {
                    Work::Command(_) => ssm.cancel_command(id).await.map_err(failed)?,
                    Work::Automation { .. } => ssm.stop_automation(id).await.map_err(failed)?,
                    // Nothing to call: AWS cannot stop these.
                    Work::Reboot { .. } | Work::Maintain { .. } | Work::Deploy { .. } => {}
                    Work::Job { .. } | Work::Check(_) => return Err(Failed::ours()),
                }
                Ok(id.clone())
            }
        }
    }

    async fn begin(
        &self,
        work: &Work,
        (arn, action): (&str, &str),
        mark: &Mark,
        secs: i32,
        context: CallContext,
    ) -> Result<String, Failed> {
        match work {
            Work::Job { .. } | Work::Check(_) => Err(Failed::ours()),
            Work::Reboot { instance } => {
                self.session.rds(context).reboot_db_instance(instance).await.map_err(failed)?;
                Ok(instance.clone())
            }
            Work::Maintain { .. } => {
                let rds = self.session.rds(context);
                rds.apply_pending_maintenance(arn, action).await.map_err(failed)?;
                Ok(action.to_owned())
            }
            Work::Deploy { cluster, service } => {
                let ecs = self.session.ecs(context);
                let deployed = ecs.force_new_deployment(cluster, service).await.map_err(failed)?;
                Ok(deployed.primary().map(|primary| primary.id.clone()).unwrap_or_default())
            }
            Work::Command(run) => {
                let new = NewCommand {
                    run: run.clone(),
                    comment: mark.comment.clone(),
                    delivery_secs: secs.clamp(DELIVERY_SECS.0, DELIVERY_SECS.1),
                };
                let sent = self.session.ssm(context).send_command(&new).await;
                sent.map(|sent| sent.id).map_err(failed)
            }
            Work::Automation { run, target_parameter } => {
                let new = NewAutomation {
                    run: run.clone(),
                    target_parameter: target_parameter.clone(),
                    token: mark.token.clone(),
                };
                self.session.ssm(context).start_automation(&new).await.map_err(failed)
            }
        }
    }
}

/// How AWS failed, as a fact; without the request id, which is another one at each try.
#[must_use]
pub fn failed(error: aws::Error) -> Failed {
    let failure = match error.class {
        Class::NotFound => Failure::Gone,
        Class::Conflict | Class::Stale | Class::Denied | Class::Invalid => Failure::Refused,
        Class::Throttled | Class::Credentials | Class::Refused | Class::NoTurn => Failure::NotDone,
        Class::Unknown => Failure::Unsure,
    };
    let message = chain(&error);
    tracing::warn!(error = message, "a task of a window");
    let message = without_request(&message).to_owned();
    Failed { failure, unread: Unread { remedy: error.remedy(), reason: error.reason(), message } }
}
