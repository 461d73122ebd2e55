//! Asks and acts: what a decision needs to know is read, round by round, and then it is carried out.

use jiff::Timestamp;
use tokio::time::timeout;

use super::{
    MaintenanceWindows,
    alarms::{AlarmFacts, Question, RegionFacts},
    aws,
    checks::{self, Wanted},
    decide::{Ask, Facts, Plan, decide},
    error::Error,
    memory::Memory,
    metrics::{self, Reading},
    observe,
    tasks::{Failed, Failure, Seen, TaskFacts, TaskQuestion, TaskStep, Work, jobs::TaskJobs},
};
use crate::{
    api::maintenance_window::MaintenanceWindow,
    context::Context,
    engine::Kind as _,
    error::{Remedy, chain},
    facts::check::CheckResult,
    kubernetes::publish,
    names::Owner,
    plan::{Revisit, Unread},
};

/// Most rounds of asking in one pass. Each fills a part of the facts that was empty, so no more can
/// be needed than there are parts.
const ROUNDS_MAX: usize = 5;

/// Region and account of a window.
pub type Place = (String, String);

/// Decides, asks where that is needed, and carries out what follows. What fails is decided upon once
/// more, as a fact, and what does not depend on it goes on. Where the window was found to be is left in
/// `place`. None when asking took so long that an open gate would be told after its end: then nothing
/// was done that cannot be done again, and it is time to look anew.
pub async fn attempt(
    object: &MaintenanceWindow,
    context: &Context,
    now: Timestamp,
    place: &mut Option<Place>,
) -> Option<Plan> {
    let mut memory = Memory::recall(object.status.as_ref());
    memory.book.ledger.record(&context.post.unrecorded(&super::sender(object)));
    let mut facts = observe::observe(object, context, now);
    let mut asking = Asking { object, context, now, calls: None };
    let mut plan = asking.decide(&mut facts, &memory).await;
    *place = asking.calls.as_ref().map(aws::Calls::place);
    if plan.is_outdated(context.clock.now()) {
        return None;
    }
    if let Some(calls) = &asking.calls
        && let Err(error) = calls.act(&plan.actions).await
    {
        facts.alarms = Some(Err(told(&error)));
        // Tasks and notices do not wait for alarms.
        plan = asking.decide(&mut facts, &memory).await;
        plan.actions.clear();
        if plan.is_outdated(context.clock.now()) {
            return None;
        }
    }
    // What comes of the rest is decided without more questions.
    facts.metrics.get_or_insert_default();
    if let (Some(step), Some(task)) = (&plan.task, &mut facts.task) {
        task.done = asking.carry_out(step, &facts.owner).await;
        plan = decide(&facts, &memory, now);
    }
    Some(plan)
}

/// What a pass asks with.
struct Asking<'a> {
    object: &'a MaintenanceWindow,
    context: &'a Context,
    now: Timestamp,
    /// AWS, as soon as something of it was asked.
    calls: Option<aws::Calls<'a>>,
}

impl<'a> Asking<'a> {
    /// Decides, and asks until nothing more has to be known.
    async fn decide(&mut self, facts: &mut Facts, memory: &Memory) -> Plan {
        let mut plan = decide(facts, memory, self.now);
        for _ in 0..ROUNDS_MAX {
            let Some(ask) = plan.asks.take() else { break };
            match ask {
                Ask::Alarms(question) => {
                    facts.alarms = Some(self.alarms(&question, facts).await);
                }
                Ask::Checks(question) => {
                    let said = self.checks(question.wanted()).await;
                    facts.checks.insert(question.stage, said);
                }
                Ask::Task(question) => {
                    let seen = self.task(&question).await;
                    facts.task = Some(TaskFacts { seen, done: None });
                }
                Ask::Metrics(wanted) => {
                    facts.metrics = Some(self.metrics(&wanted, &facts.owner.namespace).await);
                }
            }
            plan = decide(facts, memory, self.now);
        }
        if plan.asks.is_some() { endless(plan) } else { plan }
    }

    async fn alarms(&mut self, question: &Question, facts: &Facts) -> AlarmFacts {
        let answer = self.answer(question, facts).await;
        if question.strays && answer.is_ok() {
            self.context.sweeps.done(&facts.owner.namespace, &facts.owner.name, self.now);
        }
        answer.map_err(|error| told(&error))
    }

    async fn task(&mut self, question: &TaskQuestion) -> Result<Seen, Failed> {
        let TaskQuestion { work, mark, .. } = question;
        if let Work::Job { cron_job } = work {
            return self.jobs().look(cron_job, mark).await;
        }
        if let Work::Check(checks) = work {
            let about = format!("{} {}", mark.opening, mark.task);
            let said = self.checks(Wanted { list: "tasks", about: &about, checks }).await;
            return said.into_iter().next().map(Seen::Check).ok_or_else(Failed::ours);
        }
        self.calls().await.map_err(|error| not_done(&error))?.tasks().look(question).await
    }

    /// The Jobs of the window's tasks.
    fn jobs(&self) -> TaskJobs<'a> {
        let Context { tasks, clock, .. } = self.context;
        let owner = publish::id(MaintenanceWindows::NAMES, self.object);
        TaskJobs { desk: tasks, clock, owner }
    }

    /// Carries out a step about a task; none where it is not to be.
    async fn carry_out(
        &mut self,
        step: &TaskStep,
        owner: &Owner,
    ) -> Option<Result<String, Failed>> {
        let Owner { namespace, name, .. } = owner;
        let intents = &self.context.tasks.intents;
        let own = match step {
            TaskStep::Begin { key, .. } => intents.take(namespace, name, key).then_some(key),
            TaskStep::Cancel { .. } => None,
        };
        if let (TaskStep::Begin { once: true, .. }, None) = (step, own) {
            return None;
        }
        let (TaskStep::Begin { work, .. } | TaskStep::Cancel { work, .. }) = step;
        let done = if let Work::Job { .. } = work {
            self.jobs().carry_out(step).await?
        } else {
            match self.calls().await {
                Ok(calls) => calls.tasks().carry_out(step).await,
                Err(error) => Err(not_done(&error)),
            }
        };
        if let (Err(Failed { failure: Failure::NotDone, .. }), Some(key)) = (&done, own) {
            intents.note(namespace, name, key);
        }
        Some(done)
    }

    /// AWS, with the credentials of the window.
    async fn calls(&mut self) -> Result<&aws::Calls<'a>, Error> {
        let calls = match self.calls.take() {
            Some(calls) => calls,
            None => aws::Calls::of(self.object, self.context, self.now).await?,
        };
        Ok(self.calls.insert(calls))
    }

    async fn answer(
        &mut self,
        question: &Question,
        facts: &Facts,
    ) -> Result<Vec<RegionFacts>, Error> {
        self.calls().await?.ask(question, &facts.owner).await
    }

    /// Reads metrics; takes twice [`metrics::READ_WAIT`] at most.
    async fn metrics(&mut self, wanted: &[metrics::Wanted], namespace: &str) -> Vec<Reading> {
        let context = self.context;
        let calls = timeout(metrics::READ_WAIT, self.calls()).await;
        let calls = match &calls {
            Ok(Ok(calls)) => Ok(*calls),
            Ok(Err(error)) => Err(chain(error)),
            Err(_) => Err(metrics::late()),
        };
        metrics::read(context, namespace, wanted, calls.as_deref().map_err(String::as_str)).await
    }

    async fn checks(&mut self, wanted: Wanted<'_>) -> Vec<CheckResult> {
        let (object, context) = (self.object, self.context);
        let calls = if wanted.checks.reads_aws() { Some(self.calls().await) } else { None };
        let calls = match &calls {
            Some(Ok(calls)) => Ok(*calls),
            Some(Err(error)) => Err(chain(error)),
            None => Err("it reads no AWS".to_owned()),
        };
        checks::run(object, context, wanted, calls.as_deref().map_err(String::as_str)).await
    }
}

/// There is no session to call with.
fn not_done(error: &Error) -> Failed {
    Failed { failure: Failure::NotDone, unread: told(error) }
}

/// A failure as a fact.
fn told(error: &Error) -> Unread {
    tracing::warn!(error = %chain(error), "the pass stopped");
    error.unread()
}

/// A decision that is never content with what it is told. Correct rules ask for nothing twice; should
/// they all the same, nothing is done, and it is told.
fn endless(mut plan: Plan) -> Plan {
    let message = format!(
        "an error of groundcrew: it still asks after {ROUNDS_MAX} rounds, and does nothing: please report it"
    );
    tracing::error!("{message}");
    plan.asks = None;
    plan.actions.clear();
    plan.task = None;
    plan.report.message.clone_from(&message);
    plan.trouble = Some(Unread { remedy: Remedy::Retry, reason: plan.report.reason, message });
    plan.revisit = Revisit::At(Timestamp::MAX);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aws::{self, Class, operations::Operation},
        maintenance_window::{tasks::calls, world::World},
    };

    #[test]
    fn the_same_failure_again_is_told_in_the_same_words() {
        let failed = |request: &str| aws::Error {
            operation: Operation::CloudWatchPutAlarmMuteRule,
            resource: "mute rule a".into(),
            class: Class::Denied,
            code: "AccessDenied".into(),
            message: String::new(),
            request_id: Some(request.into()),
            retry_after: None,
        };
        let mute =
            |request| told(&Error::Mute { region: "us-east-1".into(), source: failed(request) });
        assert_eq!(mute("1"), mute("2"));
        assert!(mute("1").message.ends_with("failed with AccessDenied"), "{:?}", mute("1"));
        let task = |request| calls::failed(failed(request));
        assert_eq!(task("1"), task("2"));
    }

    #[test]
    fn a_decision_that_asks_without_end_does_nothing_and_says_so() {
        let mut plan = World::weekly().plan();
        plan.asks = Some(Ask::Alarms(Question::default()));
        plan.revisit = Revisit::Now;
        let plan = endless(plan);
        assert!(plan.asks.is_none() && plan.actions.is_empty());
        let trouble = plan.trouble.unwrap();
        assert_eq!(
            (trouble.message.as_str(), trouble.remedy),
            (plan.report.message.as_str(), Remedy::Retry)
        );
        assert!(trouble.message.contains("after 5 rounds"), "{}", trouble.message);
        // Not at once again: backoff decides.
        assert_eq!(plan.revisit, Revisit::At(Timestamp::MAX));
    }
}
