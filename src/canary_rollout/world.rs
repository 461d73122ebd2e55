//! A rollout, its alias and its published status in memory, for the tests of the pure parts.

mod functions;
mod judged;
mod schema;

use jiff::Timestamp;

pub use functions::{denied, deployment, function};
pub use judged::{judged_by_alarm, judged_by_errors};
pub use schema::taken;

use super::{
    decide::{
        Action, Answer, Facts, Plan, Report, Revisit, Terms, Unready, Wanted, learn,
        release::Unusable,
    },
    memory::{Canary, Flight, Memory},
    rollout::Steps,
    status::{Attempt, summarize},
    walk::decide_and_look_ahead,
};
use crate::{
    api::{
        canary_rollout::{
            Approve, CanaryRolloutStatus, Ending, HistoryEntry, OnTimeout, Outcome, Phase, Step,
        },
        duration::Duration,
        shared::Mode,
    },
    facts::{
        kubernetes::{ActionRequest, Deletion},
        lambda::{Alias, AliasChange, Invocation, Source, VersionWeight},
    },
    names::{Mark, Owner},
};

/// Revision of version 43, the release that most tests are about.
pub const REVISION: &str = "9f2c1a";
/// Revision of version 44.
pub const NEXT_REVISION: &str = "b07d3e";
/// More passes in a row than any rollout of the tests needs: two for each step, and a few around.
const PASSES_MAX: usize = 80;

/// A rollout, its alias and its status.
#[derive(Clone, Debug)]
pub struct World {
    pub facts: Facts,
    pub status: CanaryRolloutStatus,
    pub now: Timestamp,
    /// How the next invocation goes.
    pub invocation: Invocation,
    writes: u32,
}

pub fn time(text: &str) -> Timestamp {
    format!("2026-12-06T{text}Z").parse().unwrap()
}

pub fn owner() -> Owner {
    Owner { cluster: "prod".into(), namespace: "flightdata".into(), name: "processor".into() }
}

pub fn weight(percent: i32, hold: &str) -> Step {
    Step { weight: Some(percent), hold: Some(hold.parse().unwrap()), ..Step::default() }
}

pub fn approve(message: &str, timeout: Option<&str>, on_timeout: OnTimeout) -> Step {
    let message = Some(message.to_owned()).filter(|text| !text.is_empty());
    let timeout = timeout.map(|text| text.parse::<Duration>().unwrap());
    let approve = Approve { message, timeout, on_timeout: Some(on_timeout) };
    Step { approve: Some(approve), ..Step::default() }
}

pub fn steps(raw: &[Step]) -> Steps {
    Steps::parse(raw, "steps").unwrap()
}

/// 10% for 30 minutes, a person's word, 50% for 30 minutes.
pub fn usual_steps() -> Steps {
    let word = approve("look at p99", Some("24h"), OnTimeout::Abort);
    steps(&[weight(10, "30m"), word, weight(50, "30m")])
}

pub fn release(version: &str, revision: &str) -> Wanted {
    Wanted {
        revision: revision.into(),
        version: version.into(),
        code_sha256: format!("sha-of-{version}"),
        timeout: None,
        follows_latest: false,
        steps: usual_steps(),
    }
}

/// A release that cannot be served: for good, or until Lambda is done with it.
pub fn unusable(pending: bool, reason: &'static str, message: &str) -> Unready {
    let phase = if pending { Phase::Pending } else { Phase::Invalid };
    Unready::Unusable(Unusable { phase, reason, message: message.into() })
}

pub fn alias(version: &str, weights: &[(&str, f64)], description: &str) -> Alias {
    let weight = |(version, weight): &(&str, f64)| VersionWeight {
        version: (*version).into(),
        weight: *weight,
    };
    Alias {
        version: version.into(),
        weights: weights.iter().map(weight).collect(),
        revision_id: "alias-0".into(),
        description: description.into(),
    }
}

pub fn mark(revision: &str, step: usize) -> String {
    Mark { owner: owner(), revision: revision.into(), step }.write("")
}

pub fn ended(revision: &str, version: &str, outcome: Outcome, reason: &str) -> HistoryEntry {
    HistoryEntry {
        version: version.into(),
        revision: revision.into(),
        code_sha256: Some(format!("sha-of-{version}")),
        stable: Some("42".into()).filter(|_| outcome != Outcome::Initialized),
        outcome,
        reason: reason.into(),
        message: String::new(),
        started_at: k8s_time("01:00:00"),
        ended_at: k8s_time("01:10:00"),
    }
}

pub fn k8s_time(text: &str) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
    k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time(text))
}

impl World {
    /// Alias production serves 42, version 43 is wanted, nothing is remembered.
    pub fn new() -> Self {
        Self {
            facts: Facts {
                owner: owner(),
                function: "flightdata-processor".into(),
                alias_name: "production".into(),
                suspended: false,
                mode: Mode::Enforce,
                on_conflict: crate::api::canary_rollout::OnConflict::Hold,
                deletion: Deletion::None,
                finalizer: false,
                request: None,
                alias: Some(alias("42", &[], "")),
                alias_source: Source::Write,
                taken_by: None,
                stable_gone: false,
                provisioned: Ok(None),
                latest: None,
                published: None,
                surplus: Ok(None),
                wanted: Ok(release("43", REVISION)),
                terms: Some(Terms::default()),
                evidence: Ok(None),
                preflight: Some(crate::canary_rollout::decide::Preflight::default()),
                alarms: None,
                checks: None,
                windows: None,
                edited: false,
            },
            status: CanaryRolloutStatus::default(),
            now: time("01:44:00"),
            invocation: Invocation::Answered {
                function_error: None,
                payload: br#"{"statusCode":200}"#.to_vec(),
                took: std::time::Duration::from_millis(120),
            },
            writes: 0,
        }
    }

    /// Version 43 at step `index` of the usual ones, and the alias where that step leaves it.
    pub fn flying(index: usize, entered: Option<&str>) -> Self {
        let mut world = Self::new();
        world.facts.finalizer = true;
        world.remember(&Memory {
            revision: Some(REVISION.into()),
            stable: Some("42".into()),
            canary: Some(Canary {
                version: "43".into(),
                code_sha256: Some("sha-of-43".into()),
                timeout: None,
                started_at: time("01:43:00"),
            }),
            flight: Some(Flight {
                entered_at: entered.map(time),
                ..Flight::before(usual_steps(), index)
            }),
            ..Memory::default()
        });
        let at = world.memory().flight.unwrap().weight();
        if at > 0 {
            world.alias_is("42", &[("43", f64::from(at) / 100.0)], &mark(REVISION, at_step(at)));
        }
        world
    }

    /// A rollout in flight that is about to end.
    pub fn ending(index: usize, entered: Option<&str>, outcome: Outcome, reason: &str) -> Self {
        let mut world = Self::flying(index, entered);
        let message = format!("because of {reason}");
        world.status.ending = Some(Ending { outcome, reason: reason.into(), message });
        world
    }

    /// A revision of version 43 that ended.
    pub fn concluded(outcome: Outcome, reason: &str) -> Self {
        let mut world = Self::new();
        let stays = matches!(outcome, Outcome::Promoted | Outcome::Initialized);
        let went_back = matches!(outcome, Outcome::Aborted | Outcome::RolledBack);
        world.remember(&Memory {
            revision: Some(REVISION.into()),
            stable: Some(if stays { "43" } else { "42" }.into()),
            canary: went_back.then(|| Canary {
                version: "43".into(),
                code_sha256: Some("sha-of-43".into()),
                timeout: None,
                started_at: time("01:00:00"),
            }),
            history: vec![ended(REVISION, "43", outcome, reason)],
            ..Memory::default()
        });
        if stays {
            world.alias_is("43", &[], "");
        }
        world
    }

    pub fn alias_is(&mut self, version: &str, weights: &[(&str, f64)], description: &str) {
        self.facts.alias = Some(alias(version, weights, description));
    }

    pub fn asked(mut self, value: &str) -> Self {
        self.facts.request = Some(ActionRequest { value: value.into(), by: "jane".into() });
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn at(mut self, text: &str) -> Self {
        self.now = time(text);
        self
    }

    pub fn memory(&self) -> Memory {
        Memory::recall(Some(&self.status))
    }

    pub fn plan(&self) -> Plan {
        decide_and_look_ahead(&self.facts, None, &self.memory(), self.now)
    }

    /// One pass: decides, writes, publishes.
    pub fn pass(&mut self) -> Plan {
        let mut plan = self.plan();
        for action in plan.actions.clone() {
            let answer = self.carry_out(&action);
            learn(&mut plan, &answer);
        }
        self.publish(&plan);
        plan
    }

    /// Passes until one waits; returns all of them.
    #[track_caller]
    pub fn settle(&mut self) -> Vec<Plan> {
        let mut plans = Vec::new();
        while plans.len() < PASSES_MAX {
            let plan = self.pass();
            let waits = matches!(plan.revisit, Revisit::At(then) if then > self.now);
            plans.push(plan);
            if waits {
                return plans;
            }
        }
        panic!("no end after {PASSES_MAX} passes of {self:#?}");
    }

    /// Does to the alias what Lambda would do, and refuses what it would refuse.
    #[track_caller]
    pub fn write(&mut self, actions: &[Action]) {
        actions.iter().for_each(|action| drop(self.carry_out(action)));
    }

    #[track_caller]
    fn carry_out(&mut self, action: &Action) -> Answer {
        self.writes = self.writes.saturating_add(1);
        let revision_id = format!("alias-{}", self.writes);
        self.facts.alias = Some(match action {
            Action::CreateAlias { version, description, .. } => {
                assert!(self.facts.alias.is_none(), "the alias exists");
                Alias { revision_id, ..alias(version, &[], description) }
            }
            Action::UpdateAlias { change, .. } => self.updated(change, revision_id),
            Action::Invoke { .. } => return Answer::Invoked(self.invocation.clone()),
            Action::UpdateFunctionCode(_)
            | Action::UpdateFunctionConfiguration(_)
            | Action::PublishVersion(_)
            | Action::DeleteVersion(_) => panic!("this world has no $LATEST: {action}"),
        });
        Answer::Changed
    }

    #[track_caller]
    fn updated(&self, change: &AliasChange, revision_id: String) -> Alias {
        let old = self.facts.alias.as_ref().expect("an update needs an alias");
        assert_eq!(change.revision_id, old.revision_id, "Lambda answers 412");
        assert_eq!(
            (&change.function, &change.alias),
            (&self.facts.function, &self.facts.alias_name)
        );
        Alias {
            version: change.version.clone(),
            weights: change.weight.iter().cloned().collect(),
            revision_id,
            description: change.description.clone(),
        }
    }

    /// Publishes as the API server keeps it, and moves the finalizer.
    #[track_caller]
    pub fn publish(&mut self, plan: &Plan) {
        let attempt = Attempt { plan: Some(plan.clone()), failure: None, place: None };
        let status = summarize(Some(&self.status), Some(1), &attempt, self.now);
        self.status = taken(&status);
        // On an object that is being deleted the API server refuses new finalizers.
        let refused = self.facts.deletion != Deletion::None && plan.finalizer;
        if !refused {
            self.facts.finalizer = plan.finalizer;
        }
    }

    pub fn remember(&mut self, memory: &Memory) {
        let report = Report {
            phase: Phase::Pending,
            reason: "Test",
            message: "set by a test".into(),
            weight: None,
            hold_until: None,
            difference: None,
            alias_revision: None,
            window: None,
        };
        let plan = Plan {
            memory: memory.clone(),
            report,
            actions: Vec::new(),
            not_after: None,
            finalizer: self.facts.finalizer,
            notes: Vec::new(),
            revisit: Revisit::Now,
            needs: None,
            spared: Vec::new(),
            findings: None,
            unread: None,
            ahead: Vec::new(),
        };
        self.publish(&plan);
    }
}

/// The step of the usual ones that sets a weight.
fn at_step(percent: i32) -> usize {
    if percent == 10 { 0 } else { 2 }
}

/// A status after its way through the API server, which keeps whole seconds.
pub fn stored(status: &CanaryRolloutStatus) -> CanaryRolloutStatus {
    serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap()
}
