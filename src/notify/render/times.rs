//! Times as people read them: in the zone of the window, and in UTC.

use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::{
    api::duration::Duration,
    notify::stage::{Span, spoken},
};

/// The span of what has none.
pub const NEVER: Span = Span { opens: Timestamp::UNIX_EPOCH, closes: Timestamp::UNIX_EPOCH };

const DAY: &str = "%a %Y-%m-%d";
const TIME: &str = "%H:%M %Z";

/// `Sun 2026-12-06 02:00 CET`.
pub fn short(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    format!("{} {}", at.strftime(DAY), at.strftime(TIME))
}

/// The same beside another time: of the same day only `02:00`.
pub fn beside(at: Timestamp, other: Timestamp, zone: &TimeZone) -> String {
    let [here, there] = [at, other].map(|at| at.to_zoned(zone.clone()));
    match here.date() == there.date() && here.offset() == there.offset() {
        true => here.strftime("%H:%M").to_string(),
        false => short(at, zone),
    }
}

/// `Sun 2026-12-06 02:00 CET (01:00 UTC)`; with the day where UTC has another one.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    let (local, utc) = (at.to_zoned(zone.clone()), at.to_zoned(TimeZone::UTC));
    let text = short(at, zone);
    if is_utc(&local) {
        return text;
    }
    let day =
        if local.date() == utc.date() { String::new() } else { utc.strftime("%a ").to_string() };
    format!("{text} ({day}{} UTC)", utc.strftime("%H:%M"))
}

/// `Sun 2026-12-06 02:00 to 04:00 CET (01:00 to 03:00 UTC), 2h`. What changes in between, the day or
/// the clock's offset, is told on both sides.
pub fn span(span: Span, zone: &TimeZone) -> String {
    let [opens, closes] = [span.opens, span.closes].map(|at| at.to_zoned(zone.clone()));
    let local = from_to(&opens, &closes);
    let lasts = lasts(span);
    if is_utc(&opens) {
        return format!("{local}, {lasts}");
    }
    let [from, to] = [span.opens, span.closes].map(|at| at.to_zoned(TimeZone::UTC));
    let named = |at: &Zoned, local: &Zoned| {
        let day =
            if at.date() == local.date() { String::new() } else { at.strftime("%a ").to_string() };
        format!("{day}{}", at.strftime("%H:%M"))
    };
    format!("{local} ({} to {} UTC), {lasts}", named(&from, &opens), named(&to, &closes))
}

/// How long, in elapsed time.
pub fn lasts(span: Span) -> String {
    let seconds = span.closes.duration_since(span.opens).as_secs();
    spoken(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn from_to(opens: &Zoned, closes: &Zoned) -> String {
    let same_offset = opens.offset() == closes.offset();
    let from = if same_offset { "%H:%M" } else { TIME };
    let from = format!("{} {}", opens.strftime(DAY), opens.strftime(from));
    let day = if opens.date() == closes.date() {
        String::new()
    } else {
        format!("{} ", closes.strftime(DAY))
    };
    format!("{from} to {day}{}", closes.strftime(TIME))
}

fn is_utc(at: &Zoned) -> bool {
    at.offset().is_zero() && at.strftime("%Z").to_string() == "UTC"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, from: &str, to: &str, said: &str) {
        let zone = TimeZone::get(zone).unwrap();
        let at = |text: &str| format!("{text}:00Z").parse().unwrap();
        assert_eq!(span(Span { opens: at(from), closes: at(to) }, &zone), said);
    }

    #[test]
    fn both_clocks_are_told_and_days_where_they_differ() {
        check(
            "Europe/Berlin",
            "2026-12-06T01:00",
            "2026-12-06T03:00",
            "Sun 2026-12-06 02:00 to 04:00 CET (01:00 to 03:00 UTC), 2h",
        );
        check(
            "Europe/Berlin",
            "2026-12-05T22:00",
            "2026-12-06T05:00",
            "Sat 2026-12-05 23:00 to Sun 2026-12-06 06:00 CET (22:00 to 05:00 UTC), 7h",
        );
        check(
            "Europe/Berlin",
            "2026-12-05T23:30",
            "2026-12-06T01:00",
            "Sun 2026-12-06 00:30 to 02:00 CET (Sat 23:30 to 01:00 UTC), 1h30m",
        );
        check(
            "Etc/UTC",
            "2026-12-06T01:00",
            "2026-12-06T03:00",
            "Sun 2026-12-06 01:00 to 03:00 UTC, 2h",
        );
    }

    #[test]
    fn a_change_of_the_clocks_is_told_on_both_sides_and_time_is_elapsed_time() {
        check(
            "Europe/Berlin",
            "2026-10-25T00:00",
            "2026-10-25T03:00",
            "Sun 2026-10-25 02:00 CEST to 04:00 CET (00:00 to 03:00 UTC), 3h",
        );
    }

    #[test]
    fn a_moment_tells_the_day_of_utc_where_it_is_another() {
        let at = "2026-12-05T23:30:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(moment(at, &zone), "Sun 2026-12-06 00:30 CET (Sat 23:30 UTC)");
        assert_eq!(moment(at, &TimeZone::UTC), "Sat 2026-12-05 23:30 UTC");
    }
}
