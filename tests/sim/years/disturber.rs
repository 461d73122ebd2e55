//! What happens to windows and to the operator over the years, at random moments: as often around the
//! openings as at any other time.

use std::{sync::Arc, time::Duration};

use groundcrew::{api::shared::Mode, facts::cloudwatch::AlarmState};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::plans::{self, ALARMS};
use crate::{
    faults::Random,
    script::Edit,
    windows::{CHANNELS, WEEKLY},
    world::{State, World, windows::WindowEdit},
};

/// The windows beside the first one.
const SECOND: &str = "second";
const EMERGENCY: &str = "emergency";

/// Longest time between two things that happen.
const PAUSE: u64 = 40 * 3_600;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Act {
    Edit(Edit),
    /// AWS answers nothing from now on, or answers again.
    AwsDown(bool),
    /// A channel takes nothing from now on, or does so again.
    Channel(&'static str, bool),
    /// Somebody asks for another spec.
    Rewrite(&'static str),
    /// Somebody makes an emergency.
    Emergency,
}

/// What makes it happen.
pub struct Disturber {
    world: Arc<World>,
    random: Random,
    zone: &'static str,
    /// What follows from what happened, and when.
    to_come: Vec<(Instant, Act)>,
    nonce: u32,
}

impl Disturber {
    /// Makes alarms and windows.
    pub fn new(world: &Arc<World>, mut random: Random, zone: &'static str) -> Self {
        {
            let mut state = world.lock();
            state.has_alarms(ALARMS.map(str::to_owned));
            state.has_composite("all", "ALARM(db-1) OR ALARM(red)");
            for name in [WEEKLY, SECOND] {
                let spec = plans::spec(&mut random, zone, state.now());
                state.create_window(name, spec);
            }
        }
        Self { world: Arc::clone(world), random, zone, to_come: Vec::new(), nonce: 0 }
    }

    /// Lets things happen until then; what is broken then is mended. At last all windows are suspended.
    pub async fn work(mut self, until: Instant, last: Instant) {
        let mut next = self.next();
        loop {
            let follows = self.to_come.iter().map(|(at, _)| *at).min();
            let at = follows.map_or(next, |at| at.min(next));
            if at >= until {
                break;
            }
            sleep_until(at).await;
            if let Some(place) = self.to_come.iter().position(|(then, _)| *then <= at) {
                let (_, act) = self.to_come.remove(place);
                self.happens(act);
                continue;
            }
            let name = self.window();
            let act = self.draw(name);
            self.happens(act);
            next = self.next();
        }
        sleep_until(until).await;
        let mend =
            [Act::AwsDown(false)].into_iter().chain(self.to_come.drain(..).map(|(_, act)| act));
        let mend: Vec<Act> = mend.filter(Act::mends).collect();
        mend.into_iter().for_each(|act| self.happens(act));
        sleep_until(last).await;
        for name in [WEEKLY, SECOND, EMERGENCY] {
            let suspend = self.of(name, WindowEdit::Suspend(true));
            self.happens(suspend);
        }
    }

    fn window(&mut self) -> &'static str {
        self.random.pick(&[WEEKLY, SECOND])
    }

    /// When something happens next: at any time, or around the next opening of a window.
    fn next(&mut self) -> Instant {
        let pause = Duration::from_secs(self.random.below(PAUSE));
        let then = Instant::now() + pause;
        if self.random.one_in(3) {
            return then;
        }
        let name = self.window();
        let state = self.world.lock();
        let status = state.window(name).and_then(|window| window.status.as_ref());
        let Some(next) = status.and_then(|status| status.next.as_ref()) else { return then };
        let early = 15 * MINUTE;
        let lasts = next.closes_at.0.duration_since(next.opens_at.0).as_secs();
        let span = lasts.unsigned_abs() + 2 * early;
        let ahead = next.opens_at.0.duration_since(state.now()).as_secs();
        drop(state);
        let offset = self.random.below(span);
        let seconds = u64::try_from(ahead).unwrap_or(0) + offset;
        Instant::now() + Duration::from_secs(seconds.saturating_sub(early))
    }

    fn later(&mut self, seconds: u64, act: Act) {
        self.to_come.push((Instant::now() + Duration::from_secs(seconds), act));
    }

    fn of(&self, name: &'static str, edit: WindowEdit) -> Act {
        Act::Edit(Edit::Window(name, edit))
    }

    /// What happens to a window, or else; with what follows from it.
    fn draw(&mut self, name: &'static str) -> Act {
        self.nonce += 1;
        let nonce = self.nonce;
        let pause = self.random.pick(&[20 * MINUTE, 3 * HOUR, DAY, 9 * DAY]);
        match self.random.below(26) {
            0 | 1 => Act::Rewrite(name),
            2 => {
                self.later(pause, self.of(name, WindowEdit::Suspend(false)));
                self.of(name, WindowEdit::Suspend(true))
            }
            3 => {
                self.later(pause, self.of(name, WindowEdit::Mode(Mode::Enforce)));
                self.of(name, WindowEdit::Mode(Mode::Audit))
            }
            4 => self.of(name, WindowEdit::Close(nonce)),
            5..=7 => {
                let by = self.random.pick(&["10m", "25m", "45m"]);
                self.of(name, WindowEdit::Extend(by, nonce))
            }
            8 | 9 => self.of(name, WindowEdit::Skip(nonce)),
            10 | 11 => {
                self.later(pause, Act::Rewrite(name));
                let gone =
                    if self.random.one_in(5) { WindowEdit::Abandon } else { WindowEdit::Delete };
                self.of(name, gone)
            }
            12 => self.of(name, WindowEdit::WipeStatus),
            13 => Act::Emergency,
            14 => {
                let down = self.random.pick(&[5 * MINUTE, HOUR]);
                self.later(down, Act::AwsDown(false));
                Act::AwsDown(true)
            }
            22 | 23 => {
                let channel = self.random.pick(&CHANNELS);
                self.later(pause, Act::Channel(channel, false));
                Act::Channel(channel, true)
            }
            15 => Act::Edit(Edit::Kill),
            16 => {
                let away = self.random.pick(&[30, 5 * MINUTE, 40 * MINUTE, 5 * HOUR, 4 * DAY]);
                Act::Edit(Edit::Away(away))
            }
            _ => Act::Edit(self.of_alarms()),
        }
    }

    fn of_alarms(&mut self) -> Edit {
        let alarm = self.random.pick(&ALARMS);
        match self.random.below(6) {
            0 => Edit::AlarmDeleted(alarm),
            1 => Edit::AlarmSwitched(alarm, self.random.one_in(2)),
            2 => Edit::Alarm(alarm, AlarmState::Alarm),
            3 => Edit::Alarm(alarm, AlarmState::Ok),
            _ => Edit::AlarmMade(alarm),
        }
    }

    fn happens(&mut self, act: Act) {
        let world = Arc::clone(&self.world);
        let mut state = world.lock();
        let now = state.now();
        match act {
            Act::Edit(edit) => state.edit(&edit),
            Act::AwsDown(down) => state.put_aws_down(down),
            Act::Channel(name, broken) => state.put_channel(name, broken),
            Act::Rewrite(name) => {
                let spec = plans::spec(&mut self.random, self.zone, now);
                state.edit(&apply(name, spec));
            }
            Act::Emergency => {
                let spec = plans::emergency(&mut self.random, self.zone, now);
                state.edit(&apply(EMERGENCY, spec));
                let gone = self.of(EMERGENCY, WindowEdit::Delete);
                let pause = self.random.pick(&[30 * MINUTE, DAY]);
                self.later(pause, gone);
            }
        }
    }
}

fn apply(
    name: &'static str,
    spec: groundcrew::api::maintenance_window::MaintenanceWindowSpec,
) -> Edit {
    Edit::Window(name, WindowEdit::Apply(Box::new(spec)))
}

impl Act {
    /// Whether it puts an end to something.
    fn mends(&self) -> bool {
        match self {
            Self::AwsDown(bad) | Self::Channel(_, bad) => !bad,
            Self::Edit(Edit::Window(_, edit)) => {
                matches!(edit, WindowEdit::Suspend(false) | WindowEdit::Mode(Mode::Enforce))
            }
            Self::Edit(_) | Self::Rewrite(_) | Self::Emergency => false,
        }
    }
}

impl State {
    /// From now on a channel takes nothing, or does so again.
    fn put_channel(&mut self, name: &'static str, broken: bool) {
        let now = self.now();
        match broken {
            true => self.notices.broken.insert(name),
            false => self.notices.broken.remove(name),
        };
        self.chronicle.iter_mut().for_each(|chronicle| chronicle.channel(now, name, broken));
        self.note(format!("      channel {name} is broken: {broken}"));
    }

    /// From now on AWS answers nothing, or does so again.
    fn put_aws_down(&mut self, down: bool) {
        self.aws_down = down;
        let now: Timestamp = self.now();
        self.chronicle.iter_mut().for_each(|chronicle| chronicle.trouble(now));
        self.note(format!("      AWS answers {}", if down { "nothing" } else { "again" }));
    }
}
