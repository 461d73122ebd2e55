//! Every AWS operation that groundcrew sends: the one table from which limits, the write gate and
//! the IAM policies follow.

mod family;
mod tasks;

use std::{fmt, time::Duration};

pub use self::family::Family;
use super::gate::CALL_TIMEOUT;

/// An AWS operation that groundcrew may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "service and name of the operation, as AWS writes them")]
pub enum Operation {
    AutoScalingDescribeScalableTargets,
    CloudWatchDeleteAlarmMuteRule,
    CloudWatchDescribeAlarms,
    CloudWatchDisableAlarmActions,
    CloudWatchEnableAlarmActions,
    CloudWatchGetAlarmMuteRule,
    CloudWatchGetMetricData,
    CloudWatchListAlarmMuteRules,
    CloudWatchListMetrics,
    CloudWatchPutAlarmMuteRule,
    CodeDeployBatchGetDeployments,
    CodeDeployGetApplicationRevision,
    CodeDeployListDeployments,
    DynamoDbDescribeTable,
    EcsDescribeServices,
    EcsUpdateService,
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
    RdsApplyPendingMaintenanceAction,
    RdsDescribeDbClusters,
    RdsDescribeDbInstances,
    RdsDescribePendingMaintenanceActions,
    RdsRebootDbInstance,
    SnsPublish,
    SsmCancelCommand,
    SsmGetAutomationExecution,
    SsmListCommands,
    SsmSendCommand,
    SsmStartAutomationExecution,
    SsmStopAutomationExecution,
    StsAssumeRole,
    StsGetCallerIdentity,
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

const ALARM: &str = "arn:{partition}:cloudwatch:{region}:{account}:alarm:{alarm}";
// PutAlarmMuteRule needs each alarm that it mutes, too; both are below this.
const ALARM_OR_MUTE_RULE: &str = "arn:{partition}:cloudwatch:{region}:{account}:alarm*";
const MUTE_RULE: &str = "arn:{partition}:cloudwatch:{region}:{account}:alarm-mute-rule:{rule}";
const FUNCTION: &str = "arn:{partition}:lambda:{region}:{account}:function:{function}";
const TABLE: &str = "arn:{partition}:dynamodb:{region}:{account}:table/{table}";
const CLUSTER: &str = "arn:{partition}:rds:{region}:{account}:cluster:{cluster}";
const TOPIC: &str = "arn:{partition}:sns:{region}:{account}:{topic}";
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

const PUBLISH: Entry = Entry {
    service: "sns",
    name: "Publish",
    write: true,
    family: Family::Sns,
    actions: &["sns:Publish"],
    arn: TOPIC,
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

const fn alarm_actions(name: &'static str, actions: &'static [&'static str]) -> Entry {
    let family = Family::CloudWatchActions;
    Entry { write: true, arn: ALARM, ..cloudwatch(name, family, actions) }
}

const fn mute_rule(
    name: &'static str,
    write: bool,
    actions: &'static [&'static str],
    arn: &'static str,
) -> Entry {
    Entry { write, arn, ..cloudwatch(name, Family::CloudWatchMuteRules, actions) }
}

const DESCRIBE_ALARMS: Entry =
    cloudwatch("DescribeAlarms", Family::CloudWatchAlarms, &["cloudwatch:DescribeAlarms"]);
const DISABLE_ACTIONS: Entry =
    alarm_actions("DisableAlarmActions", &["cloudwatch:DisableAlarmActions"]);
const ENABLE_ACTIONS: Entry =
    alarm_actions("EnableAlarmActions", &["cloudwatch:EnableAlarmActions"]);
const DELETE_MUTE_RULE: Entry =
    mute_rule("DeleteAlarmMuteRule", true, &["cloudwatch:DeleteAlarmMuteRule"], MUTE_RULE);
const GET_MUTE_RULE: Entry =
    mute_rule("GetAlarmMuteRule", false, &["cloudwatch:GetAlarmMuteRule"], MUTE_RULE);
const LIST_MUTE_RULES: Entry =
    mute_rule("ListAlarmMuteRules", false, &["cloudwatch:ListAlarmMuteRules"], "*");
// A rule is put with tags.
const PUT_MUTE_RULE: Entry = mute_rule(
    "PutAlarmMuteRule",
    true,
    &["cloudwatch:PutAlarmMuteRule", "cloudwatch:TagResource"],
    ALARM_OR_MUTE_RULE,
);

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

const BATCH_GET_DEPLOYMENTS: Entry =
    codedeploy("BatchGetDeployments", &["codedeploy:BatchGetDeployments"]);
const GET_REVISION: Entry =
    codedeploy("GetApplicationRevision", &["codedeploy:GetApplicationRevision"]);
const LIST_DEPLOYMENTS: Entry = codedeploy("ListDeployments", &["codedeploy:ListDeployments"]);
const DESCRIBE_CLUSTERS: Entry = rds("DescribeDBClusters", &["rds:DescribeDBClusters"], CLUSTER);
const DESCRIBE_INSTANCES: Entry =
    rds("DescribeDBInstances", &["rds:DescribeDBInstances"], INSTANCE);

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 42] = [
        Self::AutoScalingDescribeScalableTargets,
        Self::CloudWatchDeleteAlarmMuteRule,
        Self::CloudWatchDescribeAlarms,
        Self::CloudWatchDisableAlarmActions,
        Self::CloudWatchEnableAlarmActions,
        Self::CloudWatchGetAlarmMuteRule,
        Self::CloudWatchGetMetricData,
        Self::CloudWatchListAlarmMuteRules,
        Self::CloudWatchListMetrics,
        Self::CloudWatchPutAlarmMuteRule,
        Self::CodeDeployBatchGetDeployments,
        Self::CodeDeployGetApplicationRevision,
        Self::CodeDeployListDeployments,
        Self::DynamoDbDescribeTable,
        Self::EcsDescribeServices,
        Self::EcsUpdateService,
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
        Self::RdsApplyPendingMaintenanceAction,
        Self::RdsDescribeDbClusters,
        Self::RdsDescribeDbInstances,
        Self::RdsDescribePendingMaintenanceActions,
        Self::RdsRebootDbInstance,
        Self::SnsPublish,
        Self::SsmCancelCommand,
        Self::SsmGetAutomationExecution,
        Self::SsmListCommands,
        Self::SsmSendCommand,
        Self::SsmStartAutomationExecution,
        Self::SsmStopAutomationExecution,
        Self::StsAssumeRole,
        Self::StsGetCallerIdentity,
    ];

    /// What is known of it. Source of the actions and ARNs: AWS service authorization reference.
    #[must_use]
    pub const fn entry(self) -> Entry {
        match self {
            Self::AutoScalingDescribeScalableTargets => SCALABLE_TARGETS,
            Self::CloudWatchDeleteAlarmMuteRule => DELETE_MUTE_RULE,
            Self::CloudWatchDisableAlarmActions => DISABLE_ACTIONS,
            Self::CloudWatchEnableAlarmActions => ENABLE_ACTIONS,
            Self::CloudWatchGetAlarmMuteRule => GET_MUTE_RULE,
            Self::CloudWatchListAlarmMuteRules => LIST_MUTE_RULES,
            Self::CloudWatchPutAlarmMuteRule => PUT_MUTE_RULE,
            Self::CloudWatchDescribeAlarms => DESCRIBE_ALARMS,
            Self::CloudWatchGetMetricData => cloudwatch(
                "GetMetricData",
                Family::CloudWatchMetrics,
                &["cloudwatch:GetMetricData"],
            ),
            Self::CloudWatchListMetrics => {
                cloudwatch("ListMetrics", Family::CloudWatchList, &["cloudwatch:ListMetrics"])
            }
            Self::CodeDeployBatchGetDeployments => BATCH_GET_DEPLOYMENTS,
            Self::CodeDeployGetApplicationRevision => GET_REVISION,
            Self::CodeDeployListDeployments => LIST_DEPLOYMENTS,
            Self::DynamoDbDescribeTable => dynamodb("DescribeTable", &["dynamodb:DescribeTable"]),
            Self::EcsDescribeServices => tasks::DESCRIBE_SERVICES,
            Self::EcsUpdateService => tasks::UPDATE_SERVICE,
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
            Self::RdsDescribeDbClusters => DESCRIBE_CLUSTERS,
            Self::RdsDescribeDbInstances => DESCRIBE_INSTANCES,
            Self::RdsApplyPendingMaintenanceAction => tasks::APPLY_PENDING_MAINTENANCE,
            Self::RdsDescribePendingMaintenanceActions => tasks::DESCRIBE_PENDING_MAINTENANCE,
            Self::RdsRebootDbInstance => tasks::REBOOT,
            Self::SnsPublish => PUBLISH,
            Self::SsmCancelCommand => tasks::CANCEL_COMMAND,
            Self::SsmGetAutomationExecution => tasks::GET_AUTOMATION,
            Self::SsmListCommands => tasks::LIST_COMMANDS,
            Self::SsmSendCommand => tasks::SEND_COMMAND,
            Self::SsmStartAutomationExecution => tasks::START_AUTOMATION,
            Self::SsmStopAutomationExecution => tasks::STOP_AUTOMATION,
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
            | Self::CloudWatchDeleteAlarmMuteRule
            | Self::CloudWatchDescribeAlarms
            | Self::CloudWatchDisableAlarmActions
            | Self::CloudWatchEnableAlarmActions
            | Self::CloudWatchGetAlarmMuteRule
            | Self::CloudWatchGetMetricData
            | Self::CloudWatchListAlarmMuteRules
            | Self::CloudWatchPutAlarmMuteRule
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
            | Self::EcsDescribeServices
            | Self::EcsUpdateService
            | Self::RdsApplyPendingMaintenanceAction
            | Self::RdsDescribeDbClusters
            | Self::RdsDescribeDbInstances
            | Self::RdsDescribePendingMaintenanceActions
            | Self::RdsRebootDbInstance
            | Self::SnsPublish
            | Self::SsmCancelCommand
            | Self::SsmGetAutomationExecution
            | Self::SsmListCommands
            | Self::SsmSendCommand
            | Self::SsmStartAutomationExecution
            | Self::SsmStopAutomationExecution
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
mod tests;
