use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;

#[test]
fn a_rule_that_mutes_in_one_region_makes_no_alarm_of_another_quiet() {
    let owner =
        names::Owner { cluster: "prod".into(), namespace: "shop".into(), name: "weekly".into() };
    let opens: Timestamp = "2026-12-06T01:00:00Z".parse().unwrap();
    let closes: Timestamp = "2026-12-06T03:00:00Z".parse().unwrap();
    let name = OwnMuteRule::of(&owner, "weekly-20261206T0100Z", 0);
    let region = |region: &str| SilencedRegion {
        region: region.into(),
        rules: vec![SilencedRule {
            name: name.as_str().to_owned(),
            from: Time(opens),
            until: Time(closes),
            alarms: vec!["web-errors".into(), "web-slow".into()],
        }],
        ..SilencedRegion::default()
    };
    let found = |region: &str, status| RegionFacts {
        region: region.into(),
        rules: [(
            name.clone(),
            MuteRule {
                name: name.as_str().to_owned(),
                description: String::new(),
                alarms: vec!["web-errors".into(), "web-slow".into()],
                schedule: MuteSchedule::Once {
                    starts_at: opens,
                    duration: closes.duration_since(opens),
                },
                status,
                updated_at: None,
            },
        )]
        .into(),
        ..RegionFacts::default()
    };
    let (near, far) = ("eu-central-1", "us-east-1");
    let found = [found(near, MuteStatus::Active), found(far, MuteStatus::Scheduled)];
    let count = |name| quiet(&region(name), &found, opens).count();
    assert_eq!((count(near), count(far)), (2, 0));
    let silenced = Silenced {
        mode: AlarmMode::Mute,
        occurrence: "weekly-20261206T0100Z".into(),
        ending: None,
        regions: vec![region(near), region(far)],
    };
    assert_eq!(silenced.count(), 4);
}
