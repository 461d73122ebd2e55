//! Windows at random: schedules around the run, in zones whose clocks may change in it.

use groundcrew::api::{
    canary_rollout::{CanaryRollout, GatePoint, OnClose, WindowGate},
    duration::Duration,
    maintenance_window::{
        Blackout, Emergency, Extend, LateOpen, MaintenanceWindowSpec, OnOverlap, Schedule,
    },
    shared::Mode,
    window_alarms::{AlarmMode, Alarms},
    windows::{WindowSelector, Windows},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::time::Instant;

use super::WILD;
use crate::{
    faults::Random,
    script::Edit,
    windows::{WEEKLY, named, notices, quiet::choosing},
    world::{State, notices::Chance, windows::WindowEdit},
};

/// The other window.
const SECOND: &str = "second";
/// When clocks change in Berlin: back on 25 October 2026, and forward on 28 March 2027.
const CHANGES: [i64; 2] = [1_792_890_000, 1_806_195_600];

/// The windows of a run, and how the rollout obeys them.
#[derive(Clone)]
pub struct Openings {
    /// When the run begins, where that is special.
    pub begins: Option<i64>,
    first: MaintenanceWindowSpec,
    /// How channels fail, where people are told.
    channels: Option<Random>,
    second: Option<MaintenanceWindowSpec>,
    obeyed: Windows,
    gate: WindowGate,
    /// Whether an alarm counts as configured when it is switched.
    switching_configures: bool,
    /// An alarm that a person has switched off.
    off: Option<&'static str>,
}

fn mins(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// What the clocks of a zone show so many minutes after the begin of a run.
fn local(begins: i64, minutes: u64, zone: &str) -> String {
    let then = Timestamp::from_second(begins).expect("a time")
        + SignedDuration::from_mins(i64::try_from(minutes).expect("small"));
    let zone = TimeZone::get(zone).expect("a zone");
    then.to_zoned(zone).strftime("%Y-%m-%dT%H:%M").to_string()
}

fn schedule(random: &mut Random, name: &str, begins: i64, zone: &str) -> Schedule {
    let crons = ["*/20 * * * *", "*/30 * * * *", "10,40 * * * *", "0 * * * *"];
    let (cron, once) = match random.one_in(2) {
        true => (Some(random.pick(&crons).to_owned()), None),
        false => (None, Some(local(begins, random.below(30), zone))),
    };
    let duration = Some(mins(random.pick(&[1, 3, 5, 10, 15])));
    Schedule { name: name.into(), cron, once, duration, ..Schedule::default() }
}

fn spec(random: &mut Random, begins: i64) -> MaintenanceWindowSpec {
    let zone = random.pick(&["Etc/UTC", "Europe/Berlin", "Europe/Berlin"]);
    let mut spec =
        MaintenanceWindowSpec { time_zone: zone.into(), ..MaintenanceWindowSpec::default() };
    if random.one_in(8) {
        spec.always = Some(true);
    } else {
        let names = if random.one_in(3) { ["a", "b"].as_slice() } else { &["a"] };
        let all = names.iter().map(|name| schedule(random, name, begins, zone));
        spec.schedules = Some(all.collect());
        spec.extend = (!random.one_in(4)).then(|| Extend { max: mins(10) });
        let cutoff = random.pick(&[0, 0, 30, 90]);
        spec.cutoff = Some(Duration::from_secs(cutoff)).filter(|cutoff| *cutoff > Duration::ZERO);
        spec.late_open = random.one_in(6).then(|| LateOpen { min_remaining: mins(2) });
    }
    if spec.always.is_none() && random.one_in(2) {
        spec.alarms = Some(alarms(random, &["db-"]));
    }
    if random.one_in(5) {
        let from = random.below(30);
        let blackout = Blackout {
            name: "dark".into(),
            from: local(begins, from, "Etc/UTC"),
            until: local(begins, from + 1 + random.below(15), "Etc/UTC"),
            on_overlap: Some(random.pick(&[OnOverlap::Skip, OnOverlap::Truncate])),
            ..Blackout::default()
        };
        spec.time_zone = "Etc/UTC".into();
        spec.blackouts = Some(vec![blackout]);
    }
    spec
}

/// Alarms that are to be quiet, one way or the other.
fn alarms(random: &mut Random, prefixes: &[&str]) -> Alarms {
    let mode = random.pick(&[None, Some(AlarmMode::Toggle)]);
    Alarms { mode, ..choosing(&random.pick(&CHOICES), prefixes) }
}

/// Another window for the same alarms that opens with the first one, and may close at another time.
fn twin(random: &mut Random, first: &MaintenanceWindowSpec) -> MaintenanceWindowSpec {
    let mut spec = first.clone();
    for schedule in spec.schedules.iter_mut().flatten() {
        schedule.duration = Some(mins(random.pick(&[1, 3, 5, 10, 15])));
    }
    spec
}

/// One opening in place of the first window's.
fn emergency(random: &mut Random, begins: i64) -> MaintenanceWindowSpec {
    let once = Some(local(begins, random.below(30), "Etc/UTC"));
    let duration = Some(mins(random.pick(&[3, 10])));
    MaintenanceWindowSpec {
        time_zone: "Etc/UTC".into(),
        schedules: Some(vec![Schedule {
            name: "now".into(),
            once,
            duration,
            ..Schedule::default()
        }]),
        alarms: random.one_in(2).then(|| alarms(random, &[])),
        emergency: Some(Emergency {
            reason: "it is broken".into(),
            requested_by: "ops".into(),
            stands_for: vec![WEEKLY.into()],
        }),
        ..MaintenanceWindowSpec::default()
    }
}

/// Alarms that are there, and that people make and delete.
const ALARMS: [&str; 3] = ["db-1", "db-2", "red"];
/// Names that windows choose beside a prefix.
const CHOICES: [[&str; 1]; 2] = [["red"], ["none-of-this-name"]];

fn obeyed(random: &mut Random) -> Windows {
    match random.below(6) {
        0 => named(&[WEEKLY, SECOND]),
        1 => Windows { schedules: Some(vec!["a".into()]), ..named(&[WEEKLY]) },
        2 => {
            let match_labels = [("window".to_owned(), WEEKLY.to_owned())].into();
            Windows { selector: Some(WindowSelector { match_labels }), ..Windows::default() }
        }
        _ => named(&[WEEKLY]),
    }
}

impl Openings {
    pub fn draw(random: &mut Random, usual: i64) -> Self {
        let change = random.pick(&CHANGES);
        let before = i64::try_from(60 * random.below(20)).expect("small") + 17;
        let begins = random.one_in(3).then_some(change - before);
        let from = begins.unwrap_or(usual);
        let points = [GatePoint::Start, GatePoint::Advance, GatePoint::Promote];
        let at = points.into_iter().filter(|_| random.one_in(2)).collect::<Vec<_>>();
        let on_close =
            random.pick(&[OnClose::Hold, OnClose::Hold, OnClose::Continue, OnClose::Rollback]);
        let mut first = spec(random, from);
        let told = first.always.is_none() && random.one_in(3);
        first.notices = told.then(|| notices(&[1, 5, 15]));
        let channels = told.then(|| random.clone());
        let second = match random.below(6) {
            0 => Some(spec(random, from)),
            1 => Some(emergency(random, from)),
            2 | 3 => Some(twin(random, &first)),
            _ => None,
        };
        Self {
            begins,
            first,
            channels,
            second,
            obeyed: obeyed(random),
            gate: WindowGate {
                at: Some(at).filter(|at| !at.is_empty()),
                on_close: Some(on_close),
                require_fit: random.one_in(4).then_some(true),
            },
            switching_configures: random.one_in(2),
            off: random.one_in(4).then(|| random.pick(&ALARMS)),
        }
    }

    pub fn set(&self, state: &mut State, object: &mut CanaryRollout) {
        state.cloudwatch.alarms.switching_configures = self.switching_configures;
        state.has_alarms(ALARMS.map(str::to_owned));
        state.has_composite("all", "ALARM(db-1) OR ALARM(red)");
        if let Some(name) = self.off {
            state.switch_alarm(name, false);
        }
        if let Some(random) = self.channels.clone() {
            let until = Instant::now() + WILD;
            state.notices.chance = Some(Chance { random, until, rarity: 3 });
        }
        state.create_window(WEEKLY, self.first.clone());
        if let Some(second) = &self.second {
            state.create_window(SECOND, second.clone());
        }
        object.spec.windows = Some(self.obeyed.clone());
        object.spec.window_gate = Some(self.gate.clone());
    }
}

/// Something that somebody might do where there are windows.
pub fn edit(random: &mut Random, nonce: u32) -> Edit {
    let edit = match random.below(27) {
        0 | 1 => WindowEdit::Suspend(true),
        2..=4 => WindowEdit::Suspend(false),
        5 => WindowEdit::Mode(random.pick(&[Mode::Audit, Mode::Enforce])),
        6 => WindowEdit::Delete,
        7 => WindowEdit::Kept(random.one_in(2)),
        8 => WindowEdit::Close(nonce),
        9..=12 => WindowEdit::Extend(random.pick(&["2m", "5m", "8m"]), nonce),
        13 => WindowEdit::Skip(nonce),
        14 | 15 => return Edit::Away(random.pick(&[30, 120, 600])),
        16 => return Edit::Windows(random.one_in(2).then(|| obeyed(random))),
        17 => return Edit::AlarmMade(random.pick(&ALARMS)),
        18 => return Edit::AlarmDeleted(random.pick(&ALARMS)),
        19 => return Edit::AlarmSwitched(random.pick(&ALARMS), random.one_in(2)),
        20 => return Edit::AlarmSwitched(random.pick(&ALARMS), true),
        21 => return Edit::AlarmMadeOff(random.pick(&ALARMS)),
        22 => WindowEdit::WipeStatus,
        23 => WindowEdit::Abandon,
        // Its times are near the begin of usual runs, or come again and again.
        _ => WindowEdit::Apply(Box::new(spec(random, crate::explore::EPOCH_SECOND))),
    };
    let name = if random.one_in(4) { SECOND } else { WEEKLY };
    Edit::Window(name, edit)
}
