use super::*;

#[test]
fn an_error_tells_operation_code_words_and_request_id() {
    let error = Error {
        operation: Operation::LambdaUpdateAlias,
        resource: "function f alias live".into(),
        class: Class::Denied,
        code: "AccessDeniedException".into(),
        message: "no\nway".into(),
        request_id: Some("11112222-3333".into()),
        retry_after: None,
    };
    let told = "lambda:UpdateAlias of function f alias live failed with AccessDeniedException: no way (request 11112222-3333)";
    assert_eq!(error.to_string(), told);
}
