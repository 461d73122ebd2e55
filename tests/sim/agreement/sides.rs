//! The two worlds side by side: the same calls, the same time, and answers in the same words.

mod alarms;
mod told;

use std::{sync::Arc, time::Duration};

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use groundcrew::{
    aws::accounts::{Connector as _, Ports, Role, Target},
    facts::{cloudwatch::AlarmState, lambda::Invocation},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use self::told::Seen;
use super::{
    Stage,
    calls::{Answer, Call, Event},
    opening::Opening,
};
use crate::{
    faults::Faults,
    harness::{
        REGION,
        aws::{Account, StandIn},
        epoch,
    },
    world::{
        ALIAS, FUNCTION, World,
        alarms::{Action, Outcome},
        databases::INSTANCE,
        functions::answered,
        lambda::{ACCOUNT, Aws},
    },
};

/// What a function that fails returns.
const FAILURE: &str = r#"{"errorMessage":"no"}"#;
/// Why provisioned concurrency fails to move.
const INIT_FAILURE: &str = "FUNCTION_ERROR_INIT_FAILURE";

/// Both worlds. Time passes in the simulated one; the stand-in's clock is set to it before each call.
pub struct Sides<'a> {
    runtime: &'a Runtime,
    stand_in: &'a StandIn,
    account: Account,
    there: Ports,
    seen_there: Seen,
    /// Its clock is tokio's, which is paused.
    simulated: Runtime,
    world: Arc<World>,
    here: Ports,
    seen_here: Seen,
    withheld: bool,
    /// Actions of alarms in the stand-in while it was set up.
    actions_before: u64,
}

impl<'a> Sides<'a> {
    /// Sets up both. The stand-in gets an account of its own.
    pub fn set(opening: Opening, stage: &'a Stage) -> Self {
        let Stage { runtime, stand_in, connector } = stage;
        let simulated = Builder::new_current_thread().enable_time().start_paused(true).build();
        let simulated = simulated.expect("a runtime");
        let (world, here) = simulated.block_on(async {
            let world = World::new(epoch(), Faults::none());
            opening.set(&mut world.lock());
            let target = Target { region: REGION.into(), role: None };
            let ports = Aws::of(&world).connect(&target).await;
            (world, ports.expect("ports"))
        });
        let (account, there, actions_before) = runtime.block_on(async {
            let clock = json!({"epoch": epoch().as_second(), "scale": 0});
            stand_in.control("POST", "clock", Some(clock)).await;
            let account = stand_in.account().await;
            opening.make(&account, stand_in).await;
            let role = Role {
                arn: account.role(),
                external_id: "sim".into(),
                session_name: "groundcrew-sim".into(),
                tags: Vec::new(),
            };
            let target = Target { region: REGION.into(), role: Some(role) };
            let ports = connector.connect(&target).await.expect("ports");
            let path = format!("alarms?account={}&region={REGION}", account.number);
            let told = stand_in.control("GET", &path, None).await;
            let before = told["actions"].as_array().expect("actions").len();
            (account, ports, u64::try_from(before).expect("few"))
        });
        let seen_here = Seen::of(ACCOUNT);
        let seen_there = Seen::of(&account.number);
        let sides = Self {
            runtime,
            stand_in,
            account,
            there,
            seen_there,
            simulated,
            world,
            here,
            seen_here,
            withheld: false,
            actions_before,
        };
        sides.function_returns(Some(200));
        sides
    }

    /// Makes the call in both; what the simulated world answers comes first.
    pub fn answers(&mut self, call: &Call) -> (Answer, Answer) {
        let now = self.now();
        let here = self.simulated.block_on(self.seen_here.ask(&self.here, call, now));
        self.follow();
        self.withhold_from(call);
        let there = self.runtime.block_on(self.seen_there.ask(&self.there, call, now));
        (here, there)
    }

    fn now(&self) -> Timestamp {
        self.simulated.block_on(async { self.world.lock().now() })
    }

    /// Sets the stand-in's clock to the time of the simulated world.
    fn follow(&self) {
        let since = self.now().duration_since(epoch()).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
        let epoch = epoch().as_second() as f64 + since;
        self.control("clock", json!({"epoch": epoch, "scale": 0}));
    }

    fn control(&self, path: &str, body: Value) {
        self.runtime.block_on(self.stand_in.control("POST", path, Some(body)));
    }

    /// The same for the function of the account.
    fn control_function(&self, path: &str, more: &Value) {
        let mut body =
            json!({"account": self.account.number, "region": REGION, "function": FUNCTION});
        for (name, value) in more.as_object().expect("members") {
            body[name] = value.clone();
        }
        self.control(path, body);
    }

    /// Lets the event happen in both.
    pub fn happens(&mut self, event: &Event) {
        match *event {
            Event::Wait(seconds) => {
                self.simulated.block_on(async {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                });
                self.follow();
            }
            Event::Returns(status) => self.function_returns(status),
            Event::UpdatesFail(fails) => {
                self.world.lock().lambda.functions.update_fails = fails;
                self.changes_fail("update", "*", "InvalidImage", fails);
            }
            Event::MovesFail(fails) => {
                if let Some(provision) = self.world.lock().lambda.provisioning() {
                    provision.fails = fails;
                }
                self.changes_fail("provisioned", ALIAS, INIT_FAILURE, fails);
            }
            Event::Alarm(name, state) => {
                // One that somebody deleted has no state.
                let known =
                    self.world.lock().cloudwatch.alarms.states().any(|(one, _)| one == name);
                if !known {
                    return;
                }
                self.simulated.block_on(async { self.world.lock().set_alarm(name, state) });
                self.follow();
                let state = match state {
                    AlarmState::Ok => StateValue::Ok,
                    AlarmState::Alarm => StateValue::Alarm,
                    AlarmState::InsufficientData => StateValue::InsufficientData,
                };
                self.runtime.block_on(self.account.set_alarm(name, state));
            }
            Event::AlarmIsThere(name, there) => self.alarm_is_there(name, there),
            Event::AlarmActs(name, acts) => self.alarm_acts(name, acts),
            Event::Withhold(withheld) => {
                self.world.lock().cloudwatch.withheld = withheld.then_some("Errors");
                self.withheld = withheld;
            }
            Event::Database(runs) => self.database_runs(runs),
        }
    }

    /// An alarm is deleted, or made, or configured once more.
    fn alarm_is_there(&self, name: &'static str, there: bool) {
        self.simulated.block_on(async {
            let mut state = self.world.lock();
            if there {
                state.configure_alarm(name, true);
            } else {
                state.delete_alarm(name);
            }
        });
        self.follow();
        self.runtime.block_on(async {
            if there {
                put_alarm(&self.account, name).await;
            } else {
                // Fails where it is gone already.
                let _ = self.account.cloudwatch.delete_alarms().alarm_names(name).send().await;
            }
        });
    }

    fn alarm_acts(&self, name: &'static str, acts: bool) {
        self.simulated.block_on(async { self.world.lock().switch_alarm(name, acts) });
        self.follow();
        let cloudwatch = &self.account.cloudwatch;
        self.runtime.block_on(async {
            if acts {
                let on = cloudwatch.enable_alarm_actions().alarm_names(name);
                on.send().await.expect("an alarm that acts");
            } else {
                let off = cloudwatch.disable_alarm_actions().alarm_names(name);
                off.send().await.expect("an alarm that is quiet");
            }
        });
    }

    /// What the actions of alarms came to, in both.
    pub fn actions(&self) -> (String, String) {
        let here = self.simulated.block_on(async {
            let mut state = self.world.lock();
            let now = state.now();
            state.cloudwatch.alarms.settle(now);
            let alarms = &state.cloudwatch.alarms;
            let now = alarms.states().map(|(name, _)| (name, alarms.outcome(name, now)));
            let now: Vec<String> = now
                .map(|(name, outcome)| format!("{name} {}", word(outcome.expect("an alarm"))))
                .collect();
            let then = alarms.actions.iter().map(acted);
            format!("{:?} now {now:?}", then.collect::<Vec<_>>())
        });
        self.follow();
        let path = format!(
            "alarms?account={}&region={REGION}&since={}",
            self.account.number, self.actions_before
        );
        let told = self.runtime.block_on(self.stand_in.control("GET", &path, None));
        let then = told["actions"].as_array().expect("actions").iter().map(|one| {
            let text = |name: &str| one[name].as_str().expect(name).to_owned();
            format!("{} {} {} {}", text("alarm"), text("state"), text("outcome"), text("cause"))
        });
        let now = told["alarms"].as_object().expect("alarms").iter();
        let mut now: Vec<String> = now
            .map(|(name, one)| format!("{name} {}", one["action"].as_str().expect("one")))
            .collect();
        now.sort();
        (here, format!("{:?} now {now:?}", then.collect::<Vec<_>>()))
    }

    /// Plans that the next changes of this kind fail in the stand-in, or takes that back.
    fn changes_fail(&self, kind: &str, version: &str, code: &str, fails: bool) {
        let action = if fails { "fail" } else { "release" };
        self.control_function(
            "state",
            &json!({
                "kind": kind, "version": version, "action": action,
                "code": code, "reason": code, "times": 0,
            }),
        );
    }

    fn function_returns(&self, status: Option<u16>) {
        let (invocation, answer) = match status {
            Some(status) => {
                let payload = format!("{{\"statusCode\":{status}}}");
                (answered(status), json!({"payload": payload}))
            }
            None => (
                Invocation::Answered {
                    function_error: Some("Unhandled".into()),
                    payload: FAILURE.as_bytes().to_vec(),
                    took: Duration::ZERO,
                },
                json!({"payload": FAILURE, "functionError": "Unhandled"}),
            ),
        };
        self.world.lock().lambda.functions.invocation = invocation;
        self.control_function("lambda/invoke-script", &json!({"answers": [answer]}));
    }

    fn database_runs(&self, runs: bool) {
        let status = if runs { "available" } else { "stopped" };
        let mut state = self.world.lock();
        if state.databases.instance == status {
            return;
        }
        state.databases.instance = status;
        let rds = &self.account.rds;
        self.runtime.block_on(async {
            if runs {
                let start = rds.start_db_instance().db_instance_identifier(INSTANCE);
                start.send().await.expect("a database that starts");
            } else {
                let stop = rds.stop_db_instance().db_instance_identifier(INSTANCE);
                stop.send().await.expect("a database that stops");
            }
        });
    }

    /// Lets the stand-in fail in the series of errors of the call that comes.
    fn withhold_from(&self, call: &Call) {
        let Call::MetricData { series, .. } = call else { return };
        let errors = series.iter().enumerate().filter(|(_, (name, _))| *name == "Errors");
        let ids: Vec<String> = errors.map(|(index, _)| format!("m{index}")).collect();
        if self.withheld && !ids.is_empty() {
            let ids = format!("^({})$", ids.join("|"));
            let effect = json!({"metricStatus": {"statusCode": "InternalError", "ids": ids}});
            self.runtime.block_on(self.account.fault("GetMetricData", effect, 1));
        }
    }
}

/// An alarm with the settings of [`Account::alarm`]; its state stays, or is that of a new one.
async fn put_alarm(account: &Account, name: &str) {
    let put = account.cloudwatch.put_metric_alarm().alarm_name(name).namespace("Shop");
    let put = put.metric_name("Complaints").statistic(Statistic::Sum).period(60);
    let put = put.evaluation_periods(1).threshold(1.0);
    let put = put.comparison_operator(ComparisonOperator::GreaterThanThreshold);
    put.send().await.expect("an alarm");
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fired => "fired",
        Outcome::Muted => "muted",
        Outcome::Disabled => "disabled",
    }
}

fn acted(action: &Action) -> String {
    let Action { alarm, state, outcome, unmuted } = action;
    let state = match state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
    };
    let cause = if *unmuted { "unmuted" } else { "state" };
    format!("{alarm} {state} {} {cause}", word(*outcome))
}
