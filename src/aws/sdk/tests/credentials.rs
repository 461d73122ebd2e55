//! How a role is assumed, and what is said when it cannot be.

use super::*;

#[tokio::test]
async fn a_role_is_assumed_once_with_external_id_session_name_and_tags() {
    let tape = Tape::new([assumed_role(), caller_identity("123456789012"), json(ALIAS)]);
    let ports = connect(&tape, Some(role())).await;
    assert_eq!(ports.sts.get_caller_account().await.unwrap(), "123456789012");
    let [assume, identity] = tape.requests().try_into().unwrap();
    assert_eq!(assume.0, "POST https://sts.eu-west-1.amazonaws.com/");
    for part in [
        "Action=AssumeRole&",
        "ExternalId=prod%2Fflights",
        "RoleSessionName=groundcrew-flights",
        "Tags.member.1.Key=groundcrew.dev%2Fcluster&Tags.member.1.Value=prod",
    ] {
        assert!(assume.2.contains(part), "{part} is not in {}", assume.2);
    }
    assert_eq!(identity.1.get("x-amz-security-token"), Some("ASSUMEDTOKEN"));
    let agent = identity.1.get("x-amz-user-agent").unwrap();
    assert!(agent.contains("app/groundcrew-"), "{agent}");
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_is_named_with_the_words_of_sts() {
    for (answer, class) in [
        (sts(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"), Class::Credentials),
        (sts(400, "RegionDisabledException", "the region is off"), Class::Credentials),
        (sts(400, "Throttling", "Rate exceeded"), Class::Throttled),
        (sts(500, "InternalFailure", "oops"), Class::Unknown),
        (Wire::Broken, Class::Unknown),
    ] {
        let tape = Tape::new([answer]);
        let ports = connect(&tape, Some(role())).await;
        let error = ports.lambda.get_alias("f", "live").await.unwrap_err();
        assert_eq!(error.class, class, "{error}");
        assert_eq!(error.operation, Operation::StsAssumeRole);
        assert!(
            error.to_string().starts_with(&format!("sts:AssumeRole of role {ROLE}")),
            "{error}"
        );
        assert_eq!(tape.requests().len(), 1, "the SDK does not retry either");
        assert!(!format!("{error:?}").contains(SECRET));
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_do_not_come_leave_time_to_say_so() {
    let tape = Tape::new([Wire::Silent]);
    let ports = connect(&tape, Some(role())).await;
    let begun = tokio::time::Instant::now();
    let error = ports.lambda.get_alias("f", "live").await.unwrap_err();
    assert!(begun.elapsed() < crate::aws::gate::CALL_TIMEOUT, "{:?}", begun.elapsed());
    assert_eq!(error.class, Class::Unknown);
    assert!(error.message.contains("timed out"), "{error}");
}

#[tokio::test]
async fn the_answers_of_sts_are_classified() {
    for (status, code, class) in [
        (403, "InvalidClientTokenId", Class::Credentials),
        (403, "ExpiredToken", Class::Credentials),
        (403, "SignatureDoesNotMatch", Class::Credentials),
        (403, "AccessDenied", Class::Denied),
        (400, "Throttling", Class::Throttled),
        (503, "ServiceUnavailable", Class::Unknown),
    ] {
        let tape = Tape::new([sts(status, code, "words")]);
        let error = connect(&tape, None).await.sts.get_caller_account().await.unwrap_err();
        assert_eq!((error.class, &*error.code), (class, code));
        assert!(error.request_id.is_some_and(|id| id.starts_with("66666666")));
    }
    let tape = Tape::new([caller_identity("12")]);
    let error = connect(&tape, None).await.sts.get_caller_account().await.unwrap_err();
    assert_eq!(error.class, Class::Unknown);
}

#[tokio::test]
async fn without_credentials_the_error_says_so() {
    let tape = Tape::default();
    let missing = aws_credential_types::provider::error::CredentialsError::not_loaded("none found");
    let provider = Failing(Mutex::new(Some(missing)));
    let config = loader("eu-west-1", tape.client())
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .load()
        .await;
    let ports = ports(&config, &Target { region: "eu-west-1".to_owned(), role: None });
    let error = ports.lambda.get_alias("f", "live").await.unwrap_err();
    assert_eq!(error.class, Class::Credentials);
    assert!(error.message.contains("no AWS credentials"), "{error}");
    assert_eq!(tape.requests().len(), 0);
}

#[derive(Debug)]
struct Failing(Mutex<Option<aws_credential_types::provider::error::CredentialsError>>);

impl aws_credential_types::provider::ProvideCredentials for Failing {
    fn provide_credentials<'a>(
        &'a self,
    ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let error = self.0.lock().unwrap().take().expect("asked once");
        aws_credential_types::provider::future::ProvideCredentials::ready(Err(error))
    }
}
