//! What may go wrong at a call. Every call has a label, the same in every run: what is called, on
//! what, and for the how many-th time.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::{random, script::Edit};

/// What a call does, as far as faults depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A read of AWS.
    AwsRead,
    /// A write to AWS.
    AwsWrite,
    /// A read of Kubernetes.
    KubernetesRead,
    /// A write to Kubernetes.
    KubernetesWrite,
    /// An Event for people.
    KubernetesEvent,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The process dies before the call.
    CrashBefore,
    /// The process dies after the call was carried out.
    CrashAfter,
    /// The caller may not do this.
    Denied,
    /// Too many calls (429).
    Throttled,
    /// No answer; nothing was carried out.
    Lost,
    /// No answer; it was carried out all the same.
    AppliedUnanswered,
    /// No answer; it is carried out after the caller gave up.
    AppliedLate,
    /// The object changed meanwhile (412), although it did not.
    Stale,
    /// Busy with another change (AWS), or changed since it was read (Kubernetes): 409.
    Conflict,
    /// From now on, for a while, GetAlias answers what was true before the last change.
    OldAnswers,
    /// The lease is lost once this call was carried out; the process lives on for a moment.
    LeaseLost,
    /// The watch breaks: what changes from now on is told later.
    WatchLost,
    /// Somebody does something right before the call.
    Meanwhile(Edit),
}

impl Fault {
    /// Whether the caller gets its answer all the same.
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::OldAnswers | Self::WatchLost | Self::LeaseLost | Self::Meanwhile(_))
    }
}

impl Sort {
    /// Whether AWS is called.
    pub fn is_aws(self) -> bool {
        matches!(self, Self::AwsRead | Self::AwsWrite)
    }

    /// All single faults that can hit a call of this sort.
    pub fn faults(self) -> Vec<Fault> {
        use Fault::*;
        match self {
            Self::AwsRead => vec![CrashBefore, Denied, Throttled, Lost, OldAnswers, LeaseLost],
            Self::AwsWrite => vec![
                CrashBefore,
                CrashAfter,
                Denied,
                Throttled,
                Lost,
                AppliedUnanswered,
                AppliedLate,
                Stale,
                Conflict,
                LeaseLost,
            ],
            Self::KubernetesRead => vec![CrashBefore, Lost],
            Self::KubernetesWrite => {
                vec![CrashBefore, CrashAfter, Denied, Conflict, Lost, AppliedUnanswered, WatchLost]
            }
            Self::KubernetesEvent => vec![CrashBefore, CrashAfter, Lost],
        }
    }
}

/// Which faults hit which calls.
#[derive(Clone, Debug)]
pub enum Faults {
    /// By label.
    Listed(BTreeMap<String, Fault>),
    /// At random, until a time.
    Drawn {
        random: Random,
        until: Instant,
        /// One call in so many fails.
        rarity: u64,
        /// Edits that are left.
        edits: u32,
        /// One call in so many meets an edit.
        edit_rarity: u64,
        /// Whether there are windows.
        windows: bool,
    },
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::Listed(BTreeMap::new())
    }

    /// One fault.
    pub fn one(label: &str, fault: Fault) -> Self {
        Self::Listed(BTreeMap::from([(label.to_owned(), fault)]))
    }

    /// The fault of a call.
    pub fn at(&mut self, label: &str, sort: Sort) -> Option<Fault> {
        match self {
            Self::Listed(listed) => listed.get(label).cloned(),
            Self::Drawn { random, until, rarity, edits, edit_rarity, windows } => {
                if Instant::now() >= *until {
                    return None;
                }
                if *edits > 0 && random.one_in(*edit_rarity) {
                    *edits -= 1;
                    let edit = random::edit(random, *windows);
                    return Some(Fault::Meanwhile(edit));
                }
                random.one_in(*rarity).then(|| random.pick(&sort.faults()))
            }
        }
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// True once in `times`, on average.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).expect("small")].clone()
    }
}
