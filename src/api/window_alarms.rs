//! The alarms that are quiet while a window is open.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit;

/// Most names and prefixes of each list.
pub const ALARM_NAMES_MAX: usize = 200;
/// Most regions.
pub const REGIONS_MAX: usize = 8;

/// Which alarms are quiet while the window is open, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.names) || has(self.namePrefixes) || (has(self.mode) && self.mode == 'None')").message("alarms needs names or namePrefixes"),
    validation = Rule::new("!has(self.excludePrefixes) || has(self.namePrefixes)").message("excludePrefixes takes away from namePrefixes: it needs them"),
)]
pub struct Alarms {
    /// Mute (default): mute rules of CloudWatch, which end by themselves. Toggle: the actions of the
    /// alarms are switched off, and on again at the close. None: no alarm is quiet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<AlarmMode>,
    /// Names of metric and composite alarms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ALARM_NAMES_MAX), inner(length(min = 1, max = 255)))]
    pub names: Option<Vec<String>>,
    /// All alarms whose names start so, those too that are made while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ALARM_NAMES_MAX), inner(length(min = 1, max = 255)))]
    pub name_prefixes: Option<Vec<String>>,
    /// But for those whose names start so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ALARM_NAMES_MAX), inner(length(min = 1, max = 255)))]
    pub exclude_prefixes: Option<Vec<String>>,
    /// Regions of the alarms. Default: that of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = REGIONS_MAX), inner(length(min = 1, max = 32), regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$")))]
    #[x_kube(validation = Rule::new("self.all(region, self.exists_one(other, other == region))").message("regions names each region once"))]
    pub regions: Option<Vec<String>>,
}

/// How alarms are made quiet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AlarmMode {
    /// Mute rules of CloudWatch, one for each hundred alarms. They end by themselves.
    #[default]
    Mute,
    /// Actions are switched off at the opening and on again at the close. Nothing ends by itself.
    Toggle,
    /// No alarm is quiet.
    None,
}

/// The alarms that are quiet for an opening, or are about to be: written before anything is done for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Silenced {
    /// How.
    pub mode: AlarmMode,
    /// Id of the opening.
    #[schemars(length(max = 64))]
    pub occurrence: String,
    /// With Toggle: nothing is switched off any more, and all of it is switched on; written before
    /// that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<bool>,
    /// What is quiet in each region.
    #[schemars(length(max = REGIONS_MAX))]
    pub regions: Vec<SilencedRegion>,
}

impl Silenced {
    /// All alarms that it makes quiet, each once, by region and name.
    #[must_use]
    pub fn alarms(&self) -> BTreeSet<(&str, &str)> {
        let names = self.regions.iter().map(|region| (region.region.as_str(), region.names()));
        names.flat_map(|(region, names)| names.map(move |name| (region, name))).collect()
    }

    /// How many alarms that are, as a status says it.
    #[must_use]
    pub fn count(&self) -> i32 {
        i32::try_from(self.alarms().len()).unwrap_or(i32::MAX)
    }

    /// Whether all of it is switched on again.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending == Some(true)
    }
}

/// What is quiet in a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SilencedRegion {
    /// The region.
    #[schemars(length(max = 32))]
    pub region: String,
    /// Mute rules of CloudWatch.
    #[schemars(length(max = fit::MUTE_RULES_MAX))]
    pub rules: Vec<SilencedRule>,
    /// With Toggle: its alarms, by name. What is off is known from here alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = fit::SWITCHED_MAX))]
    pub alarms: Vec<SwitchedAlarm>,
}

impl SilencedRegion {
    /// Names of the alarms that are made quiet, by rules or by their switches.
    fn names(&self) -> impl Iterator<Item = &str> {
        let muted = self.rules.iter().flat_map(|rule| &rule.alarms);
        let switched = self.alarms.iter().filter(|alarm| alarm.state.is_ours());
        muted.chain(switched.map(|alarm| &alarm.name)).map(String::as_str)
    }
}

/// An alarm of a window that switches alarms off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SwitchedAlarm {
    /// Its name.
    #[schemars(length(max = 255))]
    pub name: String,
    /// Who switched it.
    pub state: SwitchState,
    /// When it was last configured, as CloudWatch said when this was written. Off, and another time at
    /// the close: somebody changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured_at: Option<MicroTime>,
}

/// Who switched an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SwitchState {
    /// It acts, or another window has it off; this window switches it off if it acts.
    Intended,
    /// It is off because of this window.
    Off,
    /// A person's: it was off before, or somebody switched it on meanwhile. It is left alone.
    Left,
}

impl SwitchState {
    /// Whether the window has to see to it that the alarm acts again.
    #[must_use]
    pub fn is_ours(self) -> bool {
        match self {
            Self::Intended | Self::Off => true,
            Self::Left => false,
        }
    }
}

/// A mute rule of CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SilencedRule {
    /// Its name.
    #[schemars(length(max = 255))]
    pub name: String,
    /// From when on it mutes: a whole minute.
    pub from: Time,
    /// Until when: then it ends by itself.
    pub until: Time,
    /// Names of its alarms.
    #[schemars(length(max = fit::ALARMS_PER_RULE_MAX), inner(length(max = 255)))]
    pub alarms: Vec<String>,
}
