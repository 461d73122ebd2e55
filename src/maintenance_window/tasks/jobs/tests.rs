//! Jobs of tasks, in a namespace in memory.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    jobs::bench::{Bench, cron_job, run},
    kubernetes::leader::Leadership,
    maintenance_window::tasks::TaskFacts,
    names::Owner,
};

struct Desks {
    bench: Arc<Bench>,
    desk: Desk,
    clock: Clock,
}

impl Desks {
    fn new(bench: Bench) -> Self {
        let bench = Arc::new(bench);
        let desk = Desk {
            jobs: Arc::<Bench>::clone(&bench),
            gate: crate::aws::gate::Gate::new(Leadership::always()),
            ..Desk::default()
        };
        Self { bench, desk, clock: Clock::simulated(Timestamp::UNIX_EPOCH) }
    }

    fn jobs(&self) -> TaskJobs<'_> {
        TaskJobs { desk: &self.desk, clock: &self.clock, owner: run().owner }
    }

    async fn begin(&self, opening: &str) -> Result<String, Failed> {
        let step = TaskStep::Begin {
            key: String::new(),
            once: false,
            work: work(),
            arn: String::new(),
            action: String::new(),
            mark: mark(opening),
            timeout: SignedDuration::from_mins(20),
            at_most: SignedDuration::from_mins(50),
            not_after: Timestamp::from_second(60).unwrap(),
        };
        self.jobs().carry_out(&step).await.unwrap()
    }

    async fn cancel(&self, id: &str) -> Option<Result<String, Failed>> {
        let step = TaskStep::Cancel { work: work(), id: id.to_owned(), mark: mark(FIRST) };
        self.jobs().carry_out(&step).await
    }

    async fn look(&self, opening: &str) -> Option<TaskJob> {
        let facts = TaskFacts { seen: self.jobs().look(CRON, &mark(opening)).await, done: None };
        let Ok(Seen::Job(found)) = facts.seen else { panic!("{facts:?}") };
        found
    }
}

const CRON: &str = "smoke-tests";
const FIRST: &str = "weekly-20261206T0100Z";
const NEXT: &str = "weekly-20261213T0100Z";

fn work() -> Work {
    Work::Job { cron_job: CRON.into() }
}

fn mark(opening: &str) -> Mark {
    let owner =
        Owner { cluster: "prod".into(), namespace: "flights".into(), name: "weekly".into() };
    Mark::of(&owner, opening, "vacuum")
}

#[tokio::test(start_paused = true)]
async fn a_task_has_one_job_in_an_opening_and_keeps_its_end() {
    let desks = Desks::new(Bench::new());
    assert_eq!(desks.look(FIRST).await, None);
    let id = desks.begin(FIRST).await.unwrap();
    let job = desks.bench.lock().job.clone().unwrap();
    let spec = job.spec.clone().unwrap();
    // The extension and a minute, should the operator be away then.
    assert_eq!(spec.active_deadline_seconds, Some(3_060));
    assert_eq!(spec.ttl_seconds_after_finished, Some(86_400));
    assert_eq!(job.metadata.owner_references.unwrap()[0].uid, "u-1");
    assert!(id.ends_with("/j-1") && id.len() <= 128, "{id}");
    let found = desks.look(FIRST).await.unwrap();
    assert_eq!((found.id(), found.state), (id.clone(), State::Runs));
    assert_eq!(found.told, "; it has no pod");
    // Begun again it is the same, and so it is when it has failed.
    assert_eq!(desks.begin(FIRST).await.unwrap(), id);
    desks.bench.end("Failed", "BackoffLimitExceeded");
    assert_eq!(desks.begin(FIRST).await.unwrap(), id);
    assert_eq!(desks.bench.done(), ["create j-1"]);
    let State::Failed(why) = desks.look(FIRST).await.unwrap().state else { panic!("it failed") };
    assert!(why.starts_with("BackoffLimitExceeded: "), "{why}");
    // Another opening has a name of its own.
    assert_eq!(desks.look(NEXT).await, None);
    desks.bench.lock().job = None;
    let next = desks.begin(NEXT).await.unwrap();
    assert_ne!(next.split_once('/').unwrap().0, id.split_once('/').unwrap().0);
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_too_long_is_deleted_and_no_other_one() {
    let desks = Desks::new(Bench::new());
    let id = desks.begin(FIRST).await.unwrap();
    assert_eq!(desks.cancel("smoke-tests-x/j-9").await, None, "another one");
    assert_eq!(desks.cancel(&id).await, Some(Ok("; it has no pod".into())));
    assert_eq!(desks.bench.done(), ["create j-1", "delete j-1"]);
    assert_eq!(desks.cancel(&id).await, None, "it is gone");
    // One that has just ended is not cancelled: its end counts.
    let id = desks.begin(FIRST).await.unwrap();
    desks.bench.end("Complete", "");
    assert_eq!(desks.cancel(&id).await, None);
    assert_eq!(desks.bench.done().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_something_else_is_left_alone() {
    let desks = Desks::new(Bench::new());
    let id = desks.begin(FIRST).await.unwrap();
    desks.bench.lock().job.as_mut().unwrap().metadata.annotations = None;
    assert_eq!(desks.look(FIRST).await, None);
    assert_eq!(desks.cancel(&id).await, None);
    let Failed { failure, unread } = desks.begin(FIRST).await.unwrap_err();
    assert_eq!(failure, Failure::Refused);
    assert!(unread.message.ends_with("exists that was not made for this: delete it"));
    assert_eq!(desks.bench.done(), ["create j-1"]);
}

#[tokio::test(start_paused = true)]
async fn what_kubernetes_or_the_cron_job_refuses_is_told() {
    let desks = Desks::new(Bench::new());
    let begin = async || desks.begin(FIRST).await.unwrap_err();
    desks.bench.lock().cron_job = Some(cron_job(None));
    let failed = begin().await;
    assert_eq!((failed.failure, failed.unread.remedy), (Failure::Refused, Remedy::AwaitEdit));
    assert!(failed.unread.message.contains("groundcrew.dev/runnable"), "{failed:?}");
    desks.bench.lock().cron_job = None;
    assert_eq!(begin().await.unread.message, "there is no CronJob smoke-tests");
    for (class, failure) in [
        (Class::Denied, Failure::Refused),
        (Class::Invalid, Failure::Refused),
        (Class::Gone, Failure::Gone),
        (Class::Conflict, Failure::Unsure),
        (Class::Unavailable, Failure::Unsure),
    ] {
        desks.bench.lock().refused = Some(class);
        assert_eq!(begin().await.failure, failure, "{class:?}");
        let seen = desks.jobs().look(CRON, &mark(FIRST)).await;
        assert_eq!(seen.unwrap_err().failure, failure);
    }
    assert!(desks.bench.done().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_or_deleted_too_late_or_without_the_lease() {
    let mut desks = Desks::new(Bench::new());
    let id = desks.begin(FIRST).await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    let late = desks.begin(NEXT).await.unwrap_err();
    assert_eq!(late.failure, Failure::NotDone);
    assert!(late.unread.message.contains("it was allowed until 1970-01-01T00:01:00Z only"));
    desks.desk.gate = crate::aws::gate::Gate::new(Leadership::none());
    let refused = desks.cancel(&id).await.unwrap().unwrap_err();
    assert_eq!(refused.failure, Failure::NotDone);
    assert!(refused.unread.message.contains("lease"), "{refused:?}");
    assert_eq!(desks.bench.done(), ["create j-1"]);
    let mut other = Desks::new(Bench::new());
    other.desk.gate = crate::aws::gate::Gate::new(Leadership::none());
    let refused = other.begin(FIRST).await.unwrap_err();
    assert_eq!(refused.failure, Failure::NotDone);
    assert!(refused.unread.message.contains("lease"), "{refused:?}");
    assert!(other.bench.done().is_empty());
}
