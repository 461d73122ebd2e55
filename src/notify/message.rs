//! What is told, as plain facts. Pure.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    due::Due,
    stage::{Span, Stage},
};
use crate::names;

/// Whom a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The operator's `--cluster-name`.
    pub cluster: String,
    /// Kind of the object: `MaintenanceWindow`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A notice. What is empty is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The object.
    pub about: About,
    /// Id of the occurrence, or the revision.
    pub id: String,
    /// Id under which it was announced before.
    pub replaces: Option<String>,
    /// What is told.
    pub stage: Stage,
    /// Whether nothing that the channel was told of the occurrence holds: it knows nothing of it.
    pub is_first: bool,
    /// When it happened, or was due.
    pub at: Timestamp,
    /// Zone in which people read times.
    pub zone: TimeZone,
    /// From when to when; none for a rollout without an expected end.
    pub span: Option<Span>,
    /// What was told before, where it was something else.
    pub was: Option<Span>,
    /// The user's title: `Scheduled maintenance`.
    pub title: String,
    /// The user's words: what users will notice.
    pub text: String,
    /// Why.
    pub why: String,
    /// Alarms that are quiet meanwhile.
    pub muted: Alarms,
    /// What runs meanwhile: tasks, or the step of a rollout.
    pub runs: Vec<String>,
    /// How it ended.
    pub outcome: String,
    /// Alarms that still fire.
    pub firing: Alarms,
    /// More lines, each whole in itself: checks, metrics before and after.
    pub details: Vec<String>,
    /// What the reader has to do.
    pub todo: String,
}

/// Some alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// How many there are.
    pub count: usize,
    /// Names of them, or of the first ones.
    pub names: Vec<String>,
}

impl Message {
    /// A notice that is due, and says no more than that.
    #[must_use]
    pub fn new(about: About, due: &Due, zone: TimeZone) -> Self {
        let Due { occurrence, stage, at, span, was, is_first, .. } = due;
        Self {
            about,
            id: occurrence.clone(),
            replaces: None,
            stage: *stage,
            is_first: *is_first,
            at: *at,
            zone,
            span: *span,
            was: *was,
            title: String::new(),
            text: String::new(),
            why: String::new(),
            muted: Alarms::default(),
            runs: Vec::new(),
            outcome: String::new(),
            firing: Alarms::default(),
            details: Vec::new(),
            todo: String::new(),
        }
    }

    /// What tells this notice on this channel from every other one, in 64 hexadecimal digits: the
    /// same in each attempt to send it, as long as it tells the same times.
    #[must_use]
    pub fn key(&self, channel: &str) -> String {
        let About { cluster, kind, namespace, name } = &self.about;
        let (stage, at) = (self.stage.to_string(), self.at.to_string());
        let [opens, closes] = match self.span {
            Some(Span { opens, closes }) => [opens.to_string(), closes.to_string()],
            None => Default::default(),
        };
        names::digest(&[
            cluster, kind, namespace, name, &self.id, channel, &stage, &at, &opens, &closes,
        ])
    }

    /// What tells its occurrence from every other one, in hexadecimal digits that name nobody;
    /// first its own, then that of the one that it replaces.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        let About { cluster, kind, namespace, name } = &self.about;
        let mark = |id: &String| names::digest(&[cluster, kind, namespace, name, id]);
        std::iter::once(&self.id).chain(&self.replaces).map(mark).collect()
    }

    /// Whether it is bad news.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        match self.stage {
            Stage::CheckFailed
            | Stage::Missed
            | Stage::Blocked
            | Stage::RolledBack
            | Stage::Held => true,
            Stage::Closed => self.firing.count > 0 || self.outcome == "Failed",
            Stage::Lead(_)
            | Stage::Opened
            | Stage::Progress
            | Stage::Extended
            | Stage::Changed
            | Stage::Verifying
            | Stage::Cancelled
            | Stage::Started
            | Stage::Promoted
            | Stage::AwaitingApproval => false,
        }
    }
}
