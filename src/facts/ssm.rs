//! What Systems Manager is asked for, and says, of commands and automations.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Nodes or resources, by a key such as `tag:role` or `InstanceIds`, and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The key.
    pub key: String,
    /// Any of these.
    pub values: Vec<String>,
}

/// What a document is run with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Name or ARN of the document.
    pub document: String,
    /// Values of its parameters.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// What it runs on.
    pub targets: Vec<Target>,
    /// On how many at once: a number or a percentage.
    pub max_concurrency: String,
    /// After more errors than this it runs on no more: a number or a percentage.
    pub max_errors: String,
}

/// A command to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommand {
    /// The document and its targets.
    pub run: Run,
    /// How it is found again: at most 100 characters.
    pub comment: String,
    /// Nodes that were not reached within so many seconds do not run it any more: 30 or more.
    pub delivery_secs: i32,
}

/// An automation to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAutomation {
    /// The document and its targets; where there are none, it runs once.
    pub run: Run,
    /// The parameter that takes the target.
    pub target_parameter: Option<String>,
    /// A UUID: the same one never starts a second execution.
    pub token: String,
}

/// Which commands are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandSearch {
    /// This one.
    Id(String),
    /// All that were sent at this moment or later.
    Since(Timestamp),
}

/// A command that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Its id.
    pub id: String,
    /// How it is found again.
    pub comment: String,
    /// AWS's word: `Pending`, `InProgress`, `Success`, `Cancelled`, `Failed`, `TimedOut`, `Cancelling`.
    pub status: String,
    /// More precisely: `DeliveryTimedOut`, `NoInstancesInTag`.
    pub details: String,
    /// Nodes that it runs on.
    pub targets: i32,
    /// Nodes where it ended.
    pub completed: i32,
    /// Nodes where it failed.
    pub errors: i32,
}

/// A page of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandPage {
    /// The commands.
    pub commands: Vec<Command>,
    /// What to ask for the next page with.
    pub next: Option<String>,
}

/// An execution of an automation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Automation {
    /// AWS's word: `InProgress`, `Waiting`, `Success`, `Failed`, `TimedOut`, `Cancelled` and others.
    pub status: String,
    /// Why it failed, in AWS's words.
    pub failure: String,
}

/// How far something is that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It runs. So does what is called by a word that is new to us.
    Runs,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
}

impl Command {
    /// How far it is. Source: SSM API reference, Command.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self.status.as_str() {
            "Success" => Progress::Succeeded,
            "Failed" | "TimedOut" | "Cancelled" => Progress::Failed,
            _ => Progress::Runs,
        }
    }
}

impl Automation {
    /// How far it is. Source: SSM API reference, AutomationExecutionStatus.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self.status.as_str() {
            "Success" | "CompletedWithSuccess" => Progress::Succeeded,
            "Failed"
            | "TimedOut"
            | "Cancelled"
            | "Rejected"
            | "CompletedWithFailure"
            | "Exited" => Progress::Failed,
            _ => Progress::Runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_that_end_something_end_it() {
        for (word, expected) in [
            ("Success", Progress::Succeeded),
            ("Failed", Progress::Failed),
            ("TimedOut", Progress::Failed),
            ("Cancelled", Progress::Failed),
            ("Cancelling", Progress::Runs),
            ("Pending", Progress::Runs),
            ("SomethingNew", Progress::Runs),
        ] {
            let command = Command { status: word.into(), ..Command::default() };
            let automation = Automation { status: word.into(), ..Automation::default() };
            assert_eq!((command.progress(), automation.progress()), (expected, expected), "{word}");
        }
        for (word, expected) in [
            ("CompletedWithSuccess", Progress::Succeeded),
            ("CompletedWithFailure", Progress::Failed),
            ("Rejected", Progress::Failed),
            ("Exited", Progress::Failed),
            ("PendingApproval", Progress::Runs),
        ] {
            let automation = Automation { status: word.into(), ..Automation::default() };
            assert_eq!(automation.progress(), expected, "{word}");
        }
    }
}
