//! Where notices go in the world: each arrives at once.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use groundcrew::{
    api::channel::Channel,
    notify::{
        message::Message,
        send::{Deliver, NotSent, Sent, Topics},
    },
};
use jiff::Timestamp;

use super::World;

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
    /// The same in each attempt.
    pub key: String,
}

/// What arrived so far.
#[derive(Debug, Default)]
pub struct Mailbox {
    pub all: Vec<Notice>,
    /// Keys by the process that sent them.
    sent: BTreeMap<String, u64>,
}

impl Mailbox {
    /// Takes a notice in; tells when it is one too many: only a process that dies between sending and
    /// writing down makes a double.
    pub fn take(&mut self, notice: Notice, process: u64) -> Option<String> {
        let before = self.sent.insert(notice.key.clone(), process);
        let double = before == Some(process);
        let told = double.then(|| format!("N1: {notice:?} went out twice in one process"));
        self.all.push(notice);
        told
    }
}

/// Takes notices.
pub struct Notices(pub Arc<World>);

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
            at: self.0.clock.now(),
            about: format!("{} {}/{}", about.kind, about.namespace, about.name),
            id: message.id.clone(),
            channel: channel.name.clone(),
            stage: message.stage.to_string(),
            key: message.key(&channel.name),
        };
        let mut state = self.0.lock();
        if state.lease.is_none() {
            let told = format!("G7: {notice:?} went out without the lease");
            state.invariants.violations.push(told);
        }
        let process = state.process;
        let double = state.notices.take(notice, process);
        state.invariants.violations.extend(double);
        Ok(Sent { id: String::new() })
    }
}

#[test]
fn a_notice_may_come_again_from_another_process_only() {
    let notice = Notice {
        at: Timestamp::UNIX_EPOCH,
        about: "MaintenanceWindow flights/weekly".into(),
        id: "weekly-1".into(),
        channel: "ops".into(),
        stage: "Opened".into(),
        key: "k".into(),
    };
    let mut mailbox = Mailbox::default();
    assert_eq!(mailbox.take(notice.clone(), 1), None);
    assert_eq!(mailbox.take(notice.clone(), 2), None);
    assert!(mailbox.take(notice, 2).is_some_and(|told| told.starts_with("N1: ")));
}
