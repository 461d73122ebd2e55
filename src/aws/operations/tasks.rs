//! The operations that tasks of windows need.

use super::{Entry, Family, INSTANCE, rds};

const SERVICE: &str = "arn:{partition}:ecs:{region}:{account}:service/{cluster}/{service}";
// Documents of AWS have no account. The nodes that a command runs on, and the executions of an
// automation, need a grant of their own.
const DOCUMENT: &str = "arn:{partition}:ssm:{region}:*:document/{document}";
const EXECUTION: &str = "arn:{partition}:ssm:{region}:{account}:automation-execution/{execution}";

const fn ecs(name: &'static str, write: bool, actions: &'static [&'static str]) -> Entry {
    Entry { service: "ecs", name, write, family: Family::Ecs, actions, arn: SERVICE }
}

const fn ssm(
    name: &'static str,
    write: bool,
    actions: &'static [&'static str],
    arn: &'static str,
) -> Entry {
    Entry { service: "ssm", name, write, family: Family::Ssm, actions, arn }
}

pub(super) const DESCRIBE_SERVICES: Entry =
    ecs("DescribeServices", false, &["ecs:DescribeServices"]);
pub(super) const UPDATE_SERVICE: Entry = ecs("UpdateService", true, &["ecs:UpdateService"]);

pub(super) const APPLY_PENDING_MAINTENANCE: Entry = Entry {
    write: true,
    ..rds("ApplyPendingMaintenanceAction", &["rds:ApplyPendingMaintenanceAction"], INSTANCE)
};
pub(super) const DESCRIBE_PENDING_MAINTENANCE: Entry =
    rds("DescribePendingMaintenanceActions", &["rds:DescribePendingMaintenanceActions"], INSTANCE);
pub(super) const REBOOT: Entry =
    Entry { write: true, ..rds("RebootDBInstance", &["rds:RebootDBInstance"], INSTANCE) };

// AWS knows no narrower resource for commands.
pub(super) const CANCEL_COMMAND: Entry = ssm("CancelCommand", true, &["ssm:CancelCommand"], "*");
pub(super) const LIST_COMMANDS: Entry = ssm("ListCommands", false, &["ssm:ListCommands"], "*");
pub(super) const SEND_COMMAND: Entry = ssm("SendCommand", true, &["ssm:SendCommand"], DOCUMENT);
pub(super) const GET_AUTOMATION: Entry =
    ssm("GetAutomationExecution", false, &["ssm:GetAutomationExecution"], EXECUTION);
pub(super) const START_AUTOMATION: Entry =
    ssm("StartAutomationExecution", true, &["ssm:StartAutomationExecution"], DOCUMENT);
pub(super) const STOP_AUTOMATION: Entry =
    ssm("StopAutomationExecution", true, &["ssm:StopAutomationExecution"], EXECUTION);
