use std::time::Duration as Span;

use super::{check, check_passes};
use crate::{
    api::{analysis::OnFailure, canary_rollout::SmokeStatus},
    canary_rollout::{
        decide::{Terms, Wanted, learn::judge},
        rollout::{Smoke, Steps},
        world::{World, release, steps, weight},
    },
    facts::lambda::Invocation,
};

fn smoke(expect_status: Option<i64>) -> Smoke {
    Smoke { payload: "{}".into(), expect_status, max_duration: "2s".parse().unwrap() }
}

fn step() -> crate::api::canary_rollout::Step {
    let smoke = crate::api::canary_rollout::Smoke {
        expect_status: Some(200),
        ..crate::api::canary_rollout::Smoke::default()
    };
    crate::api::canary_rollout::Step { smoke: Some(smoke), ..Default::default() }
}

fn world(steps: Steps) -> World {
    World::new().with(|world| {
        world.facts.wanted = Ok(Wanted { steps, ..release("43", "9f2c1a") });
    })
}

fn answered(function_error: Option<&str>, payload: &str, millis: u64) -> Invocation {
    Invocation::Answered {
        function_error: function_error.map(str::to_owned),
        payload: payload.as_bytes().to_vec(),
        took: Span::from_millis(millis),
    }
}

#[test]
fn a_smoke_test_invokes_the_new_version_before_it_gets_a_weight() {
    let mut world = world(steps(&[step(), weight(10, "30m")]));
    world.pass();
    world.pass();
    let plan = check(
        &world,
        &[
            "Smoke Smoke: invoking version 43 directly",
            "Invoke flightdata-processor version 43",
            "now !",
        ],
    );
    assert_eq!(plan.report.weight, Some(0));
    check_passes(
        &mut world,
        &[
            "Smoke: invoking version 43 directly",
            "Progressing: setting version 43 to 10%",
            "Progressing: 10%: holds until 02:14:00Z",
            "Progressing: 10%: holds until 02:14:00Z",
        ],
    );
}

#[test]
fn a_failed_smoke_test_takes_the_release_back() {
    let mut world = world(steps(&[step(), weight(10, "30m")]));
    world.invocation = answered(None, r#"{"statusCode": 500}"#, 30);
    let plans = world.settle();
    let last = plans.last().unwrap();
    assert_eq!(
        last.report.message,
        "version 43 was rolled back: smoke test of version 43: statusCode 500 after 30 ms, expected 200; the alias serves version 42; release something else, or try again with the verb retry@9f2c1a"
    );
    let weights = plans.iter().flat_map(|plan| &plan.actions).map(ToString::to_string);
    assert!(
        weights.clone().all(|action| !action.contains("%")),
        "{:?}",
        weights.collect::<Vec<_>>()
    );
}

#[test]
fn a_failed_smoke_test_can_be_held_and_tried_again() {
    let mut world = world(steps(&[weight(10, "0s"), step(), weight(50, "0s")])).with(|world| {
        let held = Terms { on_failure: OnFailure::Hold, ..Terms::default() };
        world.facts.terms = Some(held);
        world.invocation = Invocation::Unanswered;
    });
    world.settle();
    let message = world.plan().report.message;
    assert!(
        message
            .starts_with("failed and held at 10%: smoke test of version 43: no answer within 30s"),
        "{message}"
    );
    world.invocation = answered(None, r#"{"statusCode": 200}"#, 30);
    let mut world = world.asked("resume@9f2c1a");
    let messages: Vec<_> = world.settle().into_iter().map(|plan| plan.report.message).collect();
    assert!(messages.contains(&"invoking version 43 directly".to_owned()), "{messages:?}");
    assert_eq!(messages.last().unwrap(), "alias production serves version 43");
}

#[test]
fn an_invocation_is_judged_by_error_status_and_time_and_no_more_is_told() {
    let says = |smoke: &Smoke, invocation: &Invocation| {
        let SmokeStatus { passed, message } = judge(smoke, invocation);
        format!("{}: {message}", if passed { "passed" } else { "failed" })
    };
    let (any, ok) = (smoke(None), smoke(Some(200)));
    let secret = r#"{"statusCode": 200, "body": "hunter2"}"#;
    let cases = [
        (&ok, answered(None, secret, 40), "passed: statusCode 200 after 40 ms"),
        (&any, answered(None, "null", 40), "passed: answered after 40 ms"),
        (&any, answered(None, "not json", 40), "passed: answered after 40 ms"),
        (&any, answered(None, r#"{"statusCode": 500}"#, 40), "passed: statusCode 500 after 40 ms"),
        (
            &ok,
            answered(None, r#"{"statusCode": 404}"#, 40),
            "failed: statusCode 404 after 40 ms, expected 200",
        ),
        (
            &ok,
            answered(None, r#"{"statusCode": "200"}"#, 40),
            "failed: what it returned has no statusCode, expected 200; it took 40 ms",
        ),
        (
            &ok,
            answered(None, "[]", 40),
            "failed: what it returned has no statusCode, expected 200; it took 40 ms",
        ),
        (&ok, answered(None, secret, 2_000), "passed: statusCode 200 after 2000 ms"),
        (&ok, answered(None, secret, 2_001), "failed: took 2001 ms, longer than 2s"),
        (&ok, Invocation::Unanswered, "failed: no answer within 2s"),
        (
            &any,
            answered(
                Some("Unhandled"),
                r#"{"errorType": "KeyError", "errorMessage": "hunter2"}"#,
                9,
            ),
            "failed: the function failed after 9 ms: KeyError",
        ),
        (
            &any,
            answered(Some("Unhandled"), "hunter2", 9),
            "failed: the function failed after 9 ms: no type given",
        ),
    ];
    for (smoke, invocation, expected) in cases {
        assert_eq!(says(smoke, &invocation), expected);
    }
}

proptest::proptest! {
    #[test]
    fn any_answer_is_judged(payload: Vec<u8>, error: Option<String>, millis: u64, status: i64) {
        let took = Span::from_millis(millis);
        let invocation = Invocation::Answered { function_error: error.clone(), payload, took };
        let judged = judge(&smoke(Some(status)), &invocation);
        proptest::prop_assert!(error.is_none() || !judged.passed);
        proptest::prop_assert!(judged.message.len() <= 512);
    }
}
