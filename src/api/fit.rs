//! How long the texts and lists of a status may be, and how they are made so.
//!
//! The schema and the cuts share these numbers: what is cut here is never refused by the API server,
//! which would refuse the whole status with it, and what has to be published first would never be
//! done. Texts for people are cut. Names, versions and revisions are not: a cut one names another.

use super::{
    analysis::{Measured, MetricStatus},
    canary_findings::PreflightFinding,
    canary_status::{CanaryRolloutStatus, Ending, Held, HistoryEntry, SmokeStatus, StepStatus},
    check::CheckStatus,
    shared::LastAction,
    window_checks::{Checking, WindowCheck},
    window_status::{
        Closing, CurrentOpening, Gate, MaintenanceWindowStatus, OpeningStatus, WindowHistoryEntry,
    },
    window_tasks::TaskStatus,
};

/// Longest `message` of a status, and of the answer to a verb.
pub const MESSAGE_MAX: usize = 1_024;
/// Longest sentence about a part: an end, a check, a finding, a line of the plan.
pub const SENTENCE_MAX: usize = 512;
/// Longest reason, in CamelCase.
pub const REASON_MAX: usize = 64;
/// Longest value of a metric, with its unit.
pub const VALUE_MAX: usize = 32;
/// Longest text of a metric's limits.
pub const LIMIT_MAX: usize = 128;
/// Longest verb that is carried into the status, and name of who asked: more than any needs.
pub const ACTION_MAX: usize = 256;
/// Most verbs that are known to be answered: more than people give in one release.
pub const ANSWERED_MAX: usize = 16;
/// Most entries of `status.preflight`.
pub const PREFLIGHT_MAX: usize = 32;
/// Most entries of `status.history` that were served, and most that were not: what a person looks
/// back on, and what a fast rollback needs.
pub const HISTORY_SORT_MAX: usize = 10;
/// Most entries of `status.history`.
pub const HISTORY_MAX: usize = 2 * HISTORY_SORT_MAX;
/// Most entries of `status.putBacks`.
pub const PUT_BACKS_MAX: usize = 3;
/// Most lines of `status.plan`: 32 steps have two each, and a release on its way goes back first.
pub const PLAN_MAX: usize = 100;
/// Most alarms that fire at a start and are ignored. No release starts with more.
pub const IGNORED_ALARMS_MAX: usize = 500;

/// Most mute rules of one region: those of 2,000 alarms, and what extensions and new alarms add.
pub const MUTE_RULES_MAX: usize = 60;
/// Most alarms of one mute rule. Source: CloudWatch API reference, MuteTargets.
pub const ALARMS_PER_RULE_MAX: usize = 100;
/// Most alarms of one window, and so of one region of its ledger. Source: api.md.
pub const SWITCHED_MAX: usize = 2_000;
/// Most alarms that are told to fire still when a window closes.
pub const STILL_IN_ALARM_MAX: usize = 50;
/// Entries of `status.upcoming` of a window.
pub const UPCOMING_MAX: usize = 5;
/// Most openings that are skipped ahead: more than are shown, so that some stay to be given back.
pub const SKIPPED_MAX: usize = 16;
/// Most entries of a window's history.
pub const WINDOW_HISTORY_MAX: usize = 10;
/// Most notices that a window remembers: each stage of what is open, what was told of the next five
/// openings, and ends, for each of 16 channels.
pub const NOTICES_MAX: usize = 640;
/// Most ends that are told still.
pub const ENDINGS_MAX: usize = 8;
/// Most events of a rollout that people are told of still.
pub const HAPPENED_MAX: usize = 16;
/// Most openings that take the place of others.
pub const MOVED_MAX: usize = 16;
/// Most results of checks of one opening: those before it, and those after it.
pub const WINDOW_CHECKS_MAX: usize = 2 * super::check::CHECKS_MAX;
/// Most parts of one opening: what 16 schedules have of 15 days, each several times.
pub const PARTS_MAX: usize = 64;

/// Cuts a text to this many characters; the last one is an ellipsis then.
pub fn cut(text: &mut String, most: usize) {
    let kept = most.saturating_sub(1);
    let mut rest = text.char_indices().skip(kept).map(|(at, _)| at);
    if let (Some(end), Some(_)) = (rest.next(), rest.next()) {
        text.truncate(end);
        text.push('…');
    }
}

/// Cuts a text to this many bytes, between two characters, with an ellipsis at its end.
pub fn cut_bytes(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most.saturating_sub('…'.len_utf8())));
        text.push('…');
    }
}

/// What the API server takes after it was cut.
pub trait Fit {
    /// Cuts what is too long. What fits stays as it is.
    fn fit(&mut self);
}

impl<T: Fit> Fit for Option<T> {
    fn fit(&mut self) {
        self.iter_mut().for_each(Fit::fit);
    }
}

impl<T: Fit> Fit for Vec<T> {
    fn fit(&mut self) {
        self.iter_mut().for_each(Fit::fit);
    }
}

impl Fit for CanaryRolloutStatus {
    fn fit(&mut self) {
        let Self {
            message,
            step,
            ending,
            held,
            analysis,
            checks,
            ignored_alarms,
            put_backs,
            history,
            preflight,
            plan,
            last_action,
            answered,
            // Names, numbers, times and frozen steps; conditions are cut where they are merged.
            observed_generation: _,
            region: _,
            account_id: _,
            phase: _,
            revision: _,
            stable: _,
            canary: _,
            publishing: _,
            steps: _,
            paused_at: _,
            conflict: _,
            alias: _,
            pruned: _,
            conditions: _,
            // Cut where they are written.
            notices: _,
            notice_failures: _,
            happened: _,
        } = self;
        message.iter_mut().for_each(|message| cut(message, MESSAGE_MAX));
        step.fit();
        ending.fit();
        held.fit();
        analysis.fit();
        checks.fit();
        ignored_alarms.truncate(IGNORED_ALARMS_MAX);
        put_backs.truncate(PUT_BACKS_MAX);
        history.truncate(HISTORY_MAX);
        history.fit();
        preflight.truncate(PREFLIGHT_MAX);
        preflight.fit();
        plan.truncate(PLAN_MAX);
        plan.iter_mut().for_each(|line| cut(line, SENTENCE_MAX));
        last_action.fit();
        answered.truncate(ANSWERED_MAX);
        answered.iter_mut().for_each(|value| cut(value, ACTION_MAX));
    }
}

impl Fit for MaintenanceWindowStatus {
    fn fit(&mut self) {
        let Self {
            message,
            gate,
            next,
            upcoming,
            current,
            pre_checks,
            post_checks,
            measuring,
            skipped,
            history,
            plan,
            last_action,
            answered,
            // Names that must stay whole.
            silenced: _,
            region: _,
            account_id: _,
            // Cut where they are remembered.
            notices: _,
            notice_failures: _,
            endings: _,
            moved: _,
            // Numbers; conditions are cut where they are merged.
            observed_generation: _,
            phase: _,
            conditions: _,
        } = self;
        message.iter_mut().for_each(|message| cut(message, MESSAGE_MAX));
        gate.fit();
        next.fit();
        upcoming.truncate(UPCOMING_MAX);
        upcoming.fit();
        current.fit();
        pre_checks.fit();
        post_checks.fit();
        measuring.fit();
        skipped.truncate(SKIPPED_MAX);
        history.truncate(WINDOW_HISTORY_MAX);
        history.fit();
        plan.truncate(PLAN_MAX);
        plan.iter_mut().for_each(|line| cut(line, SENTENCE_MAX));
        last_action.fit();
        answered.truncate(ANSWERED_MAX);
        answered.iter_mut().for_each(|value| cut(value, ACTION_MAX));
    }
}

impl Fit for Gate {
    fn fit(&mut self) {
        cut(&mut self.message, SENTENCE_MAX);
        self.schedules.truncate(PARTS_MAX);
    }
}

impl Fit for OpeningStatus {
    fn fit(&mut self) {
        cut(&mut self.note, SENTENCE_MAX);
    }
}

impl Fit for CurrentOpening {
    fn fit(&mut self) {
        self.parts.truncate(PARTS_MAX);
        self.checks.truncate(WINDOW_CHECKS_MAX);
        self.checks.fit();
        self.closing.fit();
        self.tasks.fit();
        self.metrics.fit();
    }
}

impl Fit for TaskStatus {
    fn fit(&mut self) {
        cut(&mut self.message, SENTENCE_MAX);
    }
}

impl Fit for Closing {
    fn fit(&mut self) {
        let Self { outcome: _, message } = self;
        cut(message, SENTENCE_MAX);
    }
}

impl Fit for Checking {
    fn fit(&mut self) {
        self.results.fit();
    }
}

impl Fit for WindowCheck {
    fn fit(&mut self) {
        cut(&mut self.message, SENTENCE_MAX);
    }
}

impl Fit for WindowHistoryEntry {
    fn fit(&mut self) {
        cut(&mut self.message, SENTENCE_MAX);
        self.checks.truncate(WINDOW_CHECKS_MAX);
        self.checks.fit();
        self.tasks.fit();
        self.metrics.fit();
        self.still_in_alarm.truncate(STILL_IN_ALARM_MAX);
    }
}

impl Fit for StepStatus {
    fn fit(&mut self) {
        self.smoke.fit();
    }
}

impl Fit for SmokeStatus {
    fn fit(&mut self) {
        let Self { passed: _, message } = self;
        cut(message, SENTENCE_MAX);
    }
}

impl Fit for Ending {
    fn fit(&mut self) {
        let Self { outcome: _, reason, message } = self;
        cut(reason, REASON_MAX);
        cut(message, SENTENCE_MAX);
    }
}

impl Fit for Held {
    fn fit(&mut self) {
        let Self { reason, message } = self;
        cut(reason, REASON_MAX);
        cut(message, SENTENCE_MAX);
    }
}

impl Fit for HistoryEntry {
    fn fit(&mut self) {
        cut(&mut self.reason, REASON_MAX);
        cut(&mut self.message, SENTENCE_MAX);
    }
}

impl Fit for CheckStatus {
    fn fit(&mut self) {
        cut(&mut self.message, SENTENCE_MAX);
    }
}

impl Fit for PreflightFinding {
    fn fit(&mut self) {
        let Self { severity: _, reason, message } = self;
        cut(reason, REASON_MAX);
        cut(message, SENTENCE_MAX);
    }
}

impl Fit for MetricStatus {
    fn fit(&mut self) {
        self.canary.fit();
        self.stable.fit();
        cut(&mut self.limit, LIMIT_MAX);
    }
}

impl Fit for Measured {
    fn fit(&mut self) {
        let Self { samples: _, errors: _, value } = self;
        value.iter_mut().for_each(|value| cut(value, VALUE_MAX));
    }
}

impl Fit for LastAction {
    fn fit(&mut self) {
        let Self { value, by, result: _, message, at: _ } = self;
        cut(value, ACTION_MAX);
        cut(by, ACTION_MAX);
        cut(message, MESSAGE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, most: usize, expected: &str) {
        let mut text = text.to_owned();
        cut(&mut text, most);
        assert_eq!(text, expected);
    }

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        check("", 3, "");
        check("äöü", 3, "äöü");
        check("äöüß", 3, "äö…");
        check("abcdefgh", 1, "…");
    }

    #[test]
    fn a_text_is_cut_to_bytes_between_characters() {
        for (most, expected) in [(8, "äöüß"), (7, "äö…"), (6, "ä…"), (3, "…")] {
            let mut text = "äöüß".to_owned();
            cut_bytes(&mut text, most);
            assert_eq!(text, expected, "{most}");
        }
    }
}
