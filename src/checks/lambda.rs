//! A function that must be ready, or answer.

use std::{fmt, time::Duration as StdDuration};

use super::{Judged, Surroundings, parse::Wrong};
use crate::{
    api::{check::Invoke, check::LambdaCheck, duration::Duration},
    aws::{limits::Priority, port::Lambda as _},
    context::terms,
    facts::lambda::{FunctionState, FunctionVersion, Invocation, LastUpdate},
    invocations,
};

/// Longest payload.
const PAYLOAD_MAX: usize = 65_536;

/// A function, or one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lambda {
    function: String,
    /// Alias or version; none: `$LATEST`.
    qualifier: Option<String>,
    /// How it is invoked; none: only its state is looked at.
    invoke: Option<Expected>,
}

/// What an invocation sends, and what it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    payload: String,
    status: Option<i64>,
    max_duration: Duration,
}

impl Lambda {
    pub(super) fn parse(raw: &LambdaCheck) -> Result<Self, Wrong> {
        let LambdaCheck { function, invoke } = raw;
        let (function, qualifier) = match function.split_once(':') {
            Some((function, qualifier)) => (function, Some(qualifier)),
            None => (function.as_str(), None),
        };
        let fits = |text: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            !text.is_empty() && text.chars().all(fits)
        };
        if !fits(function) || !qualifier.is_none_or(fits) {
            return Err(("function", "the name of a function, or name:alias"));
        }
        Ok(Self {
            function: function.into(),
            qualifier: qualifier.map(str::to_owned),
            invoke: invoke.as_ref().map(expected).transpose()?,
        })
    }

    /// Whether it does more than to look.
    pub(super) fn invokes(&self) -> bool {
        self.invoke.is_some()
    }

    pub(super) async fn look(&self, at: &Surroundings<'_>) -> Judged {
        let lambda = at.session.lambda(terms(Priority::Work, at.namespace));
        let Some(expected) = &self.invoke else {
            return match lambda.get_function(&self.function, self.qualifier.as_deref()).await {
                Ok(found) => self.judge_state(&found),
                Err(error) => Judged::of_error(&error),
            };
        };
        let qualifier = self.qualifier.as_deref().unwrap_or("$LATEST");
        let patience = StdDuration::from_secs(expected.max_duration.as_secs());
        match lambda.invoke(&self.function, qualifier, &expected.payload, patience).await {
            Ok(invocation) => self.judge_answer(expected, &invocation),
            Err(error) => Judged::of_error(&error),
        }
    }

    fn judge_answer(&self, expected: &Expected, invocation: &Invocation) -> Judged {
        match invocations::judge(expected.status, expected.max_duration, invocation) {
            Ok(words) => Judged::passed(format!("{}: {words}", self.named())),
            Err(words) => Judged::failed(format!("{}: {words}", self.named())),
        }
    }

    fn judge_state(&self, found: &FunctionVersion) -> Judged {
        let because = |why: &str| match why {
            "" => String::new(),
            why => format!(": {why}"),
        };
        let state = match &found.state {
            FunctionState::Active => None,
            FunctionState::Pending => Some("Pending"),
            FunctionState::Inactive => Some("Inactive"),
            FunctionState::Failed => Some("Failed"),
            FunctionState::Other(other) => Some(other.as_str()),
        };
        if let Some(state) = state {
            let why = because(&found.state_reason);
            return Judged::failed(format!("{} is {state}, not Active{why}", self.named()));
        }
        let update = match found.last_update {
            LastUpdate::Successful => return Judged::passed(self.to_string()),
            LastUpdate::InProgress => "is in progress",
            LastUpdate::Failed => "failed",
        };
        let why = because(&found.last_update_reason);
        Judged::failed(format!("the last update of {} {update}{why}", self.named()))
    }

    fn named(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("function {}:{qualifier}", self.function),
            None => format!("function {}", self.function),
        }
    }
}

fn expected(raw: &Invoke) -> Result<Expected, Wrong> {
    let Invoke { payload, expect_status, max_duration } = raw;
    let payload = invocations::payload(payload.as_deref())
        .filter(|payload| payload.len() <= PAYLOAD_MAX)
        .ok_or(("invoke.payload", "JSON of at most 65536 bytes"))?;
    let max_duration =
        invocations::max_duration(*max_duration).ok_or(("invoke.maxDuration", "1s to 60s"))?;
    Ok(Expected { payload, status: expect_status.map(i64::from), max_duration })
}

impl fmt::Display for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.invoke {
            None => write!(f, "{} is Active, its last update Successful", self.named()),
            Some(Expected { status, max_duration, .. }) => {
                write!(f, "{} answers within {max_duration}", self.named())?;
                match status {
                    Some(status) => write!(f, " with statusCode {status}"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::check::CheckVerdict::{self, Failed, Passed},
        facts::lambda::Snapshot,
    };

    fn found(state: FunctionState, last_update: LastUpdate) -> FunctionVersion {
        FunctionVersion {
            version: "$LATEST".into(),
            code_sha256: "sha".into(),
            revision_id: "r".into(),
            state,
            state_reason: "Restoring: a while".into(),
            last_update,
            last_update_reason: String::new(),
            snapshot: Snapshot::NotWanted,
            timeout_secs: 3,
            memory_mb: 128,
            runtime: None,
            architectures: vec![],
            settings: String::new(),
            environment_readable: true,
            image: None,
            description: String::new(),
            role: String::new(),
            dead_letter_target: None,
            stack: None,
        }
    }

    fn raw(function: &str) -> LambdaCheck {
        LambdaCheck { function: function.into(), invoke: None }
    }

    #[test]
    fn a_function_must_be_active_and_its_last_update_successful() {
        use FunctionState::{Active, Failed as Broken, Inactive, Other, Pending};
        let lambda = Lambda::parse(&raw("api:live")).unwrap();
        for (state, update, verdict, says) in [
            (
                Active,
                LastUpdate::Successful,
                Passed,
                "function api:live is Active, its last update Successful",
            ),
            (
                Active,
                LastUpdate::InProgress,
                Failed,
                "the last update of function api:live is in progress",
            ),
            (Active, LastUpdate::Failed, Failed, "the last update of function api:live failed"),
            (
                Pending,
                LastUpdate::Successful,
                Failed,
                "function api:live is Pending, not Active: Restoring: a while",
            ),
            (
                Inactive,
                LastUpdate::Successful,
                Failed,
                "function api:live is Inactive, not Active: Restoring: a while",
            ),
            (
                Broken,
                LastUpdate::Successful,
                Failed,
                "function api:live is Failed, not Active: Restoring: a while",
            ),
            (
                Other("New".into()),
                LastUpdate::Successful,
                Failed,
                "function api:live is New, not Active: Restoring: a while",
            ),
        ] {
            let judged = lambda.judge_state(&found(state, update));
            assert_eq!((judged.verdict, judged.message.as_str()), (verdict, says));
        }
    }

    fn invoked(payload: &str, error: Option<&str>, millis: u64) -> (CheckVerdict, String) {
        let invoke = Invoke {
            expect_status: Some(200),
            max_duration: Some(Duration::from_secs(2)),
            ..Invoke::default()
        };
        let raw = LambdaCheck { function: "api".into(), invoke: Some(invoke) };
        let lambda = Lambda::parse(&raw).unwrap();
        let invocation = Invocation::Answered {
            function_error: error.map(str::to_owned),
            payload: payload.into(),
            took: StdDuration::from_millis(millis),
        };
        let judged = lambda.judge_answer(lambda.invoke.as_ref().unwrap(), &invocation);
        (judged.verdict, judged.message)
    }

    #[test]
    fn an_invocation_must_return_the_status_in_time_and_tells_nothing_else() {
        let good = r#"{"statusCode": 200, "body": "SECRET"}"#;
        let passed = (Passed, "function api: statusCode 200 after 90 ms".to_owned());
        assert_eq!(invoked(good, None, 90), passed);
        for (payload, error, millis, says) in [
            (
                r#"{"statusCode": 500}"#,
                None,
                9,
                "function api: statusCode 500 after 9 ms, expected 200",
            ),
            (good, None, 2_001, "function api: took 2001 ms, longer than 2s"),
            (
                "SECRET",
                None,
                9,
                "function api: what it returned has no statusCode, expected 200; it took 9 ms",
            ),
            (
                r#"{"errorType": "Oops", "errorMessage": "SECRET"}"#,
                Some("Unhandled"),
                9,
                "function api: the function failed after 9 ms: Oops",
            ),
        ] {
            assert_eq!(invoked(payload, error, millis), (Failed, says.to_owned()));
        }
    }

    #[test]
    fn what_cannot_be_invoked_is_refused() {
        for function in ["", "a b", "api:", ":live", "a:b:c", "arn:aws:lambda:x", "api:$LATEST"] {
            assert_eq!(Lambda::parse(&raw(function)).unwrap_err().0, "function", "{function}");
        }
        let with = |invoke: Invoke| LambdaCheck { function: "api".into(), invoke: Some(invoke) };
        let wrong = with(Invoke { payload: Some("{".into()), ..Invoke::default() });
        assert_eq!(Lambda::parse(&wrong).unwrap_err().0, "invoke.payload");
        for seconds in [0, 61] {
            let max_duration = Some(Duration::from_secs(seconds));
            let wrong = with(Invoke { max_duration, ..Invoke::default() });
            assert_eq!(Lambda::parse(&wrong).unwrap_err().0, "invoke.maxDuration");
        }
    }
}
