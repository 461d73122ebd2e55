use super::*;
use crate::canary_rollout::{rollout::Steps, world::judged_by_errors};

const SUBJECT: Subject<'_> = Subject { function: "api", alias: "live" };

#[test]
fn a_version_is_told_apart_by_the_dimensions_of_its_alias() {
    let dimensions = |who| {
        let pairs = lambda(SUBJECT, who, "Errors", "Sum").metric.dimensions;
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
    };
    let alias = ["FunctionName=api", "Resource=api:live"];
    assert_eq!(dimensions(Who::Alias), alias);
    let version = [&["ExecutedVersion=2"][..], &alias].concat();
    assert_eq!(dimensions(Who::Version("2")), version);
}

#[test]
fn what_is_read_is_read_again_after_an_interval() {
    let minute = |n: i64| Timestamp::from_second(n * 60).unwrap();
    let after = |interval: Option<&str>| {
        let mut analysis = judged_by_errors("5%");
        analysis.interval = interval.map(|text| text.parse().unwrap());
        let criteria = Criteria::parse(Some(&analysis)).unwrap();
        let canary =
            Canary { version: "2".into(), code_sha256: None, timeout: None, started_at: minute(0) };
        let flight = Flight {
            entered_at: Some(minute(0)),
            through: Some(minute(10)),
            ..Flight::before(Steps::default(), 0)
        };
        next_due(&criteria, &canary, &flight)
    };
    // The newest two minutes are not settled.
    assert_eq!(after(None), Some(minute(13)));
    assert_eq!(after(Some("5m")), Some(minute(17)));
}
