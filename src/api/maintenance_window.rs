//! MaintenanceWindow: when disruptive work may happen.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    check::{CHECKS_MAX, Check},
    duration::Duration,
    shared::{AwsLocation, Mode},
    window_alarms::Alarms,
    window_checks::{OnPreCheckFailure, Purpose},
    window_metrics::{METRICS_MAX, WindowMetric},
    window_notices::Notices,
    window_tasks::{TASKS_MAX, Task},
};

pub use super::window_status::{
    Closing, CurrentOpening, FrozenSpec, Gate, GateBlackout, GateReason, GateSchedule,
    MaintenanceWindowStatus, OpeningPart, OpeningStatus, Outcome, Phase, SkippedOpening,
    WindowHistoryEntry,
};

/// Most schedules of one window.
pub const SCHEDULES_MAX: usize = 16;
/// Most blackouts of one window.
pub const BLACKOUTS_MAX: usize = 64;
/// Most windows that an emergency stands in for.
pub const EMERGENCY_FOR_MAX: usize = 32;

/// Says when disruptive work may happen.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "groundcrew.dev",
    version = "v1alpha1",
    kind = "MaintenanceWindow",
    plural = "maintenancewindows",
    namespaced,
    status = "MaintenanceWindowStatus",
    derive = "PartialEq",
    shortname = "mw",
    category = "groundcrew",
    doc = "MaintenanceWindow says when disruptive work may happen.",
    label("app.kubernetes.io/part-of", "groundcrew"),
    validation = Rule::new("self.metadata.name.size() <= 52").message("metadata.name must be at most 52 characters"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.next.local"),
    printcolumn(name = "Closes", type_ = "string", json_path = ".status.current.closes"),
    printcolumn(name = "Zone", type_ = "string", json_path = ".spec.timeZone"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", priority = 1, json_path = ".status.message")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.schedules) != has(self.always)").message("give exactly one of schedules and always"),
    validation = Rule::new("!has(self.emergency) || (has(self.schedules) && self.schedules.size() == 1 && has(self.schedules[0].once))").message("an emergency has exactly one schedule, with once"),
    validation = Rule::new("!has(self.emergency) || !has(self.blackouts)").message("blackouts do not apply to an emergency: leave them out"),
    validation = Rule::new("!has(self.always) || !(has(self.cutoff) || has(self.lateOpen) || has(self.extend))").message("a window that is always open has no end: leave cutoff, lateOpen and extend out"),
    validation = Rule::new("!has(self.always) || !has(self.alarms)").message("a window that is always open cannot keep alarms quiet: leave alarms out"),
    validation = Rule::new("!has(self.always) || !has(self.notices)").message("a window that is always open has no openings to tell of: leave notices out"),
    validation = Rule::new("!has(self.always) || !(has(self.preChecks) || has(self.postChecks))").message("a window that is always open has no checks: leave preChecks and postChecks out"),
    validation = Rule::new("has(self.preChecks) || !(has(self.preCheckLead) || has(self.onPreCheckFailure))").message("preCheckLead and onPreCheckFailure belong to preChecks"),
    validation = Rule::new("has(self.postChecks) || has(self.metrics) || !has(self.postCheckFor)").message("postCheckFor belongs to postChecks and metrics"),
    validation = Rule::new("!has(self.emergency) || !has(self.onPreCheckFailure)").message("the checks of an emergency inform and never block: leave onPreCheckFailure out"),
    validation = Rule::new("!has(self.purpose) || self.purpose != 'Routine' || has(self.preChecks) || has(self.postChecks) || has(self.tasks)").message("a Routine is a round of checks and tasks: give preChecks, tasks or postChecks"),
    validation = Rule::new("!has(self.purpose) || self.purpose != 'Routine' || !(has(self.always) || has(self.alarms) || has(self.emergency) || has(self.cutoff) || has(self.preCheckLead))").message("the gate of a Routine never opens, and it mutes nothing: leave always, alarms, emergency, cutoff and preCheckLead out"),
    validation = Rule::new("!has(self.always) || !has(self.tasks)").message("a window that is always open has no openings to do tasks in: leave tasks out"),
    validation = Rule::new("!has(self.always) || !has(self.metrics)").message("a window that is always open has no openings to measure around: leave metrics out"),
    validation = Rule::new("!has(self.tasks) || !has(self.schedules) || self.tasks.all(task, !has(task.schedules) || task.schedules.all(name, self.schedules.exists(schedule, schedule.name == name)))").message("tasks[].schedules names schedules of this window"),
    validation = Rule::new("!has(oldSelf.aws) || !has(oldSelf.aws.region) || (has(self.aws) && has(self.aws.region) && self.aws.region == oldSelf.aws.region)").message("aws.region is immutable: make a new MaintenanceWindow for another region"),
    validation = Rule::new("!has(self.lateOpen) || !has(self.cutoff) || self.lateOpen.minRemaining > self.cutoff").message("lateOpen.minRemaining must be more than cutoff: no work would be accepted else"),
)]
pub struct MaintenanceWindowSpec {
    /// Where alarms, tasks and metrics are, and what checks look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsLocation>,
    /// Time zone of all times here: an IANA name such as Europe/Berlin, or Etc/UTC.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$') && !(self in ['Local', 'Factory']) && timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0").message("timeZone must be an IANA name such as Europe/Berlin or Etc/UTC"))]
    pub time_zone: String,
    /// Maintenance (default), or Routine: a round of checks and tasks at its time. The gate of a
    /// Routine never opens, and no selector sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// When it opens. Exactly one of schedules and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = SCHEDULES_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub schedules: Option<Vec<Schedule>>,
    /// It is open at all times except in blackouts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self").message("always can only be true: leave it out otherwise"))]
    pub always: Option<bool>,
    /// When it does not open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = BLACKOUTS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub blackouts: Option<Vec<Blackout>>,
    /// No new work this close to the end. Default 0s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self <= duration('24h')").message("cutoff must be at most 24h"))]
    pub cutoff: Option<Duration>,
    /// When it still opens after its start has passed. Default: while more than cutoff remains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_open: Option<LateOpen>,
    /// How far the close may be pushed; absent: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extend: Option<Extend>,
    /// The alarms that are quiet while it is open; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms: Option<Alarms>,
    /// Who is told of openings, and when; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices: Option<Notices>,
    /// What must hold before it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = CHECKS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub pre_checks: Option<Vec<Check>>,
    /// How long before the opening the pre-checks begin to run. Default 15m. A failure before the
    /// last 15 minutes is only told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= duration('1m') && self <= duration('168h')").message("preCheckLead must be 1m to 7d"))]
    pub pre_check_lead: Option<Duration>,
    /// Block (default): it stays closed until the pre-checks hold, or it is too late. Proceed: it
    /// opens all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_pre_check_failure: Option<OnPreCheckFailure>,
    /// What must hold after it closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = CHECKS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub post_checks: Option<Vec<Check>>,
    /// How long the post-checks are watched after the close, and when metrics are read for the second
    /// time; the next opening ends it. Default 0s: checks run once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self <= duration('168h')").message("postCheckFor must be at most 7d"))]
    pub post_check_for: Option<Duration>,
    /// What is done while it is open, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = TASKS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub tasks: Option<Vec<Task>>,
    /// Numbers that are written down: as they were before the opening, and after the close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = METRICS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub metrics: Option<Vec<WindowMetric>>,
    /// Makes this an emergency: its one opening stands in for other windows, blackouts or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// Enforce (default), or Audit: the gate stays closed, and status.plan tells what would happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Open no more. What is open closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// When a window opens, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.cron) != has(self.once)").message("a schedule has exactly one of cron and once"),
    validation = Rule::new("has(self.duration) != has(self.until)").message("a schedule has exactly one of duration and until"),
    validation = Rule::new("!has(self.plusDays) || has(self.cron)").message("plusDays belongs to cron"),
)]
pub struct Schedule {
    /// Name; part of the ids of its openings.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// Minute, hour, day of month, month, day of week; weekdays by name. SUN#1 is the first Sunday
    /// of a month, SUNL the last, L the last day, 15W the weekday nearest to the 15th.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 9, max = 128))]
    #[x_kube(
        validation = Rule::new("self.split(' ').size() == 5").message("cron has five fields with one space between them: minute, hour, day of month, month, day of week"),
        validation = Rule::new("self.split(' ').size() != 5 || self.split(' ')[2] == '*' || self.split(' ')[4] == '*'").message("day of month and day of week together mean either of them in some dialects and both in others: for the first Sunday write 0 2 * * SUN#1"),
        validation = Rule::new("!self.matches('(TUE-MON|WED-(MON|TUE)|THU-(MON|TUE|WED)|FRI-(MON|TUE|WED|THU)|SAT-(MON|TUE|WED|THU|FRI))')").message("a range of weekdays goes from SUN or MON to SAT or SUN at most: write FRI-SUN,MON instead of FRI-MON"),
        validation = Rule::new("self.split(' ').size() != 5 || self.split(' ')[4].matches('^([*]|(SUN|MON|TUE|WED|THU|FRI|SAT)(-(SUN|MON|TUE|WED|THU|FRI|SAT)|#[1-5]|L)?(,(SUN|MON|TUE|WED|THU|FRI|SAT)(-(SUN|MON|TUE|WED|THU|FRI|SAT)|#[1-5]|L)?)*)$')").message("write weekdays by name: SUN, MON-FRI, SUN#1, SUNL; numbers mean different days in different dialects"),
    )]
    pub cron: Option<String>,
    /// Days after each match of cron, at most 27: Patch Tuesday + 2 is TUE#2 with 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 27))]
    pub plus_days: Option<u8>,
    /// One opening, at this local date and time: 2026-12-05T23:00.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 16, max = 16))]
    #[x_kube(
        validation = Rule::new("self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$')").message("once is a local date and time without a zone, such as 2026-12-05T23:00"),
        validation = Rule::new("!self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$') || (timestamp(self + ':00Z').getFullYear() >= 1980 && timestamp(self + ':00Z').getFullYear() <= 4000)").message("once must be a date and time that exists, from 1980 to 4000"),
    )]
    pub once: Option<String>,
    /// How long it stays open, in elapsed time, 1m to 14d.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= duration('1m') && self <= duration('336h') && self.getSeconds() % 60 == 0").message("duration must be whole minutes, 1m to 14d"))]
    pub duration: Option<Duration>,
    /// It stays open until the clock on the wall shows this; the second time where it shows it twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 5, max = 5))]
    #[x_kube(validation = Rule::new("self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')").message("until is a time of day such as 04:00"))]
    pub until: Option<String>,
}

/// A time in which a window does not open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.yearly) && self.yearly) || (self.from.size() == 10 ? self.from + 'T00:00' : self.from) < (self.until.size() == 10 ? self.until + 'T00:00' : self.until)").message("from must be before until, which is the first moment after the blackout"),
    validation = Rule::new("!has(self.yearly) || !self.yearly || (self.from != self.until && (self.from.substring(0, 4) == self.until.substring(0, 4) || (int(self.until.substring(0, 4)) - int(self.from.substring(0, 4)) == 1 && self.until.substring(4) < self.from.substring(4))))").message("a yearly blackout lasts less than a year: until is the first moment after it, and before from of the next year"),
)]
pub struct Blackout {
    /// Name.
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// Its first day, or local date and time: 2026-12-18.
    #[schemars(length(min = 10, max = 16))]
    #[x_kube(
        validation = Rule::new("self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?$')").message("from is a date or a local date and time, such as 2026-12-18 or 2026-12-18T18:00"),
        validation = Rule::new("!self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?$') || (timestamp((self.size() == 10 ? self + 'T00:00' : self) + ':00Z').getFullYear() >= 1980 && timestamp((self.size() == 10 ? self + 'T00:00' : self) + ':00Z').getFullYear() <= 4000)").message("from must be a date that exists, from 1980 to 4000"),
    )]
    pub from: String,
    /// The first day after it, or local date and time.
    #[schemars(length(min = 10, max = 16))]
    #[x_kube(
        validation = Rule::new("self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?$')").message("until is a date or a local date and time, such as 2027-01-04 or 2027-01-04T06:00"),
        validation = Rule::new("!self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?$') || (timestamp((self.size() == 10 ? self + 'T00:00' : self) + ':00Z').getFullYear() >= 1980 && timestamp((self.size() == 10 ? self + 'T00:00' : self) + ':00Z').getFullYear() <= 4000)").message("until must be a date that exists, from 1980 to 4000"),
    )]
    pub until: String,
    /// Every year on these days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly: Option<bool>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub reason: Option<String>,
    /// What becomes of an opening that it touches: Skip (default) leaves it out, Truncate keeps what
    /// lies outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_overlap: Option<OnOverlap>,
}

/// What becomes of an opening that a blackout touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnOverlap {
    /// It does not happen.
    #[default]
    Skip,
    /// What lies outside of the blackout happens.
    Truncate,
}

/// When a window still opens after its start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LateOpen {
    /// It opens late only if this much is left, else it is Missed; 1s to 14d.
    #[x_kube(validation = Rule::new("self >= duration('1s') && self <= duration('336h')").message("lateOpen.minRemaining must be 1s to 14d"))]
    pub min_remaining: Duration,
}

/// How far a close may be pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Extend {
    /// All extensions of one opening together: whole minutes, at most 24h. None goes into a blackout.
    #[x_kube(validation = Rule::new("self >= duration('1m') && self <= duration('24h') && self.getSeconds() % 60 == 0").message("extend.max must be whole minutes, 1m to 24h"))]
    pub max: Duration,
}

/// Why a window opens outside of all plans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Emergency {
    /// Why.
    #[schemars(length(min = 1, max = 256))]
    pub reason: String,
    /// Who asked for it.
    #[schemars(length(min = 1, max = 128))]
    pub requested_by: String,
    /// Windows of this namespace whose gates are open while this one is.
    #[serde(rename = "for")]
    #[schemars(length(min = 1, max = EMERGENCY_FOR_MAX), inner(length(min = 1, max = 52)))]
    pub stands_for: Vec<String>,
}
