//! When a Job passes, in which words, and that it does not outlive its time.

use serde_json::json;

use super::*;
use crate::{
    api::check::CheckVerdict::{self, Failed, Passed, Unreadable},
    jobs::bench::{Bench, pod, run},
};

async fn look(bench: &Bench) -> Judged {
    let run = run();
    let check = Job { cron_job: run.cron_job.clone() };
    let subject = Subject {
        jobs: bench,
        owner: &run.owner,
        part: run.part.clone(),
        about: &run.about,
        timeout: run.timeout,
    };
    check.look(&subject).await
}

fn writes(bench: &Bench, log: &str) {
    let main = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main"}]}});
    bench.lock().pod = Some(pod(main));
    bench.lock().log = log.into();
}

#[tokio::test(start_paused = true)]
async fn it_passes_or_fails_with_the_last_lines_of_its_log() {
    let name = run().name();
    for (kind, reason, log, verdict, says) in [
        (
            "Complete",
            "CompletionsReached",
            "12 of 12 passed\n",
            Passed,
            "succeeded; its log ends: 12 of 12 passed",
        ),
        ("Complete", "CompletionsReached", "", Passed, "succeeded"),
        (
            "Failed",
            "BackoffLimitExceeded",
            "GET /health: 503\n",
            Failed,
            "failed, BackoffLimitExceeded: it has reached the specified backoff limit; its log ends: GET /health: 503",
        ),
    ] {
        let bench = Bench::new();
        bench.lock().ends = Some((kind, reason));
        writes(&bench, log);
        let judged = look(&bench).await;
        assert_eq!((judged.verdict, judged.message), (verdict, format!("Job {name} {says}")));
        // It stays, for people to look at.
        assert_eq!(bench.done(), ["create j-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_too_long_fails_and_is_deleted() {
    let bench = Bench::new();
    writes(&bench, "waiting for the database\n");
    let begun = Instant::now();
    let judged = look(&bench).await;
    assert_eq!(judged.verdict, Failed);
    let says = format!(
        "Job {} had not ended after 600 s and was deleted; its log ends: waiting for the database",
        run().name()
    );
    assert_eq!(judged.message, says);
    assert_eq!(bench.done(), ["create j-1", "delete j-1"]);
    assert!(begun.elapsed() < Duration::from_secs(605), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_somebody_deletes_or_kubernetes_does_not_say_is_told() {
    let bench = Bench::new();
    let meddle = async {
        sleep(Duration::from_secs(10)).await;
        bench.lock().job = None;
    };
    let (judged, ()) = tokio::join!(look(&bench), meddle);
    assert_eq!(judged.verdict, Failed);
    assert!(judged.message.ends_with("was deleted before its end"), "{}", judged.message);
    let refused = |class| {
        let bench = Bench::new();
        bench.lock().refused = Some(class);
        bench
    };
    let judged = look(&refused(Class::Denied)).await;
    assert_eq!((judged.verdict, judged.message.as_str()), (Unreadable, "refused"));
    let absent = Bench::default();
    let judged = look(&absent).await;
    let says: (CheckVerdict, &str) = (Failed, "there is no CronJob smoke-tests");
    assert_eq!((judged.verdict, judged.message.as_str()), says);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_for_a_while_ends_nothing() {
    let bench = Bench::new();
    let away = async {
        sleep(Duration::from_secs(10)).await;
        bench.lock().refused = Some(Class::Unavailable);
        sleep(Duration::from_secs(60)).await;
        bench.lock().refused = None;
        bench.end("Complete", "CompletionsReached");
    };
    let (judged, ()) = tokio::join!(look(&bench), away);
    assert_eq!((judged.verdict, bench.done()), (Passed, vec!["create j-1".to_owned()]));
}

#[test]
fn the_name_of_a_cron_job_is_bounded() {
    let parse = |name: &str| Job::parse(&JobCheck { from_cron_job: name.into() });
    parse("smoke-tests").unwrap();
    for wrong in ["", "Smoke", "a/b", &"a".repeat(53)] {
        assert_eq!(parse(wrong).unwrap_err().0, "fromCronJob", "{wrong}");
    }
}
