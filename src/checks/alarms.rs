//! Alarms of CloudWatch that must not be in ALARM.

use std::fmt;

use super::{Judged, Surroundings, parse::Wrong};
use crate::{
    api::check::AlarmsCheck,
    aws::hub::AlarmsFound,
    facts::cloudwatch::{Alarm, AlarmState},
};

/// Most names in a message.
const NAMED_MAX: usize = 5;

/// Alarms, of which at most so many may fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarms {
    names: Vec<String>,
    /// The empty one stands for all alarms.
    prefixes: Vec<String>,
    excluded: Vec<String>,
    max_in_alarm: usize,
}

impl Alarms {
    pub(super) fn parse(raw: &AlarmsCheck) -> Result<Self, Wrong> {
        let AlarmsCheck { names, name_prefixes, exclude_prefixes, all, max_in_alarm } = raw;
        let names = names.clone().unwrap_or_default();
        let prefixes = name_prefixes.clone().unwrap_or_default();
        let excluded = exclude_prefixes.clone().unwrap_or_default();
        let some = !names.is_empty() || !prefixes.is_empty();
        let all = match all {
            Some(false) => return Err(("all", "true, or left out")),
            Some(true) if some => return Err(("all", "left out where there are names")),
            Some(true) => true,
            None if !some => return Err(("names", "given, or namePrefixes, or all: true")),
            None => false,
        };
        if names.iter().chain(&prefixes).chain(&excluded).any(String::is_empty) {
            return Err(("names", "names and prefixes of a character at least"));
        }
        if !all && prefixes.is_empty() && !excluded.is_empty() {
            return Err(("excludePrefixes", "left out without namePrefixes or all"));
        }
        let max_in_alarm = usize::try_from(max_in_alarm.unwrap_or(0));
        Ok(Self {
            names,
            prefixes: if all { vec![String::new()] } else { prefixes },
            excluded,
            max_in_alarm: max_in_alarm.map_err(|_| ("maxInAlarm", "0 or more"))?,
        })
    }

    pub(super) async fn look(&self, at: &Surroundings<'_>) -> Judged {
        let found = at.hub.alarms(at.session, &self.names, &self.prefixes, at.clock.now()).await;
        match found {
            Ok(found) => self.judge(&found),
            Err(error) => Judged::of_error(&error),
        }
    }

    fn judge(&self, found: &AlarmsFound) -> Judged {
        let counts = |alarm: &&Alarm| {
            self.names.contains(&alarm.name)
                || !self.excluded.iter().any(|prefix| alarm.name.starts_with(prefix.as_str()))
        };
        let alarms: Vec<&Alarm> = found.alarms.iter().filter(counts).collect();
        let missing = |name: &&String| !alarms.iter().any(|alarm| alarm.name == **name);
        if let Some(name) = self.names.iter().find(missing) {
            return Judged::failed(format!("there is no alarm {name}"));
        }
        let unmatched =
            |prefix: &&String| !alarms.iter().any(|alarm| alarm.name.starts_with(prefix.as_str()));
        if let Some(prefix) = self.prefixes.iter().find(unmatched) {
            return Judged::failed(match prefix.as_str() {
                "" => "there are no alarms".to_owned(),
                prefix => format!("no alarm's name starts with {prefix}"),
            });
        }
        let firing = alarms.iter().filter(|alarm| alarm.state == AlarmState::Alarm);
        let firing: Vec<&str> = firing.map(|alarm| alarm.name.as_str()).collect();
        let count = alarms.len();
        let mut message = format!("{} of {count} alarms in ALARM", firing.len());
        if !firing.is_empty() {
            let named: Vec<&str> = firing.iter().take(NAMED_MAX).copied().collect();
            let more = if firing.len() > NAMED_MAX { ", …" } else { "" };
            message.push_str(&format!(" ({}{more})", named.join(", ")));
        }
        if firing.len() <= self.max_in_alarm {
            return Judged::passed(message);
        }
        Judged::failed(format!("{message}, at most {}", self.max_in_alarm))
    }
}

impl fmt::Display for Alarms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefixes = self.prefixes.iter().map(|prefix| match prefix.as_str() {
            "" => "all".to_owned(),
            prefix => format!("{prefix}*"),
        });
        let names: Vec<String> = self.names.iter().cloned().chain(prefixes).collect();
        write!(f, "at most {} alarms of {} in ALARM", self.max_in_alarm, names.join(", "))?;
        if !self.excluded.is_empty() {
            write!(f, ", without {}*", self.excluded.join("*, "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::check::CheckVerdict::{self, Failed, Passed};

    fn list(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn parsed(raw: &AlarmsCheck) -> Alarms {
        Alarms::parse(raw).unwrap()
    }

    fn found(alarms: &[(&str, AlarmState)]) -> AlarmsFound {
        let alarm =
            |(name, state): &(&str, AlarmState)| Alarm { name: (*name).into(), state: *state };
        AlarmsFound { alarms: alarms.iter().map(alarm).collect(), missing: vec![] }
    }

    #[track_caller]
    fn check(raw: &AlarmsCheck, alarms: &[(&str, AlarmState)], verdict: CheckVerdict, says: &str) {
        let judged = parsed(raw).judge(&found(alarms));
        assert_eq!((judged.verdict, judged.message.as_str()), (verdict, says));
    }

    use AlarmState::{Alarm as Firing, InsufficientData, Ok as Fine};

    #[test]
    fn so_many_alarms_may_fire_and_no_more() {
        let prefix = AlarmsCheck { name_prefixes: list(&["a-"]), ..AlarmsCheck::default() };
        let quiet = [("a-1", Fine), ("a-2", InsufficientData)];
        check(&prefix, &quiet, Passed, "0 of 2 alarms in ALARM");
        let one = [("a-1", Firing), ("a-2", Fine)];
        check(&prefix, &one, Failed, "1 of 2 alarms in ALARM (a-1), at most 0");
        let lenient = AlarmsCheck { max_in_alarm: Some(1), ..prefix };
        check(&lenient, &one, Passed, "1 of 2 alarms in ALARM (a-1)");
        let many: Vec<String> = (1..=7).map(|n| format!("a-{n}")).collect();
        let many: Vec<_> = many.iter().map(|name| (name.as_str(), Firing)).collect();
        let says = "7 of 7 alarms in ALARM (a-1, a-2, a-3, a-4, a-5, …), at most 1";
        check(&lenient, &many, Failed, says);
    }

    #[test]
    fn every_name_must_exist_and_every_prefix_match() {
        let both = AlarmsCheck {
            names: list(&["x"]),
            name_prefixes: list(&["a-", "b-"]),
            ..AlarmsCheck::default()
        };
        check(&both, &[("a-1", Fine), ("b-1", Fine)], Failed, "there is no alarm x");
        check(&both, &[("a-1", Fine), ("x", Fine)], Failed, "no alarm's name starts with b-");
        let all = AlarmsCheck { all: Some(true), ..AlarmsCheck::default() };
        check(&all, &[], Failed, "there are no alarms");
        check(&all, &[("x", Fine)], Passed, "0 of 1 alarms in ALARM");
    }

    #[test]
    fn excluded_alarms_do_not_count_but_named_ones_do() {
        let raw = AlarmsCheck {
            names: list(&["a-slow-1"]),
            name_prefixes: list(&["a-"]),
            exclude_prefixes: list(&["a-slow-"]),
            ..AlarmsCheck::default()
        };
        let alarms = [("a-1", Fine), ("a-slow-1", Fine), ("a-slow-2", Firing)];
        check(&raw, &alarms, Passed, "0 of 2 alarms in ALARM");
        // All of a prefix excluded: nothing would be looked at.
        let raw = AlarmsCheck { names: None, exclude_prefixes: list(&["a"]), ..raw };
        check(&raw, &alarms, Failed, "no alarm's name starts with a-");
    }

    #[test]
    fn what_selects_nothing_or_too_much_is_refused() {
        let refused = |raw: AlarmsCheck| Alarms::parse(&raw).unwrap_err().0;
        let none = AlarmsCheck::default;
        assert_eq!(refused(none()), "names");
        assert_eq!(refused(AlarmsCheck { all: Some(false), ..none() }), "all");
        assert_eq!(refused(AlarmsCheck { all: Some(true), names: list(&["x"]), ..none() }), "all");
        // It would select all alarms.
        assert_eq!(refused(AlarmsCheck { name_prefixes: list(&[""]), ..none() }), "names");
        let excluding =
            AlarmsCheck { names: list(&["x"]), exclude_prefixes: list(&["y"]), ..none() };
        assert_eq!(refused(excluding), "excludePrefixes");
        let negative = AlarmsCheck { names: list(&["x"]), max_in_alarm: Some(-1), ..none() };
        assert_eq!(refused(negative), "maxInAlarm");
    }
}
