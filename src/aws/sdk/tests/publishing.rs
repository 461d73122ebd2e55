//! Publishing, invoking and provisioned concurrency on the wire.

use std::{collections::BTreeSet, time::Duration as Span};

use serde_json::{Value, json as value};

use super::*;
use crate::{
    facts::{
        lambda::{
            CodeChange, CodeSource, ConfigurationChange, Invocation, LastUpdate, ProvisionedStatus,
            Publication, Snapshot,
        },
        surplus::{ListedVersion, Surplus, Terms},
    },
    names,
};

const CHANGED: &str = r#"{"Version": "$LATEST", "CodeSha256": "abc=", "RevisionId": "r2"}"#;

fn bodies(tape: &Tape) -> Vec<Value> {
    let requests = tape.requests();
    requests.iter().map(|(_, _, body)| serde_json::from_str(body).unwrap()).collect()
}

#[tokio::test]
async fn every_change_of_a_function_carries_its_guards() {
    let tape = Tape::new([json(CHANGED), json(CHANGED), json(CHANGED), json(CHANGED)]);
    let lambda = connect(&tape, None).await.lambda;
    let code = |source| CodeChange { function: "f".into(), source, revision_id: "r1".into() };
    let image = CodeSource::Image { uri: "r/p@sha256:0".into() };
    let changed = lambda.update_function_code(&code(image)).await.unwrap();
    assert_eq!((&*changed.code_sha256, &*changed.revision_id), ("abc=", "r2"));
    let archive =
        CodeSource::S3 { bucket: "b".into(), key: "k".into(), object_version: Some("v".into()) };
    lambda.update_function_code(&code(archive)).await.unwrap();
    let change = ConfigurationChange {
        function: "f".into(),
        memory_mb: Some(512),
        timeout_secs: None,
        runtime: Some("python3.14".into()),
        revision_id: "r1".into(),
    };
    lambda.update_function_configuration(&change).await.unwrap();
    let publication = Publication {
        function: "f".into(),
        code_sha256: "abc=".into(),
        revision_id: "r1".into(),
        description: "ours".into(),
    };
    lambda.publish_version(&publication).await.unwrap();
    assert_eq!(
        bodies(&tape),
        [
            value!({"ImageUri": "r/p@sha256:0", "RevisionId": "r1"}),
            value!({"S3Bucket": "b", "S3Key": "k", "S3ObjectVersion": "v", "RevisionId": "r1"}),
            value!({"MemorySize": 512, "Runtime": "python3.14", "RevisionId": "r1"}),
            value!({"CodeSha256": "abc=", "RevisionId": "r1", "Description": "ours"}),
        ]
    );
}

#[tokio::test]
async fn a_number_that_lambda_cannot_take_is_not_sent() {
    let tape = Tape::new([]);
    let change = ConfigurationChange {
        function: "f".into(),
        memory_mb: Some(u64::MAX),
        timeout_secs: None,
        runtime: None,
        revision_id: "r1".into(),
    };
    let lambda = connect(&tape, None).await.lambda;
    let error = lambda.update_function_configuration(&change).await.unwrap_err();
    assert_eq!((error.class, tape.sent().len()), (Class::Invalid, 0));
}

/// What GetFunction makes of a configuration.
async fn function(configuration: Value) -> crate::facts::lambda::FunctionVersion {
    let mut whole = value!({
        "Version": "$LATEST", "CodeSha256": "abc=", "RevisionId": "r1", "Role": "arn:role",
        "State": "Active", "MemorySize": 128, "Timeout": 3, "Runtime": "python3.13",
    });
    for (name, field) in configuration.as_object().unwrap() {
        whole[name] = field.clone();
    }
    let code = value!({"ResolvedImageUri": "r/p@sha256:0"});
    let answer = value!({"Configuration": whole, "Code": code});
    let tape = Tape::new([json(&answer.to_string())]);
    connect(&tape, None).await.lambda.get_function("f", None).await.unwrap()
}

#[tokio::test]
async fn a_function_is_read_with_its_last_update_snapshot_and_image() {
    let plain = function(value!({})).await;
    assert_eq!((plain.last_update, plain.snapshot), (LastUpdate::Successful, Snapshot::NotWanted));
    assert_eq!((plain.memory_mb, plain.timeout_secs), (128, 3));
    assert_eq!(plain.image.as_deref(), Some("r/p@sha256:0"));
    assert!(plain.environment_readable);
    let busy = function(value!({"LastUpdateStatus": "InProgress"})).await;
    assert_eq!(busy.last_update, LastUpdate::InProgress);
    let failed = function(value!({
        "LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": "ImageDeleted",
        "LastUpdateStatusReason": "gone",
    }));
    let failed = failed.await;
    assert_eq!(
        (failed.last_update, &*failed.last_update_reason),
        (LastUpdate::Failed, "ImageDeleted: gone")
    );
    for (status, expected) in [("Off", Snapshot::Pending), ("On", Snapshot::Ready)] {
        let snap_start = value!({"ApplyOn": "PublishedVersions", "OptimizationStatus": status});
        assert_eq!(function(value!({"SnapStart": snap_start})).await.snapshot, expected);
    }
}

#[tokio::test]
async fn every_setting_counts_and_what_lambda_changes_by_itself_does_not() {
    let base = function(value!({})).await.settings;
    let settings = [
        value!({"Handler": "app.other"}),
        value!({"Role": "arn:other"}),
        value!({"KMSKeyArn": "arn:key"}),
        value!({"Environment": {"Variables": {"A": "1"}}}),
        value!({"Environment": {"Variables": {"A": "2"}}}),
        value!({"Environment": {"Variables": {"A": "1", "B": "1"}}}),
        value!({"Layers": [{"Arn": "arn:layer:1"}]}),
        value!({"Layers": [{"Arn": "arn:layer:1"}, {"Arn": "arn:layer:2"}]}),
        value!({"Layers": [{"Arn": "arn:layer:2"}, {"Arn": "arn:layer:1"}]}),
        value!({"VpcConfig": {"SubnetIds": ["s1"], "SecurityGroupIds": ["g1"]}}),
        value!({"DeadLetterConfig": {"TargetArn": "arn:queue"}}),
        value!({"TracingConfig": {"Mode": "Active"}}),
        value!({"EphemeralStorage": {"Size": 1024}}),
        value!({"Architectures": ["arm64"]}),
        value!({"FileSystemConfigs": [{"Arn": "arn:fs", "LocalMountPath": "/mnt/a"}]}),
        value!({"ImageConfigResponse": {"ImageConfig": {"Command": ["run"]}}}),
        value!({"LoggingConfig": {"LogFormat": "JSON"}}),
        value!({"SnapStart": {"ApplyOn": "PublishedVersions"}}),
    ];
    let mut seen = vec![base.clone()];
    for setting in settings {
        let hash = function(setting.clone()).await.settings;
        assert!(!seen.contains(&hash), "{setting}");
        seen.push(hash);
    }
    for same in [
        value!({"LastModified": "2026-12-06T00:00:00Z", "RevisionId": "r9", "Version": "7"}),
        value!({"Description": "words", "State": "Inactive", "StateReasonCode": "Idle"}),
        value!({"RuntimeVersionConfig": {"RuntimeVersionArn": "arn:patch"}}),
    ] {
        assert_eq!(function(same.clone()).await.settings, base, "{same}");
    }
    let order = |ids: [&str; 2]| value!({"VpcConfig": {"SubnetIds": ids}});
    let (one, other) = (function(order(["a", "b"])).await, function(order(["b", "a"])).await);
    assert_eq!(one.settings, other.settings);
}

#[tokio::test]
async fn environment_variables_that_lambda_hides_are_known_to_be_hidden() {
    let hidden = value!({"Environment": {"Error": {"ErrorCode": "AccessDeniedException"}}});
    assert!(!function(hidden).await.environment_readable);
}

#[tokio::test]
async fn provisioned_concurrency_is_read_or_not_there() {
    let answer = |status: &str| {
        json(
            &value!({
                "Status": status, "StatusReason": "why",
                "RequestedProvisionedConcurrentExecutions": 10,
                "AllocatedProvisionedConcurrentExecutions": 3,
            })
            .to_string(),
        )
    };
    let missing = lambda(404, "ProvisionedConcurrencyConfigNotFoundException", "none");
    let tape = Tape::new([
        answer("READY"),
        answer("IN_PROGRESS"),
        answer("FAILED"),
        answer("NEW"),
        missing,
    ]);
    let ports = connect(&tape, None).await;
    let get = || ports.lambda.get_provisioned_concurrency("f", "live");
    use ProvisionedStatus::{Failed, InProgress, Ready};
    for status in [Ready, InProgress, Failed] {
        let found = get().await.unwrap();
        assert_eq!((found.status, found.requested, found.allocated), (status, 10, 3));
    }
    assert_eq!(get().await.unwrap_err().class, Class::Unknown);
    assert_eq!(get().await.unwrap_err().class, Class::NotFound);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_is_answered_failed_or_unanswered() {
    let failed = Wire::Answer(
        200,
        vec![("x-amz-function-error", "Unhandled")],
        r#"{"errorType": "KeyError"}"#.to_owned(),
    );
    let busy = lambda(429, "TooManyRequestsException", "Rate Exceeded.");
    let ok = Wire::Answer(200, vec![], r#"{"statusCode": 200}"#.to_owned());
    let tape = Tape::new([ok, failed, Wire::Silent, busy]);
    let ports = connect(&tape, None).await;
    let invoke = || ports.lambda.invoke("f", "7", r#"{"a": 1}"#, Span::from_secs(30));
    let Invocation::Answered { function_error: None, payload, .. } = invoke().await.unwrap() else {
        panic!("the function did not fail");
    };
    assert_eq!(payload, br#"{"statusCode": 200}"#);
    let second = invoke().await.unwrap();
    let Invocation::Answered { function_error, .. } = second else { panic!("{second:?}") };
    assert_eq!(function_error.as_deref(), Some("Unhandled"));
    assert_eq!(invoke().await.unwrap(), Invocation::Unanswered);
    assert_eq!(invoke().await.unwrap_err().class, Class::Throttled);
    let (line, _, body) = &tape.requests()[0];
    assert!(line.contains("/functions/f/invocations?Qualifier=7"), "{line}");
    assert_eq!(body, r#"{"a": 1}"#);
}

#[tokio::test]
async fn versions_and_what_aliases_name_are_listed_by_pages_and_one_version_is_deleted() {
    let page = value!({
        "Versions": [{"Version": "$LATEST"}, {"Version": "7", "Description": "ours"}],
        "NextMarker": "more",
    });
    let aliases = value!({"Aliases": [
        {"FunctionVersion": "7", "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.1}}},
        {"FunctionVersion": "3"},
    ]});
    let headless = value!({"Aliases": [{"Name": "live"}]});
    let gone = Wire::Answer(204, vec![], String::new());
    let tape = Tape::new([
        json(&page.to_string()),
        json(&aliases.to_string()),
        json(&headless.to_string()),
        gone,
    ]);
    let lambda = connect(&tape, None).await.lambda;
    let listed = lambda.list_versions("f", Some("start")).await.unwrap();
    assert_eq!(listed.next.as_deref(), Some("more"));
    assert_eq!(listed.versions[1].description, "ours");
    let named = lambda.list_named("f", None).await.unwrap();
    assert_eq!((named.versions, named.next), (vec!["7".into(), "8".into(), "3".into()], None));
    let unreadable = lambda.list_named("f", None).await.unwrap_err();
    assert!(unreadable.message.contains("FunctionVersion is missing"), "{unreadable}");

    let owner = names::Owner { cluster: "c".into(), namespace: "n".into(), name: "r".into() };
    let ours = ListedVersion { version: "7".into(), description: names::published(&owner, "rev") };
    let none = &BTreeSet::new();
    let terms = Terms { owner: &owner, served: "8", keep: 0, failed: none, pinned: none };
    let surplus = Surplus::of("f", &[ours], &terms);
    lambda.delete_version(&surplus[0]).await.unwrap();
    let lines: Vec<_> = tape.requests().into_iter().map(|(line, _, _)| line).collect();
    assert!(lines[0].contains("/functions/f/versions?Marker=start"), "{lines:?}");
    assert!(lines[3].starts_with("DELETE ") && lines[3].contains("/functions/f?Qualifier=7"));
}
