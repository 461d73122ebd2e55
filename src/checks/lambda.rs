//! A function that must be ready.

use std::fmt;

use super::{Judged, Surroundings, parse::Wrong};
use crate::{
    api::check::LambdaCheck,
    aws::{limits::Priority, port::Lambda as _},
    context::terms,
    facts::lambda::{FunctionState, FunctionVersion},
};

/// A function, or one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lambda {
    function: String,
    /// Alias or version; none: `$LATEST`.
    qualifier: Option<String>,
}

impl Lambda {
    pub(super) fn parse(raw: &LambdaCheck) -> Result<Self, Wrong> {
        let LambdaCheck { function } = raw;
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
        Ok(Self { function: function.into(), qualifier: qualifier.map(str::to_owned) })
    }

    pub(super) async fn look(&self, at: &Surroundings<'_>) -> Judged {
        let lambda = at.session.lambda(terms(Priority::Work, at.namespace));
        match lambda.get_function(&self.function, self.qualifier.as_deref()).await {
            Ok(found) => self.judge(&found),
            Err(error) => Judged::of_error(&error),
        }
    }

    fn judge(&self, found: &FunctionVersion) -> Judged {
        let state = match &found.state {
            FunctionState::Active => {
                return Judged::passed(format!("{self}"));
            }
            FunctionState::Pending => "Pending",
            FunctionState::Inactive => "Inactive",
            FunctionState::Failed => "Failed",
            FunctionState::Other(other) => other,
        };
        let why = match found.state_reason.as_str() {
            "" => String::new(),
            why => format!(": {why}"),
        };
        Judged::failed(format!("{} is {state}, not Active{why}", self.named()))
    }

    fn named(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("function {}:{qualifier}", self.function),
            None => format!("function {}", self.function),
        }
    }
}

impl fmt::Display for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is Active", self.named())
    }
}
