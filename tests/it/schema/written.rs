//! What contradicts itself, what may not change, and what is right.

use groundcrew::api::canary_rollout::Preset;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{Case, KINDS, ROLLOUT, WINDOW, full, preset, published};
use crate::harness::run;

/// The dimensions of a metric of one's own.
const DIMENSIONS: &str = "/analysis/metrics/2/metric/dimensions";

pub(super) fn with(pointer: &str, value: Value) -> Value {
    let mut spec = full();
    *spec.pointer_mut(pointer).unwrap() = value;
    spec
}

#[test]
fn what_contradicts_itself_is_refused_with_the_fix() {
    let mut both = full();
    both["preset"] = json!("AllAtOnce");
    let mut neither = preset();
    neither.as_object_mut().unwrap().remove("preset");
    let steps = |steps: Value| with("/steps", steps);
    let sum = "all holds together must be at most 168h";
    let mut unjudged = preset();
    unjudged["preset"] = json!("AllAtOnce");
    let fields = unjudged.as_object_mut().unwrap();
    fields.retain(|name, _| name != "bake" && name != "postChecks");
    let nothing =
        "analysis.metrics would judge nothing: give a step with a weight, a bake or postChecks";
    let weight_only = "hold, minInvocations and maxWait belong to a step with a weight";
    let one = "a step has exactly one of weight, approve and smoke";
    let form = "give exactly one of version, latest, image and s3";
    let release = |release: Value| with("/release", release);
    let digest = "0".repeat(64);
    let cases = [
        (both, "give exactly one of steps and preset"),
        (neither, "give exactly one of steps and preset"),
        (unjudged, nothing),
        (steps(json!([{"weight": 50}, {"weight": 10}])), "weights must rise from step to step"),
        (steps(json!([{"weight": 10}, {"weight": 10}])), "weights must rise from step to step"),
        (steps(json!([{"weight": 10, "approve": {}}])), one),
        (steps(json!([{}])), one),
        (steps(json!([{"hold": "5m"}])), one),
        (steps(json!([{"approve": {}, "hold": "5m"}])), weight_only),
        (steps(json!([{"approve": {}, "minInvocations": 5}])), weight_only),
        (steps(json!([{"approve": {}, "maxWait": "5m"}])), weight_only),
        (
            steps(json!([{"weight": 10, "hold": "5m", "maxWait": "4m"}])),
            "maxWait counts from the start of the step: it must be at least as long as hold",
        ),
        (steps(json!([{"weight": 10, "maxWait": "169h"}])), "maxWait must be at most 168h"),
        (with("/bake", json!("169h")), "bake must be at most 168h"),
        (steps(json!([{"weight": 10, "hold": "100h"}, {"weight": 20, "hold": "69h"}])), sum),
        (steps(json!([{"weight": 10, "hold": "9999w"}])), sum),
        (steps(json!([{"smoke": {}, "hold": "5m"}])), weight_only),
        (steps(json!([{"smoke": {}, "approve": {}}])), one),
        (steps(json!([{"smoke": {"maxDuration": "61s"}}])), "maxDuration must be 1s to 60s"),
        (
            steps(
                json!([{"smoke": {"payload": "1".repeat(40_000)}}, {"smoke": {"payload": "1".repeat(40_000)}}]),
            ),
            "all smoke payloads together must be at most 65536 characters",
        ),
        (release(json!({})), form),
        (release(json!({"version": "2", "latest": true})), form),
        (release(json!({"latest": false})), "latest can only be true"),
        (release(json!({"s3": {"bucket": "artifacts", "key": "a.zip"}})), "s3 needs objectVersion"),
        (release(json!({"image": {"uri": "r/processor:v1"}})), "give the image by digest"),
        (
            release(json!({"image": {"uri": format!("r/processor:v1@sha256:{digest}")}})),
            "give the image by digest, without a tag",
        ),
        (
            published(json!({"version": "2"})),
            "configuration is put in force before publishing: it needs",
        ),
        (with("/function/alias", json!("42")), "an alias is not a number"),
    ];
    let cases =
        cases.map(|(spec, told)| Case { what: spec.to_string(), spec, told: told.to_owned() });
    run(ROLLOUT.refuses(cases.into()));
}

#[test]
fn what_can_only_fail_is_refused_with_the_fix() {
    let digest = "0".repeat(64);
    let image = json!({"image": {"uri": format!("r/processor@sha256:{digest}")}});
    let mut image_with_runtime = published(image);
    image_with_runtime["configuration"]["runtime"] = json!("python3.13");
    let dimensions = |name: String| with(DIMENSIONS, json!({ name: "orders" }));
    let mut settled = with("/analysis/settle", json!("1h"));
    settled["steps"][0]["maxWait"] = json!("61m");
    let cases = [
        (with("/steps/1/approve/timeout", json!("59s")), "approve.timeout must be 1m to 4w"),
        (with("/steps/1/approve/timeout", json!("673h")), "approve.timeout must be 1m to 4w"),
        (
            with("/steps", json!([{"weight": 10, "maxWait": "239s"}])),
            "maxWait ends before there can be any data",
        ),
        (settled, "maxWait ends before there can be any data"),
        (dimensions("n".repeat(256)), "names of dimensions have 1 to 255 characters"),
        (dimensions(String::new()), "names of dimensions have 1 to 255 characters"),
        (image_with_runtime, "a container image brings its own runtime"),
    ];
    let cases =
        cases.map(|(spec, told)| Case { what: spec.to_string(), spec, told: told.to_owned() });
    run(ROLLOUT.refuses(cases.into()));
}

#[test]
fn a_check_that_contradicts_itself_is_refused_with_the_fix() {
    let one = "a check has exactly one of alarms, http, metric, lambda, dynamodb, rds and job";
    let timeout = "timeout must be 1s to 5m";
    let some = "give names, namePrefixes or both, or all: true";
    let either = "give exactly one of metricName and expression";
    let period = "period must be whole minutes, 1m to 24h";
    let table = json!({"table": "topology"});
    let query = json!({"id": "e", "namespace": "N", "metricName": "M", "statistic": "Sum"});
    let metric = |change: Value| {
        let mut metric = json!({"namespace": "N", "metricName": "M", "statistic": "Sum",
            "period": "5m", "max": "1"});
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                metric.as_object_mut().unwrap().remove(name);
            } else {
                metric[name] = value.clone();
            }
        }
        json!({"metric": metric})
    };
    let cases = [
        (json!({}), one),
        (json!({"dynamodb": table, "rds": {"instance": "a"}}), one),
        (json!({"dynamodb": table, "timeout": "301s"}), timeout),
        (json!({"dynamodb": table, "timeout": "0s"}), timeout),
        (json!({"alarms": {}}), some),
        (json!({"alarms": {"all": true, "names": ["a"]}}), some),
        (json!({"alarms": {"all": false}}), "all is true or left out"),
        (
            json!({"alarms": {"names": ["a"], "excludePrefixes": ["b"]}}),
            "excludePrefixes takes alarms out of namePrefixes or all",
        ),
        (json!({"http": {"url": "https://user@a.com/"}}), "spec.checks[0].http.url"),
        (json!({"http": {"url": "ftp://a.com/"}}), "spec.checks[0].http.url"),
        (json!({"http": {"url": "https://"}}), "spec.checks[0].http.url"),
        (
            json!({"lambda": {"function": "a", "invoke": {"maxDuration": "61s"}}}),
            "maxDuration must be 1s to 60s",
        ),
        (json!({"rds": {}}), "give exactly one of instance and cluster"),
        (json!({"job": {"fromCronJob": "Smoke"}}), "spec.checks[0].job.fromCronJob"),
        (json!({"job": {"fromCronJob": "a"}, "timeout": "7h"}), timeout),
        (json!({"job": {"fromCronJob": "a"}, "region": "eu-west-1"}), "a job has no region"),
        (json!({"rds": {"instance": "a", "cluster": "b"}}), "give exactly one of instance"),
        (metric(json!({"expression": "e", "queries": [query]})), either),
        (metric(json!({"statistic": null})), "namespace, metricName and statistic belong together"),
        (
            metric(json!({"namespace": null, "metricName": null, "statistic": null,
                "expression": "e"})),
            "an expression needs queries, and queries an expression",
        ),
        (metric(json!({"max": null})), "give a limit: max, min or both"),
        (metric(json!({"max": "101%"})), "a percentage is at most 100%"),
        (metric(json!({"period": "90s"})), period),
        (metric(json!({"period": "25h"})), period),
        (metric(json!({"period": "30s"})), period),
    ];
    let cases = cases.map(|(mut check, told)| {
        check["name"] = json!("c");
        let spec = with("/checks", json!([check]));
        Case { what: check.to_string(), spec, told: told.to_owned() }
    });
    run(ROLLOUT.refuses(cases.into()));
}

#[test]
fn an_analysis_that_contradicts_itself_is_refused_with_the_fix() {
    let custom = json!({"namespace": "Shop", "metricName": "Lag", "statistic": "Sum"});
    let (window, settle) = ("window must be 1m to 24h", "settle must be at most 1h");
    let one = "a metric has exactly one of builtin and metric";
    let of_stable = "vsStable has exactly one of maxRatio and maxIncreasePoints";
    let (rate, time) = (
        "ErrorRate is a percentage: write limits like 5%",
        "durations have limits like 800ms or 2s",
    );
    let (count, percent) = ("counts have limits like 10", "a percentage is at most 100%");
    let builtin = |name: &str, limit: &str| json!({"name": "m", "builtin": name, "max": limit});
    let at_least = |name: &str, limit: &str| json!({"name": "m", "builtin": name, "min": limit});
    let versus = |name: &str, vs: Value| json!({"name": "m", "builtin": name, "vsStable": vs});
    let mut metrics = vec![
        (json!({"name": "m", "max": "5"}), one),
        (json!({"name": "m", "builtin": "Errors", "metric": custom, "max": "5"}), one),
        (json!({"name": "m", "builtin": "Errors"}), "give a limit: max, min or vsStable"),
        (
            json!({"name": "m", "metric": custom, "vsStable": {"maxRatio": "2"}}),
            "vsStable needs a builtin: only those are counted per version",
        ),
        (
            versus("DurationP99", json!({"maxIncreasePoints": "1%"})),
            "maxIncreasePoints compares rates: use it with ErrorRate",
        ),
        (versus("ErrorRate", json!({})), of_stable),
        (versus("ErrorRate", json!({"maxRatio": "2", "maxIncreasePoints": "1%"})), of_stable),
        (
            versus("ErrorRate", json!({"maxRatio": "2", "confidence": "95%"})),
            "confidence belongs to maxIncreasePoints",
        ),
        (builtin("ErrorRate", "100.1%"), percent),
        (at_least("ErrorRate", "101%"), percent),
        (json!({"name": "m", "builtin": "Errors", "max": "5", "window": "59s"}), window),
        (json!({"name": "m", "builtin": "Errors", "max": "5", "window": "25h"}), window),
    ];
    let units = [
        (&["ErrorRate"][..], &["5", "5ms", "5s"][..], rate),
        (&["DurationP50", "DurationP90", "DurationP95", "DurationP99"], &["5", "5%"], time),
        (&["DurationAverage", "DurationMaximum"], &["5", "5%"], time),
        (&["Errors", "Throttles", "Invocations"], &["5%", "5ms", "5s", "0.5"], count),
    ];
    for (names, limits, told) in units {
        let pairs = names.iter().flat_map(|name| limits.iter().map(move |limit| (name, limit)));
        for (name, limit) in pairs {
            metrics.push((builtin(name, limit), told));
            metrics.push((at_least(name, limit), told));
        }
    }
    let metrics = metrics.into_iter().map(|(metric, told)| (json!({"metrics": [metric]}), told));
    let twice = json!([builtin("Errors", "5"), builtin("Throttles", "5")]);
    let alarms = json!({"names": ["a"]});
    let others = [
        (json!({}), "give metrics, alarms, or both"),
        (json!({"alarms": {}}), "give names, namePrefixes, or both"),
        (json!({"alarms": {"alreadyFiring": "Ignore"}}), "give names, namePrefixes, or both"),
        (json!({"metrics": twice}), "Duplicate value"),
        (json!({"alarms": alarms, "interval": "59s"}), "interval must be 1m to 24h"),
        (json!({"alarms": alarms, "interval": "1441m"}), "interval must be 1m to 24h"),
        (json!({"alarms": alarms, "window": "59s"}), window),
        (json!({"alarms": alarms, "window": "25h"}), window),
        (json!({"alarms": alarms, "settle": "61m"}), settle),
    ];
    let cases = metrics.chain(others).map(|(analysis, told)| Case {
        what: analysis.to_string(),
        spec: with("/analysis", analysis),
        told: told.to_owned(),
    });
    run(ROLLOUT.refuses(cases.collect()));
}

#[test]
fn names_and_numbers_that_lambda_does_not_take_are_refused() {
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:processor";
    let cases = [
        ("/function/name", vec![arn, "processor:live", "a b", "ä"]),
        ("/function/alias", vec!["$LATEST", "a.b", "live "]),
        ("/release/version", vec!["0", "007", "abc", "$LATEST", "-1", "4.2", "99999999999"]),
        ("/release/codeSha256", vec!["A", "sha256:abc"]),
        ("/aws/region", vec!["EU-central-1", "eu-central", "eu central 1", "eu-central-1.evil"]),
        ("/aws/accountId", vec!["12345678901", "1234-5678-9012", "abcdefghijkl"]),
        ("/steps/0/hold", vec!["5", "5 m", "-5m", "1.5h", "30m1h", "PT5M", "5min"]),
        ("/steps/1/approve/timeout", vec!["soon", "24"]),
        ("/analysis/metrics/0/name", vec!["Errors", "a_b", "-a", "a-"]),
        ("/analysis/metrics/0/max", vec!["five", "-5%", "5 %", "5min", "1e3", ".5%"]),
        ("/analysis/metrics/0/vsStable/confidence", vec!["49%", "100%", "95", "99.95%"]),
        ("/analysis/metrics/1/vsStable/maxRatio", vec!["1.3x", "-1", "13%"]),
        ("/analysis/metrics/2/metric/statistic", vec!["p", "p100", "TM(2%:98%)", "average"]),
    ];
    let cases = cases.into_iter().flat_map(|(pointer, values)| {
        values.into_iter().map(move |value| Case {
            what: format!("{pointer}: {value}"),
            spec: with(pointer, json!(value)),
            told: ["0", "1", "2"]
                .iter()
                .fold(format!("spec{pointer}"), |told, index| {
                    told.replace(&format!("/{index}"), &format!("[{index}]"))
                })
                .replace('/', "."),
        })
    });
    run(ROLLOUT.refuses(cases.collect()));
}

#[test]
fn a_name_that_is_too_long_is_refused_with_the_limit() {
    run(async {
        for kind in KINDS {
            let spec = &(kind.all)()[0];
            kind.judge(&"n".repeat(52), spec).await.unwrap();
            let message = kind.judge(&"n".repeat(53), spec).await.unwrap_err();
            assert!(message.contains("metadata.name must be at most 52 characters"), "{message}");
        }
    });
}

#[test]
fn what_is_right_is_accepted_up_to_its_bounds() {
    run(async {
        let presets: [Preset; 9] = [
            Preset::Canary10Percent5Minutes,
            Preset::Canary10Percent10Minutes,
            Preset::Canary10Percent15Minutes,
            Preset::Canary10Percent30Minutes,
            Preset::Linear10PercentEvery1Minute,
            Preset::Linear10PercentEvery2Minutes,
            Preset::Linear10PercentEvery3Minutes,
            Preset::Linear10PercentEvery10Minutes,
            Preset::AllAtOnce,
        ];
        for name in presets {
            let mut spec = preset();
            spec["preset"] = json!(name);
            ROLLOUT.judge("preset", &spec).await.unwrap();
        }
        let most: Vec<Value> = (1..=32).map(|weight| json!({"weight": weight})).collect();
        let message = "m".repeat(256);
        for (pointer, value) in [
            ("/steps", json!(most)),
            ("/steps", json!([{"weight": 1, "hold": "1d"}, {"weight": 99, "hold": "6d"}])),
            ("/steps", json!([{"approve": {}}, {"weight": 5}, {"approve": {"message": message}}])),
            ("/release", json!({"version": "9999999999"})),
            ("/function/name", json!("f".repeat(64))),
            ("/function/alias", json!("a".repeat(128))),
            ("/aws/region", json!("us-gov-west-1")),
            ("/aws", json!({})),
            ("/bake", json!("168h")),
            ("/onFailure", json!("Hold")),
            ("/steps", json!([{"weight": 10, "hold": "5m", "maxWait": "5m"}])),
            ("/analysis", json!({"alarms": {"names": ["a".repeat(255)]}})),
            ("/analysis", json!({"metrics": [{"name": "m", "builtin": "Errors", "max": "0"}]})),
            ("/analysis/metrics/0/max", json!("100%")),
            ("/analysis/metrics/1/vsStable/maxRatio", json!("0.9")),
            ("/analysis/metrics/2/max", json!("7")),
            ("/analysis/window", json!("24h")),
            ("/analysis/settle", json!("1h")),
            ("/analysis/interval", json!("24h")),
            (DIMENSIONS, json!({ "n".repeat(255): "v".repeat(1024) })),
            ("/steps", json!([{"weight": 10, "maxWait": "4m"}])),
            ("/steps/1/approve/timeout", json!("4w")),
        ] {
            let judged = ROLLOUT.judge("good", &with(pointer, value)).await;
            assert_eq!(judged, Ok(()), "{pointer}");
        }
    });
}

#[test]
fn what_is_immutable_stays() {
    run(async {
        let function = "function is immutable: make a new CanaryRollout for another alias";
        let region = "aws.region is immutable: make a new";
        let same_region = [
            (json!({"aws": {"region": "us-east-1"}}), region),
            (json!({"aws": {"region": null}}), region),
            (json!({"aws": null}), region),
        ];
        let same_function = [
            (json!({"function": {"name": "other"}}), function),
            (json!({"function": {"alias": "other"}}), function),
        ];
        let of_rollouts = [&same_region[..], &same_function[..]].concat();
        for (kind, changes) in [(ROLLOUT, &of_rollouts[..]), (WINDOW, &same_region[..])] {
            let api = kind.api().await;
            let object = kind.object("immutable", &(kind.all)()[0]);
            api.create(&PostParams::default(), &object).await.unwrap();
            for (change, told) in changes {
                let dry = PatchParams { dry_run: true, ..PatchParams::default() };
                let patch = Patch::Merge(json!({"spec": change}));
                let refused = api.patch("immutable", &dry, &patch).await.unwrap_err();
                let kube::Error::Api(status) = refused else { panic!("{refused}") };
                assert!(status.message.contains(told), "{change}: {}", status.message);
            }
        }
    });
}

#[test]
fn what_nobody_has_looked_at_yet_is_not_taken_for_done() {
    run(async {
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        for kind in KINDS {
            let object = kind.object("new", &(kind.all)()[0]);
            let created = kind.api().await.create(&dry, &object).await.unwrap();
            // Tools that wait for objects take one without a status for done.
            assert_eq!(created.data["status"], json!({"observedGeneration": -1}));
        }
    });
}
