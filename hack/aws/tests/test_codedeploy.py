"""CodeDeploy: deployments of all applications, and where their AppSpecs are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from conftest import Account, error_of

APPSPEC = json.dumps({"version": 0.0, "Resources": [{"f": {"Type": "AWS::Lambda::Function"}}]})


def deploy(account: Account, content: str = APPSPEC, form: str = "AppSpecContent") -> str:
    """A deployment of the application `shop`, which is made with the first one."""
    codedeploy = account.client("codedeploy")
    if "shop" not in codedeploy.list_applications()["applications"]:
        codedeploy.create_application(applicationName="shop", computePlatform="Lambda")
        codedeploy.create_deployment_group(
            applicationName="shop",
            deploymentGroupName="live",
            serviceRoleArn=f"arn:aws:iam::{account.number}:role/deploy",
        )
    member = form[0].lower() + form[1:]
    id: str = codedeploy.create_deployment(
        applicationName="shop",
        deploymentGroupName="live",
        revision={"revisionType": form, member: {"content": content}},
    )["deploymentId"]
    return id


def now(account: Account) -> datetime:
    return datetime.fromtimestamp(float(account.standin.control("GET", "clock")["now"]), UTC)


def listed(account: Account, **filters: Any) -> list[str]:
    found: list[str] = account.client("codedeploy").list_deployments(**filters)["deployments"]
    return found


def test_deployments_are_listed_without_naming_an_application(account: Account) -> None:
    before = now(account)
    assert listed(account) == []
    id = deploy(account)
    assert listed(account) == [id]
    assert listed(account, applicationName="shop", deploymentGroupName="live") == [id]
    assert listed(account, includeOnlyStatuses=["Created"]) == [id]
    assert listed(account, includeOnlyStatuses=["Succeeded", "InProgress"]) == []
    assert listed(account, createTimeRange={"start": before}) == [id]
    account.standin.advance(60)
    assert listed(account, createTimeRange={"start": now(account)}) == []
    codedeploy = account.client("codedeploy")
    assert error_of(codedeploy.list_deployments, applicationName="shop")[0] == "DeploymentGroupNameRequiredException"
    assert error_of(codedeploy.list_deployments, deploymentGroupName="live")[0] == "ApplicationNameRequiredException"


def test_a_page_has_a_hundred_deployments(account: Account) -> None:
    ids = [deploy(account) for _ in range(101)]
    codedeploy = account.client("codedeploy")
    page = codedeploy.list_deployments()
    assert page["deployments"] == ids[:100]
    assert codedeploy.list_deployments(nextToken=page["nextToken"])["deployments"] == ids[100:]
    too_many = error_of(codedeploy.batch_get_deployments, deploymentIds=ids[:26])
    assert too_many[:2] == ("BatchLimitExceededException", 400)
    assert len(codedeploy.batch_get_deployments(deploymentIds=ids[:25])["deploymentsInfo"]) == 25


def test_a_deployment_tells_the_hash_of_its_appspec_and_the_revision_its_text(account: Account) -> None:
    codedeploy = account.client("codedeploy")
    for form, member in (("AppSpecContent", "appSpecContent"), ("String", "string")):
        id = deploy(account, form=form)
        [info] = codedeploy.batch_get_deployments(deploymentIds=[id, "d-GONE"])["deploymentsInfo"]
        assert (info["applicationName"], info["deploymentGroupName"]) == ("shop", "live")
        assert (info["status"], info["computePlatform"]) == ("Created", "Lambda")
        assert abs((info["createTime"] - now(account)).total_seconds()) < 5
        assert list(info["revision"][member]) == ["sha256"]
        assert codedeploy.get_deployment(deploymentId=id)["deploymentInfo"]["revision"] == info["revision"]
        told = codedeploy.get_application_revision(applicationName="shop", revision=info["revision"])
        assert told["revision"][member]["content"] == APPSPEC
    unknown = {"revisionType": "String", "string": {"sha256": "0" * 64}}
    for application, code in (("shop", "RevisionDoesNotExist"), ("none", "ApplicationDoesNotExist")):
        error = error_of(codedeploy.get_application_revision, applicationName=application, revision=unknown)
        assert error[:2] == (f"{code}Exception", 400)


def test_a_deployment_is_stopped_once(account: Account) -> None:
    id = deploy(account)
    codedeploy = account.client("codedeploy")
    assert codedeploy.stop_deployment(deploymentId=id)["status"] == "Succeeded"
    assert listed(account, includeOnlyStatuses=["Stopped"]) == [id]
    assert error_of(codedeploy.stop_deployment, deploymentId=id)[0] == "DeploymentAlreadyCompletedException"
    assert error_of(codedeploy.stop_deployment, deploymentId="d-GONE")[0] == "DeploymentDoesNotExistException"
    assert [(call["operation"], call["resource"]) for call in account.calls(operation="StopDeployment")][0] == (
        "StopDeployment",
        id,
    )
