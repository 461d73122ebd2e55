//! Whom a window tells, parsed, and what it remembers of that.

use jiff::Timestamp;

use crate::{
    api::{
        channel::{Channel, StagedChannel},
        fit::{ENDINGS_MAX, Fit, MOVED_MAX, NOTICES_MAX, SENTENCE_MAX, cut},
        maintenance_window::MaintenanceWindowStatus,
        window_notices::{Ending, Moved, Notices},
    },
    notify::{
        due::{Ledger, Timing},
        stage::{Listener, Stage},
    },
};

/// Whom people are told by, when, and in which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// When.
    pub timing: Timing,
    /// Who wants to hear what; in the order of `channels`.
    pub listeners: Vec<Listener>,
    /// Where.
    pub channels: Vec<Channel>,
    /// What it is called.
    pub title: String,
    /// What users will notice.
    pub text: String,
}

impl Wishes {
    /// Parses what a spec asks for.
    ///
    /// # Errors
    ///
    /// The field below `notices` that cannot work, and why.
    pub fn parse(notices: &Notices) -> Result<Self, (String, String)> {
        let Notices { before, every, title, message, channels } = notices;
        let timing = Timing { before: before.clone().unwrap_or_default(), every: *every };
        let listener = |(index, staged): (usize, &StagedChannel)| {
            let refused = |why: String| (format!("channels[{index}].stages"), why);
            let StagedChannel { channel, stages } = staged;
            let listener = Listener::of(channel, stages.as_deref());
            let listener = listener.map_err(|why| refused(why.to_string()))?;
            for stage in stages.iter().flatten() {
                if let Ok(Stage::Lead(lead)) = stage.parse()
                    && !timing.before.contains(&lead)
                {
                    let why = "is no duration of notices.before: nobody would be told then";
                    return Err(refused(format!("{stage} {why}")));
                }
            }
            Ok(listener)
        };
        let listeners = channels.iter().enumerate().map(listener).collect::<Result<_, _>>()?;
        Ok(Self {
            timing,
            listeners,
            channels: channels.iter().map(|staged| staged.channel.clone()).collect(),
            title: title.clone().unwrap_or_default(),
            text: message.clone().unwrap_or_default(),
        })
    }
}

/// What a window remembers of what people were told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// What went out, and what does not.
    pub ledger: Ledger,
    /// Ends that are told, newest first.
    pub endings: Vec<Ending>,
    /// Openings that take the place of others.
    pub moved: Vec<Moved>,
    /// The openings that were to come: their ids, and when they were to open.
    pub foreseen: Vec<(String, Timestamp)>,
}

impl Book {
    /// Reads it out of a status.
    #[must_use]
    pub fn recall(status: &MaintenanceWindowStatus) -> Self {
        let MaintenanceWindowStatus { notices, notice_failures, endings, moved, upcoming, .. } =
            status;
        Self {
            ledger: Ledger { sent: notices.clone(), failing: notice_failures.clone() },
            endings: endings.clone(),
            moved: moved.clone(),
            foreseen: upcoming.iter().map(|next| (next.id.clone(), next.opens_at.0)).collect(),
        }
    }
}

impl Book {
    /// Whether nobody was told anything, and nobody is to be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { ledger: Ledger { sent, failing }, endings, moved: _, foreseen: _ } = self;
        sent.is_empty() && failing.is_empty() && endings.is_empty()
    }
}

impl Fit for Book {
    fn fit(&mut self) {
        let Self { ledger, endings, moved, foreseen: _ } = self;
        let Ledger { sent, failing } = ledger;
        // The newest are the last.
        sent.drain(..sent.len().saturating_sub(NOTICES_MAX));
        failing.drain(..failing.len().saturating_sub(NOTICES_MAX));
        endings.truncate(ENDINGS_MAX);
        endings.iter_mut().for_each(|ending| cut(&mut ending.message, SENTENCE_MAX));
        moved.truncate(MOVED_MAX);
    }
}
