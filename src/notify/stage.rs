//! What is told, and who wants to hear it. Pure.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::api::{channel::Channel, duration::Duration};

/// What is told of a window or a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A window opens so much later.
    Lead(Duration),
    /// A check that the opening depends on fails; there is time to mend it.
    CheckFailed,
    /// The window is open.
    Opened,
    /// It is still open.
    Progress,
    /// It closes later than was told.
    Extended,
    /// It opens at another time than was told, or closes earlier.
    Changed,
    /// Its time is over, and its last checks run.
    Verifying,
    /// It is over.
    Closed,
    /// It will not open: somebody decided so.
    Cancelled,
    /// It did not open: the operator was away.
    Missed,
    /// It did not open: something kept it from opening.
    Blocked,
    /// A release begins.
    Started,
    /// A release serves everybody.
    Promoted,
    /// A release went back.
    RolledBack,
    /// A release stands still.
    Held,
    /// A release waits for a person.
    AwaitingApproval,
}

/// Every stage with a fixed name.
const NAMED: [(Stage, &str); 15] = [
    (Stage::CheckFailed, "CheckFailed"),
    (Stage::Opened, "Opened"),
    (Stage::Progress, "Progress"),
    (Stage::Extended, "Extended"),
    (Stage::Changed, "Changed"),
    (Stage::Verifying, "Verifying"),
    (Stage::Closed, "Closed"),
    (Stage::Cancelled, "Cancelled"),
    (Stage::Missed, "Missed"),
    (Stage::Blocked, "Blocked"),
    (Stage::Started, "Started"),
    (Stage::Promoted, "Promoted"),
    (Stage::RolledBack, "RolledBack"),
    (Stage::Held, "Held"),
    (Stage::AwaitingApproval, "AwaitingApproval"),
];

/// A text that names no stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stage is Opened, Progress, Extended, Changed, Cancelled, Closed, or a duration like 24h"
)]
pub struct InvalidStage;

impl Stage {
    /// Whether nothing follows it in its occurrence.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled | Self::Missed | Self::Blocked)
    }

    /// The stage that a user names to hear of this one.
    const fn asked_as(self) -> Self {
        match self {
            Self::Missed | Self::Blocked => Self::Cancelled,
            Self::CheckFailed => Self::Opened,
            Self::Verifying => Self::Closed,
            Self::Lead(_)
            | Self::Opened
            | Self::Progress
            | Self::Extended
            | Self::Changed
            | Self::Closed
            | Self::Cancelled
            | Self::Started
            | Self::Promoted
            | Self::RolledBack
            | Self::Held
            | Self::AwaitingApproval => self,
        }
    }
}

impl fmt::Display for Stage {
    /// As the status has it. A lead looks as people write it: `24h`, not `1d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Lead(lead) = self {
            return f.write_str(&spoken(*lead));
        }
        let name = NAMED.iter().find(|(stage, _)| stage == self).map(|(_, name)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl FromStr for Stage {
    type Err = InvalidStage;

    fn from_str(text: &str) -> Result<Self, InvalidStage> {
        if let Some((stage, _)) = NAMED.iter().find(|(_, name)| *name == text) {
            return Ok(*stage);
        }
        text.parse().map(Self::Lead).map_err(|_| InvalidStage)
    }
}

/// A duration as people say it: `45m`, `24h`, `1h30m`; days from two whole ones on.
#[must_use]
pub fn spoken(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    let seconds = duration.as_secs();
    if seconds >= 2 * DAY && seconds.is_multiple_of(DAY) {
        return format!("{}d", seconds / DAY);
    }
    let parts = [(seconds / 3_600, 'h'), (seconds % 3_600 / 60, 'm'), (seconds % 60, 's')];
    let said: String = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if said.is_empty() { "0s".to_owned() } else { said }
}

/// From when to when a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Opening.
    pub opens: Timestamp,
    /// Close, exclusive.
    pub closes: Timestamp,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Name of the channel.
    pub channel: String,
    /// What the channel asks for; none: everything.
    stages: Option<Vec<Stage>>,
    /// Whether it is a public page.
    page: bool,
}

impl Listener {
    /// A channel that asks for everything.
    #[must_use]
    pub fn all(channel: &Channel) -> Self {
        let page = channel.statuspage.is_some();
        Self { channel: channel.name.clone(), stages: None, page }
    }

    /// A channel that asks for these stages, as the spec names them.
    ///
    /// # Errors
    ///
    /// [`InvalidStage`] for a text that names none.
    pub fn of(channel: &Channel, stages: Option<&[String]>) -> Result<Self, InvalidStage> {
        let parse = |stages: &[String]| stages.iter().map(|stage| stage.parse()).collect();
        Ok(Self { stages: stages.map(parse).transpose()?, ..Self::all(channel) })
    }

    /// Whether it is told of this stage.
    ///
    /// A public page shows how a maintenance stands, and nothing else: no checks, no approvals. It
    /// alone shows that last checks run.
    #[must_use]
    pub fn takes(&self, stage: Stage) -> bool {
        let fits = match stage {
            Stage::Verifying => self.page,
            Stage::CheckFailed | Stage::Held | Stage::AwaitingApproval => !self.page,
            Stage::Lead(_)
            | Stage::Opened
            | Stage::Progress
            | Stage::Extended
            | Stage::Changed
            | Stage::Closed
            | Stage::Cancelled
            | Stage::Missed
            | Stage::Blocked
            | Stage::Started
            | Stage::Promoted
            | Stage::RolledBack => true,
        };
        let asked = |stages: &Vec<Stage>| stages.contains(&stage.asked_as());
        fits && self.stages.as_ref().is_none_or(asked)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::channel::StatuspageChannel;

    #[test]
    fn a_lead_reads_as_people_write_it() {
        for text in ["7d", "24h", "1h", "90s", "2d", "1h30m", "45m"] {
            let stage: Stage = text.parse().unwrap();
            let shown = stage.to_string();
            assert_eq!(shown.parse(), Ok(stage), "{text}");
            if text != "90s" {
                assert_eq!(shown, text);
            }
        }
        assert_eq!("1d".parse::<Stage>().unwrap().to_string(), "24h");
        assert_eq!("4w".parse::<Stage>().unwrap().to_string(), "28d");
        assert_eq!(Stage::Lead(Duration::ZERO).to_string(), "0s");
    }

    #[test]
    fn every_name_is_read_back() {
        for (stage, name) in NAMED {
            assert_eq!((stage.to_string().as_str(), name.parse()), (name, Ok(stage)));
        }
        for text in ["", "opened", "Lead", "24", "Opened "] {
            assert_eq!(text.parse::<Stage>(), Err(InvalidStage), "{text}");
        }
    }

    fn stages(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn who_hears_of_openings_and_ends_hears_also_why_there_is_none() {
        let channel = Channel { name: "ops".into(), ..Channel::default() };
        let lead = |text: &str| Stage::Lead(text.parse().unwrap());
        let some = Listener::of(&channel, Some(&stages(&["1d", "Opened", "Cancelled"]))).unwrap();
        for stage in [lead("24h"), Stage::Opened, Stage::CheckFailed, Stage::Missed, Stage::Blocked]
        {
            assert!(some.takes(stage), "{stage}");
        }
        for stage in [lead("1h"), Stage::Closed, Stage::Progress, Stage::Changed] {
            assert!(!some.takes(stage), "{stage}");
        }
        assert_eq!(Listener::of(&channel, Some(&stages(&["Open"]))), Err(InvalidStage));
    }

    #[test]
    fn a_public_page_hears_of_no_checks_and_alone_that_the_last_ones_run() {
        let page = StatuspageChannel::default();
        let channel = Channel { statuspage: Some(page), ..Channel::default() };
        let page = Listener::all(&channel);
        let other = Listener::all(&Channel::default());
        for stage in [Stage::CheckFailed, Stage::Held, Stage::AwaitingApproval] {
            assert!(!page.takes(stage) && other.takes(stage), "{stage}");
        }
        assert!(page.takes(Stage::Verifying) && !other.takes(Stage::Verifying));
        assert!(page.takes(Stage::Opened) && other.takes(Stage::Opened));
    }

    proptest! {
        #[test]
        fn any_lead_is_read_back(seconds in 0_u64..100_000_000) {
            let stage = Stage::Lead(Duration::from_secs(seconds));
            prop_assert_eq!(stage.to_string().parse(), Ok(stage));
        }
    }
}
