//! What tasks of windows send to ECS, Systems Manager and RDS, and what these answer.

use serde_json::{Value, json as value};

use super::*;
use crate::facts::{
    ecs::Rollout,
    rds::{Member, PendingMaintenance},
    ssm::{CommandSearch, NewAutomation, NewCommand, Run, Target as Nodes},
};

const ID: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

fn reply(status: u16, body: &Value) -> Wire {
    let headers = vec![("content-type", "application/x-amz-json-1.1"), ("x-amzn-requestid", ID)];
    Wire::Answer(status, headers, body.to_string())
}

fn refusal(status: u16, code: &str) -> Wire {
    reply(status, &value!({"__type": format!("com.amazonaws#{code}"), "message": "words"}))
}

/// Operation and body of each request.
fn sent(tape: &Tape) -> Vec<(String, Value)> {
    let requests = tape.requests().into_iter();
    let told = requests.map(|(_, headers, body)| {
        let target = headers.get("x-amz-target").unwrap().rsplit_once('.').unwrap().1.to_owned();
        (target, serde_json::from_str(&body).unwrap())
    });
    told.collect()
}

fn service(rollout: Option<&str>) -> Value {
    let mut primary = value!({"id": "ecs-svc/2", "status": "PRIMARY", "desiredCount": 3,
        "runningCount": 1, "rolloutStateReason": "deployment in progress"});
    if let Some(rollout) = rollout {
        primary["rolloutState"] = value!(rollout);
    }
    let active = value!({"id": "ecs-svc/1", "status": "ACTIVE", "rolloutState": "COMPLETED",
        "desiredCount": 0, "runningCount": 2});
    value!({"serviceName": "backend", "status": "ACTIVE", "deployments": [primary, active]})
}

#[tokio::test]
async fn a_service_is_read_with_its_deployments() {
    for (word, rollout) in [
        (Some("COMPLETED"), Some(Rollout::Completed)),
        (Some("FAILED"), Some(Rollout::Failed)),
        (Some("IN_PROGRESS"), Some(Rollout::InProgress)),
        (Some("SOMETHING_NEW"), Some(Rollout::InProgress)),
        (None, None),
    ] {
        let body = value!({"services": [service(word)], "failures": []});
        let tape = Tape::new([reply(200, &body)]);
        let found = connect(&tape, None).await.ecs.describe_service("prod", "backend").await;
        let found = found.unwrap();
        let primary = found.primary().unwrap();
        assert_eq!((found.status.as_str(), found.deployments.len()), ("ACTIVE", 2));
        assert_eq!((primary.id.as_str(), primary.rollout), ("ecs-svc/2", rollout), "{word:?}");
        assert_eq!((primary.desired, primary.running), (3, 1));
        assert_eq!(primary.reason, "deployment in progress");
        let expected = value!({"cluster": "prod", "services": ["backend"]});
        assert_eq!(sent(&tape), [("DescribeServices".to_owned(), expected)]);
    }
}

#[tokio::test]
async fn a_service_that_is_missing_is_not_found_and_other_failures_are_no_answer() {
    let failures =
        |reason: &str| value!({"services": [], "failures": [{"arn": "a", "reason": reason}]});
    for (answer, class) in [
        (reply(200, &failures("MISSING")), Class::NotFound),
        (reply(200, &failures("OTHER")), Class::Unknown),
        (reply(200, &value!({"services": [], "failures": []})), Class::Unknown),
        (reply(200, &value!({"services": [{"serviceName": "backend"}]})), Class::Unknown),
        (refusal(400, "ClusterNotFoundException"), Class::NotFound),
        (refusal(400, "AccessDeniedException"), Class::Denied),
        (refusal(400, "ThrottlingException"), Class::Throttled),
        (refusal(500, "ServerException"), Class::Unknown),
    ] {
        let tape = Tape::new([answer.clone()]);
        let ecs = connect(&tape, None).await.ecs;
        let error = ecs.describe_service("prod", "backend").await.unwrap_err();
        assert_eq!(error.class, class, "{answer:?}");
        assert_eq!(error.request_id.as_deref(), Some(ID), "{answer:?}");
        let shown = error.to_string();
        assert!(
            shown.starts_with("ecs:DescribeServices of service prod/backend failed"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_deployment_is_forced_and_nothing_else_of_the_service_changes() {
    let answer = value!({"service": service(Some("IN_PROGRESS"))});
    let none = value!({"service": {"serviceName": "backend", "status": "ACTIVE"}});
    let tape = Tape::new([reply(200, &answer), reply(200, &value!({})), reply(200, &none)]);
    let ecs = connect(&tape, None).await.ecs;
    let deployed = ecs.force_new_deployment("prod", "backend").await.unwrap();
    assert_eq!(deployed.primary().unwrap().id, "ecs-svc/2");
    for _ in 0..2 {
        // It may have been made all the same.
        let error = ecs.force_new_deployment("prod", "backend").await.unwrap_err();
        assert_eq!(error.class, Class::Unknown);
    }
    let expected = value!({"cluster": "prod", "service": "backend", "forceNewDeployment": true});
    assert_eq!(sent(&tape)[0], ("UpdateService".to_owned(), expected));
}

fn run() -> Run {
    Run {
        document: "AWS-RunPatchBaseline".into(),
        parameters: [("Operation".to_owned(), vec!["Install".to_owned()])].into(),
        targets: vec![Nodes { key: "tag:role".into(), values: vec!["gpu".into()] }],
        max_concurrency: "1".into(),
        max_errors: "0".into(),
    }
}

fn command(status: &str) -> Value {
    value!({"CommandId": ID, "Comment": "ours", "Status": status, "StatusDetails": "Details",
        "TargetCount": 3, "CompletedCount": 2, "ErrorCount": 1})
}

#[tokio::test]
async fn a_command_is_sent_listed_and_cancelled() {
    let page = value!({"Commands": [command("TimedOut")], "NextToken": "more"});
    let tape = Tape::new([
        reply(200, &value!({"Command": command("Pending")})),
        reply(200, &page),
        reply(200, &value!({"Commands": [], "NextToken": ""})),
        reply(200, &value!({})),
    ]);
    let ssm = connect(&tape, None).await.ssm;
    let new = NewCommand { run: run(), comment: "ours".into(), delivery_secs: 7200 };
    let sent_command = ssm.send_command(&new).await.unwrap();
    assert_eq!((sent_command.id.as_str(), sent_command.status.as_str()), (ID, "Pending"));
    let since = CommandSearch::Since("2026-12-06T01:00:00.9Z".parse().unwrap());
    let page = ssm.list_commands(&since, None).await.unwrap();
    let [found] = page.commands.as_slice() else { panic!("{page:?}") };
    assert_eq!((found.comment.as_str(), found.status.as_str()), ("ours", "TimedOut"));
    assert_eq!((found.targets, found.completed, found.errors), (3, 2, 1));
    assert_eq!(page.next.as_deref(), Some("more"));
    let one = CommandSearch::Id(ID.into());
    assert_eq!(ssm.list_commands(&one, Some("more")).await.unwrap().next, None);
    ssm.cancel_command(ID).await.unwrap();
    let filters = value!([{"key": "InvokedAfter", "value": "2026-12-06T01:00:00Z"}]);
    let expected = [
        (
            "SendCommand",
            value!({"DocumentName": "AWS-RunPatchBaseline", "Comment": "ours",
                "Parameters": {"Operation": ["Install"]}, "TimeoutSeconds": 7200,
                "Targets": [{"Key": "tag:role", "Values": ["gpu"]}],
                "MaxConcurrency": "1", "MaxErrors": "0"}),
        ),
        ("ListCommands", value!({"Filters": filters})),
        ("ListCommands", value!({"CommandId": ID, "NextToken": "more"})),
        ("CancelCommand", value!({"CommandId": ID})),
    ];
    assert_eq!(sent(&tape), expected.map(|(name, body)| (name.to_owned(), body)));
}

#[tokio::test]
async fn an_automation_is_started_once_by_its_token_read_and_stopped() {
    let execution = value!({"AutomationExecutionId": ID, "AutomationExecutionStatus": "Failed",
        "FailureMessage": "Step fails"});
    let tape = Tape::new([
        reply(200, &value!({"AutomationExecutionId": ID})),
        reply(200, &value!({"AutomationExecutionId": ID})),
        reply(200, &value!({"AutomationExecution": execution})),
        reply(200, &value!({})),
    ]);
    let ssm = connect(&tape, None).await.ssm;
    let token = "11111111-2222-3333-4444-555555555555".to_owned();
    let once = Run { targets: Vec::new(), ..run() };
    let new = NewAutomation { run: once, target_parameter: None, token: token.clone() };
    assert_eq!(ssm.start_automation(&new).await.unwrap(), ID);
    let target_parameter = Some("InstanceId".to_owned());
    let new = NewAutomation { run: run(), target_parameter, token: token.clone() };
    assert_eq!(ssm.start_automation(&new).await.unwrap(), ID);
    let found = ssm.get_automation(ID).await.unwrap();
    assert_eq!((found.status.as_str(), found.failure.as_str()), ("Failed", "Step fails"));
    ssm.stop_automation(ID).await.unwrap();
    let plain = value!({"DocumentName": "AWS-RunPatchBaseline", "ClientToken": token,
        "Parameters": {"Operation": ["Install"]}});
    let mut limited = plain.clone();
    limited["Targets"] = value!([{"Key": "tag:role", "Values": ["gpu"]}]);
    limited["TargetParameterName"] = value!("InstanceId");
    limited["MaxConcurrency"] = value!("1");
    limited["MaxErrors"] = value!("0");
    let expected = [
        ("StartAutomationExecution", plain),
        ("StartAutomationExecution", limited),
        ("GetAutomationExecution", value!({"AutomationExecutionId": ID})),
        ("StopAutomationExecution", value!({"AutomationExecutionId": ID, "Type": "Cancel"})),
    ];
    assert_eq!(sent(&tape), expected.map(|(name, body)| (name.to_owned(), body)));
}

#[tokio::test]
async fn the_refusals_of_systems_manager_are_classified() {
    for (status, code, class) in [
        (400, "InvalidDocument", Class::Invalid),
        (400, "AccessDeniedException", Class::Denied),
        (400, "ThrottlingException", Class::Throttled),
        (500, "InternalServerError", Class::Unknown),
    ] {
        let tape = Tape::new([refusal(status, code)]);
        let ssm = connect(&tape, None).await.ssm;
        let new = NewCommand { run: run(), comment: "ours".into(), delivery_secs: 60 };
        let error = ssm.send_command(&new).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class, code));
        let shown = error.to_string();
        let expected = "ssm:SendCommand of document AWS-RunPatchBaseline failed";
        assert!(shown.starts_with(expected), "{shown}");
    }
    let tape = Tape::new([refusal(400, "AutomationExecutionNotFoundException")]);
    let error = connect(&tape, None).await.ssm.get_automation(ID).await.unwrap_err();
    assert_eq!(error.class, Class::NotFound);
    for body in [value!({}), value!({"Command": {"CommandId": ID}})] {
        let tape = Tape::new([reply(200, &body)]);
        let ssm = connect(&tape, None).await.ssm;
        let new = NewCommand { run: run(), comment: "ours".into(), delivery_secs: 60 };
        assert_eq!(ssm.send_command(&new).await.unwrap_err().class, Class::Unknown);
    }
}

/// The answer of an operation of RDS.
fn rds(operation: &str, members: &str) -> Wire {
    let body = format!(
        "<{operation}Response xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\
         <{operation}Result>{members}</{operation}Result>\
         <ResponseMetadata><RequestId>{ID}</RequestId></ResponseMetadata></{operation}Response>"
    );
    Wire::Answer(200, vec![("content-type", "text/xml"), ("x-amzn-requestid", ID)], body)
}

const ARN: &str = "arn:aws:rds:eu-west-1:123456789012:db:prod-db";

#[tokio::test]
async fn an_instance_tells_what_waits_for_a_reboot() {
    let group = |name: &str, status: &str| {
        format!(
            "<DBParameterGroup><DBParameterGroupName>{name}</DBParameterGroupName>\
             <ParameterApplyStatus>{status}</ParameterApplyStatus></DBParameterGroup>"
        )
    };
    let groups = [group("a", "in-sync"), group("b", "pending-reboot")].concat();
    let instance = format!(
        "<DBInstances><DBInstance><DBInstanceIdentifier>prod-db</DBInstanceIdentifier>\
         <DBInstanceArn>{ARN}</DBInstanceArn><DBInstanceStatus>available</DBInstanceStatus>\
         <DBClusterIdentifier>ledger</DBClusterIdentifier>\
         <DBParameterGroups>{groups}</DBParameterGroups></DBInstance></DBInstances>"
    );
    let member = |name: &str, status: &str| {
        format!(
            "<DBClusterMember><DBInstanceIdentifier>{name}</DBInstanceIdentifier>\
             <DBClusterParameterGroupStatus>{status}</DBClusterParameterGroupStatus>\
             </DBClusterMember>"
        )
    };
    let members = [member("prod-db", "pending-reboot"), member("other", "in-sync")].concat();
    let cluster = format!(
        "<DBClusters><DBCluster><DBClusterIdentifier>ledger</DBClusterIdentifier>\
         <DBClusterMembers>{members}</DBClusterMembers></DBCluster></DBClusters>"
    );
    let tape = Tape::new([
        rds("DescribeDBInstances", &instance),
        rds("DescribeDBClusters", &cluster),
        rds("RebootDBInstance", ""),
        rds("DescribeDBInstances", "<DBInstances/>"),
        rds("DescribeDBClusters", "<DBClusters/>"),
    ]);
    let port = connect(&tape, None).await.rds;
    let found = port.describe_db_instance_in_full("Prod-DB").await.unwrap();
    assert_eq!((found.arn.as_str(), found.status.as_str()), (ARN, "available"));
    assert_eq!(
        (found.cluster.as_deref(), found.pending_reboot),
        (Some("ledger"), vec!["b".into()])
    );
    let found = port.describe_db_cluster_members("ledger").await.unwrap();
    let told =
        |instance: &str, pending_reboot| Member { instance: instance.into(), pending_reboot };
    assert_eq!(found, [told("prod-db", true), told("other", false)]);
    port.reboot_db_instance("prod-db").await.unwrap();
    let gone = port.describe_db_instance_in_full("prod-db").await.unwrap_err();
    assert_eq!(gone.class, Class::Unknown);
    assert_eq!(port.describe_db_cluster_members("x").await.unwrap_err().class, Class::Unknown);
    let reboot = &tape.requests()[2].2;
    assert!(reboot.contains("Action=RebootDBInstance&"), "{reboot}");
    assert!(reboot.contains("DBInstanceIdentifier=prod-db"), "{reboot}");
    assert!(!reboot.contains("ForceFailover"), "{reboot}");
}

#[tokio::test]
async fn pending_maintenance_is_listed_and_applied_at_once() {
    let detail = |action: &str, opted: &str| {
        format!(
            "<PendingMaintenanceAction><Action>{action}</Action>{opted}</PendingMaintenanceAction>"
        )
    };
    let details = [
        detail("system-update", ""),
        detail("db-upgrade", "<OptInStatus>immediate</OptInStatus>"),
        detail("os-upgrade", "<OptInStatus>next-maintenance</OptInStatus>"),
    ];
    let resource = |arn: &str, details: &str| {
        format!(
            "<ResourcePendingMaintenanceActions><ResourceIdentifier>{arn}</ResourceIdentifier>\
             <PendingMaintenanceActionDetails>{details}</PendingMaintenanceActionDetails>\
             </ResourcePendingMaintenanceActions>"
        )
    };
    let all = [resource(ARN, &details.concat()), resource("arn:other", &detail("x", ""))].concat();
    let tape = Tape::new([
        rds(
            "DescribePendingMaintenanceActions",
            &format!("<PendingMaintenanceActions>{all}</PendingMaintenanceActions>"),
        ),
        rds("ApplyPendingMaintenanceAction", ""),
    ]);
    let port = connect(&tape, None).await.rds;
    let found = port.describe_pending_maintenance(ARN).await.unwrap();
    let told = |action: &str, immediate| PendingMaintenance { action: action.into(), immediate };
    let expected = [("system-update", false), ("db-upgrade", true), ("os-upgrade", false)];
    assert_eq!(found, expected.map(|(action, immediate)| told(action, immediate)));
    port.apply_pending_maintenance(ARN, "system-update").await.unwrap();
    let body = &tape.requests()[1].2;
    assert!(body.contains("Action=ApplyPendingMaintenanceAction&"), "{body}");
    assert!(body.contains("ApplyAction=system-update"), "{body}");
    assert!(body.contains("OptInType=immediate"), "{body}");
    assert!(body.contains("ResourceIdentifier=arn%3Aaws%3Ards"), "{body}");
}
