//! Everything that happened in a run, a line each. It is written out only where somebody reads it.

use std::{collections::VecDeque, fmt};

use jiff::Timestamp;

/// How much of its trace a run of years keeps, in lines.
const TRACED: usize = 2_000;

/// The lines, and when each was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trace {
    lines: VecDeque<(Timestamp, String)>,
    /// It is one of years: only its end is kept, and it tells days.
    days: bool,
}

impl Trace {
    /// Adds a line.
    pub fn note(&mut self, now: Timestamp, line: String, days: bool) {
        self.days = days;
        if days && self.lines.len() >= TRACED {
            self.lines.pop_front();
        }
        self.lines.push_back((now, line));
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.days { "%F %T%.3f" } else { "%T%.3f" };
        let mut lines = self.lines.iter();
        lines.try_for_each(|(at, line)| writeln!(f, "{} {line}", at.strftime(format)))
    }
}
