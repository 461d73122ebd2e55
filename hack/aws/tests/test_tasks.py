"""What tasks of windows work on: services, commands, automations and databases that are told how to end."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import REGION, Account, error_of


def deployments(account: Account) -> list[tuple[str, str]]:
    [service] = account.client("ecs").describe_services(cluster="prod", services=["web"])["services"]
    return [(each["status"], each["rolloutState"]) for each in service["deployments"]]


def test_a_deployment_takes_its_time_and_then_is_the_only_one(account: Account) -> None:
    account.control("POST", "ecs/service", cluster="prod", service="web", seconds=60)
    assert deployments(account) == [("PRIMARY", "COMPLETED")]
    ecs = account.client("ecs")
    started = ecs.update_service(cluster="prod", service="web", forceNewDeployment=True)["service"]
    assert started["deployments"][0]["id"].startswith("ecs-svc/")
    assert deployments(account) == [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "COMPLETED")]
    account.standin.advance(60)
    assert deployments(account) == [("PRIMARY", "COMPLETED")]


def test_a_deployment_can_fail_or_get_stuck_and_others_deploy_too(account: Account) -> None:
    for outcome, told in (("FAILED", "FAILED"), ("STUCK", "IN_PROGRESS")):
        account.control("POST", "ecs/service", cluster="prod", service="web", outcome=outcome, deploy=True)
        account.standin.advance(3600)
        assert deployments(account)[0] == ("PRIMARY", told)


def test_ecs_refuses_what_it_does_not_have(account: Account) -> None:
    ecs = account.client("ecs")
    assert error_of(ecs.describe_services, cluster="prod", services=["web"])[0] == "ClusterNotFoundException"
    account.control("POST", "ecs/service", cluster="prod", service="web")
    [failure] = ecs.describe_services(cluster="prod", services=["none"])["failures"]
    assert failure["reason"] == "MISSING" and failure["arn"].endswith(":service/prod/none")
    assert error_of(ecs.update_service, cluster="prod", service="none")[0] == "ServiceNotFoundException"
    wrong = f"arn:aws:ecs:{REGION}:999999999999:cluster/prod"
    assert error_of(ecs.update_service, cluster=wrong, service="web")[0] == "InvalidParameterException"
    assert error_of(ecs.update_service, cluster="prod", service="web", desiredCount=9)[0] == "InvalidParameterException"
    with pytest.raises(ValueError, match="outcome must be"):
        account.control("POST", "ecs/service", cluster="prod", service="web", outcome="OK")


TARGETS = [{"Key": "tag:role", "Values": ["gpu"]}]


def command(account: Account, id: str) -> dict[str, Any]:
    [found] = account.client("ssm").list_commands(CommandId=id)["Commands"]
    return dict(found)


def test_a_command_runs_and_ends_as_it_was_told(account: Account) -> None:
    ssm = account.client("ssm")
    for outcome in ("Success", "Failed", "TimedOut"):
        account.control("POST", "ssm/document", document="patch", outcome=outcome, nodes=2)
        sent = ssm.send_command(DocumentName="patch", Targets=TARGETS, Comment="ours")["Command"]
        assert (sent["Status"], sent["TargetCount"]) == ("Pending", 0)
        assert command(account, sent["CommandId"])["Status"] == "InProgress"
        account.standin.advance(60)
        found = command(account, sent["CommandId"])
        assert (found["Status"], found["Comment"], found["CompletedCount"]) == (outcome, "ours", 2)
    assert [each["Status"] for each in ssm.list_commands()["Commands"]] == ["TimedOut"] * 3


def test_commands_are_listed_newest_first_from_a_moment_on_and_maybe_late(account: Account) -> None:
    ssm = account.client("ssm")
    account.control("POST", "ssm/document", document="patch", seconds=0, seenAfter=5)
    begun = account.standin.advance(1)
    ids = []
    for _ in range(2):
        ids.append(ssm.send_command(DocumentName="patch", InstanceIds=["i-12345678"])["Command"]["CommandId"])
        account.standin.advance(60)
    ids.append(ssm.send_command(DocumentName="patch", Targets=TARGETS)["Command"]["CommandId"])
    listed = [each["CommandId"] for each in ssm.list_commands()["Commands"]]
    assert listed == [ids[1], ids[0]]
    account.standin.advance(5)
    page = ssm.list_commands(MaxResults=2)
    assert [each["CommandId"] for each in page["Commands"]] == [ids[2], ids[1]]
    rest = ssm.list_commands(MaxResults=2, NextToken=page["NextToken"])
    assert [each["CommandId"] for each in rest["Commands"]] == [ids[0]]
    from datetime import UTC, datetime

    later = datetime.fromtimestamp(begun + 30, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    since = ssm.list_commands(Filters=[{"key": "InvokedAfter", "value": later}])
    assert [each["CommandId"] for each in since["Commands"]] == [ids[2], ids[1]]
    assert error_of(ssm.list_commands, Filters=[{"key": "InvokedAfter", "value": "now"}])[0] == "ValidationException"


def test_a_command_is_cancelled(account: Account) -> None:
    ssm = account.client("ssm")
    account.control("POST", "ssm/document", document="AWS-RunShellScript", outcome="STUCK")
    id = ssm.send_command(DocumentName="AWS-RunShellScript", Targets=TARGETS)["Command"]["CommandId"]
    account.standin.advance(7200)
    ssm.cancel_command(CommandId=id)
    assert command(account, id)["Status"] == "Cancelled"
    assert error_of(ssm.cancel_command, CommandId="00000000-0000-0000-0000-000000000000")[0] == "InvalidCommandId"


def test_systems_manager_refuses_what_is_out_of_bounds(account: Account) -> None:
    send = account.client("ssm").send_command
    good: dict[str, Any] = {"DocumentName": "AWS-RunPatchBaseline", "Targets": TARGETS}
    for change, code in (
        ({"Comment": "x" * 101}, "ValidationException"),
        ({"TimeoutSeconds": 29}, "ValidationException"),
        ({"MaxConcurrency": "0"}, "ValidationException"),
        ({"MaxErrors": "-1"}, "ValidationException"),
        ({"Targets": [{"Key": "role", "Values": ["gpu"]}]}, "InvalidTarget"),
        ({"InstanceIds": ["i-12345678"]}, "InvalidParameters"),
        ({"DocumentName": "none"}, "InvalidDocument"),
        ({"OutputS3BucketName": "bucket"}, "ValidationException"),
    ):
        assert error_of(send, **(good | change))[0] == code, change
    assert send(**good)["Command"]["CommandId"]


TOKEN = "11111111-2222-3333-4444-555555555555"


def test_an_automation_starts_once_for_a_token(account: Account) -> None:
    ssm = account.client("ssm")
    start = ssm.start_automation_execution
    id = start(DocumentName="AWS-StopEC2Instance", ClientToken=TOKEN)["AutomationExecutionId"]
    assert start(DocumentName="AWS-StopEC2Instance", ClientToken=TOKEN)["AutomationExecutionId"] == id
    other = error_of(start, DocumentName="AWS-StartEC2Instance", ClientToken=TOKEN)
    assert other[0] == "IdempotentParameterMismatch"
    get = ssm.get_automation_execution
    assert get(AutomationExecutionId=id)["AutomationExecution"]["AutomationExecutionStatus"] == "InProgress"
    account.standin.advance(60)
    assert get(AutomationExecutionId=id)["AutomationExecution"]["AutomationExecutionStatus"] == "Success"
    stop = error_of(ssm.stop_automation_execution, AutomationExecutionId=id, Type="Cancel")
    assert stop[0] == "InvalidAutomationStatusUpdateException"


def test_an_automation_fails_or_is_stopped_and_has_bounds(account: Account) -> None:
    ssm = account.client("ssm")
    start = ssm.start_automation_execution
    account.control("POST", "ssm/document", document="rotate", outcome="Failed", seconds=10)
    id = start(DocumentName="rotate")["AutomationExecutionId"]
    account.standin.advance(10)
    found = ssm.get_automation_execution(AutomationExecutionId=id)["AutomationExecution"]
    assert (found["AutomationExecutionStatus"], "FailureMessage" in found) == ("Failed", True)
    id = start(DocumentName="rotate", Targets=TARGETS, TargetParameterName="InstanceId", MaxErrors="0")
    ssm.stop_automation_execution(AutomationExecutionId=id["AutomationExecutionId"], Type="Cancel")
    found = ssm.get_automation_execution(AutomationExecutionId=id["AutomationExecutionId"])["AutomationExecution"]
    assert found["AutomationExecutionStatus"] == "Cancelled"
    wrong = "InvalidAutomationExecutionParametersException"
    assert error_of(start, DocumentName="rotate", MaxErrors="0")[0] == wrong
    assert error_of(start, DocumentName="rotate", Targets=TARGETS)[0] == wrong
    assert error_of(start, DocumentName="none")[0] == "AutomationDefinitionNotFoundException"
    assert error_of(start, DocumentName="rotate", ClientToken="x")[0] == "ValidationException"
    gone = error_of(ssm.get_automation_execution, AutomationExecutionId=TOKEN)
    assert gone[0] == "AutomationExecutionNotFoundException"


def database(account: Account, **upkeep: Any) -> Any:
    rds = account.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="prod-db",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="0123456789",
    )
    account.control("POST", "rds/upkeep", instance="prod-db", **upkeep)
    return rds


def seen(rds: Any) -> tuple[str, str]:
    [found] = rds.describe_db_instances(DBInstanceIdentifier="prod-db")["DBInstances"]
    return found["DBInstanceStatus"], found["DBParameterGroups"][0]["ParameterApplyStatus"]


def test_a_reboot_applies_what_waits_for_it(account: Account) -> None:
    rds = database(account, pendingReboot=True)
    assert seen(rds) == ("available", "pending-reboot")
    rds.reboot_db_instance(DBInstanceIdentifier="prod-db")
    assert seen(rds) == ("rebooting", "pending-reboot")
    again = error_of(rds.reboot_db_instance, DBInstanceIdentifier="prod-db")
    assert again[:2] == ("InvalidDBInstanceState", 400)
    account.standin.advance(60)
    assert seen(rds) == ("available", "in-sync")
    assert error_of(rds.reboot_db_instance, DBInstanceIdentifier="none")[:2] == ("DBInstanceNotFound", 404)


def test_maintenance_is_applied_action_by_action(account: Account) -> None:
    rds = database(account, maintenance=["system-update", "os-upgrade"])
    arn = f"arn:aws:rds:{REGION}:{account.number}:db:prod-db"

    def pending() -> list[tuple[str, str]]:
        found = rds.describe_pending_maintenance_actions(ResourceIdentifier=arn)["PendingMaintenanceActions"]
        return [
            (each["Action"], each.get("OptInStatus", ""))
            for resource in found
            for each in resource["PendingMaintenanceActionDetails"]
        ]

    apply = rds.apply_pending_maintenance_action
    assert pending() == [("system-update", ""), ("os-upgrade", "")]
    apply(ResourceIdentifier=arn, ApplyAction="system-update", OptInType="immediate")
    assert pending() == [("system-update", "immediate"), ("os-upgrade", "")]
    assert seen(rds)[0] == "maintenance"
    busy = error_of(apply, ResourceIdentifier=arn, ApplyAction="os-upgrade", OptInType="immediate")
    assert busy[0] == "InvalidDBInstanceState"
    account.standin.advance(60)
    assert (pending(), seen(rds)[0]) == ([("os-upgrade", "")], "available")
    done = error_of(apply, ResourceIdentifier=arn, ApplyAction="system-update", OptInType="immediate")
    assert done[0] == "InvalidParameterValue"
    other = arn.replace("prod-db", "none")
    assert error_of(rds.describe_pending_maintenance_actions, ResourceIdentifier=other)[0] == "ResourceNotFoundFault"
    foreign = arn.replace(account.number, "999999999999")
    assert error_of(rds.describe_pending_maintenance_actions, ResourceIdentifier=foreign)[0] == "InvalidParameterValue"


def test_the_log_says_what_a_call_was_about(account: Account) -> None:
    account.control("POST", "ecs/service", cluster="prod", service="web")
    account.client("ecs").update_service(cluster="prod", service="web", forceNewDeployment=True)
    account.client("ssm").send_command(DocumentName="AWS-RunPatchBaseline", Targets=TARGETS)
    told = [(call["operation"], call["resource"], call["write"]) for call in account.calls(write="true")]
    assert told == [("UpdateService", "prod/web", True), ("SendCommand", "AWS-RunPatchBaseline", True)]
