//! The fields of a cron pattern. Strict: what another program would read in another way is refused.

use super::{InvalidCron, refuse};

/// Weekdays as cron counts them; Sunday is the first as the start of a range, and the last as its end.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// A field of numbers, or of names for them.
pub(super) struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    /// Names of `min` and those after it.
    names: &'static [&'static str],
}

pub(super) const MINUTE: Field = Field { name: "minute", min: 0, max: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", min: 0, max: 23, names: &[] };
const DAY: Field = Field { name: "day of month", min: 1, max: 31, names: &[] };
pub(super) const MONTH: Field = Field { name: "month", min: 1, max: 12, names: &MONTHS };

impl Field {
    /// The values of the field, a bit for each.
    pub(super) fn parse(&self, text: &str) -> Result<u64, InvalidCron> {
        text.split(',').try_fold(0, |bits, item| Ok(bits | self.item(item)?))
    }

    fn item(&self, item: &str) -> Result<u64, InvalidCron> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(item, step)?)),
            None => (item, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.min, self.max),
            Some((first, last)) => (self.value(item, first)?, self.value(item, last)?),
            None => {
                let value = self.value(item, range)?;
                if let Some(step) = step {
                    let end = self.write(self.max);
                    return refuse(format!(
                        "`{item}` in the {} needs an end: write `{range}-{end}/{step}`",
                        self.name
                    ));
                }
                (value, value)
            }
        };
        if first > last {
            let wrapped = [(first, self.max), (self.min, last)].map(|(from, to)| {
                let (from, to) = (self.write(from), self.write(to));
                if from == to { from } else { format!("{from}-{to}") }
            });
            return refuse(format!(
                "`{range}` in the {} goes past the end: write `{}`",
                self.name,
                wrapped.join(",")
            ));
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(1);
        Ok((first..=last).step_by(step).fold(0, |bits, value| bits | bit(value)))
    }

    fn step(&self, item: &str, text: &str) -> Result<u32, InvalidCron> {
        match digits(text) {
            Some(step) if (1..=self.max).contains(&step) => Ok(step),
            _ => refuse(format!(
                "`{item}` in the {} is not a step: write for example `*/{}`",
                self.name,
                self.max.checked_div(4).unwrap_or(1)
            )),
        }
    }

    fn value(&self, item: &str, text: &str) -> Result<u32, InvalidCron> {
        let named = (self.min..).zip(self.names).find(|(_, name)| **name == text);
        match named.map(|(value, _)| value).or_else(|| digits(text)) {
            Some(value) if (self.min..=self.max).contains(&value) => Ok(value),
            _ => {
                let Self { name, min, max, names } = self;
                let (names, to) =
                    (if names.is_empty() { "" } else { ", names like JAN" }, min.saturating_add(2));
                refuse(format!(
                    "`{item}` is not a {name}: write numbers from {min} to {max}{names}, lists, ranges like `{min}-{to}` or steps like `*/5`"
                ))
            }
        }
    }

    fn write(&self, value: u32) -> String {
        let index = usize::try_from(value.saturating_sub(self.min)).unwrap_or(usize::MAX);
        self.names.get(index).map_or_else(|| value.to_string(), |name| (*name).to_owned())
    }
}

/// The bit of a value.
pub(super) fn bit(value: u32) -> u64 {
    1_u64.checked_shl(value).unwrap_or(0)
}

/// A number of one or two digits.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// The day of month.
pub(super) struct Days {
    /// The lowest day that is named; 1 when every month has one that is meant.
    pub(super) first: u32,
    /// Days that are named by number, a bit for each; 0 if others are, too.
    plain: u64,
}

impl Days {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidCron> {
        let (mut first, mut plain, mut special) = (u32::MAX, 0, Vec::new());
        for item in text.split(',') {
            match item {
                "L" | "LW" => {
                    first = 1;
                    special.push(item);
                }
                _ if item.len() > 1 && item.ends_with('W') => {
                    let day = item.trim_end_matches('W');
                    first = first.min(DAY.value(item, day)?);
                    special.push(item);
                }
                _ if item.starts_with('L') => {
                    return refuse(format!(
                        "`{item}` is not read: write `L` for the last day of the month, or `LW` for its last weekday"
                    ));
                }
                _ => {
                    let bits = DAY.item(item)?;
                    first = first.min(bits.trailing_zeros());
                    plain |= bits;
                }
            }
        }
        if special.contains(&"L") && special.contains(&"LW") {
            return refuse("`L` and `LW` exclude each other: write two schedules");
        }
        Ok(Self { first, plain: if special.is_empty() { plain } else { 0 } })
    }

    /// Which week of the month these days are, as it is written after a weekday.
    fn week(&self) -> Option<&'static str> {
        let weeks =
            [("#1", 1..=7), ("#2", 8..=14), ("#3", 15..=21), ("#4", 22..=28), ("L", 25..=31)];
        let of = |days: std::ops::RangeInclusive<u32>| days.fold(0, |bits, day| bits | bit(day));
        weeks.into_iter().find(|(_, days)| of(days.clone()) == self.plain).map(|(week, _)| week)
    }
}

/// The day of week.
pub(super) struct Weekdays {
    /// Whether all that it names are fifth weekdays, which some months do not have.
    pub(super) fifth: bool,
}

impl Weekdays {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidCron> {
        if text == "*" {
            return Ok(Self { fifth: false });
        }
        let mut fifth = true;
        for item in text.split(',') {
            weekday_item(item)?;
            fifth &= item.ends_with("#5");
        }
        Ok(Self { fifth })
    }
}

fn weekday_item(item: &str) -> Result<(), InvalidCron> {
    if let Some((name, nth)) = item.split_once('#') {
        weekday(item, name)?;
        return match nth {
            "1" | "2" | "3" | "4" | "5" => Ok(()),
            "L" => {
                refuse(format!("`{item}` is written `{name}L` here: the last {name} of the month"))
            }
            _ => refuse(format!(
                "`{item}` is not a weekday: write `{name}#1` to `{name}#5`, or `{name}L` for the last one"
            )),
        };
    }
    if let Some(name) = item.strip_suffix('L').filter(|name| WEEKDAYS.contains(name)) {
        return weekday(item, name).map(drop);
    }
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let Some((first, last)) = range.split_once('-') else {
        if step.is_some() || range == "*" {
            return refuse(format!(
                "`{item}` in the weekday counts days: write their names, like `MON,WED`"
            ));
        }
        return weekday(item, item).map(drop);
    };
    let (from, to) = (weekday(item, first)?, weekday(item, last)?);
    let to = if to == 0 { 7 } else { to };
    if from == 0 && to == 7 {
        return refuse(format!("`{range}` is one day or all of them: write `SUN` or `*`"));
    }
    if from > to {
        let split = match (first, last) {
            (first, "MON") => format!("{first}-SUN,MON"),
            (first, last) => format!("{first}-SUN,MON-{last}"),
        };
        return refuse(format!("`{range}` goes past the end of the week: write `{split}`"));
    }
    match step.map(digits) {
        None | Some(Some(1..=6)) => Ok(()),
        Some(_) => refuse(format!("`{item}` is not a step: write the names of the days")),
    }
}

fn weekday(item: &str, name: &str) -> Result<usize, InvalidCron> {
    if let Some(at) = WEEKDAYS.iter().position(|weekday| *weekday == name) {
        return Ok(at);
    }
    let number = name.trim_end_matches('L');
    let Some(number) = digits(number).and_then(|number| usize::try_from(number).ok()) else {
        return refuse(format!(
            "`{item}` is not a weekday: write SUN, MON, TUE, WED, THU, FRI or SAT, a range like `MON-FRI`, `SUN#1` for the first one of a month, or `SUNL` for the last"
        ));
    };
    let here = WEEKDAYS.get(number.checked_rem(7).unwrap_or(0)).filter(|_| number <= 7);
    let there = number.checked_sub(1).and_then(|number| WEEKDAYS.get(number));
    match (here, there) {
        (Some(here), Some(there)) => refuse(format!(
            "`{item}`: weekday {number} is {here} for cron, but {there} for AWS and Quartz: write the name"
        )),
        (Some(here), None) => {
            refuse(format!("`{item}`: weekdays have names here: write {here} for {number}"))
        }
        (None, _) => refuse(format!("`{item}` is not a weekday: write a name like SUN")),
    }
}

/// Why day of month and weekday cannot both be restricted, with the pattern that was meant if it can be
/// told.
pub(super) fn both_restricted(fields: [&str; 5], days: &Days) -> InvalidCron {
    let [minute, hour, day, month, weekday] = fields;
    let names: Vec<&str> = weekday.split(',').collect();
    let plain = names.iter().all(|name| WEEKDAYS.contains(name));
    let meant = days.week().filter(|_| plain).map(|week| {
        let nth: Vec<String> = names.iter().map(|name| format!("{name}{week}")).collect();
        format!("`{minute} {hour} * {month} {}`", nth.join(","))
    });
    let fix = meant.unwrap_or_else(|| {
        "only one of them, where `SUN#1` is the first Sunday of a month and `SUNL` the last".into()
    });
    InvalidCron(format!(
        "day of month `{day}` and weekday `{weekday}` together mean either of them to some programs and both to others: write {fix}"
    ))
}
