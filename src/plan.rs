//! What the plans of all kinds share.

use jiff::Timestamp;

use crate::error::Remedy;

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revisit {
    /// At once, as soon as this plan is published.
    Now,
    /// At this time.
    At(Timestamp),
}

/// A note for people, published as an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether something is wrong.
    pub warning: bool,
    /// Why, in CamelCase.
    pub reason: &'static str,
    /// One sentence.
    pub message: String,
}

/// Something that could not be read or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Who must move next.
    pub remedy: Remedy,
    /// Why, in CamelCase: the reason of the conditions.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
}

impl Revisit {
    /// At `then` at the latest.
    #[must_use]
    pub fn no_later_than(self, then: Timestamp) -> Self {
        match self {
            Self::Now => Self::Now,
            Self::At(at) => Self::At(at.min(then)),
        }
    }
}
