//! Gate: a rollout that obeys windows goes forward only while one of them may be open, by the specs
//! that people gave them. Going back, and putting back what somebody else moved, obeys nothing.

use groundcrew::{
    api::{
        canary_rollout::{CanaryRollout, CanaryRolloutSpec, GatePoint, OnClose, Outcome, Step},
        windows::Windows as Selection,
    },
    facts::lambda::{Alias, AliasChange},
};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use super::{
    Found,
    planned::Running,
    windows::{WindowPast, Windows},
};
use crate::world::lambda::percent;

/// How long a call is on its way: what was sent before the close may arrive after it.
const ON_THE_WAY: SignedDuration = SignedDuration::from_millis(25);

/// When something was decided at the earliest, and when it was carried out.
#[derive(Clone, Copy)]
struct Moment {
    decided: Timestamp,
    now: Timestamp,
}

impl Moment {
    /// Both, and how long before each something may have been known no more.
    fn both(self) -> [(Timestamp, SignedDuration); 2] {
        let Self { decided, now } = self;
        [(decided, SignedDuration::ZERO), (now, now.duration_since(decided))]
    }
}

/// What has to be so.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    Nothing,
    /// A window is open, its last part without new work included.
    Open,
    /// It takes new work.
    Work,
}

/// What a point of a rollout needs.
fn needs(spec: &CanaryRolloutSpec, points: &[GatePoint], from_rest: bool) -> Needs {
    let gate = spec.window_gate.clone().unwrap_or_default();
    let at = gate.at.unwrap_or_else(|| vec![GatePoint::Start]);
    if points.iter().any(|point| at.contains(point)) {
        Needs::Work
    } else if gate.on_close == Some(OnClose::Continue) || from_rest {
        Needs::Nothing
    } else {
        Needs::Open
    }
}

impl Windows {
    /// A rollout left its rest for a new release.
    pub fn started(
        &self,
        now: Timestamp,
        key: &str,
        (before, after): (&CanaryRollout, &CanaryRollout),
        spec: Option<&CanaryRolloutSpec>,
    ) -> Found {
        let flies = |object: &CanaryRollout| {
            object.status.as_ref().is_some_and(|status| status.step.is_some())
        };
        let (Some(spec), Some(status)) = (spec, &after.status) else { return Found::new() };
        let lately = status.ending.as_ref().is_some_and(|one| one.reason == "RollbackWindow");
        // A flight that the alias' mark tells of was started before.
        let found_again = before.status.as_ref().is_none_or(|status| status.revision.is_none());
        if flies(before) || !flies(after) || lately || found_again {
            return Found::new();
        }
        let both = [GatePoint::Start, GatePoint::Promote];
        let points = if status.steps.is_empty() { both.as_slice() } else { &both[..1] };
        let needs = needs(spec, points, true);
        let moment = self.moment(now, key);
        let takes = status.steps.iter().fold(SignedDuration::ZERO, |sum, step| sum + long(step));
        let fit = spec.window_gate.as_ref().and_then(|gate| gate.require_fit) == Some(true);
        let left = if fit && needs == Needs::Work { takes } else { SignedDuration::ZERO };
        match self.lets(spec, after, moment, (needs, left)) {
            true => Found::new(),
            false => vec![("Gate", format!("{key} started outside of its windows"))],
        }
    }

    /// An alias was moved for a rollout.
    pub fn moved(
        &self,
        now: Timestamp,
        key: &str,
        (before, change): (&Alias, &AliasChange),
        object: &CanaryRollout,
        spec: Option<&CanaryRolloutSpec>,
    ) -> Found {
        let (Some(spec), Some(status)) = (spec, &object.status) else { return Found::new() };
        let ending = status.ending.as_ref();
        let lately = ending.is_some_and(|ending| ending.reason == "RollbackWindow");
        if lately || status.conflict.is_some() {
            return Found::new();
        }
        let promotes = ending.is_some_and(|ending| ending.outcome == Outcome::Promoted);
        let canary = status.canary.as_ref().map(|canary| &canary.version);
        let weight = change.weight.as_ref().map(percent);
        let had = before.weights.iter().map(percent).any(|(version, _)| Some(&version) == canary);
        let points = match weight {
            // The first one belongs to the start.
            Some(_) if !had => [].as_slice(),
            Some(_) => &[GatePoint::Advance],
            None if promotes && change.version != before.version => &[GatePoint::Promote],
            None => return Found::new(),
        };
        let moment = self.moment(now, key);
        let allowed = [spec, &object.spec].into_iter().any(|spec| {
            let needs = needs(spec, points, false);
            self.lets(spec, object, moment, (needs, SignedDuration::ZERO))
        });
        match allowed {
            true => Found::new(),
            false => {
                let sent = format!("{key} sent {} {weight:?}", change.version);
                vec![("Gate", format!("{sent} outside of its windows"))]
            }
        }
    }

    fn moment(&self, now: Timestamp, key: &str) -> Moment {
        Moment { decided: now - self.slack(now, key), now }
    }

    /// Whether the windows of a rollout may let it, with so much that must fit before the close.
    fn lets(
        &self,
        spec: &CanaryRolloutSpec,
        object: &CanaryRollout,
        moment: Moment,
        (needs, left): (Needs, SignedDuration),
    ) -> bool {
        let Some(selection) = spec.windows.as_ref().filter(|_| needs != Needs::Nothing) else {
            return true;
        };
        let namespace = object.namespace().unwrap_or_default();
        let selected = self.selected(&namespace, selection);
        let covered = |name: &str| {
            self.within(&namespace).any(|(_, past)| {
                let mut known = past.planned.versions.iter();
                known.any(|one| one.stands_for(name))
                    && past.may(moment, needs == Needs::Work, left, &[])
            })
        };
        let schedules = selection.schedules.clone().unwrap_or_default();
        let open = selected.iter().any(|(name, past)| {
            past.is_some_and(|past| past.may(moment, needs == Needs::Work, left, &schedules))
                || covered(name)
        });
        let stopped = |(name, past): &(String, Option<&WindowPast>)| {
            past.is_none_or(|past| past.is_stopped(moment)) && !covered(name)
        };
        open && !selected.iter().any(stopped)
    }

    /// The windows of a namespace, by name.
    fn within(&self, namespace: &str) -> impl Iterator<Item = (&str, &WindowPast)> {
        self.all.iter().filter_map(move |(key, past)| {
            let name = key.strip_prefix(namespace)?.strip_prefix('/')?;
            Some((name, past))
        })
    }

    /// What is selected, by name; none where there is no such window.
    pub fn selected(
        &self,
        namespace: &str,
        selection: &Selection,
    ) -> Vec<(String, Option<&WindowPast>)> {
        let named = selection.names.iter().flatten();
        let named = named.map(|name| (name.clone(), self.all.get(&format!("{namespace}/{name}"))));
        let labels = selection.selector.as_ref().map(|selector| &selector.match_labels);
        let labelled = self.within(namespace).filter(|(_, past)| {
            let last = past.planned.latest().map(|last| last.object.labels());
            labels.zip(last).is_some_and(|(wanted, has)| {
                wanted.iter().all(|(key, value)| has.get(key) == Some(value))
            })
        });
        named.chain(labelled.map(|(name, past)| (name.to_owned(), Some(past)))).collect()
    }
}

/// How long a step takes at the least.
fn long(step: &Step) -> SignedDuration {
    let smoke = step.smoke.as_ref().and_then(|smoke| smoke.max_duration);
    step.hold.or(smoke).unwrap_or_default().signed()
}

impl WindowPast {
    /// Whether it may be open, with so much that must fit before the close.
    fn may(&self, moment: Moment, work: bool, left: SignedDuration, schedules: &[String]) -> bool {
        let Moment { decided, now } = moment;
        let begun = |one: &Running| one.opening.opens_at <= now;
        let fits = |one: &Running| {
            let cutoff = if work { one.cutoff } else { SignedDuration::ZERO };
            let ends = |end: Timestamp| {
                decided < end - cutoff && now - ON_THE_WAY <= end && decided + left <= end
            };
            let part = one.opening.parts.iter().any(|part| {
                let counted = schedules.is_empty() || schedules.contains(&part.schedule);
                counted && part.from <= now && ends(part.until + one.extended)
            });
            part && ends(one.closes)
        };
        moment.both().into_iter().any(|(at, slack)| {
            self.planned.running(at, slack).iter().any(|one| begun(one) && fits(one))
                || schedules.is_empty() && self.planned.always_open(at, slack)
        })
    }

    /// Whether it keeps everything closed, whatever other windows say.
    fn is_stopped(&self, moment: Moment) -> bool {
        let Moment { decided, now } = moment;
        let mut both = moment.both().into_iter();
        let runs = both.any(|(at, slack)| !self.planned.running(at, slack).is_empty());
        let mut known = self.planned.versions.iter().filter(|one| one.is_known(decided));
        let works = known.any(|one| {
            one.calendar.is_some()
                && one.object.metadata.deletion_timestamp.is_none()
                && one.object.spec.suspend != Some(true)
                && (!one.is_dark(now) || !one.is_dark(decided))
        });
        !runs && !works
    }
}
