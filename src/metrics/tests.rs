use super::*;

/// The lines of a render that belong to one metric, without help and type.
fn series(metrics: &Metrics, name: &str) -> Vec<String> {
    let text = metrics.render();
    let own =
        |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
    text.lines().filter(own).map(str::to_owned).collect()
}

fn sample<'a>(
    name: &'a str,
    phase: &'static str,
    weight: i64,
    verdicts: &'a [(&'a str, &'static str)],
) -> RolloutSample<'a> {
    RolloutSample { namespace: "shop", name, phase, weight: Some(weight), verdicts }
}

#[test]
fn passes_are_counted_by_kind_and_result_and_timed_by_kind() {
    let metrics = Metrics::new();
    metrics.reconciled("CanaryRollout", "ok", Duration::from_millis(20));
    metrics.reconciled("CanaryRollout", "ok", Duration::from_millis(30));
    metrics.reconciled("CanaryRollout", "retry", Duration::from_secs(2));
    metrics.queue_depth("CanaryRollout", 7);
    let mut reconciles = series(&metrics, "groundcrew_reconciles_total");
    reconciles.sort();
    assert_eq!(
        reconciles,
        [
            r#"groundcrew_reconciles_total{kind="CanaryRollout",result="ok"} 2"#,
            r#"groundcrew_reconciles_total{kind="CanaryRollout",result="retry"} 1"#,
        ]
    );
    let text = metrics.render();
    for line in [
        r#"groundcrew_reconcile_duration_seconds_count{kind="CanaryRollout"} 3"#,
        r#"groundcrew_reconcile_duration_seconds_bucket{le="0.025",kind="CanaryRollout"} 1"#,
        r#"groundcrew_reconcile_duration_seconds_bucket{le="0.05",kind="CanaryRollout"} 2"#,
        r#"groundcrew_reconcile_queue_depth{kind="CanaryRollout"} 7"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
    }
}

#[test]
fn calls_to_aws_are_counted_by_result_and_timed_by_operation() {
    let metrics = Metrics::new();
    metrics.aws_call("lambda", "UpdateAlias", "ok", Duration::from_millis(90));
    metrics.aws_call("lambda", "UpdateAlias", "ThrottlingException", Duration::from_millis(5));
    metrics.aws_throttled("lambda", "123456789012", "eu-central-1");
    let text = metrics.render();
    for line in [
        r#"groundcrew_aws_calls_total{service="lambda",operation="UpdateAlias",result="ok"} 1"#,
        r#"groundcrew_aws_calls_total{service="lambda",operation="UpdateAlias",result="ThrottlingException"} 1"#,
        r#"groundcrew_aws_call_duration_seconds_count{service="lambda",operation="UpdateAlias"} 2"#,
        r#"groundcrew_aws_throttles_total{service="lambda",account="123456789012",region="eu-central-1"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
    }
}

#[test]
fn notices_are_counted_by_the_sort_of_their_channel_and_result() {
    let metrics = Metrics::new();
    metrics.noticed("slack", true);
    metrics.noticed("slack", false);
    metrics.noticed("slack", false);
    let mut notices = series(&metrics, "groundcrew_notices_total");
    notices.sort();
    assert_eq!(
        notices,
        [
            r#"groundcrew_notices_total{channel="slack",result="error"} 2"#,
            r#"groundcrew_notices_total{channel="slack",result="ok"} 1"#,
        ]
    );
}

#[test]
fn the_leader_gauge_follows_at_each_scrape() {
    let metrics = Metrics::new();
    assert_eq!(series(&metrics, "groundcrew_leader"), ["groundcrew_leader 0"]);
    let leads = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let asked = Arc::clone(&leads);
    metrics.leads_when(move || asked.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(series(&metrics, "groundcrew_leader"), ["groundcrew_leader 1"]);
    leads.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(series(&metrics, "groundcrew_leader"), ["groundcrew_leader 0"]);
}

#[test]
fn the_build_is_named() {
    let expected = format!(r#"groundcrew_build_info{{version="{}"}} 1"#, env!("CARGO_PKG_VERSION"));
    assert_eq!(series(&Metrics::new(), "groundcrew_build_info"), [expected]);
}

#[test]
fn a_rollout_shows_only_its_current_phase_and_verdicts() {
    let metrics = Metrics::new();
    let waiting = [("errors", "NoData"), ("p95", "Passed")];
    metrics.rollout(&sample("checkout", "Progressing", 10, &waiting));
    metrics.rollout(&sample("checkout", "Baking", 100, &[("errors", "Passed")]));
    assert_eq!(
        series(&metrics, "groundcrew_rollout_phase"),
        [r#"groundcrew_rollout_phase{namespace="shop",name="checkout",phase="Baking"} 1"#]
    );
    assert_eq!(
        series(&metrics, "groundcrew_rollout_weight"),
        [r#"groundcrew_rollout_weight{namespace="shop",name="checkout"} 100"#]
    );
    let verdict = r#"groundcrew_rollout_verdict{namespace="shop",name="checkout",metric="errors",verdict="Passed"} 1"#;
    assert_eq!(series(&metrics, "groundcrew_rollout_verdict"), [verdict]);
}

#[test]
fn outcomes_add_up_over_phases() {
    let metrics = Metrics::new();
    metrics.rollout_ended("shop", "checkout", "Promoted");
    metrics.rollout(&sample("checkout", "Progressing", 10, &[]));
    metrics.rollout_ended("shop", "checkout", "Promoted");
    metrics.rollout_ended("shop", "checkout", "RolledBack");
    assert_eq!(
        series(&metrics, "groundcrew_rollout_outcomes_total"),
        [
            r#"groundcrew_rollout_outcomes_total{namespace="shop",name="checkout",outcome="Promoted"} 2"#,
            r#"groundcrew_rollout_outcomes_total{namespace="shop",name="checkout",outcome="RolledBack"} 1"#,
        ]
    );
}

#[test]
fn a_forgotten_rollout_leaves_no_series() {
    let metrics = Metrics::new();
    metrics.rollout(&sample("checkout", "Progressing", 10, &[("errors", "Passed")]));
    metrics.rollout_ended("shop", "checkout", "Promoted");
    metrics.rollout(&sample("search", "Healthy", 0, &[]));
    metrics.forget_rollout("shop", "checkout");
    metrics.forget_rollout("shop", "never-seen");
    let text = metrics.render();
    assert!(!text.contains("checkout"), "{text}");
    assert!(text.contains(r#"name="search""#), "{text}");
}

#[test]
fn labels_from_outside_cannot_forge_series_or_grow_without_end() {
    let metrics = Metrics::new();
    let hostile = "x\"} 1\ngroundcrew_leader 1\n\\";
    metrics.aws_call("lambda", "Invoke", hostile, Duration::ZERO);
    metrics.aws_call("lambda", "Invoke", "", Duration::ZERO);
    metrics.aws_throttled("lambda", &"9".repeat(10_000), hostile);
    metrics.rollout(&sample(hostile, "Progressing", 1, &[(hostile, "Passed")]));
    let text = metrics.render();
    assert_eq!(series(&metrics, "groundcrew_leader"), ["groundcrew_leader 0"]);
    assert!(text.contains(r#"result="x\"} 1groundcrew_leader 1\\""#), "{text}");
    assert!(text.contains(r#"result="unknown""#), "{text}");
    assert!(text.contains(&format!("account=\"{}\"", "9".repeat(LABEL_MAX))), "{text}");

    for code in 0..SERIES_MAX + 50 {
        metrics.aws_call("lambda", "Invoke", &format!("Code{code}"), Duration::ZERO);
        metrics.aws_throttled("lambda", &code.to_string(), "eu-central-1");
    }
    // One more than the bound: the series that stands for all others.
    assert_eq!(series(&metrics, "groundcrew_aws_calls_total").len(), SERIES_MAX + 1);
    assert_eq!(series(&metrics, "groundcrew_aws_throttles_total").len(), SERIES_MAX + 1);
    let other =
        r#"groundcrew_aws_calls_total{service="lambda",operation="Invoke",result="other"} 52"#;
    assert!(metrics.render().contains(other));
    // A known series goes on counting.
    metrics.aws_call("lambda", "Invoke", "Code0", Duration::ZERO);
    assert!(metrics.render().contains(r#"result="Code0"} 2"#));
}

#[test]
fn the_text_is_complete_openmetrics() {
    let metrics = Metrics::new();
    metrics.rollout(&sample("checkout", "Progressing", 10, &[("errors", "Passed")]));
    metrics.rollout_ended("shop", "checkout", "Promoted");
    metrics.reconciled("CanaryRollout", "ok", Duration::from_millis(20));
    let text = metrics.render();
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(text.contains("# TYPE groundcrew_rollout_outcomes counter\n"), "{text}");
    assert!(text.contains("# TYPE groundcrew_rollout_phase gauge\n"), "{text}");
    // Every series follows the description of its own family.
    let mut family = "";
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap();
        } else if !line.starts_with('#') {
            assert!(line.starts_with(family), "{line} stands in {family}");
        }
    }
}
