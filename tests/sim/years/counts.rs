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
    /// What there is too little of after so many days, as if nothing had been looked at. About half of
    /// what there was when this was written.
    pub fn lacks(&self, days: u64) -> Vec<String> {
        let days = usize::try_from(days).expect("not that many");
        let floors = [
            ("accounted", self.accounted, days / 4),
            ("completed", self.completed, days / 3),
            ("missed", self.missed, days / 400),
            ("quiet", self.quiet, 3 * days),
            ("notices", self.notices, 3 * days / 2),
        ];
        let few = floors.into_iter().filter(|(_, count, least)| count < least);
        few.map(|(name, count, least)| format!("{name}: {count} of {least}")).collect()
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_looks_at_nothing_lacks_everything() {
        let all = Counts {
            accounted: 80,
            completed: 94,
            missed: 1,
            quiet: 1_085,
            notices: 429,
            ..Counts::default()
        };
        assert_eq!(all.lacks(160), Vec::<String>::new());
        assert_eq!(Counts { completed: 52, ..all }.lacks(160), ["completed: 52 of 53"]);
        assert_eq!(Counts::default().lacks(400).len(), 5);
    }
}
