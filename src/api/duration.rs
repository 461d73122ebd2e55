//! Durations as manifests write them: `30m`, `1h30m`, `7d`, `4w`.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Same pattern as the CRD's, so that what the API server lets through is what parses.
const PATTERN: &str = "^([0-9]{1,4}w)?([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,7}s)?$";
/// Longest text: every unit with its most digits fits.
const TEXT_MAX: usize = 32;
/// Units in the order in which they may appear, with their seconds and most digits.
const UNITS: [(char, u64, usize); 5] =
    [('w', 604_800, 4), ('d', 86_400, 4), ('h', 3_600, 5), ('m', 60, 6), ('s', 1, 7)];

/// Elapsed time in whole seconds; a day is 24 h of elapsed time whatever the clocks do.
///
/// At most 9999w9999d99999h999999m9999999s, about 230 years, so sums of a few never overflow.
///
/// ```
/// # use groundcrew::api::duration::Duration;
/// let hold: Duration = "1h30m".parse()?;
/// assert_eq!(hold.as_secs(), 5_400);
/// assert_eq!(Duration::from_secs(604_800).to_string(), "1w");
/// # Ok::<(), groundcrew::api::duration::InvalidDuration>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a duration is written like 30m, 1h30m, 7d or 4w: units w d h m s, in that order")]
pub struct InvalidDuration;

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Wraps whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Whole seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The same span for calendar arithmetic with `jiff`.
    #[must_use]
    pub fn signed(self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        if text.len() < 2 || text.len() > TEXT_MAX {
            return Err(InvalidDuration);
        }
        let mut units = UNITS.iter();
        let mut digits = String::new();
        let mut total: u64 = 0;
        for character in text.chars() {
            if character.is_ascii_digit() {
                digits.push(character);
                continue;
            }
            // `units` only moves on: a unit out of order or twice is not found any more.
            let (_, seconds, most) =
                units.find(|(unit, ..)| *unit == character).ok_or(InvalidDuration)?;
            if digits.is_empty() || digits.len() > *most {
                return Err(InvalidDuration);
            }
            let count: u64 = digits.parse().map_err(|_| InvalidDuration)?;
            total = total.saturating_add(count.saturating_mul(*seconds));
            digits.clear();
        }
        if digits.is_empty() { Ok(Self(total)) } else { Err(InvalidDuration) }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, seconds, _) in UNITS {
            let count = rest.checked_div(seconds).unwrap_or(0);
            rest = rest.checked_rem(seconds).unwrap_or(0);
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "duration",
            "minLength": 2,
            "maxLength": TEXT_MAX,
            "pattern": PATTERN,
            // With a format, the API server lets a list pass for a string unless a rule reads it.
            "x-kubernetes-validations": [{
                "rule": "self >= duration('0s')",
                "message": "write a duration like 30m, 1h30m, 7d or 4w",
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        assert_eq!(text.parse::<Duration>().ok().map(Duration::as_secs), seconds, "{text:?}");
    }

    #[test]
    fn units_come_in_order_and_once() {
        check("30m", Some(1_800));
        check("1h30m", Some(5_400));
        check("7d", Some(604_800));
        check("4w", Some(2_419_200));
        check("0s", Some(0));
        check("1w1d1h1m1s", Some(694_861));
        for wrong in ["", "5", "m", "30m1h", "1m1m", "1.5h", "-1h", "1H", " 1h", "12345d", "1ms"] {
            check(wrong, None);
        }
    }

    #[test]
    fn the_longest_text_fits_without_overflow() {
        check("9999w9999d99999h999999m9999999s", Some(7_341_305_139));
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in ".{0,40}") {
            let _ = text.parse::<Duration>();
        }

        #[test]
        fn what_is_written_is_read_back(seconds in 0_u64..6_000_000_000) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
        }
    }
}
