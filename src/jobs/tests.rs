//! What Jobs are made of, and that none is started twice.

use serde_json::json;

use super::{
    bench::{Bench, cron_job, pod, run},
    *,
};

#[tokio::test(start_paused = true)]
async fn a_job_is_made_of_a_cron_job_that_opts_in_and_goes_with_its_object() {
    let bench = Bench::new();
    let made = start(&bench, &run()).await.unwrap();
    let meta = &made.metadata;
    let name = meta.name.clone().unwrap();
    assert!(name.starts_with("smoke-tests-") && name.len() == "smoke-tests-".len() + 10, "{name}");
    assert_eq!(meta.namespace.as_deref(), Some("flights"));
    let [owner] = &meta.owner_references.clone().unwrap()[..] else { panic!("one owner") };
    assert_eq!((owner.kind.as_str(), owner.uid.as_str()), ("MaintenanceWindow", "u-1"));
    let labels = meta.labels.clone().unwrap();
    assert_eq!((labels["team"].as_str(), labels[KIND].as_str()), ("flights", "MaintenanceWindow"));
    let told = meta.annotations.clone().unwrap()[RUN].clone();
    assert_eq!(told, "preChecks smoke: weekly-20261206T0100Z");
    let spec = made.spec.unwrap();
    assert_eq!((spec.backoff_limit, spec.ttl_seconds_after_finished), (Some(0), Some(TTL)));
    // Kubernetes ends it should nobody wait any more.
    assert_eq!(spec.active_deadline_seconds, Some(660));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_the_template_that_is_sooner_stays() {
    let bench = Bench::new();
    let mut template = cron_job(Some("true"));
    let spec = template.spec.job_template.spec.as_mut().unwrap();
    spec.active_deadline_seconds = Some(30);
    bench.lock().cron_job = Some(template);
    let made = start(&bench, &run()).await.unwrap();
    assert_eq!(made.spec.unwrap().active_deadline_seconds, Some(30));
}

#[tokio::test(start_paused = true)]
async fn a_cron_job_that_does_not_opt_in_is_not_run() {
    let bench = Bench::new();
    for value in [None, Some("false"), Some("True")] {
        bench.lock().cron_job = Some(cron_job(value));
        let why = start(&bench, &run()).await.unwrap_err();
        assert_eq!(why, NotStarted::NotRunnable("smoke-tests".into()));
    }
    bench.lock().cron_job = None;
    let why = start(&bench, &run()).await.unwrap_err();
    assert_eq!(why, NotStarted::NoCronJob("smoke-tests".into()));
    assert!(bench.done().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_starts_again_finds_the_one_that_runs() {
    let bench = Bench::new();
    let first = start(&bench, &run()).await.unwrap();
    let again = start(&bench, &run()).await.unwrap();
    assert_eq!(uid(&first), uid(&again));
    assert_eq!(bench.done(), ["create j-1"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_has_ended_or_is_of_something_else_gives_way() {
    let bench = Bench::new();
    start(&bench, &run()).await.unwrap();
    bench.end("Failed", "BackoffLimitExceeded");
    start(&bench, &run()).await.unwrap();
    assert_eq!(bench.done(), ["create j-1", "delete j-1", "create j-2"]);
    let other = Run { about: "weekly-20261213T0100Z".into(), ..run() };
    assert_eq!(uid(&start(&bench, &other).await.unwrap()), "j-3");
    assert_eq!(bench.done().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_somebody_else_is_left_alone() {
    let bench = Bench::new();
    let mut foreign = start(&bench, &run()).await.unwrap();
    foreign.metadata.owner_references = None;
    bench.lock().job = Some(foreign);
    let why = start(&bench, &run()).await.unwrap_err();
    assert_eq!(why, NotStarted::Taken(run().name()));
    assert_eq!(bench.done(), ["create j-1"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_go_away_is_told() {
    let bench = Bench::new();
    let mut going: Job = start(&bench, &run()).await.unwrap();
    going.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH));
    bench.lock().job = Some(going);
    let why = start(&bench, &run()).await.unwrap_err();
    assert_eq!(why, NotStarted::InTheWay(run().name()));
}

#[test]
fn names_differ_by_object_part_and_cron_job_and_fit() {
    let named = |change: fn(&mut Run)| {
        let mut run = run();
        change(&mut run);
        run.name()
    };
    let all = [
        named(|_| {}),
        named(|run| run.owner.uid = "u-2".into()),
        named(|run| run.part = "postChecks smoke".into()),
        named(|run| run.cron_job = "smoke".into()),
    ];
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    assert_eq!(named(|run| run.about = "other".into()), all[0], "one of a part at a time");
    let long = named(|run| run.cron_job = format!("{}.x", "a".repeat(39)));
    assert!(long.len() <= 63 && !long.contains(".-"), "{long}");
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_are_told_and_bounded() {
    let bench = Bench::new();
    let job = start(&bench, &run()).await.unwrap();
    assert_eq!(tail(&bench, "flights", &job).await, "");
    let main = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main"}]}});
    bench.lock().pod = Some(pod(main));
    assert_eq!(tail(&bench, "flights", &job).await, "");
    bench.lock().log = format!("one\n\ntwo\u{1b}[31m\n{}\nlast\r\n", "x".repeat(500));
    let told = tail(&bench, "flights", &job).await;
    let expected = format!("; its log ends: two [31m / {}… / last", "x".repeat(119));
    assert_eq!(told, expected);
    bench.lock().refused = Some(Class::Denied);
    assert_eq!(tail(&bench, "flights", &job).await, "");
}

#[test]
fn what_a_pod_waits_for_is_told() {
    let waits = |status| waits_for(&pod(json!({"status": status})));
    assert_eq!(waits(json!({"phase": "Running"})), None);
    let pulling = json!({"containerStatuses": [{"name": "main", "image": "", "imageID": "",
        "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]});
    assert_eq!(waits(pulling).as_deref(), Some("ImagePullBackOff"));
    let nowhere = json!({"conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
    assert_eq!(waits(nowhere).as_deref(), Some("0/3 nodes are available"));
}
