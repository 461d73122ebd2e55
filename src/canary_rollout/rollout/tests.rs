use super::*;
use crate::{
    api::canary_rollout::{FunctionAlias, Release as RawRelease},
    canary_rollout::world::{approve, judged_by_errors, usual_steps, weight},
};
use proptest::prelude::*;

fn plain(percent: i32) -> Step {
    Step::Weight { percent, hold: Duration::ZERO, min_invocations: None, max_wait: None }
}

fn spec() -> CanaryRolloutSpec {
    CanaryRolloutSpec {
        function: FunctionAlias { name: "flightdata-processor".into(), alias: "production".into() },
        release: RawRelease { version: Some("43".into()), ..RawRelease::default() },
        steps: Some(usual_steps().to_api()),
        ..CanaryRolloutSpec::default()
    }
}

/// Parses the steps; `expected` is the error.
#[track_caller]
fn check_steps(raw: Vec<RawStep>, expected: Option<&str>) {
    let parsed = Rollout::parse(&CanaryRolloutSpec { steps: Some(raw), ..spec() });
    let error = parsed.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), expected);
}

#[test]
fn a_spec_is_parsed_into_what_it_asks_for() {
    let rollout = Rollout::parse(&spec()).unwrap();
    assert_eq!(
        (rollout.function.as_str(), rollout.alias.as_str()),
        ("flightdata-processor", "production")
    );
    assert_eq!(rollout.release.source, Source::Version("43".into()));
    assert_eq!((rollout.steps, rollout.bake), (usual_steps(), Duration::ZERO));
    assert_eq!(rollout.on_failure, OnFailure::Rollback);
    let held = CanaryRolloutSpec {
        bake: Some("30m".parse().unwrap()),
        on_failure: Some(OnFailure::Hold),
        ..spec()
    };
    let rollout = Rollout::parse(&held).unwrap();
    assert_eq!((rollout.bake.as_secs(), rollout.on_failure), (1_800, OnFailure::Hold));
}

#[test]
fn a_release_is_the_number_of_a_published_version() {
    for version in ["", "0", "043", "$LATEST", "4.3", "-1"] {
        let release = RawRelease { version: Some(version.into()), ..RawRelease::default() };
        let error = Rollout::parse(&CanaryRolloutSpec { release, ..spec() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "spec.release.version must be the number of a published version",
            "{version:?}"
        );
    }
}

#[test]
fn a_release_has_exactly_one_form_that_says_what_it_holds() {
    let parse = |release: &str| {
        let release = serde_yaml::from_str(release).unwrap();
        Rollout::parse(&CanaryRolloutSpec { release, ..spec() }).map(|it| it.release.source)
    };
    let digest = "0".repeat(64);
    let image = format!("r/p@sha256:{digest}");
    assert_eq!(parse("{latest: true}").unwrap(), Source::Latest);
    assert!(matches!(parse(&format!("{{image: {{uri: '{image}'}}}}")), Ok(Source::Code(_))));
    assert!(matches!(parse("{s3: {bucket: b, key: k, objectVersion: v}}"), Ok(Source::Code(_))));
    assert!(matches!(parse("{s3: {bucket: b, key: k}, codeSha256: x}"), Ok(Source::Code(_))));
    for (wrong, says) in [
        ("{}", "spec.release must be one of version, latest: true, image and s3"),
        ("{latest: false}", "spec.release must be one of version, latest: true, image and s3"),
        (
            "{latest: true, version: '4'}",
            "spec.release must be one of version, latest: true, image and s3",
        ),
        (
            "{image: {uri: 'r/p:v1'}}",
            "spec.release.image.uri must be an image by its sha256 digest",
        ),
        (
            "{s3: {bucket: b, key: k}}",
            "spec.release.s3.objectVersion must be given, or release.codeSha256 in its place",
        ),
    ] {
        assert_eq!(parse(wrong).unwrap_err().to_string(), says, "{wrong}");
    }
}

#[test]
fn settings_are_for_what_is_published_and_in_lambdas_bounds() {
    let parse = |release: &str, configuration: &str| {
        let release = serde_yaml::from_str(release).unwrap();
        let configuration = Some(serde_yaml::from_str(configuration).unwrap());
        let spec = CanaryRolloutSpec { release, configuration, ..spec() };
        Rollout::parse(&spec).map(|it| it.release.settings).map_err(|error| error.to_string())
    };
    let settings = parse("{latest: true}", "{memorySize: 512, timeout: 15m}").unwrap();
    assert_eq!((settings.memory_mb, settings.timeout_secs), (Some(512), Some(900)));
    let says = Err("spec.configuration must be absent beside release.version".to_owned());
    assert_eq!(parse("{version: '4'}", "{memorySize: 512}"), says);
    for memory in ["127", "10241", "-1"] {
        let says = Err("spec.configuration.memorySize must be 128 to 10240".to_owned());
        assert_eq!(parse("{latest: true}", &format!("{{memorySize: {memory}}}")), says);
    }
    for timeout in ["0s", "901s"] {
        let says = Err("spec.configuration.timeout must be 1s to 15m".to_owned());
        assert_eq!(parse("{latest: true}", &format!("{{timeout: {timeout}}}")), says);
    }
}

#[test]
fn a_container_image_brings_its_own_runtime() {
    let parse = |configuration: &str| {
        let digest = "0".repeat(64);
        let release = format!("{{image: {{uri: 'r/processor@sha256:{digest}'}}}}");
        let release = serde_yaml::from_str(&release).unwrap();
        let configuration = Some(serde_yaml::from_str(configuration).unwrap());
        let spec = CanaryRolloutSpec { release, configuration, ..spec() };
        Rollout::parse(&spec).err().map(|error| error.to_string())
    };
    assert_eq!(parse("{memorySize: 512}"), None);
    let says =
        "spec.configuration.runtime must be absent beside release.image, which brings its own";
    assert_eq!(parse("{memorySize: 512, runtime: python3.13}").as_deref(), Some(says));
}

#[test]
fn a_step_waits_until_there_can_be_data() {
    let says = "spec.steps[0].maxWait must be at least 2m longer than analysis.settle, which is 2m by default";
    let check = |analysis: Option<&str>, least: Option<i32>, wait: &str, expected: Option<&str>| {
        let step = RawStep {
            min_invocations: least,
            max_wait: Some(wait.parse().unwrap()),
            ..weight(10, "0s")
        };
        let analysis = analysis.map(|text| serde_yaml::from_str(text).unwrap());
        let parsed =
            Rollout::parse(&CanaryRolloutSpec { steps: Some(vec![step]), analysis, ..spec() });
        let error = parsed.err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected, "{wait}");
    };
    let metrics = "metrics: [{name: errors, builtin: Errors, max: '5'}]";
    let settled = format!("{{settle: 5m, {metrics}}}");
    check(Some(metrics), None, "4m", None);
    check(Some(metrics), None, "239s", Some(says));
    check(Some(&settled), None, "7m", None);
    check(Some(&settled), None, "419s", Some(says));
    check(None, Some(1), "239s", Some(says));
    check(None, Some(1), "4m", None);
    // Nothing that is awaited is late.
    check(None, None, "1s", None);
    check(Some("alarms: {names: [red]}"), None, "1s", None);
}

#[test]
fn a_smoke_test_sends_json_and_takes_a_minute_at_most() {
    let smoke = |payload: &str, longest: Option<&str>| {
        let smoke = RawSmoke {
            payload: Some(payload.to_owned()),
            max_duration: longest.map(|text| text.parse().unwrap()),
            ..RawSmoke::default()
        };
        RawStep { smoke: Some(smoke), ..RawStep::default() }
    };
    check_steps(vec![smoke("{\"path\":\"/health\"}", Some("60s")), weight(10, "0s")], None);
    check_steps(vec![smoke("7", None)], None);
    check_steps(vec![smoke("{", None)], Some("spec.steps[0].smoke.payload must be JSON"));
    for longest in ["0s", "61s"] {
        let says = "spec.steps[0].smoke.maxDuration must be 1s to 60s";
        check_steps(vec![smoke("{}", Some(longest))], Some(says));
    }
    let large = format!("\"{}\"", "x".repeat(PAYLOADS_MAX / 2));
    let says =
        "spec.steps must be steps whose smoke payloads are at most 65536 characters together";
    check_steps(vec![smoke(&large, None), smoke(&large, None)], Some(says));
}

#[test]
fn steps_and_preset_are_given_one_at_a_time() {
    let says = "spec.steps must be given, or spec.preset, but not both";
    let both = CanaryRolloutSpec { preset: Some(Preset::AllAtOnce), ..spec() };
    let neither = CanaryRolloutSpec { steps: None, ..spec() };
    for spec in [both, neither] {
        assert_eq!(Rollout::parse(&spec).unwrap_err().to_string(), says);
    }
}

#[test]
fn a_step_is_a_weight_with_its_hold_or_an_approval() {
    let says = Some("spec.steps[0] must be a weight with its hold, or an approve, or a smoke test");
    let word = || approve("", None, OnTimeout::Abort);
    check_steps(vec![RawStep::default()], says);
    check_steps(vec![RawStep { weight: Some(10), ..word() }], says);
    check_steps(vec![RawStep { hold: Some(Duration::ZERO), ..word() }], says);
    check_steps(vec![RawStep { hold: Some(Duration::ZERO), ..RawStep::default() }], says);
    check_steps(vec![weight(10, "0s"), word()], None);
}

#[test]
fn weights_are_1_to_99_and_rise_over_approvals_too() {
    for wrong in [-1, 0, 100] {
        let says = "spec.steps[0].weight must be 1 to 99; 100 is implied";
        check_steps(vec![weight(wrong, "0s")], Some(says));
    }
    check_steps(vec![weight(1, "0s"), weight(99, "0s")], None);
    let says = "spec.steps[2].weight must be more than the weight before it";
    for second in [10, 9] {
        let raw = vec![weight(10, "0s"), approve("", None, OnTimeout::Abort), weight(second, "0s")];
        check_steps(raw, Some(says));
    }
}

#[test]
fn all_holds_together_last_a_week_at_most() {
    check_steps(vec![weight(10, "84h"), weight(20, "84h")], None);
    let says = "spec.steps must be steps whose holds are at most 168h together";
    check_steps(vec![weight(10, "84h"), weight(20, "84h1s")], Some(says));
    let most = "9999w9999d99999h999999m9999999s";
    check_steps((1..=32).map(|percent| weight(percent, most)).collect(), Some(says));
}

#[test]
fn there_are_32_steps_at_most() {
    let many = |count| (1..=count).map(|percent| weight(percent, "0s")).collect();
    check_steps(many(32), None);
    check_steps(many(33), Some("spec.steps must be at most 32 steps"));
}

#[test]
fn a_preset_is_the_steps_that_its_name_says() {
    let steps = |preset| {
        let spec = CanaryRolloutSpec { steps: None, preset: Some(preset), ..spec() };
        let steps = Rollout::parse(&spec).unwrap().steps.to_api();
        steps.iter().map(|s| (s.weight.unwrap(), s.hold.unwrap().to_string())).collect::<Vec<_>>()
    };
    let canary = |hold: &str| vec![(10, hold.to_owned())];
    let linear = |hold: &str| (1..=9).map(|n| (n * 10, hold.to_owned())).collect::<Vec<_>>();
    assert_eq!(steps(Preset::Canary10Percent5Minutes), canary("5m"));
    assert_eq!(steps(Preset::Canary10Percent10Minutes), canary("10m"));
    assert_eq!(steps(Preset::Canary10Percent15Minutes), canary("15m"));
    assert_eq!(steps(Preset::Canary10Percent30Minutes), canary("30m"));
    assert_eq!(steps(Preset::Linear10PercentEvery1Minute), linear("1m"));
    assert_eq!(steps(Preset::Linear10PercentEvery2Minutes), linear("2m"));
    assert_eq!(steps(Preset::Linear10PercentEvery3Minutes), linear("3m"));
    assert_eq!(steps(Preset::Linear10PercentEvery10Minutes), linear("10m"));
    assert_eq!(steps(Preset::AllAtOnce), []);
}

#[test]
fn what_is_left_out_has_its_default() {
    let raw = [
        RawStep { weight: Some(10), ..RawStep::default() },
        RawStep { approve: Some(Approve::default()), ..RawStep::default() },
    ];
    let steps = Steps::parse(&raw, "steps").unwrap();
    assert_eq!(steps.get(0), Some(&plain(10)));
    let word =
        Step::Approve { message: String::new(), timeout: None, on_timeout: OnTimeout::Abort };
    assert_eq!(steps.get(1), Some(&word));
    assert_eq!((steps.get(2), steps.len(), steps.is_empty()), (None, 2, false));
}

#[test]
fn a_weight_lasts_until_the_next_one() {
    let steps = usual_steps();
    assert_eq!([0, 1, 2, 3, usize::MAX].map(|i| steps.weight_at(i)), [10, 10, 50, 50, 50]);
    assert_eq!([0, 1, 2, 3].map(|i| steps.weight_before(i)), [0, 10, 10, 50]);
    assert_eq!((Steps::default().weight_at(0), Steps::default().weight_before(0)), (0, 0));
}

prop_compose! {
    fn raw_steps()(
        raw in prop::collection::vec(
            (prop::option::of(-5_i32..120), prop::option::of(0_u64..200_000), any::<bool>()),
            0..35,
        )
    ) -> Vec<RawStep> {
        raw.into_iter()
            .map(|(weight, hold, approve)| RawStep {
                weight,
                hold: hold.map(Duration::from_secs),
                approve: approve.then(Approve::default),
                ..RawStep::default()
            })
            .collect()
    }
}

proptest! {
    #[test]
    fn any_steps_are_parsed_or_refused_and_what_is_parsed_is_stored_faithfully(raw in raw_steps()) {
        if let Ok(steps) = Steps::parse(&raw, "steps") {
            prop_assert_eq!(Steps::parse(&steps.to_api(), "steps"), Ok(steps));
        }
    }

    #[test]
    fn rising_weights_are_parsed(count in 0_usize..=32, hold in 0_u64..=18_900) {
        let raw: Vec<_> = (1..).take(count).map(|percent| RawStep {
            weight: Some(percent),
            hold: Some(Duration::from_secs(hold)),
            ..RawStep::default()
        }).collect();
        let steps = Steps::parse(&raw, "steps");
        prop_assert_eq!(steps.map(|steps| steps.to_api()), Ok(raw));
    }
}

#[test]
fn metrics_need_a_time_at_which_they_are_looked_at() {
    let judged = |preset, bake: Option<&str>| {
        let analysis = Some(judged_by_errors("5%"));
        let bake = bake.map(|text| text.parse().unwrap());
        let spec =
            CanaryRolloutSpec { preset: Some(preset), steps: None, analysis, bake, ..spec() };
        Rollout::parse(&spec).map(|_| ()).map_err(|invalid| invalid.field)
    };
    let nothing = Err("analysis.metrics".to_owned());
    assert_eq!(judged(Preset::AllAtOnce, None), nothing);
    assert_eq!(judged(Preset::AllAtOnce, Some("0s")), nothing);
    assert_eq!(judged(Preset::AllAtOnce, Some("10m")), Ok(()));
    assert_eq!(judged(Preset::Canary10Percent5Minutes, None), Ok(()));
}

#[test]
fn what_is_absent_deletes_nothing_and_hurries_nothing() {
    let rollout = Rollout::parse(&spec()).unwrap();
    assert_eq!((rollout.keep_versions, rollout.rollback_window), (None, 0));
}
