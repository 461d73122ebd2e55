//! What the cluster says about an object and its surroundings.

/// A verb as the annotation states it, not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRequest {
    /// Whole value of the annotation.
    pub value: String,
    /// Who asked, as the annotation beside it says; empty when it does not.
    pub by: String,
}

/// What deletion asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The object is not being deleted.
    None,
    /// Undo, then let go.
    Undo,
    /// Let go at once; what is left is listed in an Event.
    Abandon,
}
