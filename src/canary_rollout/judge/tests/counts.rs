//! What is counted since a step began, and what is not looked at.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::api::canary_rollout::Approve;

#[test]
fn without_a_weight_nothing_is_evaluated() {
    let mut case = error_rate("5%");
    let approve = RawStep { approve: Some(Approve::default()), ..RawStep::default() };
    let raw = [approve.clone(), RawStep { weight: Some(10), ..RawStep::default() }, approve];
    let at = |case: &mut Case, index| {
        let steps = Steps::parse(&raw, "steps").unwrap();
        let entered_at = Some(minute(0));
        case.memory.flight = Some(Flight { entered_at, ..Flight::before(steps, index) });
        evidence::due(&case.criteria, &case.memory, minute(60)).is_some()
    };
    assert!(!at(&mut case, 0));
    assert!(at(&mut case, 1));
    assert!(at(&mut case, 2));
    assert!(at(&mut case, 3));
}

/// Compares the rates of errors.
fn compared() -> Case {
    let versus = VsStable { max_increase_points: Some("0.5%".into()), ..VsStable::default() };
    Case::new(metric(Builtin::ErrorRate, Some("100%"), Some(versus)))
}

#[test]
fn what_is_compared_only_now_is_counted_from_the_start_of_the_step() {
    let mut case = error_rate("100%")
        .with("1", "Invocations", "Sum", &[1_000.0; 60])
        .with("2", "Invocations", "Sum", &[100.0; 60])
        .with("2", "Errors", "Sum", &[10.0; 60]);
    case.span.until = minute(60);
    case.go_on();
    case.criteria = compared().criteria;
    let span = evidence::due(&case.criteria, &case.memory, minute(63)).unwrap();
    assert_eq!(span.from, minute(0));
    let (entry, failed) = case.go_on();
    let counts = |measured: Option<Measured>| measured.map(|it| (it.samples, it.errors));
    assert_eq!(counts(entry.canary), Some((6_000, Some(600))));
    assert_eq!(counts(entry.stable), Some((60_000, Some(0))));
    assert!(failed.is_some());
}

proptest! {
    /// However late the data is, up to a quarter of an hour, and however seldom it is looked at.
    #[test]
    fn late_data_is_counted_once(
        minutes in vec((0_u8..50, 0_i64..=15), 1..120),
        looks in vec(1_i64..=20, 1..30),
    ) {
        let mut case = compared();
        let (mut until, mut counted) = (0, (0, 0));
        let quiet_until = i64::try_from(minutes.len()).unwrap() + 16;
        for look in looks.into_iter().chain([quiet_until, 1]) {
            until += look;
            let due = evidence::due(&case.criteria, &case.memory, minute(until + 2));
            case.span = due.unwrap();
            let here = |at: i64, late: i64| {
                minute(at) >= case.span.from && at < until && at + 1 + late <= until
            };
            let visible = minutes.iter().zip(0..).filter(|((_, late), at)| here(*at, *late));
            let points: Vec<_> = visible
                .map(|((value, _), at)| Datapoint { at: minute(at), value: f64::from(*value) })
                .collect();
            for (version, name) in [("1", "Errors"), ("2", "Invocations")] {
                let series = evidence::lambda(SUBJECT, Who::Version(version), name, "Sum");
                case.series.insert(series, points.clone());
            }
            let entry = case.go_on().0;
            counted = (entry.canary.unwrap().samples, entry.stable.unwrap().errors.unwrap());
        }
        let all: i64 = minutes.iter().map(|(value, _)| i64::from(*value)).sum();
        prop_assert_eq!(counted, (all, all));
    }
}
