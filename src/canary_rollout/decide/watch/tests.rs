//! Evidence and alarms through whole rollouts: `decide` is asked pass by pass, its writes are
//! carried out on an alias, its memory is kept.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

mod alarms;
mod meanwhile;
mod unready;

use super::*;
use crate::{
    api::{
        analysis::{AlreadyFiring, Analysis, OnFailure},
        canary_rollout::{OnTimeout, Outcome, Phase, Step as RawStep},
        duration::Duration,
    },
    canary_rollout::{
        decide::{Action, Facts, Plan, Revisit, Terms, Wanted, decide},
        evidence::{Evidence, Who},
        memory::Memory,
        rollout::Steps,
        world::{approve, judged_by_alarm, judged_by_errors, weight},
    },
    facts::{cloudwatch::Datapoint, kubernetes::ActionRequest, lambda::Alias},
    names::Owner,
};

/// Passes in a row without time going by: more would be a loop.
const PASSES_MAX: usize = 10;

/// A rollout from version 1 to 2, the world around it, and a clock.
struct World {
    facts: Facts,
    memory: Memory,
    now: Timestamp,
    /// Invocations and errors a minute of the canary.
    traffic: (f64, f64),
    plan: Option<Plan>,
}

fn step(percent: i32, seconds: u64) -> RawStep {
    weight(percent, &format!("{seconds}s"))
}

impl World {
    fn new(steps: &[RawStep], analysis: &Analysis) -> Self {
        let owner = Owner { cluster: "c".into(), namespace: "ns".into(), name: "api".into() };
        let alias = Alias {
            version: "1".into(),
            weights: Vec::new(),
            revision_id: "r0".into(),
            description: String::new(),
        };
        let wanted = Wanted {
            revision: "rev2".into(),
            version: "2".into(),
            code_sha256: "sha".into(),
            timeout: None,
            follows_latest: false,
            steps: Steps::parse(steps, "steps").unwrap(),
        };
        let criteria = Criteria::parse(Some(analysis)).unwrap();
        let alarms = criteria.alarms.is_some().then(|| Ok(AlarmReport::default()));
        let facts = Facts {
            owner,
            function: "api".into(),
            alias_name: "live".into(),
            finalizer: true,
            alias: Some(alias),
            wanted: Ok(wanted),
            terms: Some(Terms { criteria, ..Terms::default() }),
            alarms,
            ..crate::canary_rollout::world::World::new().facts
        };
        let now = "2026-12-06T02:00:00Z".parse().unwrap();
        Self { facts, memory: Memory::default(), now, traffic: (0.0, 0.0), plan: None }
    }

    fn terms(&mut self) -> &mut Terms {
        self.facts.terms.as_mut().unwrap()
    }

    fn alarm_report(&mut self) -> &mut AlarmReport {
        self.facts.alarms.as_mut().unwrap().as_mut().unwrap()
    }

    fn pass(&mut self) -> Revisit {
        self.read();
        let plan = decide(&self.facts, &self.memory, self.now);
        for action in &plan.actions {
            let Action::UpdateAlias { change, .. } = action else { panic!("{action}") };
            let alias = self.facts.alias.as_mut().unwrap();
            assert_eq!(change.revision_id, alias.revision_id);
            alias.version.clone_from(&change.version);
            alias.weights = change.weight.clone().into_iter().collect();
            alias.description.clone_from(&change.description);
            alias.revision_id.push('+');
        }
        self.memory = plan.memory.clone();
        let revisit = plan.revisit;
        self.plan = Some(plan);
        revisit
    }

    /// The minutes that an evaluation would find, as the traffic is now.
    fn read(&mut self) {
        if self.facts.evidence.is_err() {
            return;
        }
        let criteria = &self.facts.terms.as_ref().unwrap().criteria;
        let span = evidence::due(criteria, &self.memory, self.now);
        let subject = Subject { function: "api", alias: "live" };
        let (invocations, errors) = self.traffic;
        self.facts.evidence = Ok(span.map(|span| {
            let flight = self.memory.flight.as_ref().unwrap();
            let who = evidence::canary_of(flight, "2");
            assert!(matches!(who, Who::Alias) == flight.is_baking());
            let mut series = BTreeMap::new();
            for (name, value) in [("Invocations", invocations), ("Errors", errors)] {
                let minutes = span.until.duration_since(span.from).as_secs() / 60;
                let at = |n| span.from + SignedDuration::from_mins(n);
                let points = (0..minutes).map(|n| Datapoint { at: at(n), value });
                let points = if invocations > 0.0 { points.collect() } else { Vec::new() };
                series.insert(evidence::lambda(subject, who, name, "Sum"), points);
            }
            Evidence { span, series }
        }));
    }

    /// Passes until there is something to wait for.
    fn settle(&mut self) -> Timestamp {
        for _ in 0..PASSES_MAX {
            if let Revisit::At(then) = self.pass() {
                return then;
            }
        }
        panic!("no end of passes: {:?}", self.plan);
    }

    /// Passes for as long as `minutes`, waking when the plan asks to.
    fn run(&mut self, minutes: i64) {
        let end = self.now + SignedDuration::from_mins(minutes);
        loop {
            let then = self.settle();
            assert!(then > self.now, "{:?}", self.plan);
            if then > end {
                self.now = end;
                return;
            }
            self.now = then;
        }
    }

    fn weight(&self) -> f64 {
        let alias = self.facts.alias.as_ref().unwrap();
        alias.weights.first().map_or(0.0, |extra| extra.weight)
    }

    #[track_caller]
    fn check(&self, phase: Phase, message: &str) {
        let report = &self.plan.as_ref().unwrap().report;
        assert_eq!((report.phase, report.message.as_str()), (phase, message));
    }
}

#[test]
fn a_good_release_is_promoted_on_evidence_and_not_before() {
    let mut world = World::new(&[step(10, 60)], &judged_by_errors("5%"));
    world.traffic = (100.0, 1.0);
    world.run(2);
    // Its hold is over; the first whole minute is settled after three.
    world.check(
        Phase::WaitingData,
        "10%: errors: first evaluation; waits until 04:00:00Z, then fails",
    );
    world.run(2);
    world.check(Phase::Healthy, "alias live serves version 2");
    assert_eq!(world.memory.history[0].outcome, Outcome::Promoted);
}

#[test]
fn a_bad_release_goes_back_at_its_first_verdict_and_is_not_tried_again() {
    let mut world = World::new(&[step(10, 3_600)], &judged_by_errors("5%"));
    world.traffic = (100.0, 6.0);
    world.run(4);
    world.check(
        Phase::RolledBack,
        "version 2 was rolled back: errors: 6% in 100 samples; the limit is 5%; the alias serves version 1; release something else, or try again with the verb retry@rev2",
    );
    let entry = &world.memory.history[0];
    assert_eq!((entry.outcome, entry.reason.as_str()), (Outcome::RolledBack, "ErrorRate"));
    assert_eq!(world.weight(), 0.0);
    world.run(60);
    assert_eq!(world.memory.history.len(), 1);
}

#[test]
fn no_traffic_never_passes_and_fails_after_max_wait() {
    let mut world = World::new(&[step(10, 60)], &judged_by_errors("5%"));
    world.run(119);
    world.check(Phase::WaitingData, "10%: errors: no data; waits until 04:00:00Z, then fails");
    world.run(2);
    assert_eq!(world.memory.history[0].reason, "NoData");
    assert_eq!(world.weight(), 0.0);
}

#[test]
fn traffic_that_stops_midway_holds_the_step() {
    let mut world = World::new(&[step(10, 600), step(50, 600)], &judged_by_errors("5%"));
    world.traffic = (100.0, 0.0);
    world.run(6);
    world.traffic = (0.0, 0.0);
    world.run(20);
    world.check(Phase::WaitingData, "10%: errors: no data; waits until 04:00:00Z, then fails");
}

#[test]
fn an_approval_before_the_first_weight_is_not_judged_by_metrics() {
    let word = approve("", None, OnTimeout::Abort);
    let mut world = World::new(&[word, step(10, 60)], &judged_by_errors("5%"));
    world.terms().criteria.metrics[0].on_no_data = OnNoData::Fail;
    world.run(60);
    world.check(Phase::WaitingApproval, "0%: waits for approval: verb promote@rev2/0");
}

#[test]
fn silence_that_means_yes_is_no_evidence() {
    let word = approve("", Some("10m"), OnTimeout::Promote);
    let mut world = World::new(&[step(10, 60), word], &judged_by_errors("5%"));
    world.traffic = (100.0, 0.0);
    world.run(4);
    world.traffic = (0.0, 0.0);
    world.run(60);
    world.check(Phase::WaitingData, "10%: errors: no data; waits until 04:03:00Z, then fails");
    world.traffic = (100.0, 0.0);
    world.run(2);
    world.check(Phase::Healthy, "alias live serves version 2");
}

#[test]
fn a_step_waits_for_its_invocations() {
    let first = RawStep { min_invocations: Some(300), ..step(10, 60) };
    let mut world = World::new(&[first], &Analysis::default());
    world.traffic = (50.0, 0.0);
    world.run(5);
    world.check(
        Phase::WaitingData,
        "10%: 150 of 300 invocations; waits until 04:00:00Z, then fails",
    );
    world.run(4);
    assert_eq!(world.memory.history[0].outcome, Outcome::Promoted);
}

#[test]
fn metrics_that_cannot_be_read_hold_the_step_and_never_pass() {
    let mut world = World::new(&[step(10, 60)], &judged_by_errors("5%"));
    world.traffic = (100.0, 0.0);
    world.facts.evidence = Err("AccessDenied".into());
    world.run(60);
    world.check(
        Phase::WaitingData,
        "10%: the metrics cannot be read: AccessDenied; waits until 04:00:00Z, then fails",
    );
}

#[test]
fn a_release_is_watched_at_100_and_still_goes_back() {
    let mut world = World::new(&[step(10, 60)], &judged_by_errors("5%"));
    world.terms().bake = Duration::from_secs(1_800);
    world.traffic = (100.0, 0.0);
    world.run(10);
    assert_eq!(world.facts.alias.as_ref().unwrap().version, "2");
    world.check(Phase::Baking, "100%: watched until 02:33:00Z");
    world.traffic = (100.0, 50.0);
    world.run(10);
    assert_eq!(world.memory.history[0].outcome, Outcome::RolledBack);
    assert_eq!(world.facts.alias.as_ref().unwrap().version, "1");
}

#[test]
fn quiet_hours_at_100_are_no_failure_after_there_was_evidence() {
    let mut world = World::new(&[step(10, 60)], &judged_by_errors("5%"));
    world.terms().bake = Duration::from_secs(86_400);
    world.traffic = (100.0, 0.0);
    world.run(30);
    world.traffic = (0.0, 0.0);
    world.run(24 * 60);
    world.check(Phase::Healthy, "alias live serves version 2");
}

#[test]
fn a_new_release_during_the_bake_takes_the_baking_one_as_stable() {
    let mut world = World::new(&[step(10, 60)], &judged_by_errors("5%"));
    world.terms().bake = Duration::from_secs(1_800);
    world.traffic = (100.0, 0.0);
    world.run(10);
    let wanted = world.facts.wanted.as_mut().unwrap();
    (wanted.revision, wanted.version) = ("rev3".into(), "3".into());
    world.settle();
    assert_eq!(world.memory.history[0].outcome, Outcome::Promoted);
    assert_eq!(world.memory.stable.as_deref(), Some("2"));
    assert_eq!(world.memory.revision.as_deref(), Some("rev3"));
}

#[test]
fn a_failure_is_held_where_the_spec_says_so_until_a_person_decides() {
    let held = || {
        let mut world = World::new(&[step(10, 3_600)], &judged_by_errors("5%"));
        world.terms().on_failure = OnFailure::Hold;
        world.traffic = (100.0, 50.0);
        world.run(30);
        world.check(
            Phase::Held,
            "failed and held at 10%: errors: 50% in 100 samples; the limit is 5%; go back with the verb abort@rev2, or go on with fresh evidence with resume@rev2",
        );
        world
    };
    let mut world = held();
    world.facts.request = Some(ActionRequest { value: "abort@rev2".into(), by: String::new() });
    world.settle();
    assert_eq!((world.weight(), world.memory.history[0].outcome), (0.0, Outcome::Aborted));

    let mut world = held();
    world.traffic = (100.0, 0.0);
    world.facts.request = Some(ActionRequest { value: "resume@rev2".into(), by: String::new() });
    world.run(70);
    assert_eq!(world.memory.history[0].outcome, Outcome::Promoted);
}
