//! Who is told what of a rollout, when.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{
    api::{
        canary_rollout::{CanaryVersion, HistoryEntry, StableVersion, StepStatus},
        channel::{Channel, WebhookChannel},
    },
    canary_rollout::status::notes,
    notify::{
        render::plain,
        send::{NotSent, Sent},
    },
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn channel(name: &str) -> Channel {
    let url = Some("https://hooks.example.com/x".into());
    let webhook = Some(WebhookChannel { url, ..WebhookChannel::default() });
    Channel { name: name.into(), webhook, ..Channel::default() }
}

fn owner() -> Owner {
    Owner { cluster: "prod".into(), namespace: "shop".into(), name: "processor".into() }
}

/// One rollout, and what its channels were told.
struct Course {
    status: CanaryRolloutStatus,
    notifications: Option<Notifications>,
    now: Timestamp,
    broken: Vec<&'static str>,
    mail: Vec<Letter>,
    events: Vec<&'static str>,
}

impl Course {
    fn new() -> Self {
        let channels = vec![channel("ops"), channel("chat")];
        Self {
            status: CanaryRolloutStatus::default(),
            notifications: Some(Notifications { channels }),
            now: at(0),
            broken: vec![],
            mail: vec![],
            events: vec![],
        }
    }

    /// A pass that publishes this change, sends, and writes down; its status goes through JSON.
    fn pass(&mut self, change: impl FnOnce(&mut CanaryRolloutStatus)) -> Outgoing {
        let old = self.status.clone();
        let mut new = old.clone();
        change(&mut new);
        let of = self.notifications.as_ref();
        let outgoing = follow(of, &owner(), Some(&old), &mut new, &[], self.now);
        let posted = |letter: &Letter| {
            let refused = || {
                let message = "it is away".into();
                NotSent { wait: None, message }
            };
            let broken = self.broken.iter().any(|name| *name == letter.channel.name);
            let result = if broken { Err(refused()) } else { Ok(Sent { id: String::new() }) };
            Posted { due: letter.due.clone(), at: moments::stamp(self.now), result }
        };
        let posted: Vec<Posted> = outgoing.letters.iter().map(posted).collect();
        let went = outgoing.letters.iter().zip(&posted).filter(|(_, posted)| posted.result.is_ok());
        self.mail.extend(went.map(|(letter, _)| letter.clone()));
        let status = recorded(&new, &posted, self.now);
        self.events.extend(notes(Some(&old), &status).iter().map(|note| note.reason));
        self.status = serde_json::from_value(serde_json::to_value(status).unwrap()).unwrap();
        outgoing
    }

    fn starts(&mut self, revision: &str) -> Outgoing {
        self.pass(|status| {
            status.phase = Some(Phase::Progressing);
            status.revision = Some(revision.into());
            status.stable = Some(StableVersion { version: "42".into() });
            status.canary = Some(CanaryVersion {
                version: "43".into(),
                code_sha256: None,
                timeout: None,
                weight: 0,
                started_at: Time(at(0)),
            });
            status.step = Some(step(0));
        })
    }

    fn ends(&mut self, outcome: Outcome) -> Outgoing {
        let ended_at = Time(moments::stamp(self.now));
        self.pass(|status| {
            status.phase = Some(match outcome {
                Outcome::Promoted => Phase::Healthy,
                _ => Phase::RolledBack,
            });
            status.step = None;
            let entry = HistoryEntry {
                version: "43".into(),
                revision: status.revision.clone().unwrap(),
                code_sha256: None,
                stable: None,
                outcome,
                reason: "ErrorRate".into(),
                message: "errors is 7%".into(),
                started_at: ended_at.clone(),
                ended_at,
            };
            status.history.insert(0, entry);
        })
    }

    /// What arrived so far: `ops: Started of a`.
    fn arrived(&mut self) -> Vec<String> {
        let told = self.mail.drain(..);
        let told = told.map(|letter| {
            format!("{}: {} of {}", letter.channel.name, letter.due.stage, letter.due.occurrence)
        });
        told.collect()
    }
}

fn step(index: i32) -> StepStatus {
    StepStatus { index, count: 2, display: format!("{}/2", index + 1), ..StepStatus::default() }
}

#[test]
fn starts_ends_and_what_waits_for_a_person_are_told_once_on_each_channel() {
    let mut course = Course::new();
    course.starts("a");
    assert_eq!(course.arrived(), ["ops: Started of a", "chat: Started of a"]);
    let outgoing = course.pass(|_| {});
    assert_eq!(outgoing, Outgoing::default());
    for index in [0, 1] {
        course.pass(|status| {
            status.phase = Some(Phase::WaitingApproval);
            status.step = Some(step(index));
            status.message = Some("look at p99".into());
        });
        let text = plain(&course.mail.last().unwrap().message);
        for line in [
            "shop/processor waits for an approval",
            "Why:     look at p99",
            &format!("Runs:    step {}/2", index + 1),
            "To do:   groundcrew promote processor -n shop, or groundcrew abort processor -n shop",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let told = ["ops: AwaitingApproval of a", "chat: AwaitingApproval of a"];
        assert_eq!(course.arrived(), told, "each approval is one of its own");
    }
    course.pass(|status| status.phase = Some(Phase::Held));
    assert_eq!(course.arrived(), ["ops: Held of a", "chat: Held of a"]);
    course.ends(Outcome::RolledBack);
    let text = plain(&course.mail.last().unwrap().message);
    assert!(text.contains("Why:     version 43: RolledBack: errors is 7%"), "{text}");
    assert_eq!(course.arrived(), ["ops: RolledBack of a", "chat: RolledBack of a"]);
    course.starts("b");
    course.ends(Outcome::Promoted);
    course.arrived();
    let notified = course.status.conditions.iter().find(|one| one.type_ == "Notified").unwrap();
    assert_eq!((notified.status.as_str(), notified.reason.as_str()), ("True", "Told"));
    course.now = at(86_400 * 2);
    course.pass(|_| {});
    let CanaryRolloutStatus { notices, notice_failures, happened, .. } = &course.status;
    assert_eq!((notices.len(), notice_failures.len(), happened.len()), (0, 0, 0), "a day later");
    assert_eq!(course.arrived(), Vec::<String>::new());
}

#[test]
fn a_channel_that_fails_is_tried_again_hears_of_the_latest_and_is_told() {
    let mut course = Course::new();
    course.broken = vec!["chat"];
    course.starts("a");
    assert_eq!(course.arrived(), ["ops: Started of a"]);
    assert_eq!(course.events, ["Started", "NoticeFailed"]);
    let notified = course.status.conditions.iter().find(|one| one.type_ == "Notified").unwrap();
    assert_eq!(notified.status, "False");
    assert_eq!(notified.message, "channel chat was not told Started of a: it is away");
    let outgoing = course.pass(|_| {});
    assert_eq!(outgoing, Outgoing { letters: vec![], next: Some(at(15)) });
    course.now = at(10);
    course.ends(Outcome::Promoted);
    assert_eq!(course.arrived(), ["ops: Promoted of a"], "a new stage is tried at once");
    course.broken.clear();
    course.now = at(60);
    course.pass(|_| {});
    assert_eq!(course.arrived(), ["chat: Promoted of a"]);
    assert_eq!(course.mail.len(), 0);
}

#[test]
fn who_is_named_later_hears_nothing_of_what_was_before() {
    let mut course = Course::new();
    let notifications = course.notifications.take();
    course.starts("a");
    assert_eq!(course.status.happened, []);
    course.notifications = notifications;
    course.pass(|_| {});
    assert_eq!(course.arrived(), Vec::<String>::new());
    course.ends(Outcome::Aborted);
    assert_eq!(course.arrived(), ["ops: RolledBack of a", "chat: RolledBack of a"]);
    course.notifications = None;
    course.pass(|_| {});
    assert_eq!((course.status.notices.len(), course.status.happened.len()), (0, 0));
}

#[test]
fn what_became_of_a_notice_counts_before_it_is_in_a_status() {
    let mut course = Course::new();
    let mut new = course.status.clone();
    new.revision = Some("a".into());
    new.step = Some(step(0));
    let of = course.notifications.clone();
    let first = follow(of.as_ref(), &owner(), None, &mut new, &[], course.now);
    assert_eq!(first.letters.len(), 2);
    let sent = |letter: &Letter| Posted {
        due: letter.due.clone(),
        at: course.now,
        result: Ok(Sent { id: String::new() }),
    };
    // The API server was away when it was to be written down.
    let posted: Vec<Posted> = first.letters.iter().map(sent).collect();
    let mut again = new.clone();
    let second = follow(of.as_ref(), &owner(), Some(&new), &mut again, &posted, course.now);
    assert_eq!((second.letters.len(), again.notices.len()), (0, 2));
    course.status = again;
    course.pass(|_| {});
    assert_eq!(course.arrived(), Vec::<String>::new());
}

proptest! {
    /// Whatever happens, a channel that works hears of each event once and of the last one, and one
    /// that failed for a while ends up with the last one, too.
    #[test]
    fn people_hear_of_the_last_event_and_of_none_twice(
        turns in vec((select(vec!["start", "hold", "wait", "promote", "back", "break", "mend"]), 0_i64..2_000), 1..40),
    ) {
        let mut course = Course::new();
        course.starts("r0");
        for (number, (turn, pause)) in turns.iter().enumerate() {
            course.now += SignedDuration::from_secs(*pause);
            let flies = course.status.step.is_some();
            match *turn {
                "start" if !flies => { course.starts(&format!("r{number}")); }
                "hold" if flies => { course.pass(|status| status.phase = Some(Phase::Held)); }
                "wait" if flies => {
                    course.pass(|status| status.phase = Some(Phase::WaitingApproval));
                }
                "promote" if flies => { course.ends(Outcome::Promoted); }
                "back" if flies => { course.ends(Outcome::RolledBack); }
                "break" => course.broken = vec!["chat"],
                "mend" => course.broken.clear(),
                _ => { course.pass(|_| {}); }
            }
        }
        course.broken.clear();
        course.now += SignedDuration::from_secs(1_000);
        course.pass(|_| {});
        let last = course.status.happened.last().cloned();
        for name in ["ops", "chat"] {
            let own: Vec<&Letter> =
                course.mail.iter().filter(|letter| letter.channel.name == name).collect();
            for (index, letter) in own.iter().enumerate() {
                let same = |other: &&Letter| {
                    (&other.due.occurrence, other.due.stage, other.due.at)
                        == (&letter.due.occurrence, letter.due.stage, letter.due.at)
                };
                prop_assert!(!own.iter().skip(index + 1).any(same), "{letter:?}");
            }
            if let Some(last) = &last {
                let heard = own.iter().any(|letter| {
                    letter.due.stage.to_string() == last.stage && letter.due.at == last.at.0
                });
                prop_assert!(heard, "{name}: {last:?}");
            }
        }
    }
}
