//! Every AWS operation that groundcrew sends: the one table from which limits, the write gate and
//! the IAM policies follow.

use std::{fmt, time::Duration};

use super::gate::CALL_TIMEOUT;

/// An AWS operation that groundcrew may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "service and name of the operation, as AWS writes them")]
pub enum Operation {
    AutoScalingDescribeScalableTargets,
    CloudWatchDescribeAlarms,
    CloudWatchGetMetricData,
    CloudWatchListMetrics,
    CodeDeployBatchGetDeployments,
    CodeDeployGetApplicationRevision,
    CodeDeployListDeployments,
    DynamoDbDescribeTable,
    LambdaCreateAlias,
    LambdaDeleteFunction,
    LambdaGetAlias,
    LambdaGetFunction,
    LambdaGetProvisionedConcurrencyConfig,
    LambdaInvoke,
    LambdaListAliases,
    LambdaListVersionsByFunction,
    LambdaPublishVersion,
    LambdaUpdateAlias,
    LambdaUpdateFunctionCode,
    LambdaUpdateFunctionConfiguration,
    RdsDescribeDbClusters,
    RdsDescribeDbInstances,
    StsAssumeRole,
    StsGetCallerIdentity,
}

/// Calls that share one limit in AWS, per account and region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Every call of Application Auto Scaling, together. AWS publishes no number.
    AutoScaling,
    /// DescribeAlarms: 9 calls/s, raisable.
    CloudWatchAlarms,
    /// GetMetricData: 50 calls/s, raisable.
    CloudWatchMetrics,
    /// ListMetrics: 25 calls/s, raisable.
    CloudWatchList,
    /// Every call of CodeDeploy, together. AWS publishes no number.
    CodeDeploy,
    /// Reads of DynamoDB's control plane: 2,500 calls/s.
    DynamoDbControl,
    /// GetFunction: 100 calls/s.
    LambdaGetFunction,
    /// Invoke: bounded by concurrency, far above what we send.
    LambdaInvoke,
    /// Every other control-plane call of Lambda, together: 15 calls/s, not raisable.
    LambdaControl,
    /// Every call of RDS, together. AWS publishes no number; accounts see throttles from about
    /// 20 calls/s.
    Rds,
    /// STS: far above what we send.
    Sts,
}

impl Family {
    /// Calls a second that we allow ourselves: a little below AWS's limit, which others share.
    ///
    /// Source: Lambda developer guide, "Lambda quotas", API requests; CloudWatch user guide,
    /// "CloudWatch service quotas".
    #[must_use]
    pub const fn per_second(self) -> f64 {
        match self {
            Self::CloudWatchAlarms => 7.0,
            Self::CloudWatchMetrics => 40.0,
            Self::CloudWatchList => 15.0,
            Self::DynamoDbControl => 50.0,
            Self::LambdaGetFunction => 90.0,
            Self::LambdaControl => 14.0,
            Self::AutoScaling | Self::CodeDeploy => 5.0,
            Self::Rds => 10.0,
            Self::LambdaInvoke | Self::Sts => 50.0,
        }
    }

    /// Calls at once after a pause, and what a timer that fires late may make up for. Together with
    /// [`Self::per_second`] less than one call above AWS's limit, so that no single second exceeds it.
    #[must_use]
    pub const fn burst(self) -> f64 {
        match self {
            Self::CloudWatchMetrics
            | Self::DynamoDbControl
            | Self::LambdaGetFunction
            | Self::LambdaInvoke
            | Self::Sts => 10.0,
            Self::AutoScaling | Self::CloudWatchList | Self::CodeDeploy | Self::Rds => 5.0,
            Self::CloudWatchAlarms => 2.0,
            // Never two at once, but a token that is up to 36 ms late costs no time.
            Self::LambdaControl => 1.5,
        }
    }
}

/// Longest that UpdateFunctionCode may take: Lambda fetches the package before it answers.
const CODE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest that an Invoke may take: the longest that a smoke step may wait, and the way there.
const INVOKE_TIMEOUT: Duration = Duration::from_secs(64);

/// What is known of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Service as in the endpoint and in IAM: `lambda`.
    pub service: &'static str,
    /// Name as in AWS's API reference: `GetAlias`.
    pub name: &'static str,
    /// Whether it changes anything: writes pass the gate.
    pub write: bool,
    /// The limit that it counts against.
    pub family: Family,
    /// IAM actions that it needs.
    pub actions: &'static [&'static str],
    /// ARN pattern that a policy grants them on; names in braces are those of the object.
    pub arn: &'static str,
}

const FUNCTION: &str = "arn:{partition}:lambda:{region}:{account}:function:{function}";
const TABLE: &str = "arn:{partition}:dynamodb:{region}:{account}:table/{table}";
const CLUSTER: &str = "arn:{partition}:rds:{region}:{account}:cluster:{cluster}";
const INSTANCE: &str = "arn:{partition}:rds:{region}:{account}:db:{instance}";

// AWS knows no narrower resource for it.
const SCALABLE_TARGETS: Entry = Entry {
    service: "application-autoscaling",
    name: "DescribeScalableTargets",
    write: false,
    family: Family::AutoScaling,
    actions: &["application-autoscaling:DescribeScalableTargets"],
    arn: "*",
};

const fn lambda(
    name: &'static str,
    write: bool,
    family: Family,
    actions: &'static [&'static str],
) -> Entry {
    Entry { service: "lambda", name, write, family, actions, arn: FUNCTION }
}

const fn read(name: &'static str, actions: &'static [&'static str]) -> Entry {
    lambda(name, false, Family::LambdaControl, actions)
}

const fn write(name: &'static str, actions: &'static [&'static str]) -> Entry {
    lambda(name, true, Family::LambdaControl, actions)
}

// CloudWatch grants these on everything only.
const fn cloudwatch(name: &'static str, family: Family, actions: &'static [&'static str]) -> Entry {
    Entry { service: "cloudwatch", name, write: false, family, actions, arn: "*" }
}

// Reads of all applications: AWS does not say what it compares a narrower resource with.
const fn codedeploy(name: &'static str, actions: &'static [&'static str]) -> Entry {
    Entry {
        service: "codedeploy",
        name,
        write: false,
        family: Family::CodeDeploy,
        actions,
        arn: "*",
    }
}

const fn dynamodb(name: &'static str, actions: &'static [&'static str]) -> Entry {
    Entry {
        service: "dynamodb",
        name,
        write: false,
        family: Family::DynamoDbControl,
        actions,
        arn: TABLE,
    }
}

const fn sts(name: &'static str, actions: &'static [&'static str]) -> Entry {
    Entry { service: "sts", name, write: false, family: Family::Sts, actions, arn: "*" }
}

const fn rds(name: &'static str, actions: &'static [&'static str], arn: &'static str) -> Entry {
    Entry { service: "rds", name, write: false, family: Family::Rds, actions, arn }
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 24] = [
        Self::AutoScalingDescribeScalableTargets,
        Self::CloudWatchDescribeAlarms,
        Self::CloudWatchGetMetricData,
        Self::CloudWatchListMetrics,
        Self::CodeDeployBatchGetDeployments,
        Self::CodeDeployGetApplicationRevision,
        Self::CodeDeployListDeployments,
        Self::DynamoDbDescribeTable,
        Self::LambdaCreateAlias,
        Self::LambdaDeleteFunction,
        Self::LambdaGetAlias,
        Self::LambdaGetFunction,
        Self::LambdaGetProvisionedConcurrencyConfig,
        Self::LambdaInvoke,
        Self::LambdaListAliases,
        Self::LambdaListVersionsByFunction,
        Self::LambdaPublishVersion,
        Self::LambdaUpdateAlias,
        Self::LambdaUpdateFunctionCode,
        Self::LambdaUpdateFunctionConfiguration,
        Self::RdsDescribeDbClusters,
        Self::RdsDescribeDbInstances,
        Self::StsAssumeRole,
        Self::StsGetCallerIdentity,
    ];

    /// What is known of it. Source of the actions and ARNs: AWS service authorization reference.
    #[must_use]
    pub const fn entry(self) -> Entry {
        match self {
            Self::AutoScalingDescribeScalableTargets => SCALABLE_TARGETS,
            Self::CloudWatchDescribeAlarms => cloudwatch(
                "DescribeAlarms",
                Family::CloudWatchAlarms,
                &["cloudwatch:DescribeAlarms"],
            ),
            Self::CloudWatchGetMetricData => cloudwatch(
                "GetMetricData",
                Family::CloudWatchMetrics,
                &["cloudwatch:GetMetricData"],
            ),
            Self::CloudWatchListMetrics => {
                cloudwatch("ListMetrics", Family::CloudWatchList, &["cloudwatch:ListMetrics"])
            }
            Self::CodeDeployBatchGetDeployments => {
                codedeploy("BatchGetDeployments", &["codedeploy:BatchGetDeployments"])
            }
            Self::CodeDeployGetApplicationRevision => {
                codedeploy("GetApplicationRevision", &["codedeploy:GetApplicationRevision"])
            }
            Self::CodeDeployListDeployments => {
                codedeploy("ListDeployments", &["codedeploy:ListDeployments"])
            }
            Self::DynamoDbDescribeTable => dynamodb("DescribeTable", &["dynamodb:DescribeTable"]),
            Self::LambdaCreateAlias => write("CreateAlias", &["lambda:CreateAlias"]),
            Self::LambdaDeleteFunction => write("DeleteFunction", &["lambda:DeleteFunction"]),
            Self::LambdaGetAlias => read("GetAlias", &["lambda:GetAlias"]),
            // Without ListTags the answer has no tags.
            Self::LambdaGetFunction => lambda(
                "GetFunction",
                false,
                Family::LambdaGetFunction,
                &["lambda:GetFunction", "lambda:ListTags"],
            ),
            Self::LambdaGetProvisionedConcurrencyConfig => {
                read("GetProvisionedConcurrencyConfig", &["lambda:GetProvisionedConcurrencyConfig"])
            }
            Self::LambdaInvoke => {
                lambda("Invoke", true, Family::LambdaInvoke, &["lambda:InvokeFunction"])
            }
            Self::LambdaListAliases => read("ListAliases", &["lambda:ListAliases"]),
            Self::LambdaListVersionsByFunction => {
                read("ListVersionsByFunction", &["lambda:ListVersionsByFunction"])
            }
            Self::LambdaPublishVersion => write("PublishVersion", &["lambda:PublishVersion"]),
            Self::LambdaUpdateAlias => write("UpdateAlias", &["lambda:UpdateAlias"]),
            Self::LambdaUpdateFunctionCode => {
                write("UpdateFunctionCode", &["lambda:UpdateFunctionCode"])
            }
            Self::LambdaUpdateFunctionConfiguration => {
                write("UpdateFunctionConfiguration", &["lambda:UpdateFunctionConfiguration"])
            }
            Self::RdsDescribeDbClusters => {
                rds("DescribeDBClusters", &["rds:DescribeDBClusters"], CLUSTER)
            }
            Self::RdsDescribeDbInstances => {
                rds("DescribeDBInstances", &["rds:DescribeDBInstances"], INSTANCE)
            }
            Self::StsAssumeRole => sts("AssumeRole", &["sts:AssumeRole", "sts:TagSession"]),
            // Needs no permission: AWS answers it for any valid credentials.
            Self::StsGetCallerIdentity => sts("GetCallerIdentity", &[]),
        }
    }
}

impl Operation {
    /// Longest that one attempt may take, credentials included.
    ///
    /// Where it is longer than what a lease guarantees, another replica may lead before the call is
    /// over. UpdateFunctionCode is refused when `$LATEST` moved since it was decided; and what is
    /// published afterwards is guarded by code and revision id, so a late one is never released.
    /// An invocation is a probe that writes nothing of ours; another replica may send it once more.
    #[must_use]
    pub const fn timeout(self) -> Duration {
        match self {
            Self::LambdaUpdateFunctionCode => CODE_TIMEOUT,
            Self::LambdaInvoke => INVOKE_TIMEOUT,
            Self::AutoScalingDescribeScalableTargets
            | Self::CloudWatchDescribeAlarms
            | Self::CloudWatchGetMetricData
            | Self::LambdaCreateAlias
            | Self::LambdaDeleteFunction
            | Self::LambdaGetAlias
            | Self::LambdaGetFunction
            | Self::LambdaGetProvisionedConcurrencyConfig
            | Self::LambdaListAliases
            | Self::LambdaListVersionsByFunction
            | Self::LambdaPublishVersion
            | Self::LambdaUpdateAlias
            | Self::LambdaUpdateFunctionConfiguration
            | Self::CloudWatchListMetrics
            | Self::CodeDeployBatchGetDeployments
            | Self::CodeDeployGetApplicationRevision
            | Self::CodeDeployListDeployments
            | Self::DynamoDbDescribeTable
            | Self::RdsDescribeDbClusters
            | Self::RdsDescribeDbInstances
            | Self::StsAssumeRole
            | Self::StsGetCallerIdentity => CALL_TIMEOUT,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { service, name, .. } = self.entry();
        write!(f, "{service}:{name}")
    }
}

#[cfg(test)]
mod tests {
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
            (Family::CloudWatchAlarms, 9.0),
            (Family::CloudWatchMetrics, 50.0),
            (Family::CloudWatchList, 25.0),
            (Family::DynamoDbControl, 2_500.0),
            (Family::AutoScaling, 10.0),
            (Family::CodeDeploy, 10.0),
            (Family::Rds, 20.0),
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
}
