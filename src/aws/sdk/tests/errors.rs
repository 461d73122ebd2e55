//! How refusals and lost answers are classified.

use super::*;

/// The failure of GetAlias with this answer; the SDK must not have asked twice.
pub(super) async fn get_alias(answer: Wire) -> Error {
    let tape = Tape::new([answer]);
    let error = connect(&tape, None).await.lambda.get_alias("f", "live").await.unwrap_err();
    assert_eq!(tape.requests().len(), 1);
    assert_eq!(error.operation, Operation::LambdaGetAlias);
    assert_eq!(error.resource, "function f alias live");
    error
}

#[tokio::test]
async fn the_answers_of_lambda_are_classified() {
    use Class::{Conflict, Credentials, Denied, Invalid, NotFound, Stale, Throttled, Unknown};
    for (status, code, class) in [
        (404, "ResourceNotFoundException", NotFound),
        (409, "ResourceConflictException", Conflict),
        (409, "AliasAlreadyExistsException", Conflict),
        (412, "PreconditionFailedException", Stale),
        (412, "SomethingNew", Stale),
        (429, "TooManyRequestsException", Throttled),
        (429, "SomethingNew", Throttled),
        (400, "ThrottlingException", Throttled),
        (503, "SlowDown", Throttled),
        (400, "RequestLimitExceeded", Throttled),
        (403, "AccessDeniedException", Denied),
        (403, "ExpiredTokenException", Credentials),
        (403, "UnrecognizedClientException", Credentials),
        (403, "InvalidClientTokenId", Credentials),
        (400, "InvalidParameterValueException", Invalid),
        (400, "ValidationError", Invalid),
        (400, "CodeStorageExceededException", Invalid),
        (400, "LimitExceededException", Invalid),
        (404, "SomethingNew", Invalid),
        (500, "ServiceException", Unknown),
        (502, "KMSAccessDeniedException", Unknown),
        (503, "ServiceUnavailable", Unknown),
    ] {
        let error = get_alias(lambda(status, code, "Some words\nof AWS")).await;
        assert_eq!(error.class, class, "{status} {code}");
        assert_eq!(error.code, code);
        assert_eq!(error.message, "Some words of AWS");
        let id = "11111111-2222-3333-4444-555555555555";
        assert_eq!(error.request_id.as_deref(), Some(id), "{status} {code}");
        let shown = error.to_string();
        assert!(
            shown.starts_with("lambda:GetAlias of function f alias live failed with"),
            "{shown}"
        );
        assert!(shown.ends_with(&format!("(request {id})")), "{shown}");
    }
}

#[tokio::test]
async fn a_throttle_says_how_long_to_wait() {
    let Wire::Answer(status, mut headers, body) = lambda(429, "TooManyRequestsException", "slow")
    else {
        panic!("an answer");
    };
    headers.push(("retry-after", "7"));
    let error = get_alias(Wire::Answer(status, headers.clone(), body.clone())).await;
    assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(7)));
    assert_eq!(error.remedy(), Remedy::Later);
    headers.push(("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"));
    let error = get_alias(Wire::Answer(status, headers, body)).await;
    assert_eq!((error.class, error.retry_after), (Class::Throttled, None));
}

#[tokio::test]
async fn what_did_not_come_from_aws_is_never_taken_for_a_missing_object() {
    let html = "<html><body>404 Not Found</body></html>".to_owned();
    let error = get_alias(Wire::Answer(404, vec![("content-type", "text/html")], html)).await;
    assert!(matches!(error.class, Class::Invalid | Class::Unknown), "{error}");
}

#[tokio::test]
async fn a_lost_answer_is_unknown() {
    let error = get_alias(Wire::Broken).await;
    assert_eq!(error.class, Class::Unknown);
    assert!(error.message.contains("connection reset by peer"), "{error}");
    let error = get_alias(json("{\"FunctionVersion\": ")).await;
    assert_eq!(error.class, Class::Unknown);
    let error = get_alias(Wire::Answer(500, vec![], String::new())).await;
    assert_eq!(error.class, Class::Unknown);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_unknown() {
    assert_eq!(get_alias(Wire::Silent).await.class, Class::Unknown);
}

#[tokio::test]
async fn no_message_quotes_a_signed_request() {
    for words in [
        "The request signature we calculated does not match the signature you provided. The \
         Canonical String for this request should have been 'GET / host:x x-amz-security-token:\
         TOKENEXAMPLE'",
        "Authorization=AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/eu-west-1",
    ] {
        let error = get_alias(lambda(403, "InvalidSignatureException", words)).await;
        assert_eq!(error.class, Class::Credentials);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("TOKENEXAMPLE") && !shown.contains("AKIDEXAMPLE"), "{shown}");
    }
}
