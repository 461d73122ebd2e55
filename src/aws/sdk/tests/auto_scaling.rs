//! What Application Auto Scaling answers in JSON.

use super::*;
use crate::facts::scaling::{ScalableTarget, TargetPage};

const ID: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

fn json(status: u16, body: &str) -> Wire {
    let headers = vec![("content-type", "application/x-amz-json-1.1"), ("x-amzn-requestid", ID)];
    Wire::Answer(status, headers, body.to_owned())
}

fn target(more: &str) -> String {
    format!(
        r#"{{"ServiceNamespace": "lambda", "ResourceId": "function:web:live", "MinCapacity": 1,
        "ScalableDimension": "lambda:function:ProvisionedConcurrency", "MaxCapacity": 10,
        "RoleARN": "arn:aws:iam::123456789012:role/scaling", "CreationTime": 1796000000.5{more}}}"#
    )
}

#[tokio::test]
async fn what_is_scaled_of_lambda_is_listed_page_by_page() {
    let tape = Tape::new([
        json(200, &format!(r#"{{"ScalableTargets": [{}], "NextToken": "more"}}"#, target(""))),
        json(200, r#"{"ScalableTargets": []}"#),
    ]);
    let auto_scaling = connect(&tape, None).await.auto_scaling;
    let page = auto_scaling.describe_scalable_targets(None).await.unwrap();
    let resource = "function:web:live".to_owned();
    let target = ScalableTarget { resource, least: 1, most: 10, suspended: false };
    assert_eq!(page, TargetPage { targets: vec![target], next: Some("more".to_owned()) });
    let page = auto_scaling.describe_scalable_targets(page.next.as_deref()).await.unwrap();
    assert_eq!(page, TargetPage::default());
    let bodies = tape.requests().into_iter().map(|(_, _, body)| body);
    let asked: Vec<serde_json::Value> =
        bodies.map(|body| serde_json::from_str(&body).unwrap()).collect();
    let first = serde_json::json!({"ServiceNamespace": "lambda"});
    let second = serde_json::json!({"ServiceNamespace": "lambda", "NextToken": "more"});
    assert_eq!(asked, [first, second]);
}

#[tokio::test]
async fn only_what_is_suspended_whole_counts_as_suspended() {
    for (scheduled, suspended) in [("true", true), ("false", false)] {
        let state = format!(
            r#", "SuspendedState": {{"DynamicScalingInSuspended": true,
            "DynamicScalingOutSuspended": true, "ScheduledScalingSuspended": {scheduled}}}"#
        );
        let answer = format!(r#"{{"ScalableTargets": [{}]}}"#, target(&state));
        let auto_scaling = connect(&Tape::new([json(200, &answer)]), None).await.auto_scaling;
        let page = auto_scaling.describe_scalable_targets(None).await.unwrap();
        assert_eq!(page.targets[0].suspended, suspended);
    }
}

#[tokio::test]
async fn refusals_of_application_auto_scaling_are_told_apart() {
    for (code, class) in [
        ("AccessDeniedException", Class::Denied),
        ("ThrottlingException", Class::Throttled),
        ("ValidationException", Class::Invalid),
        ("InternalServiceException", Class::Unknown),
    ] {
        let refusal = json(400, &format!(r#"{{"__type": "{code}", "message": "Some words"}}"#));
        let auto_scaling = connect(&Tape::new([refusal]), None).await.auto_scaling;
        let error = auto_scaling.describe_scalable_targets(None).await.unwrap_err();
        assert_eq!(error.class, class, "{code}");
        let shown = error.to_string();
        let words =
            "application-autoscaling:DescribeScalableTargets of all scalable targets failed";
        assert!(shown.starts_with(words), "{shown}");
    }
}
