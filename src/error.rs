//! Who must move next after a failure, and how an error chain is printed.

use std::{error::Error, fmt::Write as _};

/// Who must move next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The user: nothing helps until the spec, a permission or an AWS object changes. Looked at
    /// again now and then, because we do not see every such change.
    AwaitEdit,
    /// We, soon: the same pass may well work when it is repeated.
    Retry,
    /// We, but not soon: AWS asked for patience.
    Later,
    /// Nobody: what others had to do went first. Tried again, and not told.
    NextTurn,
}

/// Longest message that goes into a status or an event; what is longer is cut with an ellipsis.
pub const MESSAGE_MAX: usize = 1_000;

/// Prints an error and its causes, outermost first, separated by ": ".
///
/// A cause that only repeats its parent's text is left out. The result is safe to show: see
/// [`clean`].
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let message = current.to_string();
        if !message.is_empty() && !text.ends_with(&message) {
            let _ = write!(text, ": {message}");
        }
        cause = current.source();
    }
    clean(&text)
}

/// Makes text from outside fit for a status, an event or a log: control characters become spaces,
/// and it is at most [`MESSAGE_MAX`] characters long.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut cleaned: String = text.chars().map(harmless).take(MESSAGE_MAX).collect();
    if text.chars().nth(MESSAGE_MAX).is_some() {
        cleaned.pop();
        cleaned.push('…');
    }
    cleaned
}

/// Makes text from outside fit for a terminal: control characters become spaces, so it is one line of
/// any length.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars().map(harmless).collect()
}

fn harmless(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

/// A message without the request id at its end, which is another one each time.
#[must_use]
pub fn without_request(message: &str) -> &str {
    message.rsplit_once(" (request ").map_or(message, |(words, _)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read alias production")]
    struct Outer(#[source] Inner);
    #[derive(Debug, thiserror::Error)]
    #[error("AccessDenied\n(request 1)")]
    struct Inner;

    #[test]
    fn a_chain_reads_as_one_line_from_the_outside_in() {
        assert_eq!(chain(&Outer(Inner)), "cannot read alias production: AccessDenied (request 1)");
    }

    #[test]
    fn a_line_of_a_terminal_is_as_long_as_its_text() {
        assert_eq!(one_line("a\u{1b}[2J\r\nb\u{9b}c\tü"), "a [2J  b c ü");
        assert_eq!(one_line(&"é".repeat(MESSAGE_MAX + 1)).chars().count(), MESSAGE_MAX + 1);
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        let cleaned = clean(&"é".repeat(MESSAGE_MAX + 1));
        assert_eq!(cleaned.chars().count(), MESSAGE_MAX);
        assert!(cleaned.ends_with('…'));
        assert_eq!(clean(&"é".repeat(MESSAGE_MAX)), "é".repeat(MESSAGE_MAX));
    }
}
