//! When a database and a service are done.

use super::*;

fn database(status: &str, pending_reboot: bool) -> Seen {
    Seen::Database {
        arn: "arn:aws:rds:eu-central-1:123456789012:db:prod-db".into(),
        status: status.into(),
        pending_reboot,
        maintenance: vec![],
    }
}

fn service(rollout: Option<Rollout>, running: i32) -> Seen {
    let reason = "it stopped".into();
    let id = "ecs-svc/2".into();
    let own = Deployment { id, primary: true, rollout, reason, desired: 2, running };
    Seen::Service(Service { status: "ACTIVE".into(), deployments: vec![own] })
}

#[test]
fn a_database_is_done_once_it_is_available_and_nothing_waits() {
    let reboot = Work::Reboot { instance: "prod-db".into() };
    let maintain = Work::Maintain { instance: "prod-db".into() };
    for (work, id) in [(&reboot, "prod-db"), (&maintain, "system-update")] {
        assert!(matches!(judge(work, id, "", &database("available", false)), Judged::Done(_)));
        for status in ["rebooting", "upgrading", "configuring-enhanced-monitoring"] {
            assert!(
                matches!(judge(work, id, "", &database(status, false)), Judged::Runs(_)),
                "{id}"
            );
        }
    }
    assert!(matches!(judge(&reboot, "prod-db", "", &database("available", true)), Judged::Runs(_)));
}

#[test]
fn a_deployment_is_done_once_it_is_completed() {
    let deploy = Work::Deploy { cluster: "prod".into(), service: "web".into() };
    let judged =
        |rollout, running| judge(&deploy, "ecs-svc/2", "ecs-svc/1", &service(rollout, running));
    // Two tasks that run are not yet a service that is steady.
    assert!(matches!(judged(Some(Rollout::InProgress), 2), Judged::Runs(_)));
    assert!(matches!(judged(Some(Rollout::Completed), 2), Judged::Done(_)));
    assert!(matches!(judged(Some(Rollout::Failed), 2), Judged::Failed(_)));
    assert!(matches!(judged(None, 1), Judged::Runs(_)));
    assert!(matches!(judged(None, 2), Judged::Done(_)));
}
