//! The verbs of a window: `<verb>[=<arg>]@<occurrence>[#<nonce>]`.

mod bind;

use std::fmt;

pub use bind::{Unbound, bind, compose};

use super::{VALUE_MAX, without_nonce};
use crate::api::duration::Duration;

/// What a person asks of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Close what is open before its time.
    Close,
    /// Push the close of what is open.
    Extend(Duration),
    /// Leave out an opening that is to come.
    Skip,
}

impl Verb {
    /// All of them, as they are written before the `@`.
    pub const FORMS: [&'static str; 3] = ["close", "extend=<duration>", "skip"];

    /// The word in the annotation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Extend(_) => "extend",
            Self::Skip => "skip",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extend(by) => write!(f, "extend={by}"),
            Self::Close | Self::Skip => f.write_str(self.as_str()),
        }
    }
}

/// A parsed annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The verb.
    pub verb: Verb,
    /// Id of the opening that it is for.
    pub opening: &'a str,
}

impl<'a> Request<'a> {
    /// Parses the value of the annotation.
    ///
    /// # Errors
    ///
    /// A sentence for the person who wrote it.
    pub fn parse(value: &'a str) -> Result<Self, String> {
        if value.len() > VALUE_MAX {
            return Err(format!("a verb is at most {VALUE_MAX} characters long"));
        }
        let (verb, target) = value
            .split_once('@')
            .ok_or("write <verb>@<opening>, for example close@weekly-20261206T0100Z".to_owned())?;
        let verb = match verb.split_once('=') {
            None if verb == "close" => Verb::Close,
            None if verb == "skip" => Verb::Skip,
            None if verb == "extend" => {
                return Err("extend says by how much: write extend=30m@<opening>".into());
            }
            Some(("extend", by)) => match by.parse::<Duration>() {
                Ok(by) if by > Duration::ZERO && by.as_secs().is_multiple_of(60) => {
                    Verb::Extend(by)
                }
                Ok(_) => {
                    return Err("extend takes whole minutes: write extend=30m@<opening>".into());
                }
                Err(error) => return Err(error.to_string()),
            },
            Some((verb @ ("close" | "skip"), _)) => {
                return Err(format!("{verb} takes no argument: write {verb}@<opening>"));
            }
            None | Some(_) => {
                return Err(format!("there is no verb {verb:?}; there are close, extend, skip"));
            }
        };
        match without_nonce(target) {
            "" => Err(format!("{verb} names an opening: write {verb}@<opening>")),
            opening => Ok(Self { verb, opening }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Result<(&str, &str), &str>) {
        let parsed =
            Request::parse(value).map(|request| (request.verb.to_string(), request.opening));
        let seen = parsed.as_ref().map(|(verb, opening)| (verb.as_str(), *opening));
        assert_eq!(seen.map_err(String::as_str), expected, "{value:?}");
    }

    #[test]
    fn a_verb_of_a_window_names_its_opening_and_a_nonce_is_ignored() {
        check("close@weekly-20261206T0100Z", Ok(("close", "weekly-20261206T0100Z")));
        check("extend=1h30m@a-20261206T0100Z#x", Ok(("extend=1h30m", "a-20261206T0100Z")));
        check("skip@a-20261206T0100Z#x", Ok(("skip", "a-20261206T0100Z")));
    }

    #[test]
    fn what_is_wrong_with_a_verb_of_a_window_is_said_with_the_right_form() {
        let form = "write <verb>@<opening>, for example close@weekly-20261206T0100Z";
        check("close", Err(form));
        check("close@#x", Err("close names an opening: write close@<opening>"));
        check("extend@a", Err("extend says by how much: write extend=30m@<opening>"));
        check("extend=0s@a", Err("extend takes whole minutes: write extend=30m@<opening>"));
        check("extend=90s@a", Err("extend takes whole minutes: write extend=30m@<opening>"));
        check("close=1h@a", Err("close takes no argument: write close@<opening>"));
        check("open@a", Err("there is no verb \"open\"; there are close, extend, skip"));
        check("open=1@a", Err("there is no verb \"open=1\"; there are close, extend, skip"));
        check(
            "extend=-1m@a",
            Err("a duration is written like 30m, 1h30m, 7d or 4w: units w d h m s, in that order"),
        );
        check(&"x".repeat(257), Err("a verb is at most 256 characters long"));
    }

    proptest! {
        #[test]
        fn any_value_of_a_window_is_parsed_or_refused(value in ".{0,300}") {
            let _ = Request::parse(&value);
        }
    }
}
