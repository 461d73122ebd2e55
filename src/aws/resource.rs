//! How errors name what a call was about.

use crate::facts::{
    cloudwatch::{AlarmFilter, Metric},
    ssm::CommandSearch,
};

/// A Lambda function, or one of its versions or aliases.
#[must_use]
pub fn function(function: &str, qualifier: Option<&str>) -> String {
    match qualifier {
        Some(qualifier) => format!("function {function} version {qualifier}"),
        None => format!("function {function}"),
    }
}

/// An alias of a Lambda function.
#[must_use]
pub fn alias(function: &str, alias: &str) -> String {
    format!("function {function} alias {alias}")
}

/// Metrics of one call; which ones would be too long to say.
#[must_use]
pub fn metrics(count: usize) -> String {
    match count {
        1 => "1 metric".to_owned(),
        count => format!("{count} metrics"),
    }
}

/// Whether CloudWatch knows a metric.
#[must_use]
pub fn metric(metric: &Metric) -> String {
    format!("metric {} {}", metric.namespace, metric.name)
}

/// Deployments of CodeDeploy: so many, or those that there are.
#[must_use]
pub fn deployments(count: Option<usize>) -> String {
    match count {
        Some(1) => "1 deployment".to_owned(),
        Some(count) => format!("{count} deployments"),
        None => "all deployments".to_owned(),
    }
}

/// A revision of an application of CodeDeploy.
#[must_use]
pub fn revision(application: &str) -> String {
    format!("a revision of application {application}")
}

/// All that Application Auto Scaling scales of Lambda.
#[must_use]
pub fn scalable_targets() -> String {
    "all scalable targets".to_owned()
}

/// A DynamoDB table.
#[must_use]
pub fn table(table: &str) -> String {
    format!("table {table}")
}

/// An RDS instance.
#[must_use]
pub fn db_instance(instance: &str) -> String {
    format!("instance {instance}")
}

/// An RDS cluster.
#[must_use]
pub fn db_cluster(cluster: &str) -> String {
    format!("cluster {cluster}")
}

/// A topic of SNS.
#[must_use]
pub fn topic(arn: &str) -> String {
    format!("topic {arn}")
}

/// The alarms that a call asks for.
#[must_use]
pub fn alarms(filter: &AlarmFilter) -> String {
    match filter {
        AlarmFilter::Names(names) => alarm_names(names),
        AlarmFilter::All => "all alarms".to_owned(),
        AlarmFilter::Prefix(prefix) => format!("alarms {prefix}*"),
    }
}

/// Alarms by name; which ones would be too long to say.
#[must_use]
pub fn alarm_names(names: &[String]) -> String {
    match names {
        [name] => format!("alarm {name}"),
        names => format!("{} alarms", names.len()),
    }
}

/// A mute rule of CloudWatch.
#[must_use]
pub fn mute_rule(name: &str) -> String {
    format!("mute rule {name}")
}

/// All mute rules of CloudWatch.
#[must_use]
pub fn mute_rules() -> String {
    "all mute rules".to_owned()
}

/// A service of ECS.
#[must_use]
pub fn service(cluster: &str, service: &str) -> String {
    format!("service {cluster}/{service}")
}

/// A document of Systems Manager that is run.
#[must_use]
pub fn document(name: &str) -> String {
    format!("document {name}")
}

/// A command of Systems Manager.
#[must_use]
pub fn command(id: &str) -> String {
    format!("command {id}")
}

/// The commands of Systems Manager that are asked for.
#[must_use]
pub fn commands(search: &CommandSearch) -> String {
    match search {
        CommandSearch::Id(id) => command(id),
        CommandSearch::Since(since) => format!("the commands since {since}"),
    }
}

/// An execution of an automation of Systems Manager.
#[must_use]
pub fn automation(id: &str) -> String {
    format!("automation execution {id}")
}
