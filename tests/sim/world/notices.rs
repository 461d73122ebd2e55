//! Where notices go in the world. A channel may refuse them, lose them, take them without an answer, or
//! take its time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use groundcrew::{
    api::channel::Channel,
    notify::{
        message::Message,
        send::{Deliver, NotSent, SEND_TIMEOUT, Sent, Topics},
        stage::Stage,
    },
};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::{State, World};
use crate::faults::Random;

/// How long a channel takes that takes its time: all but as long as it may.
const SLOW: Duration = Duration::from_secs(19);

/// A notice that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// Kind, namespace and name of the object.
    pub about: String,
    /// Occurrence or revision.
    pub id: String,
    /// Where it arrived.
    pub channel: String,
    /// What it tells.
    pub stage: String,
    /// Whether nothing follows it.
    pub last: bool,
    /// Whether it is told once in an occurrence, whatever its times are.
    pub once: bool,
    /// The same in each attempt.
    pub key: String,
}

/// What a channel does with a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Takes,
    Refuses,
    /// It takes it and does not answer.
    Unanswered,
    /// It neither takes it nor answers.
    Lost,
    /// It takes its time.
    Slow,
}

/// How often attempts fail.
#[derive(Debug)]
pub struct Chance {
    pub random: Random,
    pub until: Instant,
    /// One in so many does.
    pub rarity: u64,
}

/// Object, occurrence and channel.
type Place = (String, String, String);
/// What was sent, with the process that did, and whether it knows.
type ByProcess = BTreeMap<String, (u64, bool)>;

/// Stages that end an occurrence.
const ENDS: [Stage; 4] = [Stage::Closed, Stage::Cancelled, Stage::Missed, Stage::Blocked];

/// What arrived so far.
#[derive(Debug, Default)]
pub struct Mailbox {
    pub all: Vec<Notice>,
    /// By key.
    sent: BTreeMap<Place, ByProcess>,
    /// The same by stage, of those that are told once.
    stages: BTreeMap<Place, ByProcess>,
    /// Channels that take nothing for a while.
    pub broken: BTreeSet<&'static str>,
    pub chance: Option<Chance>,
    /// How many attempts went wrong.
    pub failed: usize,
}

impl Mailbox {
    /// Takes a notice in; tells when it is one too many: only a process that dies between sending and
    /// writing down makes a double, or a channel that does not answer. What ended and is to come after
    /// all is told anew.
    pub fn take(&mut self, notice: Notice, process: u64, answered: bool) -> Option<String> {
        let place = (notice.about.clone(), notice.id.clone(), notice.channel.clone());
        let keys = self.sent.entry(place.clone()).or_default();
        let before = keys.get(&notice.key).copied();
        if notice.last && before.is_none() {
            keys.clear();
        }
        keys.insert(notice.key.clone(), (process, answered));
        let stages = self.stages.entry(place).or_default();
        let ended = |stage: &str| ENDS.iter().any(|end| end.to_string() == stage);
        let knows = |stage: &str| stages.get(stage) == Some(&(process, true));
        // What was open is not open again.
        let again = notice.once && knows(&notice.stage) || knows(&Stage::Closed.to_string());
        stages.retain(|stage, _| ended(stage) == notice.last);
        stages.insert(notice.stage.clone(), (process, answered));
        let double = before == Some((process, true)) || again;
        let told = double.then(|| format!("N1: {notice:?} went out twice in one process"));
        self.all.push(notice);
        told
    }

    /// A person emptied the status of a window: nothing tells what was sent for it.
    pub fn forget(&mut self, window: &str) {
        let others = |(about, ..): &Place| about.split(' ').next_back() != Some(window);
        self.sent.retain(|place, _| others(place));
        self.stages.retain(|place, _| others(place));
    }

    /// A person makes a window of a name that another one had: it tells of its own openings.
    pub fn begins(&mut self, window: &str) {
        self.stages.retain(|(about, ..), _| about.split(' ').next_back() != Some(window));
    }

    fn mood(&mut self, channel: &str) -> Mood {
        let all = [Mood::Refuses, Mood::Unanswered, Mood::Lost, Mood::Slow];
        let chance = self.chance.as_mut().filter(|chance| Instant::now() < chance.until);
        let drawn = chance.and_then(|Chance { random, rarity, .. }| {
            random.one_in(*rarity).then(|| random.pick(&all))
        });
        let mood = drawn.unwrap_or(Mood::Takes);
        let broken = self.broken.contains(channel);
        let mood = if broken && mood != Mood::Lost { Mood::Refuses } else { mood };
        self.failed += usize::from(mood != Mood::Takes);
        mood
    }
}

impl State {
    /// A notice arrives; `answered`: who sent it will know.
    fn notice(&mut self, notice: Notice, process: u64, answered: bool) {
        let double = self.notices.take(notice, process, answered);
        self.broken(double.into_iter().collect());
    }
}

/// Takes notices.
pub struct Notices {
    world: Arc<World>,
    /// The how many-th process sends them.
    process: u64,
}

impl Notices {
    /// Those of the process that runs now.
    pub fn of(world: &Arc<World>) -> Self {
        let process = world.lock().process;
        Self { world: Arc::clone(world), process }
    }

    fn arrives(&self, mut notice: Notice, answered: bool) {
        notice.at = self.world.clock.now();
        self.world.lock().notice(notice, self.process, answered);
    }

    /// The window is told of what becomes of it.
    fn goes_on(&self, about: &str) {
        let mut state = self.world.lock();
        let now = state.now();
        state.invariants.windows.notices(now, about);
    }
}

#[async_trait]
impl Deliver for Notices {
    async fn deliver(
        &self,
        _: &dyn Topics,
        _: &str,
        channel: &Channel,
        message: &Message,
    ) -> Result<Sent, NotSent> {
        let about = &message.about;
        let notice = Notice {
            at: self.world.clock.now(),
            about: format!("{} {}/{}", about.kind, about.namespace, about.name),
            id: message.id.clone(),
            channel: channel.name.clone(),
            stage: message.stage.to_string(),
            last: message.stage.is_end(),
            once: is_told_once(message.stage),
            key: message.key(&channel.name),
        };
        let about = notice.about.clone();
        self.goes_on(&about);
        let mood = {
            let mut state = self.world.lock();
            if state.lease.is_none() {
                let told = format!("G7: {notice:?} went out without the lease");
                state.invariants.violations.push(told);
            }
            let mood = state.notices.mood(&channel.name);
            let Notice { channel, stage, id, .. } = &notice;
            state.note(format!("      to {channel}, which {mood:?}: {stage} of {id}"));
            mood
        };
        let told = match mood {
            Mood::Takes => {
                self.arrives(notice, true);
                Ok(Sent { id: String::new() })
            }
            Mood::Slow => {
                sleep(SLOW).await;
                self.arrives(notice, true);
                Ok(Sent { id: String::new() })
            }
            Mood::Unanswered => {
                self.arrives(notice, false);
                sleep(SEND_TIMEOUT).await;
                Err(not_sent("no answer"))
            }
            Mood::Lost => {
                sleep(SEND_TIMEOUT).await;
                Err(not_sent("no answer"))
            }
            Mood::Refuses => Err(not_sent("refused")),
        };
        self.goes_on(&about);
        told
    }
}

/// Whether a window tells this once in an occurrence. Changes and progress come again, and what becomes
/// of a rollout, too.
fn is_told_once(stage: Stage) -> bool {
    match stage {
        Stage::Lead(_)
        | Stage::CheckFailed
        | Stage::Opened
        | Stage::Verifying
        | Stage::Closed
        | Stage::Cancelled
        | Stage::Missed
        | Stage::Blocked => true,
        Stage::Progress
        | Stage::Extended
        | Stage::Changed
        | Stage::Started
        | Stage::Promoted
        | Stage::RolledBack
        | Stage::Held
        | Stage::AwaitingApproval => false,
    }
}

fn not_sent(message: &str) -> NotSent {
    NotSent { wait: None, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(key: &str, last: bool) -> Notice {
        let stage = if last { "Cancelled" } else { key };
        told(stage, key, true)
    }

    fn told(stage: &str, key: &str, once: bool) -> Notice {
        Notice {
            at: Timestamp::UNIX_EPOCH,
            about: "MaintenanceWindow flights/weekly".into(),
            id: "weekly-1".into(),
            channel: "ops".into(),
            stage: stage.into(),
            last: ["Closed", "Cancelled"].contains(&stage),
            once,
            key: key.into(),
        }
    }

    fn is_double(told: Option<String>) -> bool {
        told.is_some_and(|told| told.starts_with("N1: "))
    }

    #[test]
    fn a_notice_may_come_again_from_another_process_only() {
        let mut mailbox = Mailbox::default();
        assert_eq!(mailbox.take(notice("k", false), 1, true), None);
        assert_eq!(mailbox.take(notice("k", false), 2, true), None);
        assert!(is_double(mailbox.take(notice("k", false), 2, true)));
    }

    #[test]
    fn a_stage_is_told_once_whatever_its_times_are() {
        for (once, expected) in [(true, true), (false, false)] {
            let mut mailbox = Mailbox::default();
            assert_eq!(mailbox.take(told("Opened", "at 14:15", once), 1, true), None);
            let again = mailbox.take(told("Opened", "at 14:16", once), 1, true);
            assert_eq!(is_double(again), expected);
        }
        let ends = |key| told("Cancelled", key, true);
        let mut mailbox = Mailbox::default();
        assert_eq!(mailbox.take(ends("at 14:21"), 1, true), None);
        assert!(is_double(mailbox.take(ends("at 14:22"), 1, true)));
        // It is to come after all, and ends once more.
        assert_eq!(mailbox.take(told("24h", "24h", true), 1, true), None);
        assert_eq!(mailbox.take(ends("at 14:23"), 1, true), None);
        assert_eq!(mailbox.take(told("Closed", "closed", true), 1, true), None);
        assert!(is_double(mailbox.take(told("1h", "1h", true), 1, true)));
        // Another window of the name.
        mailbox.begins("flights/weekly");
        assert_eq!(mailbox.take(told("24h", "24h of the other", true), 1, true), None);
    }

    #[test]
    fn what_was_not_answered_may_come_again_and_what_was_not_after_that() {
        let mut mailbox = Mailbox::default();
        assert_eq!(mailbox.take(notice("k", false), 1, false), None);
        assert_eq!(mailbox.take(notice("k", false), 1, true), None);
        assert!(is_double(mailbox.take(notice("k", false), 1, true)));
    }

    #[test]
    fn what_is_to_come_after_all_is_told_anew_and_its_end_once() {
        let mut mailbox = Mailbox::default();
        assert_eq!(mailbox.take(notice("24h", false), 1, true), None);
        assert_eq!(mailbox.take(notice("end", true), 1, true), None);
        assert_eq!(mailbox.take(notice("24h", false), 1, true), None);
        assert!(is_double(mailbox.take(notice("end", true), 1, true)));
    }
}
