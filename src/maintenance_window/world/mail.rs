//! What people are told, and channels that fail.

use std::collections::BTreeSet;

use super::World;
use crate::{
    maintenance_window::{
        decide::Plan,
        notices::Book,
        status::{notes, recorded},
    },
    notify::{
        post::{Letter, Posted},
        send::{NotSent, Sent},
    },
    plan::Revisit,
    time::moments,
};

/// What arrived.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// In its order.
    pub all: Vec<Letter>,
    /// Names of the channels that fail.
    pub broken: BTreeSet<String>,
    /// How much was looked at.
    seen: usize,
}

impl World {
    /// Sends what a plan wants sent, and writes down what became of it, as a pass does.
    pub(super) fn post(&mut self, plan: &mut Plan) {
        if plan.letters.is_empty() {
            return;
        }
        let at = moments::stamp(self.now);
        let mut ledger = plan.memory.book.ledger.clone();
        for letter in std::mem::take(&mut plan.letters) {
            let result = if self.mail.broken.contains(&letter.channel.name) {
                let message = "it is away".to_owned();
                Err(NotSent { wait: None, message })
            } else {
                Ok(Sent { id: String::new() })
            };
            ledger.record(&[Posted { due: letter.due.clone(), at, result: result.clone() }]);
            self.mail.all.extend(result.is_ok().then_some(letter));
        }
        let old = self.told().clone();
        let new = recorded(&old, ledger, self.now);
        let events = notes(Some(&old), &new);
        self.status = Some(new);
        self.events.extend(events.iter().map(|note| note.reason));
        plan.revisit = Revisit::Now;
    }

    /// Deletes the object.
    pub fn delete(&mut self) {
        self.facts.deletion = crate::facts::kubernetes::Deletion::Undo;
        self.facts.deleted_at = Some(self.now);
    }

    /// What arrived since the last look: `ops: 24h of weekly-20261206T0100Z`.
    pub fn arrived(&mut self) -> Vec<String> {
        let new = self.mail.all.iter().skip(self.mail.seen);
        let told = |letter: &Letter| {
            format!("{}: {} of {}", letter.channel.name, letter.due.stage, letter.due.occurrence)
        };
        let told = new.map(told).collect();
        self.mail.seen = self.mail.all.len();
        told
    }

    /// The text of what arrived last.
    pub fn text(&self) -> String {
        crate::notify::render::plain(&self.mail.all.last().unwrap().message)
    }

    pub fn book(&self) -> Book {
        self.memory().book
    }
}
