//! Calls about alarms: their actions, and mute rules.

use groundcrew::facts::{
    alarms::AlarmKinds,
    cloudwatch::{AlarmFilter, AlarmState},
};

use super::{ALARMS, COMPOSITE, Event, Random, WAITS};

/// A name that no alarm ever has.
const NO_ALARM: &str = "gone";

/// One call of the port, about rules of one window by their batches.
#[derive(Clone, Debug)]
pub enum AlarmCall {
    DescribeInFull(AlarmFilter, AlarmKinds),
    Disable(Vec<String>),
    Enable(Vec<String>),
    PutMute(PutMute),
    GetMute(u16),
    ListMutes,
    DeleteMute(u16),
}

/// PutAlarmMuteRule.
#[derive(Clone, Debug)]
pub struct PutMute {
    pub batch: u16,
    pub alarms: Vec<String>,
    /// Seconds from the beginning of the minute that runs.
    pub starts_in: i64,
    /// How long, in seconds.
    pub lasts: i64,
    pub description: &'static str,
}

impl AlarmCall {
    pub fn draw(random: &mut Random) -> Self {
        match random.below(16) {
            0 | 1 => {
                let kinds = random.pick(&[AlarmKinds::All, AlarmKinds::All, AlarmKinds::Composite]);
                Self::DescribeInFull(filter(random), kinds)
            }
            2 | 3 => Self::Disable(names(random)),
            4 => Self::Enable(names(random)),
            5..=9 => Self::PutMute(PutMute {
                batch: batch(random),
                alarms: names(random),
                starts_in: random.pick(&[0, 0, 0, 60, 120, -60, -7_200, 30]),
                lasts: random.pick(&[60, 120, 120, 3_600, 3_600, 1_296_000, 0, 90, 1_296_060]),
                description: random.pick(&["", "why"]),
            }),
            10..=12 => Self::GetMute(batch(random)),
            13 | 14 => Self::ListMutes,
            _ => Self::DeleteMute(batch(random)),
        }
    }
}

/// What happens to alarms meanwhile.
pub fn event(random: &mut Random) -> Event {
    use AlarmState::{Alarm, InsufficientData, Ok};
    match random.below(12) {
        0 => Event::AlarmIsThere(random.pick(&ALARMS), !random.one_in(3)),
        1 => Event::AlarmActs(random.pick(&ALARMS), random.one_in(4)),
        2..=7 => {
            let state = random.pick(&[Alarm, Alarm, Ok, Ok, InsufficientData]);
            Event::Alarm(random.pick(&ALARMS), state)
        }
        _ => Event::Wait(random.pick(&WAITS)),
    }
}

fn batch(random: &mut Random) -> u16 {
    random.pick(&[1, 1, 2, 3])
}

/// Mostly of alarms that there are.
fn names(random: &mut Random) -> Vec<String> {
    match random.below(16) {
        0 => Vec::new(),
        1 => (0..101).map(|number| format!("alarm-{number}")).collect(),
        2 => vec![ALARMS[0].to_owned(), NO_ALARM.to_owned()],
        _ => {
            let count = 1 + random.below(3);
            let all = [ALARMS[0], ALARMS[1], ALARMS[2], COMPOSITE];
            (0..count).map(|_| random.pick(&all).to_owned()).collect()
        }
    }
}

/// Alarms that are described.
pub fn filter(random: &mut Random) -> AlarmFilter {
    let names = |names: &[&str]| AlarmFilter::Names(names.iter().map(|&n| n.to_owned()).collect());
    match random.below(8) {
        0 => names(&["red"]),
        1 => names(&["red", "gone"]),
        2 => names(&["gone"]),
        3 => names(&[]),
        4 => AlarmFilter::Names((0..101).map(|number| format!("alarm-{number}")).collect()),
        5 => AlarmFilter::Prefix("re".into()),
        6 => AlarmFilter::Prefix(String::new()),
        _ => AlarmFilter::All,
    }
}
