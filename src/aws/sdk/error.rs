//! From the SDK's errors to ours: one classifier for every operation of every service.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::{
    RequestId as _, assume_role::AssumeRoleError,
    assume_role_with_web_identity::AssumeRoleWithWebIdentityError,
};
use aws_smithy_runtime_api::client::{
    orchestrator::HttpResponse,
    result::{DispatchFailure, SdkError, ServiceError},
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::{
    aws::{Class, Error, operations::Operation},
    error::{chain, clean},
};

/// Most causes that are followed in an error: the SDK's chains have fewer than ten.
const CAUSES_MAX: usize = 32;

/// Longest wait that is taken from an answer; a larger number is not meant as one.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// Whose credentials a client uses, for messages.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// The operator's own.
    Own,
    /// Those of a role.
    Role(Arc<str>),
}

/// What a call was, for its error.
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) resource: String,
    pub(super) identity: &'a Identity,
}

impl Call<'_> {
    /// Maps any failure of this call.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let request_id = error.request_id().map(clean);
        match error {
            SdkError::ServiceError(answer) => {
                let mut failed = self.error(Class::Unknown, String::new());
                refused(&mut failed, answer);
                Error { request_id, ..failed }
            }
            SdkError::ConstructionFailure(_) => match credentials_error(error) {
                Some(cause) => self.without_credentials(cause),
                None => self.error(Class::Invalid, harmless(&chain(error))),
            },
            SdkError::DispatchFailure(failure) => self.not_dispatched(error, failure),
            SdkError::TimeoutError(_) => match credentials_error(error) {
                Some(cause) => self.without_credentials(cause),
                None => self.error(Class::Unknown, harmless(&chain(error))),
            },
            SdkError::ResponseError(_) => {
                let words = format!("cannot read the answer: {}", harmless(&chain(error)));
                Error { request_id, ..self.error(Class::Unknown, words) }
            }
            _ => self.error(Class::Unknown, harmless(&chain(error))),
        }
    }

    /// A request that is not sent, because AWS would not accept it.
    pub(super) fn invalid(&self, words: String) -> Error {
        self.error(Class::Invalid, words)
    }

    /// What was asked for does not exist, by an answer that is no error.
    pub(super) fn missing(&self, code: &str, words: &str, request_id: Option<&str>) -> Error {
        Error {
            code: code.to_owned(),
            request_id: request_id.map(clean),
            ..self.error(Class::NotFound, words.to_owned())
        }
    }

    /// An answer that makes no sense.
    pub(super) fn unreadable(&self, what: &str, request_id: Option<&str>) -> Error {
        let words = format!("cannot read the answer: {what}");
        Error { request_id: request_id.map(clean), ..self.error(Class::Unknown, words) }
    }

    fn not_dispatched(&self, error: &(dyn StdError + 'static), failure: &DispatchFailure) -> Error {
        if let Some(cause) = credentials_error(error) {
            return self.without_credentials(cause);
        }
        let words = harmless(&chain(error));
        if failure.is_user() {
            return self.error(Class::Invalid, words);
        }
        self.error(Class::Unknown, words)
    }

    /// No credentials, so nothing was sent. What STS said to the attempt to get them decides.
    fn without_credentials(&self, cause: &CredentialsError) -> Error {
        let (operation, resource) = match self.identity {
            Identity::Own => (self.operation, self.resource.clone()),
            Identity::Role(arn) => (Operation::StsAssumeRole, format!("role {arn}")),
        };
        let call = Call { operation, resource, identity: self.identity };
        let asked = find(cause, |error| {
            error
                .downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>()
                .map(|error| call.credentials_not_given(error))
                .or_else(|| {
                    error
                        .downcast_ref::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>()
                        .map(|error| call.credentials_not_given(error))
                })
        });
        if let Some(asked) = asked {
            return asked;
        }
        let words = format!("no AWS credentials: {}", harmless(&chain(cause)));
        match cause {
            CredentialsError::ProviderTimedOut(_) => call.error(Class::Unknown, words),
            CredentialsError::CredentialsNotLoaded(_)
            | CredentialsError::InvalidConfiguration(_)
            | CredentialsError::ProviderError(_)
            | CredentialsError::Unhandled(_)
            | _ => call.error(Class::Credentials, words),
        }
    }

    /// Of the failures of STS only those that pass by themselves keep their class.
    fn credentials_not_given<E>(&self, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        // An inner provider of the role's may have failed in its turn.
        let inner = credentials_error(error).map(|cause| {
            let words = format!("no AWS credentials to ask with: {}", harmless(&chain(cause)));
            self.error(Class::Credentials, words)
        });
        let failed = inner.unwrap_or_else(|| self.failed(error));
        let class = match failed.class {
            Class::Throttled | Class::Unknown => failed.class,
            Class::NotFound
            | Class::Conflict
            | Class::Stale
            | Class::Denied
            | Class::Credentials
            | Class::Invalid
            | Class::Refused
            | Class::NoTurn => Class::Credentials,
        };
        Error { class, ..failed }
    }

    fn error(&self, class: Class, message: String) -> Error {
        Error {
            operation: self.operation,
            resource: self.resource.clone(),
            class,
            code: String::new(),
            message,
            request_id: None,
            retry_after: None,
        }
    }
}

/// Fills in what AWS answered.
fn refused<E: ProvideErrorMetadata>(failed: &mut Error, answer: &ServiceError<E, HttpResponse>) {
    let status = answer.raw().status().as_u16();
    let code = answer.err().code().unwrap_or_default();
    failed.class = classify(status, code);
    failed.code = clean(code);
    failed.message = match answer.err().message() {
        Some(message) if !message.is_empty() => harmless(message),
        Some(_) | None if code.is_empty() => format!(
            "HTTP status {status} without an AWS error code: is a proxy or another endpoint between \
             us and AWS?"
        ),
        Some(_) | None => format!("HTTP status {status}"),
    };
    failed.retry_after = answer
        .raw()
        .headers()
        .get("retry-after")
        .and_then(|seconds| seconds.trim().parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
}

/// The class of an answer. Codes come first, as some services throttle with 400 and 503 alike.
///
/// A bare 404 is not `NotFound`: a proxy may have said it, and "the alias does not exist" has
/// consequences.
fn classify(status: u16, code: &str) -> Class {
    if is_throttle(code) || status == 429 {
        return Class::Throttled;
    }
    if status >= 500 {
        return Class::Unknown;
    }
    match code {
        "PreconditionFailedException" | "PreconditionFailed" => Class::Stale,
        "RequestTimeout"
        | "RequestTimeoutException"
        | "IDPCommunicationError"
        | "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "InternalServiceException"
        | "ServiceException"
        | "ServiceUnavailable" => Class::Unknown,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidIdentityToken" => Class::Credentials,
        "UnauthorizedOperation"
        | "AuthFailure"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "KMSAccessDenied"
        | "OptInRequired"
        | "Forbidden" => Class::Denied,
        "ResourceInUseException" | "ResourceConflictException" => Class::Conflict,
        _ if code.starts_with("AccessDenied") => Class::Denied,
        _ if ends_with(code, &["NotFound", "NotFoundException", "NotFoundFault"]) => {
            Class::NotFound
        }
        _ if ends_with(
            code,
            &["AlreadyExists", "AlreadyExistsException", "AlreadyExistsFault"],
        ) =>
        {
            Class::Conflict
        }
        _ if status == 412 => Class::Stale,
        _ if (400..500).contains(&status) => Class::Invalid,
        _ => Class::Unknown,
    }
}

fn ends_with(code: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| code.ends_with(end))
}

/// Source: the error codes that the SDKs' standard retry mode takes for throttles, without
/// LimitExceededException, which is a quota.
fn is_throttle(code: &str) -> bool {
    const CODES: [&str; 10] = [
        "TooManyRequestsException",
        "ThrottledException",
        "EC2ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "ProvisionedThroughputExceededException",
        "PriorRequestNotComplete",
        "SlowDown",
    ];
    CODES.contains(&code) || code.starts_with("Throttling")
}

/// Some refusals of a signature quote the signed request, session token included.
fn harmless(message: &str) -> String {
    const MARKS: [&str; 7] = [
        "security-token",
        "securitytoken",
        "canonical string",
        "string-to-sign",
        "aws4-hmac",
        "signature=",
        "secretaccesskey",
    ];
    let lower = message.to_ascii_lowercase();
    if MARKS.iter().any(|mark| lower.contains(mark)) {
        return "AWS's words are not shown, because they quote the signed request".to_owned();
    }
    clean(message)
}

fn credentials_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CredentialsError> {
    find(error, |error| error.downcast_ref())
}

/// The first cause, from the outside in, for which `pick` gives something.
fn find<'a, T>(
    error: &'a (dyn StdError + 'static),
    pick: impl Fn(&'a (dyn StdError + 'static)) -> Option<T>,
) -> Option<T> {
    let mut cause = Some(error);
    for _ in 0..CAUSES_MAX {
        let current = cause?;
        if let Some(picked) = pick(current) {
            return Some(picked);
        }
        cause = current.source();
    }
    None
}
