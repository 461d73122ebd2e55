//! Runs checks beside the passes: a pass waits for them a moment, and a later one gets the rest.
//!
//! What a check said is handed out once, to be written into a status. Nothing is kept: after a crash
//! the checks run again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures::future::join_all;
use tokio::{
    sync::{Semaphore, watch},
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::{Check, Judged, Surroundings, http::Fetch, job::Subject};
use crate::{
    api::{
        check::CheckVerdict,
        fit::{SENTENCE_MAX, cut},
    },
    aws::{hub::Hub, session::Session},
    context::Clock,
    error::clean,
    facts::check::CheckResult,
    jobs::Jobs,
    kubernetes::port::{KindNames, ObjectId},
};

/// How long a pass waits for its checks: most are over by then, and slots for passes are few.
pub const RUN_WAIT: Duration = Duration::from_secs(5);
/// Pause before a check is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Most checks that run at once.
const AT_ONCE: usize = 128;
/// Most of them of one namespace.
const AT_ONCE_PER_NAMESPACE: usize = 8;
/// Most Jobs that are waited for at once; they take long, and keep no others from their turns.
const JOBS_AT_ONCE: usize = 64;
/// What a Job has beyond its time, to be told of and deleted.
const JOB_GRACE: Duration = Duration::from_secs(60);
/// Most lists of checks that run or wait to be asked for.
const RUNS_MAX: usize = 4_096;

/// Runs checks.
pub struct Checks {
    fetch: Arc<dyn Fetch>,
    jobs: Arc<dyn Jobs>,
    hub: Arc<Hub>,
    clock: Clock,
    at_once: Arc<Semaphore>,
    jobs_at_once: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    runs: HashMap<Key, Run>,
    /// By namespace, and whether Jobs are bounded.
    namespaces: HashMap<(String, bool), Weak<Semaphore>>,
}

/// Which list of which object.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    kind: KindNames,
    namespace: String,
    name: String,
    list: &'static str,
}

/// A list of checks under way.
struct Run {
    about: String,
    checks: Vec<Check>,
    results: watch::Receiver<Vec<Option<CheckResult>>>,
    task: AbortHandle,
}

/// What is to be checked.
pub struct Asked<'a> {
    /// The object.
    pub owner: &'a ObjectId,
    /// Its list of checks: one run of a list takes the place of another.
    pub list: &'static str,
    /// What it is about, such as a revision: results for something else are of no use.
    pub about: &'a str,
    /// The checks, each with the session that it looks with, or why there is none.
    pub checks: Vec<(Check, Result<Arc<Session>, String>)>,
}

/// What one check needs while it runs.
struct Turn {
    check: Check,
    session: Result<Arc<Session>, String>,
    owner: ObjectId,
    list: &'static str,
    about: String,
    fetch: Arc<dyn Fetch>,
    jobs: Arc<dyn Jobs>,
    hub: Arc<Hub>,
    clock: Clock,
    turns: [Arc<Semaphore>; 2],
}

impl Checks {
    /// Nothing runs yet.
    #[must_use]
    pub fn new(fetch: Arc<dyn Fetch>, jobs: Arc<dyn Jobs>, hub: Arc<Hub>, clock: Clock) -> Self {
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let jobs_at_once = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        Self { fetch, jobs, hub, clock, at_once, jobs_at_once, state: Mutex::default() }
    }

    /// What the checks say, in their order. Those that take longer than [`RUN_WAIT`] are
    /// `Running`: to be asked for again. Safe to drop at any time; the checks go on.
    pub async fn results(&self, asked: Asked<'_>) -> Vec<CheckResult> {
        let ObjectId { kind, namespace, name, uid: _ } = asked.owner.clone();
        let key = Key { kind, namespace, name, list: asked.list };
        let checks: Vec<Check> = asked.checks.iter().map(|(check, _)| check.clone()).collect();
        let Some(mut results) = self.join(&key, asked, &checks) else {
            let too_many = Judged::unreadable("too many checks run at once; it is tried again");
            return checks.iter().map(|check| result(check, too_many.clone())).collect();
        };
        let whole = |all: &Vec<Option<CheckResult>>| all.iter().all(Option::is_some);
        let ended = timeout(RUN_WAIT, results.wait_for(whole)).await.is_ok();
        if ended {
            self.lock().runs.remove(&key);
        }
        let known = results.borrow().clone();
        let missing = if ended { "it was cut off" } else { "it is being looked at" };
        let verdict = if ended { CheckVerdict::Unreadable } else { CheckVerdict::Running };
        let fill = |(check, known): (&Check, Option<CheckResult>)| {
            let unknown = || result(check, Judged { verdict, message: missing.to_owned() });
            known.unwrap_or_else(unknown)
        };
        checks.iter().zip(known).map(fill).collect()
    }

    /// Stops what runs for an object that is gone.
    pub fn forget(&self, kind: KindNames, namespace: &str, name: &str) {
        self.lock().runs.retain(|key, run| {
            let gone = key.kind == kind && key.namespace == namespace && key.name == name;
            if gone {
                run.task.abort();
            }
            !gone
        });
    }

    /// The run that was asked for: the one under way, or a new one in its place.
    fn join(
        &self,
        key: &Key,
        asked: Asked<'_>,
        checks: &[Check],
    ) -> Option<watch::Receiver<Vec<Option<CheckResult>>>> {
        let mut state = self.lock();
        let same = |run: &&Run| run.about == asked.about && run.checks == checks;
        if let Some(run) = state.runs.get(key).filter(same) {
            return Some(run.results.clone());
        }
        if let Some(other) = state.runs.remove(key) {
            other.task.abort();
        }
        if state.runs.len() >= RUNS_MAX {
            // Those that nobody came back for.
            state.runs.retain(|_, run| run.results.has_changed().is_ok());
            if state.runs.len() >= RUNS_MAX {
                return None;
            }
        }
        let Asked { owner, list, about, checks: wanted } = asked;
        let short = [state.turns(&owner.namespace, false), Arc::clone(&self.at_once)];
        let long = [state.turns(&owner.namespace, true), Arc::clone(&self.jobs_at_once)];
        let turns = wanted.into_iter().map(|(check, session)| Turn {
            turns: if check.is_job() { long.clone() } else { short.clone() },
            check,
            session,
            owner: owner.clone(),
            list,
            about: about.to_owned(),
            fetch: Arc::clone(&self.fetch),
            jobs: Arc::clone(&self.jobs),
            hub: Arc::clone(&self.hub),
            clock: self.clock.clone(),
        });
        let (tell, results) = watch::channel(vec![None; checks.len()]);
        let task = tokio::spawn(run_all(turns.collect(), tell)).abort_handle();
        let run = Run {
            about: about.to_owned(),
            checks: checks.to_vec(),
            results: results.clone(),
            task,
        };
        state.runs.insert(key.clone(), run);
        Some(results)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What bounds the checks of a namespace, or its Jobs.
    fn turns(&mut self, namespace: &str, jobs: bool) -> Arc<Semaphore> {
        let key = (namespace.to_owned(), jobs);
        if let Some(turns) = self.namespaces.get(&key).and_then(Weak::upgrade) {
            return turns;
        }
        self.namespaces.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(AT_ONCE_PER_NAMESPACE));
        self.namespaces.insert(key, Arc::downgrade(&turns));
        turns
    }
}

async fn run_all(turns: Vec<Turn>, tell: watch::Sender<Vec<Option<CheckResult>>>) {
    let tell = &tell;
    let runs = turns.into_iter().enumerate().map(|(index, turn)| async move {
        let judged = turn.run().await;
        let result = result(&turn.check, judged);
        tell.send_modify(|all| {
            if let Some(place) = all.get_mut(index) {
                *place = Some(result);
            }
        });
    });
    join_all(runs).await;
}

impl Turn {
    /// Looks until it passes, as often as it may.
    async fn run(&self) -> Judged {
        let mut left = self.check.retries;
        loop {
            let judged = self.attempt().await;
            if judged.verdict == CheckVerdict::Passed || left == 0 {
                return judged;
            }
            left = left.saturating_sub(1);
            sleep(RETRY_PAUSE).await;
        }
    }

    async fn attempt(&self) -> Judged {
        // Never closed; and without a turn it would only be less fair.
        let [namespace, all] = &self.turns;
        let _turns = (namespace.acquire().await, all.acquire().await);
        let aws = self.session.as_ref().map_err(String::as_str).map(|session| Surroundings {
            session,
            hub: &self.hub,
            clock: &self.clock,
            namespace: &self.owner.namespace,
        });
        let Check { name, sort, timeout: patience, .. } = &self.check;
        let subject = Subject {
            jobs: &*self.jobs,
            owner: &self.owner,
            part: format!("{} {name}", self.list),
            about: &self.about,
            timeout: *patience,
        };
        // A Job ends itself, and says what it did last.
        let grace = if self.check.is_job() { JOB_GRACE } else { Duration::ZERO };
        let look = sort.look(aws.as_ref().map_err(|why| *why), &*self.fetch, &subject);
        match timeout(patience.saturating_add(grace), look).await {
            Ok(judged) => judged,
            Err(_) => sort.out_of_time(*patience),
        }
    }
}

fn result(check: &Check, judged: Judged) -> CheckResult {
    let Judged { verdict, message } = judged;
    let mut message = clean(&message);
    cut(&mut message, SENTENCE_MAX);
    CheckResult { name: check.name.clone(), verdict, message }
}

#[cfg(test)]
mod tests;
