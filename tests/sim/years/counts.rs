//! What happened in a run of years, in numbers.

/// What happened in a run, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub openings: usize,
    pub completed: usize,
    pub missed: usize,
    pub cancelled: usize,
    /// Openings of the calendar that had to be accounted for.
    pub accounted: usize,
    pub processes: usize,
    pub faults: usize,
    pub edits: usize,
    pub calls: usize,
    pub rules: usize,
    pub notices: usize,
    /// Attempts to tell something that failed.
    pub untaken: usize,
    /// Moments at which nothing was open, and nothing was quiet.
    pub quiet: usize,
}

impl Counts {
    /// Each of both, added.
    pub fn and(self, other: &Self) -> Self {
        Self {
            openings: self.openings + other.openings,
            completed: self.completed + other.completed,
            missed: self.missed + other.missed,
            cancelled: self.cancelled + other.cancelled,
            accounted: self.accounted + other.accounted,
            processes: self.processes + other.processes,
            faults: self.faults + other.faults,
            edits: self.edits + other.edits,
            calls: self.calls + other.calls,
            rules: self.rules + other.rules,
            notices: self.notices + other.notices,
            untaken: self.untaken + other.untaken,
            quiet: self.quiet + other.quiet,
        }
    }
}
