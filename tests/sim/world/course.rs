//! One call: its fault happens, and it is carried out, or not.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Call, State, World, acting};
use crate::{
    faults::{Fault, Sort},
    history::Made,
};

/// How long a call takes.
const LATENCY: Duration = Duration::from_millis(20);
/// How long an unanswered call to AWS lasts: longer than its caller waits.
const SILENCE: Duration = Duration::from_secs(6);
/// When a call that nobody waits for any more is carried out.
const LATE: Duration = Duration::from_secs(7);

/// How a call goes on after its faults were looked at.
enum Course {
    /// It is carried out and answered.
    Answered,
    /// It is carried out and answered; then the lease is gone.
    LastWithLease,
    /// It is carried out; the process dies before it knows.
    AppliedCrash,
    /// It is not carried out; the process dies.
    Crash,
    /// It is carried out, and no answer comes.
    AppliedUnanswered,
    /// It is carried out later, and no answer comes.
    AppliedLate,
    /// It is not carried out; this is the answer.
    Refused(Fault),
}

impl World {
    /// Makes one call: counts it, lets its fault happen, and carries it out.
    pub(super) async fn call<T: Send + 'static, E: Send + 'static>(
        self: &Arc<Self>,
        sort: Sort,
        what: String,
        apply: impl FnOnce(&mut State) -> Result<T, E> + Send + 'static,
        refuse: impl Fn(&Fault) -> E + Send + Sync,
    ) -> Result<T, E> {
        let leads = self.lock().lease.is_some();
        let apply = move |state: &mut State| {
            state.led = leads;
            apply(state)
        };
        sleep(LATENCY).await;
        let course = self.lock().course(sort, &what, acting().as_deref());
        match course {
            Course::Answered => {
                let mut state = self.lock();
                let answer = apply(&mut state);
                state.note(format!("      {}", if answer.is_ok() { "ok" } else { "refused" }));
                answer
            }
            Course::LastWithLease => {
                let mut state = self.lock();
                let answer = apply(&mut state);
                state.lose_lease();
                answer
            }
            Course::Crash => {
                self.lock().crash();
                std::future::pending().await
            }
            Course::AppliedCrash => {
                {
                    let mut state = self.lock();
                    let _ = apply(&mut state);
                    state.crash();
                }
                std::future::pending().await
            }
            Course::AppliedUnanswered => {
                let _ = apply(&mut self.lock());
                self.silence(sort).await;
                Err(refuse(&Fault::Lost))
            }
            Course::AppliedLate => {
                let world = Arc::clone(self);
                tokio::spawn(async move {
                    sleep(LATE).await;
                    let mut state = world.lock();
                    state.late = true;
                    let applied = apply(&mut state).is_ok();
                    state.late = false;
                    state.note(format!("      late: applied {applied}"));
                });
                self.silence(sort).await;
                Err(refuse(&Fault::Lost))
            }
            Course::Refused(fault) => {
                if fault == Fault::Lost {
                    self.silence(sort).await;
                }
                Err(refuse(&fault))
            }
        }
    }

    /// No answer: callers of AWS give up by themselves, Kubernetes' client by its own time-out.
    async fn silence(&self, sort: Sort) {
        if sort.is_aws() {
            sleep(SILENCE).await;
        }
    }
}

impl State {
    fn course(&mut self, sort: Sort, what: &str, by: Option<&str>) -> Course {
        let count = self.counts.entry(what.to_owned()).or_default();
        *count = count.saturating_add(1);
        let label = format!("{what} #{count}");
        let denied = self.is_denied(what);
        let throttled = self.throttled.iter().any(|calls| what.starts_with(calls));
        let fault = match self.faults.at(&label, sort) {
            None if throttled => Some(Fault::Throttled),
            None if self.aws_down && sort.is_aws() => Some(Fault::Lost),
            // What is not allowed is carried out in no way.
            Some(Fault::CrashAfter) if denied => Some(Fault::CrashBefore),
            None | Some(Fault::OldAnswers | Fault::AppliedUnanswered | Fault::AppliedLate)
                if denied =>
            {
                Some(Fault::Denied)
            }
            Some(Fault::LeaseLost) if denied => {
                self.lose_lease();
                Some(Fault::Denied)
            }
            fault => fault,
        };
        let told = fault.as_ref().map_or(String::new(), |fault| format!("  !! {fault:?}"));
        self.note(format!("{label}{told}"));
        match &mut self.chronicle {
            None => {
                let by = by.map(str::to_owned);
                self.calls.push(Call { label, by, sort, at: Instant::now() });
            }
            Some(chronicle) => chronicle.called(self.clock.now(), fault.as_ref()),
        }
        let made = Made { by, what, fault: fault.as_ref() };
        let found = self.invariants.called(self.now(), &made);
        self.told(found);
        match fault {
            None => Course::Answered,
            Some(Fault::CrashBefore) => Course::Crash,
            Some(Fault::CrashAfter) => Course::AppliedCrash,
            Some(Fault::AppliedUnanswered) => {
                self.invariants.unanswered(self.clock.now(), sort, (what, by));
                Course::AppliedUnanswered
            }
            Some(Fault::AppliedLate) => Course::AppliedLate,
            Some(Fault::OldAnswers) => {
                self.lambda.answer_old();
                Course::Answered
            }
            Some(Fault::LeaseLost) => Course::LastWithLease,
            Some(Fault::WatchLost) => {
                self.kubernetes.break_watch(what);
                Course::Answered
            }
            Some(Fault::Meanwhile(edit)) => {
                self.edit(&edit);
                if self.crashed { Course::Crash } else { Course::Answered }
            }
            Some(
                fault @ (Fault::Denied
                | Fault::Throttled
                | Fault::Lost
                | Fault::Stale
                | Fault::Conflict),
            ) => Course::Refused(fault),
        }
    }
}
