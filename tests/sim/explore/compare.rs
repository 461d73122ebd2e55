//! What a run with a fault may differ in from the one without.

use std::{collections::BTreeSet, fmt::Debug};

use serde_json::Value;

use super::{Run, lost};
use crate::{faults::Fault, history::Write};

/// How often a window may ask AWS again for a change because of one fault. A process that begins anew
/// looks anew for what is left to do; alarms that were refused together are switched on in halves; where
/// it asks for long, it asks some times more.
fn again(fault: &Fault, memory_lost: bool, change: &str, asked: usize) -> usize {
    let switches = change.starts_with("EnableAlarm") || change.starts_with("DisableAlarm");
    let once = if switches && *fault == Fault::WatchLost {
        // Until the watch is whole, after 40 seconds, one window does not know that another one has begun:
        // each two seconds it switches on what that switches off.
        20
    } else if memory_lost || switches {
        2
    } else {
        1
    };
    once + if switches { asked / 3 } else { asked / 16 }
}

impl Run {
    /// What differs from the run without faults beyond what a fault may do:
    ///
    /// - times, Lambda's revision ids, and how often things were read;
    /// - writes that Lambda refused (412, 409): they change nothing. At most two, and only where an
    ///   answer was lost or old;
    /// - one write more that Lambda refused because there is no such version: the read that would have
    ///   told failed, and going back does not wait for it;
    /// - once, a write without weights that says what the write before it said: where the answer to
    ///   that was lost or is too old, it proves that the end of a flight was reached. While Lambda has
    ///   weights of its own, and what it is about must not be read, each minute.
    ///
    /// `tasks`: there are tasks, and one that may have been begun when the fault hit may be lost.
    pub fn compare(&self, golden: &Self, fault: &Fault, tasks: bool) -> Vec<String> {
        let mut found = Vec::new();
        let json = |status: &Option<Value>| status.as_ref().map(ToString::to_string);
        differ(&mut found, "status", &json(&self.status), &json(&golden.status));
        let mut windows = self.windows.clone();
        if tasks {
            lost::forgive(&mut windows, &golden.windows);
        }
        differ(&mut found, "windows", &windows, &golden.windows);
        let (is, was) = (&self.window_finalizers, &golden.window_finalizers);
        differ(&mut found, "finalizers of windows", is, was);
        differ(&mut found, "muted", &self.muted, &golden.muted);
        differ(&mut found, "switched off", &self.switched_off, &golden.switched_off);
        differ(&mut found, "alias", &self.alias, &golden.alias);
        differ(&mut found, "finalizers", &self.finalizers, &golden.finalizers);
        let memory_lost = match fault {
            Fault::AppliedUnanswered
            | Fault::AppliedLate
            | Fault::CrashAfter
            | Fault::CrashBefore
            | Fault::LeaseLost
            | Fault::OldAnswers => true,
            Fault::Denied
            | Fault::Throttled
            | Fault::Lost
            | Fault::Stale
            | Fault::Conflict
            | Fault::WatchLost
            | Fault::Meanwhile(_) => false,
        };
        let show = |writes: &[&Write]| {
            writes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let (mut is, was) = (self.applied(), golden.applied());
        forgive_repetitions(&mut is, &was, golden.repetitions);
        differ(&mut found, "writes", &show(&is), &show(&was));
        let mut exceeds = |what: &str, is: usize, was: usize, by: usize| {
            if is > was + by {
                found.push(format!("{what}: {is}, was {was}"));
            }
        };
        let allowed = if memory_lost { 2 } else { 0 };
        exceeds("refused", self.refused(), golden.refused(), allowed);
        exceeds("versionless", self.versionless(), golden.versionless(), 1);
        for (place, count) in &self.aws_writes {
            let was = golden.aws_writes.get(place).copied().unwrap_or_default();
            let allowed = again(fault, memory_lost, &place.1, was);
            exceeds(&format!("calls of {place:?}"), *count, was, allowed);
        }
        found
    }

    /// Writes that changed an alias, those for each object in their order.
    fn applied(&self) -> Vec<&Write> {
        let mut applied: Vec<_> = self.writes.iter().filter(|write| write.applied).collect();
        applied.sort_by(|one, other| one.by.cmp(&other.by));
        applied
    }

    /// Writes that Lambda refused, for another reason than that there is no such version.
    fn refused(&self) -> usize {
        self.writes.iter().filter(|write| !write.applied && !write.versionless).count()
    }

    /// Writes that Lambda refused because there is no such version.
    fn versionless(&self) -> usize {
        self.writes.iter().filter(|write| write.versionless).count()
    }
}

/// Notes what is not the same.
fn differ<T: Debug + PartialEq>(found: &mut Vec<String>, what: &str, is: &T, was: &T) {
    if is != was {
        found.push(format!("{what} is {is:?}, was {was:?}"));
    }
}

/// Takes away writes that repeat the one before them, for each object as many as there are too many, up
/// to `most`.
fn forgive_repetitions(is: &mut Vec<&Write>, was: &[&Write], most: usize) {
    let repeated = |pair: &[&Write]| pair[0] == pair[1] && pair[1].weight.is_none();
    let count = |writes: &[&Write], by: &str| writes.iter().filter(|write| write.by == by).count();
    let objects: BTreeSet<&str> = was.iter().map(|write| write.by.as_str()).collect();
    for by in objects {
        for _ in 0..most {
            let of_it = |pair: &[&Write]| pair[1].by == by && repeated(pair);
            if count(is, by) > count(was, by)
                && let Some(at) = is.windows(2).position(of_it)
            {
                is.remove(at);
            }
        }
    }
}
