//! A window, its memory and the time, for tests of decisions.

mod cloud;
mod gauge;
mod mail;
pub mod plant;
mod switches;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub use cloud::{Cloud, REGION};
pub use gauge::Gauge;
use mail::Mail;
pub use plant::Plant;

use super::{
    alarms::Ledger,
    decide::{Ask, Facts, Plan, decide},
    memory::Memory,
    status::{notes, summarize},
    tasks::{Failed, Failure, Seen, TaskFacts, TaskStep, Work},
    window::Window,
};
use crate::{
    api::{
        check::CheckVerdict,
        maintenance_window::{MaintenanceWindowSpec, MaintenanceWindowStatus, Phase},
    },
    facts::{
        check::CheckResult,
        documents::AllowedDocuments,
        kubernetes::{ActionRequest, Deletion},
    },
    names::Owner,
    plan::Revisit,
};

/// One window: what was published of it, and when it is.
#[derive(Clone, Debug)]
pub struct World {
    pub facts: Facts,
    pub status: Option<MaintenanceWindowStatus>,
    pub generation: i64,
    pub now: Timestamp,
    /// Reasons of the Events so far.
    pub events: Vec<&'static str>,
    /// What CloudWatch has.
    pub cloud: Cloud,
    /// What the watch shows of all windows; none: of this one, what was published last.
    pub watch: Option<Vec<Ledger>>,
    /// What people were told.
    pub mail: Mail,
    /// What checks say; those that are not here hold.
    pub checks: BTreeMap<&'static str, (CheckVerdict, &'static str)>,
    /// Rounds of checks so far: the names in each.
    pub rounds: Vec<String>,
    /// What metrics say.
    pub gauge: Gauge,
    /// What tasks work on.
    pub plant: Plant,
    /// Where the next pass is cut off.
    pub crash: Option<Crash>,
}

/// Where a pass is cut off: nothing of it is published, and the process forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the call about a task.
    BeforeCall,
    /// After it.
    AfterCall,
    /// After what the pass publishes.
    Published,
}

/// A time of December 2026, which begins on a Tuesday.
pub fn december(time: &str) -> Timestamp {
    format!("2026-12-{time}:00Z").parse().unwrap()
}

/// A spec in YAML.
pub fn spec(yaml: &str) -> MaintenanceWindowSpec {
    serde_saphyr::from_str(yaml).unwrap()
}

/// Sundays from 02:00 to 04:00 in Berlin: from 01:00 to 03:00 by UTC in winter.
pub const WEEKLY: &str = "
timeZone: Europe/Berlin
schedules:
- {name: weekly, cron: '0 2 * * SUN', duration: 2h}
";

/// Sundays from 02:00 to 04:00 and from 04:30 to 05:00, by the clocks of Berlin.
pub const TWO: &str = "
timeZone: Europe/Berlin
extend: {max: 2h}
schedules:
- {name: weekly, cron: '0 2 * * SUN', duration: 2h}
- {name: second, cron: '30 4 * * SUN', duration: 30m}
";

impl World {
    pub fn new(yaml: &str, time: &str) -> Self {
        let spec = spec(yaml);
        Self {
            facts: Facts {
                window: Window::parse(&spec),
                spec,
                edited: true,
                deletion: Deletion::None,
                deleted_at: None,
                created_at: None,
                request: None,
                owner: Owner {
                    cluster: "prod".into(),
                    namespace: "flightdata".into(),
                    name: "weekly".into(),
                },
                uid: "u-1".into(),
                finalizer: false,
                alarms: None,
                checks: BTreeMap::new(),
                sweeps: false,
                task: None,
                metrics: None,
                intents: BTreeSet::new(),
                documents: AllowedDocuments::parse(["AWS-*"]).unwrap(),
            },
            status: None,
            generation: 1,
            now: december(time),
            events: Vec::new(),
            cloud: Cloud::default(),
            watch: None,
            mail: Mail::default(),
            checks: BTreeMap::new(),
            rounds: Vec::new(),
            gauge: Gauge::default(),
            plant: Plant::default(),
            crash: None,
        }
    }

    /// Weekly, looked at on the Saturday before.
    pub fn weekly() -> Self {
        let mut world = Self::new(WEEKLY, "05T12:00");
        world.passes();
        world
    }

    /// Weekly, and open since a minute.
    pub fn open() -> Self {
        let mut world = Self::weekly();
        world.at("06T01:00");
        world.at("06T01:01");
        world
    }

    pub fn memory(&self) -> Memory {
        Memory::recall(self.status.as_ref())
    }

    pub fn plan(&self) -> Plan {
        decide(&self.facts, &self.memory(), self.now)
    }

    /// One pass; its status goes through JSON, as it does in life.
    pub fn pass(&mut self) -> Plan {
        let Some(mut plan) = self.carry_out() else {
            // The process died, and another one begins.
            self.facts.intents.clear();
            return self.pass();
        };
        let new = summarize(self.status.as_ref(), Some(self.generation), &plan, self.now);
        let events = notes(self.status.as_ref(), &new);
        self.events.extend(events.iter().map(|note| note.reason));
        self.status = serde_json::from_value(serde_json::to_value(new).unwrap()).unwrap();
        self.facts.edited = false;
        // On an object that is being deleted the API server refuses new finalizers.
        if self.facts.deletion == Deletion::None || !plan.finalizer {
            self.facts.finalizer = plan.finalizer;
        }
        if let Some(key) = &plan.intends {
            self.facts.intents.insert(key.clone());
        }
        if self.crash == Some(Crash::Published) {
            self.crash = None;
            self.facts.intents.clear();
        }
        self.post(&mut plan);
        plan
    }

    /// Decides, asks and writes as a pass does; none where it was cut off.
    fn carry_out(&mut self) -> Option<Plan> {
        self.facts.alarms = None;
        self.facts.checks.clear();
        self.facts.task = None;
        self.facts.metrics = None;
        let mut plan = self.answered();
        if let Err(unread) = self.cloud.act(&plan.actions, self.now) {
            self.facts.alarms = Some(Err(unread));
            plan = self.answered();
            plan.actions.clear();
        }
        self.facts.metrics.get_or_insert_default();
        let Some(step) = &plan.task else { return Some(plan) };
        if self.crash.take_if(|crash| *crash == Crash::BeforeCall).is_some() {
            return None;
        }
        let own = match step {
            TaskStep::Begin { key, once, .. } => {
                let own = self.facts.intents.remove(key);
                assert!(own || !once, "another process begins {step:?}");
                own.then(|| key.clone())
            }
            TaskStep::Cancel { .. } => None,
        };
        let done = self.plant.carry_out(step, self.now);
        if let (Err(Failed { failure: Failure::NotDone, .. }), Some(key)) = (&done, own) {
            self.facts.intents.insert(key);
        }
        if self.crash.take_if(|crash| *crash == Crash::AfterCall).is_some() {
            return None;
        }
        self.facts.task.as_mut().unwrap().done = Some(done);
        let plan = self.plan();
        assert_eq!((&plan.asks, &plan.task), (&None, &None), "no end");
        Some(plan)
    }

    /// A plan that has nothing left to ask.
    fn answered(&mut self) -> Plan {
        let mut plan = self.plan();
        while let Some(ask) = &plan.asks {
            match ask {
                Ask::Alarms(question) => {
                    self.watch_ledgers();
                    let answer = self.cloud.answer(question, &self.facts.owner, self.now);
                    assert!(self.facts.alarms.replace(answer).is_none(), "asked twice");
                }
                Ask::Checks(question) => {
                    let names: Vec<&str> = question.list.names().collect();
                    let said = names.iter().map(|name| self.look(name)).collect();
                    self.rounds.push(format!("{:?} {}", question.stage, names.join(" ")));
                    let before = self.facts.checks.insert(question.stage, said);
                    assert!(before.is_none(), "asked twice");
                }
                Ask::Task(question) => {
                    let seen = if let Work::Check(list) = &question.work {
                        let name = list.names().next().unwrap();
                        self.rounds.push(format!("task {name}"));
                        Ok(Seen::Check(self.look(name)))
                    } else {
                        self.plant.look(question, self.now)
                    };
                    let answer = TaskFacts { seen, done: None };
                    assert!(self.facts.task.replace(answer).is_none(), "asked twice");
                }
                Ask::Metrics(wanted) => {
                    let readings = self.gauge.read(wanted, self.now);
                    assert!(self.facts.metrics.replace(readings).is_none(), "asked twice");
                }
            }
            plan = self.plan();
        }
        plan
    }

    /// Shows each region what the watch has of it.
    fn watch_ledgers(&mut self) {
        let near = self.watch.clone().unwrap_or_else(|| self.ledger(true));
        self.cloud.switches.ledgers = near;
        let silenced = self.status.as_ref().and_then(|status| status.silenced.as_ref());
        for (region, cloud) in &mut self.cloud.elsewhere {
            let ledger = silenced.map(|silenced| Ledger::of(silenced, region, true));
            cloud.switches.ledgers = ledger.into_iter().collect();
        }
    }

    /// What was published of the alarms that are off, as the watch shows it.
    pub fn ledger(&self, own: bool) -> Vec<Ledger> {
        let silenced = self.status.as_ref().and_then(|status| status.silenced.as_ref());
        silenced.map(|silenced| Ledger::of(silenced, REGION, own)).into_iter().collect()
    }

    /// A pass that dies after so many writes to AWS, and publishes nothing.
    pub fn dies(&mut self, writes: usize) {
        self.cloud.dies_after = Some(writes);
        self.carry_out();
        self.cloud.dies_after = None;
    }

    fn look(&self, name: &str) -> CheckResult {
        let said = self.checks.get(name).copied().unwrap_or((CheckVerdict::Passed, "well"));
        CheckResult { name: name.to_owned(), verdict: said.0, message: said.1.to_owned() }
    }

    /// Passes until nothing is left to do at once.
    pub fn passes(&mut self) -> Plan {
        for _ in 0..40 {
            let plan = self.pass();
            if plan.revisit != Revisit::Now {
                return plan;
            }
        }
        panic!("no end of passes: {:?}", self.status);
    }

    /// Passes at a later time.
    pub fn at(&mut self, time: &str) -> Plan {
        self.now = december(time);
        self.passes()
    }

    /// Passes whenever one is due, up to a time.
    pub fn until(&mut self, time: &str) {
        let end = december(time);
        loop {
            let Revisit::At(then) = self.passes().revisit else { panic!("no end") };
            assert!(then > self.now, "{then} is not later than {}", self.now);
            if then > end {
                break;
            }
            self.now = then;
        }
        self.now = end;
        self.passes();
    }

    pub fn edit(&mut self, change: impl FnOnce(&mut MaintenanceWindowSpec)) {
        change(&mut self.facts.spec);
        self.facts.window = Window::parse(&self.facts.spec);
        self.facts.edited = true;
        self.generation += 1;
    }

    /// A verb of somebody, and what came of it.
    pub fn ask(&mut self, value: &str) -> String {
        self.facts.request = Some(ActionRequest { value: value.into(), by: "alice".into() });
        self.passes();
        let answer = self.told().last_action.clone().unwrap();
        format!("{:?}: {}", answer.result, answer.message)
    }

    pub fn told(&self) -> &MaintenanceWindowStatus {
        self.status.as_ref().unwrap()
    }

    #[track_caller]
    pub fn check(&self, phase: Phase, gate: bool, message: &str) {
        let status = self.told();
        let seen = (status.phase.unwrap(), status.message.as_deref().unwrap());
        assert_eq!(seen, (phase, message));
        assert_eq!(status.gate.as_ref().unwrap().open, gate, "{:?}", status.gate);
    }

    /// Id, outcome and message of what is over, newest first.
    pub fn history(&self) -> Vec<(String, &'static str, String)> {
        let entries = self.told().history.iter();
        entries.map(|e| (e.id.clone(), e.outcome.as_str(), e.message.clone())).collect()
    }

    pub fn later(&mut self, seconds: i64) -> Plan {
        self.now += SignedDuration::from_secs(seconds);
        self.passes()
    }
}
