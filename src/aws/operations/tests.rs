//! What must hold of every row of the table.

use std::collections::BTreeSet;

use super::*;

#[test]
fn names_are_unique() {
    let names: BTreeSet<String> = Operation::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), Operation::ALL.len());
}

#[test]
fn whatever_does_not_only_read_is_a_write() {
    for operation in Operation::ALL {
        let Entry { name, write, .. } = operation.entry();
        let reads = ["Get", "BatchGet", "List", "Describe", "AssumeRole"];
        assert_eq!(write, !reads.iter().any(|verb| name.starts_with(verb)), "{operation}");
    }
}

#[test]
fn actions_are_of_the_service_and_name_the_operation() {
    for operation in Operation::ALL {
        let Entry { service, name, actions, .. } = operation.entry();
        for action in actions {
            assert!(action.starts_with(&format!("{service}:")), "{operation}: {action}");
        }
        // The only one whose action has another name.
        let action = if name == "Invoke" { "InvokeFunction" } else { name };
        let own = format!("{service}:{action}");
        let free = operation == Operation::StsGetCallerIdentity;
        assert_eq!(actions.contains(&own.as_str()), !free, "{operation}");
    }
}

#[test]
fn no_second_holds_more_calls_than_aws_allows() {
    for (family, limit) in [
        (Family::CloudWatchActions, 3.0),
        (Family::CloudWatchAlarms, 9.0),
        (Family::CloudWatchMuteRules, 10.0),
        (Family::CloudWatchMetrics, 50.0),
        (Family::CloudWatchList, 25.0),
        (Family::DynamoDbControl, 2_500.0),
        (Family::AutoScaling, 10.0),
        (Family::CodeDeploy, 10.0),
        (Family::Ecs, 10.0),
        (Family::Rds, 20.0),
        (Family::Ssm, 10.0),
        (Family::Sns, 300.0),
        (Family::LambdaGetFunction, 100.0),
        (Family::LambdaControl, 15.0),
        (Family::LambdaInvoke, 1_000.0),
        (Family::Sts, 600.0),
    ] {
        // Calls are whole: half of one too many is none.
        assert!((family.per_second() + family.burst()).floor() <= limit, "{family:?}");
        assert!(family.burst() >= 1.0, "{family:?} could never send");
    }
}
