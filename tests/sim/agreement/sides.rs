//! The two worlds side by side: the same calls, the same time, and answers in the same words.

mod told;

use std::{sync::Arc, time::Duration};

use aws_sdk_cloudwatch::types::StateValue;
use groundcrew::{
    aws::accounts::{Connector as _, Ports, Role, Target},
    facts::{cloudwatch::AlarmState, lambda::Invocation},
};
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
        let (account, there) = runtime.block_on(async {
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
            (account, ports)
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
        };
        sides.function_returns(Some(200));
        sides
    }

    /// Makes the call in both; what the simulated world answers comes first.
    pub fn answers(&mut self, call: &Call) -> (Answer, Answer) {
        let here = self.simulated.block_on(self.seen_here.ask(&self.here, call));
        self.follow();
        self.withhold_from(call);
        let there = self.runtime.block_on(self.seen_there.ask(&self.there, call));
        (here, there)
    }

    /// Sets the stand-in's clock to the time of the simulated world.
    fn follow(&self) {
        let now = self.simulated.block_on(async { self.world.lock().now() });
        let since = now.duration_since(epoch()).as_secs_f64();
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
                self.world.lock().cloudwatch.alarms.insert(name, state);
                let state = match state {
                    AlarmState::Ok => StateValue::Ok,
                    AlarmState::Alarm => StateValue::Alarm,
                    AlarmState::InsufficientData => StateValue::InsufficientData,
                };
                self.runtime.block_on(self.account.set_alarm(name, state));
            }
            Event::Withhold(withheld) => {
                self.world.lock().cloudwatch.withheld = withheld.then_some("Errors");
                self.withheld = withheld;
            }
            Event::Database(runs) => self.database_runs(runs),
        }
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
