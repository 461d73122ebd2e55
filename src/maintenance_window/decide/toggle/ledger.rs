//! What the ledger says of each alarm.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::window_alarms::{SwitchState, SwitchedAlarm},
    maintenance_window::alarms::{Ledger, RegionFacts, Switch},
};

/// Whether an alarm is off as a ledger left it: nobody changed it since.
#[must_use]
pub fn is_as_left(alarm: &SwitchedAlarm, switch: &Switch) -> bool {
    let seen = || alarm.configured_at.as_ref().map(|at| at.0) == switch.configured_at;
    !switch.on
        && match alarm.state {
            SwitchState::Intended => true,
            SwitchState::Off => seen(),
            SwitchState::Left => false,
        }
}

/// The alarms of a region as the ledger is to have them, by name: what is known of the old ones, and the
/// chosen ones that it does not have yet. What is gone is forgotten; made anew, it is new.
pub(super) fn brought_up(old: &[&SwitchedAlarm], facts: &RegionFacts) -> Vec<SwitchedAlarm> {
    let new = facts.chosen.iter().filter(|name| !old.iter().any(|alarm| alarm.name == **name));
    let new = new.filter_map(|name| taken(name, facts));
    let mut all: Vec<SwitchedAlarm> =
        old.iter().filter_map(|alarm| kept(alarm, facts)).chain(new).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn kept(alarm: &SwitchedAlarm, facts: &RegionFacts) -> Option<SwitchedAlarm> {
    let switch = facts.switches.get(&alarm.name)?;
    let changed = |state, at: Option<jiff::Timestamp>| SwitchedAlarm {
        name: alarm.name.clone(),
        state,
        configured_at: at.map(MicroTime),
    };
    Some(match alarm.state {
        SwitchState::Intended if !switch.on && is_settled(&alarm.name, facts) => {
            changed(SwitchState::Off, switch.configured_at)
        }
        SwitchState::Off if switch.on && !is_stale(alarm, switch) => {
            changed(SwitchState::Left, None)
        }
        SwitchState::Intended | SwitchState::Off | SwitchState::Left => alarm.clone(),
    })
}

/// Whether what was read is older than what the ledger says: CloudWatch does not promise more.
fn is_stale(alarm: &SwitchedAlarm, switch: &Switch) -> bool {
    alarm.configured_at.as_ref().map(|at| at.0) > switch.configured_at
}

/// An alarm that the ledger does not have; none while another window has to say more of it.
fn taken(name: &str, facts: &RegionFacts) -> Option<SwitchedAlarm> {
    let switch = facts.switches.get(name)?;
    let is_off = |(ledger, alarm): (&Ledger, &SwitchedAlarm)| {
        !ledger.ending && alarm.state == SwitchState::Off && is_as_left(alarm, switch)
    };
    let state = if switch.on || holders(name, facts).any(is_off) {
        SwitchState::Intended
    } else if is_unsaid(name, facts) {
        return None;
    } else {
        SwitchState::Left
    };
    Some(SwitchedAlarm { name: name.to_owned(), state, configured_at: None })
}

/// Whether another window may have an alarm off and does not say so: it ends, or has not written it down
/// yet. Only one that is `Off` tells when it was, so that a person's change since then is noticed.
fn is_unsaid(name: &str, facts: &RegionFacts) -> bool {
    let all = || holders(name, facts);
    let intended = |(ledger, alarm): (&Ledger, &SwitchedAlarm)| {
        !ledger.ending && alarm.state == SwitchState::Intended
    };
    all().next().is_some() && (all().all(|(ledger, _)| ledger.ending) || all().any(intended))
}

/// The other windows that have an alarm off, or are about to.
fn holders<'f>(
    name: &str,
    facts: &'f RegionFacts,
) -> impl Iterator<Item = (&'f Ledger, &'f SwitchedAlarm)> {
    let others = facts.ledgers.iter().filter(|ledger| !ledger.own);
    let entries = others.filter_map(move |ledger| Some((ledger, ledger.alarms.get(name)?)));
    entries.filter(|(_, alarm)| alarm.state.is_ours())
}

/// Whether another window keeps an alarm off, and will switch it on.
pub(super) fn is_kept_off(name: &str, switch: &Switch, facts: &RegionFacts) -> bool {
    holders(name, facts).any(|(ledger, alarm)| !ledger.ending && is_as_left(alarm, switch))
}

/// Whether every window that ends from now on leaves this alarm to us; see rule 4.
fn is_settled(name: &str, facts: &RegionFacts) -> bool {
    let own = facts.ledgers.iter().filter(|ledger| ledger.own && !ledger.ending);
    let shown = own.filter_map(|ledger| ledger.alarms.get(name)).any(|alarm| alarm.state.is_ours());
    shown && !holders(name, facts).any(|(ledger, _)| ledger.ending)
}

/// Whether a window that ends has a chosen alarm off, or one does not say yet whether it has.
pub(super) fn is_contested(facts: &RegionFacts) -> bool {
    let ends = |name: &String| holders(name, facts).any(|(ledger, _)| ledger.ending);
    facts.chosen.iter().any(|name| ends(name) || is_unsaid(name, facts))
}
