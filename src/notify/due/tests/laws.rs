//! What holds for every course of things.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What happens between two looks.
#[derive(Clone, Debug)]
enum Turn {
    /// So many minutes pass.
    Pass(i64),
    /// The operator is away until what is due next.
    Next,
    /// The window stands so.
    Becomes(u8),
    /// The close moves by so many minutes.
    Moves(i64),
    /// A channel begins or ends to fail.
    Breaks(usize),
    /// A check fails.
    Check,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        4 => (0_i64..600).prop_map(Turn::Pass),
        4 => Just(Turn::Next),
        2 => (0_u8..7).prop_map(Turn::Becomes),
        1 => (-60_i64..120).prop_map(Turn::Moves),
        2 => (0_usize..3).prop_map(Turn::Breaks),
        1 => Just(Turn::Check),
    ];
    prop::collection::vec(turn, 1..60)
}

fn listeners() -> [Listener; 3] {
    let named = |name: &str| Channel { name: name.into(), ..Channel::default() };
    let page = Some(StatuspageChannel::default());
    [
        Listener::all(&named("a")),
        Listener::of(&named("b"), Some(&["24h", "Opened", "Closed"].map(str::to_owned))).unwrap(),
        Listener::all(&Channel { statuspage: page, ..named("c") }),
    ]
}

/// States only go on.
fn becomes(state: State, to: u8, now: Timestamp) -> State {
    match (state, to) {
        (State::Ahead, 1) => State::Open(now),
        (State::Ahead, 2) => State::Over(now, End::Cancelled),
        (State::Ahead, 3) => State::Over(now, End::Missed),
        (State::Ahead, 4) => State::Over(now, End::Blocked),
        (State::Open(_), 5) => State::Verifying(now),
        (State::Open(_) | State::Verifying(_), 6) => State::Over(now, End::Closed),
        (state, _) => state,
    }
}

fn rank(stage: Stage) -> i64 {
    match stage {
        Stage::Lead(lead) => -i64::try_from(lead.as_secs()).unwrap(),
        Stage::Opened => 1,
        Stage::Verifying => 3,
        stage if stage.is_end() => 4,
        _ => 2,
    }
}

struct Course {
    occurrence: Occurrence,
    ledger: Ledger,
    now: Timestamp,
    broken: [bool; 3],
    sent: BTreeMap<String, Vec<Due>>,
}

impl Course {
    fn new() -> Self {
        Self {
            occurrence: weekly(State::Ahead),
            ledger: Ledger::default(),
            now: at("04 00:00"),
            broken: [false; 3],
            sent: BTreeMap::new(),
        }
    }

    fn dues(&self) -> Dues {
        let occurrences = std::slice::from_ref(&self.occurrence);
        of_window(occurrences, &timing(), &listeners(), &self.ledger, self.now)
    }

    fn take(&mut self, turn: &Turn) {
        // No two passes are at the same time.
        self.now += SignedDuration::from_secs(1);
        match turn {
            Turn::Pass(minutes) => self.now += SignedDuration::from_mins(*minutes),
            Turn::Next => self.now = self.dues().next.unwrap_or(self.now),
            Turn::Becomes(to) => {
                self.occurrence.state = becomes(self.occurrence.state, *to, self.now);
            }
            Turn::Moves(minutes) => {
                let closes = self.occurrence.span.closes + SignedDuration::from_mins(*minutes);
                self.occurrence.span.closes = closes;
            }
            Turn::Breaks(channel) => self.broken[*channel] ^= true,
            Turn::Check => self.occurrence.check_failed = Some(self.now),
        }
    }

    /// One pass: everything that is due is sent, or fails.
    fn pass(&mut self) -> Vec<Due> {
        let dues = self.dues();
        assert!(dues.next.is_none_or(|next| next > self.now), "{dues:?}");
        for due in &dues.now {
            let channel = listeners().iter().position(|to| to.channel == due.channel).unwrap();
            if self.broken[channel] {
                self.ledger.record_failed(due, self.now, "refused", None);
            } else {
                self.ledger.record_sent(due, self.now);
                self.sent.entry(due.channel.clone()).or_default().push(due.clone());
            }
        }
        dues.now
    }

    fn run(&mut self, turns: &[Turn]) {
        for turn in turns {
            self.take(turn);
            // A second stage may be due beside the first; then all is said.
            let rounds = (0..5).take_while(|_| !self.pass().is_empty()).count();
            assert!(rounds <= 3, "{rounds} passes until all is said after {turn:?}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_told_twice_and_stages_keep_their_order(turns in turns()) {
        let mut course = Course::new();
        course.run(&turns);
        for (channel, sent) in &course.sent {
            let mut seen = Vec::new();
            let mut highest = i64::MIN;
            for due in sent {
                let identity = (due.stage, due.at, due.span);
                prop_assert!(!seen.contains(&identity), "{channel}: {identity:?} twice");
                let repeats =
                    matches!(due.stage, Stage::Progress | Stage::Extended | Stage::Changed);
                let again = seen.iter().any(|(stage, ..)| *stage == due.stage);
                prop_assert!(repeats || !again, "{channel}: {} twice", due.stage);
                if !matches!(due.stage, Stage::Changed | Stage::CheckFailed) {
                    prop_assert!(rank(due.stage) >= highest, "{channel}: {sent:#?}");
                    highest = rank(due.stage);
                }
                seen.push(identity);
            }
            let ends = sent.iter().filter(|due| due.stage.is_end()).count();
            let before = sent.iter().rev().skip(ends);
            prop_assert!(ends <= 1 && before.clone().all(|due| !due.stage.is_end()));
        }
    }

    #[test]
    fn after_an_absence_a_channel_hears_of_one_main_stage_at_most(
        turns in turns(),
        minutes in 0_i64..20_000,
    ) {
        let mut course = Course::new();
        course.run(&turns);
        course.broken = [false; 3];
        course.now += SignedDuration::from_mins(minutes);
        let before = course.sent.clone();
        course.run(&[Turn::Pass(0)]);
        for (channel, sent) in &course.sent {
            let known = before.get(channel).map_or(0, Vec::len);
            let main = |due: &&Due| due.stage != Stage::CheckFailed;
            let told = sent.iter().skip(known).filter(main).count();
            // A change of times, and what became due meanwhile, are two things.
            prop_assert!(told <= 1, "{channel}: {sent:#?}");
        }
    }

    #[test]
    fn a_channel_that_fails_holds_up_no_other(turns in turns()) {
        let mut whole = Course::new();
        whole.broken = [true, false, false];
        let mut alone = Course::new();
        // What wakes up one channel must not be what another one lives by.
        let own = |turn: &&Turn| !matches!(turn, Turn::Breaks(_) | Turn::Next);
        let turns: Vec<Turn> = turns.iter().filter(own).cloned().collect();
        whole.run(&turns);
        alone.run(&turns);
        for channel in ["b", "c"] {
            prop_assert_eq!(whole.sent.get(channel), alone.sent.get(channel));
        }
        prop_assert_eq!(whole.sent.get("a"), None);
    }

    #[test]
    fn the_ledger_is_bounded(turns in turns()) {
        let mut course = Course::new();
        course.run(&turns);
        // Lead, CheckFailed, Opened, Progress, Extended, Changed, Verifying.
        prop_assert!(course.ledger.sent.len() <= 7 * 3 && course.ledger.failing.len() <= 3);
    }
}
