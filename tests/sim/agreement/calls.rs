//! The calls that are compared, and how they are drawn: mostly such as make sense.

pub mod alarms;

use groundcrew::facts::cloudwatch::{AlarmFilter, AlarmState};

use self::alarms::{AlarmCall, filter};
use super::opening::Opening;
use crate::faults::Random;

/// Versions that are there at first.
const VERSIONS: [&str; 4] = ["1", "2", "3", "4"];
/// Versions that can have no share.
const ODD_VERSIONS: [&str; 3] = ["99", "$LATEST", "one"];
/// Shares that Lambda takes, and such that it does not.
const WEIGHTS: [f64; 6] = [0.1, 0.25, 0.5, 0.05, 0.0, 1.0];
const ODD_WEIGHTS: [f64; 2] = [1.5, -0.1];
/// Keys of archives, and letters of digests.
pub const CODES: [&str; 3] = ["a", "b", "c"];
/// Alarms that there are.
pub const ALARMS: [&str; 3] = ["red", "ready", "blue"];
/// A composite alarm over two of them, and its rule.
pub const COMPOSITE: &str = "top";
pub const COMPOSITE_RULE: &str = "ALARM(red) OR OK(\"blue\")";
/// Seconds that a wait lasts: parts of what updates and moves take, and more than either.
const WAITS: [u64; 4] = [3, 7, 20, 100];

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Move {
    Call(Call),
    Event(Event),
}

/// What is not a call of a port. It happens in both worlds.
#[derive(Clone, Debug)]
pub enum Event {
    /// Time passes, in seconds.
    Wait(u64),
    /// What the function answers from now on: the status that it returns; none when it fails.
    Returns(Option<u16>),
    /// Whether updates of code and configuration fail from now on.
    UpdatesFail(bool),
    /// Whether provisioned concurrency fails to move from now on.
    MovesFail(bool),
    /// An alarm changes its state.
    Alarm(&'static str, AlarmState),
    /// Somebody deletes an alarm, or makes it (again).
    AlarmIsThere(&'static str, bool),
    /// Somebody lets an alarm act, or not.
    AlarmActs(&'static str, bool),
    /// Whether CloudWatch fails to give series of errors.
    Withhold(bool),
    /// Whether the database runs.
    Database(bool),
}

/// A revision id as both worlds know it: the how many-th that was told; none was never told.
pub type Revision = Option<usize>;

/// One call of a port.
#[derive(Clone, Debug)]
pub enum Call {
    GetAlias {
        known: bool,
        alias: bool,
    },
    CreateAlias {
        known: bool,
        version: String,
        description: String,
    },
    UpdateAlias(UpdateAlias),
    GetFunction {
        known: bool,
        qualifier: Option<String>,
    },
    UpdateCode(UpdateCode),
    UpdateConfiguration(UpdateConfiguration),
    Publish(Publish),
    GetProvisioned {
        known: bool,
        alias: bool,
    },
    Invoke {
        known: bool,
        version: String,
    },
    ListVersions {
        known: bool,
    },
    ListNamed {
        known: bool,
    },
    Delete {
        known: bool,
        version: u64,
    },
    DescribeAlarms(AlarmFilter),
    Alarms(AlarmCall),
    /// Metric and version of each series, and minutes.
    MetricData {
        series: Vec<(&'static str, &'static str)>,
        minutes: i64,
    },
    Instance {
        known: bool,
    },
    Cluster,
    Table {
        known: bool,
    },
    Caller,
}

/// UpdateAlias. `known` and `alias` tell whether function and alias are those that may be there.
#[derive(Clone, Debug)]
pub struct UpdateAlias {
    pub known: bool,
    pub alias: bool,
    pub version: String,
    pub weight: Option<(String, f64)>,
    pub description: String,
    pub revision: Revision,
}

/// UpdateFunctionCode.
#[derive(Clone, Debug)]
pub struct UpdateCode {
    pub known: bool,
    pub code: &'static str,
    pub image: bool,
    pub revision: Revision,
}

/// PublishVersion. The code is the how many-th that was told.
#[derive(Clone, Debug)]
pub struct Publish {
    pub known: bool,
    pub code: Option<usize>,
    pub revision: Revision,
    pub description: String,
}

/// UpdateFunctionConfiguration.
#[derive(Clone, Debug)]
pub struct UpdateConfiguration {
    pub known: bool,
    pub memory_mb: Option<u64>,
    pub timeout_secs: Option<u64>,
    pub runtime: Option<String>,
    pub revision: Revision,
}

/// What the caller knows from answers, so that its calls make sense.
pub struct Memory {
    image: bool,
    provisioned: bool,
    /// Mostly alarms are silenced.
    silences: bool,
    /// The version that the alias serves, and the one that was published last.
    serves: String,
    published: String,
    alias: Revision,
    latest: Revision,
    code: Option<usize>,
    revisions: usize,
    codes: usize,
}

/// What an answer tells, in words that are the same for the same answer in both worlds.
#[derive(Debug, Default)]
pub struct Answer {
    pub text: String,
    /// The version that the alias serves, and the one that was published.
    pub serves: Option<String>,
    pub published: Option<String>,
    /// Of the alias.
    pub alias: Revision,
    /// Of `$LATEST`.
    pub latest: Revision,
    /// The code of `$LATEST`.
    pub code: Option<usize>,
    /// How many revision ids and codes were told until now.
    pub revisions: usize,
    pub codes: usize,
}

impl Memory {
    pub fn of(opening: Opening) -> Self {
        let newest = if opening == Opening::OddRole { "3" } else { "4" };
        Self {
            image: opening == Opening::Image,
            provisioned: opening == Opening::Provisioned,
            silences: opening == Opening::Silences,
            serves: "1".into(),
            published: newest.into(),
            alias: None,
            latest: None,
            code: None,
            revisions: 0,
            codes: 0,
        }
    }

    pub fn learn(&mut self, answer: &Answer) {
        let learnt = [(&mut self.serves, &answer.serves), (&mut self.published, &answer.published)];
        for (known, told) in learnt {
            told.iter().for_each(|told| known.clone_from(told));
        }
        self.alias = answer.alias.or(self.alias);
        self.latest = answer.latest.or(self.latest);
        self.code = answer.code.or(self.code);
        (self.revisions, self.codes) = (answer.revisions, answer.codes);
    }

    /// Mostly one that is there.
    fn version(&self, random: &mut Random) -> String {
        match random.below(30) {
            0 => random.pick(&ODD_VERSIONS).to_owned(),
            1 => "$LATEST".to_owned(),
            2..=9 => self.published.clone(),
            _ => random.pick(&VERSIONS).to_owned(),
        }
    }

    /// Often the one that the alias serves.
    fn primary(&self, random: &mut Random) -> String {
        if random.one_in(2) { self.serves.clone() } else { self.version(random) }
    }

    fn share(&self, random: &mut Random) -> (String, f64) {
        let weights: &[f64] = if random.one_in(15) { &ODD_WEIGHTS } else { &WEIGHTS };
        (self.version(random), random.pick(weights))
    }

    /// Mostly the one that was told last.
    fn revision(&self, random: &mut Random, last: Revision) -> Revision {
        match random.below(10) {
            0 => None,
            1 if self.revisions > 0 => Some(below(random, self.revisions)),
            _ => last,
        }
    }
}

fn below(random: &mut Random, most: usize) -> usize {
    usize::try_from(random.below(most as u64)).expect("small")
}

/// Mostly true.
fn mostly(random: &mut Random) -> bool {
    !random.one_in(25)
}

fn maybe<T>(random: &mut Random, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
    random.one_in(2).then(|| value(random))
}

/// Texts of descriptions; one is longer than Lambda takes.
fn description(random: &mut Random) -> String {
    match random.below(24) {
        0 => "x".repeat(257),
        1 => "é".repeat(256),
        2..=8 => String::new(),
        _ => random.pick(&["live traffic", "as it was"]).to_owned(),
    }
}

impl Move {
    /// What happens next. Before an event both worlds are looked at: what was due until then does not
    /// depend on it.
    pub fn draw(random: &mut Random, memory: &Memory) -> Vec<Self> {
        if random.below(100) < 18 {
            let mut moves = vec![
                Call::GetFunction { known: true, qualifier: None },
                Call::GetAlias { known: true, alias: true },
            ];
            if memory.provisioned {
                moves.push(Call::GetProvisioned { known: true, alias: true });
            }
            let event = Event::draw(random, memory);
            return moves.into_iter().map(Self::Call).chain([Self::Event(event)]).collect();
        }
        vec![Self::Call(Call::draw(random, memory))]
    }
}

impl Event {
    fn draw(random: &mut Random, memory: &Memory) -> Self {
        if memory.silences {
            return alarms::event(random);
        }
        match random.below(20) {
            0 => Self::Returns(random.pick(&[Some(200), Some(500), None])),
            1 => Self::UpdatesFail(random.one_in(2)),
            2..=4 if memory.provisioned => Self::MovesFail(random.one_in(2)),
            5..=7 => Self::Alarm(
                random.pick(&ALARMS),
                random.pick(&[AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData]),
            ),
            8 => Self::Withhold(random.one_in(2)),
            9 => Self::Database(random.one_in(2)),
            _ => Self::Wait(random.pick(&WAITS)),
        }
    }
}

impl Call {
    fn draw(random: &mut Random, memory: &Memory) -> Self {
        if memory.silences && !random.one_in(10) {
            return Self::Alarms(AlarmCall::draw(random));
        }
        let known = mostly(random);
        match random.below(100) {
            0..=11 => Self::GetAlias { known, alias: mostly(random) },
            12..=14 => Self::CreateAlias {
                known,
                version: memory.version(random),
                description: description(random),
            },
            15..=39 => Self::UpdateAlias(UpdateAlias {
                known,
                alias: mostly(random),
                version: memory.primary(random),
                weight: maybe(random, |random| memory.share(random)),
                description: description(random),
                revision: memory.revision(random, memory.alias),
            }),
            40..=53 => Self::GetFunction {
                known,
                qualifier: maybe(random, |random| memory.version(random)),
            },
            54..=62 => Self::UpdateCode(UpdateCode {
                known,
                code: random.pick(&CODES),
                image: memory.image != random.one_in(10),
                revision: memory.revision(random, memory.latest),
            }),
            63..=66 => Self::configure(random, memory, known),
            67..=75 => Self::Publish(Publish {
                known,
                code: match random.below(10) {
                    0 => None,
                    1 if memory.codes > 0 => Some(below(random, memory.codes)),
                    _ => memory.code,
                },
                revision: memory.revision(random, memory.latest),
                description: description(random),
            }),
            76..=80 => Self::GetProvisioned { known, alias: mostly(random) },
            81..=85 => Self::Invoke { known, version: memory.version(random) },
            _ => Self::draw_rare(random, known),
        }
    }

    fn configure(random: &mut Random, memory: &Memory, known: bool) -> Self {
        Self::UpdateConfiguration(UpdateConfiguration {
            known,
            memory_mb: maybe(random, |random| random.pick(&[128, 256, 512, 512, 64])),
            timeout_secs: maybe(random, |random| random.pick(&[30, 60, 90, 90, 0])),
            runtime: random
                .one_in(3)
                .then(|| random.pick(&["python3.13", "python3.14"]).to_owned()),
            revision: memory.revision(random, memory.latest),
        })
    }

    fn draw_rare(random: &mut Random, known: bool) -> Self {
        match random.below(17) {
            0..=3 => Self::ListVersions { known },
            4 | 5 => Self::ListNamed { known },
            6..=8 => Self::Delete { known, version: 1 + random.below(6) },
            9 | 10 => Self::DescribeAlarms(filter(random)),
            11 | 12 => Self::MetricData {
                series: (0..random.below(4))
                    .map(|_| {
                        (random.pick(&["Invocations", "Errors"]), random.pick(&["1", "2", "3"]))
                    })
                    .collect(),
                minutes: random.pick(&[1, 5, 20]),
            },
            13 => Self::Instance { known: random.one_in(2) },
            14 => Self::Cluster,
            15 => Self::Table { known: random.one_in(2) },
            _ => Self::Caller,
        }
    }
}
