//! What is there before the first call, in both worlds.

use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_lambda::types::{Architecture, FunctionCode, PackageType, Runtime};
use groundcrew::facts::cloudwatch::AlarmState;
use serde_json::json;

use super::calls::{ALARMS, CODES, COMPOSITE, COMPOSITE_RULE};
use crate::{
    harness::{
        REGION,
        aws::{Account, StandIn, zip},
        epoch,
    },
    world::{
        ALIAS, FUNCTION, State,
        databases::{INSTANCE, TABLE},
        functions::Functions,
        lambda::Lambda,
    },
};

/// Invocations and errors a minute of versions that are called.
pub const TRAFFIC: [(&str, f64, f64); 2] = [("1", 100.0, 1.0), ("2", 50.0, 0.0)];
/// Minutes before the start in which they are called.
pub const TRAFFIC_MINUTES: i64 = 30;
/// How long the world's updates and moves take in the stand-in, in seconds. All calls come at
/// multiples of 20 ms, so a little less is the same; just as much would be a matter of rounding.
/// Moves take 1.2 s more, as ten environments come up.
const DELAYS: [(&str, f64); 3] = [("update", 7.99), ("publish", 7.99), ("provisioned", 88.79)];
/// Fewer mute rules than there are batches, where alarms are silenced.
const RULES: usize = 2;
/// More versions than a page of ListVersionsByFunction holds.
const MANY: usize = 60;

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Four versions; the alias serves the first.
    Plain,
    /// The same without an alias.
    WithoutAlias,
    /// The alias has provisioned concurrency.
    Provisioned,
    /// The function is an image.
    Image,
    /// Version 3 has another execution role.
    OddRole,
    /// More than a page of versions.
    Many,
    /// The same as the first; mostly alarms are silenced.
    Silences,
}

impl Opening {
    /// Each has its share of the seeds.
    pub fn of(seed: u64) -> Self {
        match seed % 15 {
            0 | 3 | 6 | 9 => Self::Provisioned,
            1 | 8 => Self::WithoutAlias,
            2 | 7 => Self::Image,
            4 => Self::OddRole,
            5 => Self::Many,
            11 | 13 => Self::Silences,
            _ => Self::Plain,
        }
    }

    fn versions(self) -> usize {
        if self == Self::Many { MANY } else { 4 }
    }

    /// Makes it in the simulated world.
    pub fn set(self, state: &mut State) {
        state.lambda = Lambda::serving(1, Functions::numbered(1..=self.versions() as u64));
        let lambda = &mut state.lambda;
        match self {
            Self::Plain | Self::Many | Self::Silences => {}
            Self::WithoutAlias => lambda.without_alias(),
            Self::Provisioned => lambda.provision(false),
            Self::Image => lambda.functions.become_image(),
            Self::OddRole => lambda.functions.odd_role = Some("3"),
        }
        let alarms = &mut state.cloudwatch.alarms;
        ALARMS.iter().for_each(|name| alarms.insert(name, AlarmState::Ok));
        alarms.insert_composite(COMPOSITE, COMPOSITE_RULE);
        alarms.rules_max = (self == Self::Silences).then_some(RULES);
        for (version, invocations, errors) in TRAFFIC {
            state.cloudwatch.traffic.insert(version, (invocations, errors));
        }
    }

    /// Makes it in the stand-in.
    pub async fn make(self, account: &Account, stand_in: &StandIn) {
        let mut limits = json!({"account": account.number, "off": true});
        if self == Self::Silences {
            limits["maxMuteRules"] = json!(RULES);
        }
        stand_in.control("POST", "limits", Some(limits)).await;
        self.function(account).await;
        if self != Self::WithoutAlias {
            let create = account.lambda.create_alias().function_name(FUNCTION).name(ALIAS);
            let create = create.function_version("1").description("live traffic");
            create.send().await.expect("an alias");
        }
        if self == Self::Provisioned {
            let put = account.lambda.put_provisioned_concurrency_config().function_name(FUNCTION);
            let put = put.qualifier(ALIAS).provisioned_concurrent_executions(10);
            put.send().await.expect("provisioned concurrency");
            // Whoever looks first ends what is due.
            let get = account.lambda.get_function().function_name(FUNCTION);
            get.send().await.expect("a function");
        }
        let mut delays = json!({"account": account.number});
        DELAYS.iter().for_each(|(what, seconds)| delays[what] = json!(seconds));
        stand_in.control("POST", "delays", Some(delays)).await;
        for key in CODES {
            account.put_archive(&bucket(&account.number), key, &format!("archive {key}")).await;
        }
        for name in ALARMS {
            account.alarm(name).await;
        }
        let put = account.cloudwatch.put_composite_alarm().alarm_name(COMPOSITE);
        put.alarm_rule(COMPOSITE_RULE).send().await.expect("a composite alarm");
        account.set_alarm(COMPOSITE, StateValue::Ok).await;
        traffic(account, stand_in).await;
        account.database(INSTANCE).await;
        account.table(TABLE).await;
    }

    async fn function(self, account: &Account) {
        let role = |name: &str| format!("arn:aws:iam::{}:role/{name}", account.number);
        let create = account.lambda.create_function().function_name(FUNCTION).timeout(30);
        let create = create.role(role("function")).architectures(Architecture::Arm64);
        let code = FunctionCode::builder();
        let create = if self == Self::Image {
            create.package_type(PackageType::Image).code(code.image_uri(image(&digest(1))).build())
        } else {
            create
                .runtime(Runtime::Python313)
                .handler("app.run")
                .code(code.zip_file(zip("release 1")).build())
        };
        create.send().await.expect("a function");
        for number in 1..=self.versions() {
            if number > 1 {
                let update = account.lambda.update_function_code().function_name(FUNCTION);
                let update = if self == Self::Image {
                    update.image_uri(image(&digest(number)))
                } else {
                    update.zip_file(zip(&format!("release {number}")))
                };
                update.send().await.expect("new code");
            }
            if self == Self::OddRole && (number == 3 || number == 4) {
                let name = if number == 3 { "other" } else { "function" };
                let update = account.lambda.update_function_configuration();
                let update = update.function_name(FUNCTION).role(role(name));
                update.send().await.expect("another role");
            }
            let publish = account.lambda.publish_version().function_name(FUNCTION);
            let published = publish.send().await.expect("a version");
            assert_eq!(published.version, Some(number.to_string()));
        }
    }
}

/// A digest of its own for each version.
fn digest(number: usize) -> String {
    format!("{number:064x}")
}

/// Where the archives of an account are: names of buckets are nobody else's.
pub fn bucket(account: &str) -> String {
    format!("artifacts-{account}")
}

/// URI of an image.
pub fn image(digest: &str) -> String {
    format!("123456789012.dkr.ecr.{REGION}.amazonaws.com/processor@sha256:{digest}")
}

async fn traffic(account: &Account, stand_in: &StandIn) {
    let start = epoch().as_second();
    for (version, invocations, errors) in TRAFFIC {
        for (name, value) in [("Invocations", invocations), ("Errors", errors)] {
            let minutes = (1..=TRAFFIC_MINUTES).rev();
            let points = minutes.map(|m| json!({"time": start - 60 * m, "value": value}));
            let body = json!({
                "account": account.number, "region": REGION,
                "namespace": "AWS/Lambda", "name": name,
                "dimensions": {
                    "FunctionName": FUNCTION,
                    "Resource": format!("{FUNCTION}:{ALIAS}"),
                    "ExecutedVersion": version,
                },
                "points": points.collect::<Vec<_>>(),
            });
            stand_in.control("POST", "metrics", Some(body)).await;
        }
    }
}
