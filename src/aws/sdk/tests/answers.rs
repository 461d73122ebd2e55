//! How answers become facts, and decisions requests.

use super::{errors::get_alias, *};

#[tokio::test]
async fn an_alias_is_read_whole_with_its_weights_by_version() {
    let tape = Tape::new([json(ALIAS)]);
    let alias = connect(&tape, None).await.lambda.get_alias("f", "live").await.unwrap();
    let weight = |version: &str, weight| VersionWeight { version: version.to_owned(), weight };
    assert_eq!(alias.weights, [weight("8", 1.0), weight("9", 0.25)]);
    assert_eq!((&*alias.version, &*alias.revision_id, &*alias.description), ("7", "r1", "d"));
}

#[tokio::test]
async fn absurd_answers_are_errors() {
    for (absurd, word) in [
        (ALIAS.replace("0.25", "1.5"), "1.5"),
        (ALIAS.replace("0.25", "-0.1"), "-0.1"),
        (ALIAS.replace("0.25", "\"NaN\""), "NaN"),
        (ALIAS.replace("0.25", "1e999"), ""),
        (ALIAS.replace("RevisionId", "Other"), "RevisionId is missing"),
        (ALIAS.replace("\"7\"", "\"\""), "FunctionVersion is missing"),
        ("{}".to_owned(), "FunctionVersion is missing"),
    ] {
        let error = get_alias(json(&absurd)).await;
        assert_eq!(error.class, Class::Unknown, "{absurd}");
        assert!(error.message.contains(word), "{error}");
    }
}

#[tokio::test]
async fn an_update_sends_every_field_and_an_empty_map_of_weights() {
    let tape = Tape::new([json(ALIAS), json(ALIAS)]);
    let lambda = connect(&tape, None).await.lambda;
    let mut change = AliasChange {
        function: "f".to_owned(),
        alias: "live".to_owned(),
        version: "7".to_owned(),
        weight: None,
        description: String::new(),
        revision_id: "r1".to_owned(),
    };
    lambda.update_alias(&change).await.unwrap();
    change.weight = Some(VersionWeight { version: "8".to_owned(), weight: 0.1 });
    lambda.update_alias(&change).await.unwrap();
    let bodies: Vec<serde_json::Value> =
        tape.requests().iter().map(|(_, _, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(
        bodies[0],
        serde_json::json!({"FunctionVersion": "7", "Description": "", "RevisionId": "r1",
            "RoutingConfig": {"AdditionalVersionWeights": {}}})
    );
    assert_eq!(
        bodies[1]["RoutingConfig"],
        serde_json::json!({"AdditionalVersionWeights": {"8": 0.1}})
    );
    assert!(tape.requests()[0].0.starts_with("PUT https://lambda.eu-west-1.amazonaws.com/"));
}

#[tokio::test]
async fn a_version_is_read_with_its_state_role_and_dead_letter_queue() {
    let answer = |state: &str| {
        json(
            &serde_json::json!({"Configuration": {"Version": "7", "CodeSha256": "abc=",
                "RevisionId": "r1", "Role": "arn:role", "State": state, "StateReasonCode": "Creating",
                "StateReason": "The function is being created.",
                "DeadLetterConfig": {"TargetArn": "arn:queue"}, "Architectures": ["arm64"],
                "Runtime": "python3.13"}, "Tags": {"aws:cloudformation:stack-name": "shop"}})
            .to_string(),
        )
    };
    let states = ["Active", "Pending", "Inactive", "Failed", "ActiveNonInvocable"];
    let tape = Tape::new(states.map(answer));
    let lambda = connect(&tape, None).await.lambda;
    let mut read = Vec::new();
    for _ in states {
        let version = lambda.get_function("f", Some("7")).await.unwrap();
        assert_eq!(version.state_reason, "Creating: The function is being created.");
        assert_eq!(version.dead_letter_target.as_deref(), Some("arn:queue"));
        assert_eq!((&*version.version, &*version.code_sha256), ("7", "abc="));
        assert_eq!(
            (&*version.role, &*version.architectures),
            ("arn:role", &["arm64".to_owned()][..])
        );
        let told = (version.runtime.as_deref(), version.stack.as_deref());
        assert_eq!(told, (Some("python3.13"), Some("shop")));
        read.push(version.state);
    }
    let other = FunctionState::Other("ActiveNonInvocable".to_owned());
    use FunctionState::{Active, Failed, Inactive, Pending};
    assert_eq!(read, [Active, Pending, Inactive, Failed, other]);
    assert!(tape.requests()[0].0.contains("/functions/f?Qualifier=7"));
}

#[tokio::test]
async fn what_lambda_leaves_out_of_a_version_has_its_default() {
    let bare = serde_json::json!({"Configuration": {"Version": "7", "CodeSha256": "abc=",
        "Role": "arn:role", "State": "Active", "RevisionId": "r"}});
    let tape = Tape::new([json(&bare.to_string())]);
    let version = connect(&tape, None).await.lambda.get_function("f", Some("7")).await.unwrap();
    assert_eq!((version.architectures.len(), version.runtime, version.stack), (0, None, None));
    assert_eq!(version.dead_letter_target, None);
}
