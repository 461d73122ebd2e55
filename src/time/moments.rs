//! Moments as they are recorded and told.

use jiff::{SignedDuration, Timestamp};

/// The moment with which something that was seen at `now` is recorded: whole seconds, never before
/// it was seen.
#[must_use]
pub fn stamp(now: Timestamp) -> Timestamp {
    let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
    if whole >= now { whole } else { after(whole, SignedDuration::from_secs(1)) }
}

/// So much later; the end of time where there is no such moment.
#[must_use]
pub fn after(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// So much earlier; the beginning of time where there is no such moment.
#[must_use]
pub fn before(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.saturating_sub(span).unwrap_or(Timestamp::MIN)
}

/// The next whole minute, or this moment if it is one.
#[must_use]
pub fn whole_minute(moment: Timestamp) -> Timestamp {
    let seconds = stamp(moment).as_second();
    let past = seconds.checked_rem_euclid(60).unwrap_or(0);
    let whole = if past == 0 { seconds } else { seconds.saturating_sub(past).saturating_add(60) };
    Timestamp::from_second(whole).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_a_whole_second_and_never_before_what_it_stamps() {
        for (nanos, seconds) in [(0, 5), (1, 6), (999_999_999, 6)] {
            let now = Timestamp::new(5, nanos).unwrap();
            assert_eq!(stamp(now), Timestamp::from_second(seconds).unwrap());
        }
        assert_eq!(stamp(Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn time_ends_where_it_ends() {
        assert_eq!(after(Timestamp::MAX, SignedDuration::from_secs(1)), Timestamp::MAX);
        assert_eq!(before(Timestamp::MIN, SignedDuration::from_secs(1)), Timestamp::MIN);
    }
}
