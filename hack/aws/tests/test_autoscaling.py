"""Application Auto Scaling: what of Lambda is scaled, as moto keeps it."""

from __future__ import annotations

from typing import Any

from conftest import Account

DIMENSION = "lambda:function:ProvisionedConcurrency"


def scale(account: Account, resource: str, **more: Any) -> None:
    account.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="lambda",
        ScalableDimension=DIMENSION,
        ResourceId=resource,
        MinCapacity=1,
        MaxCapacity=10,
        **more,
    )


def listed(account: Account) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="lambda"
    )["ScalableTargets"]
    return found


def test_all_targets_of_lambda_are_listed_without_naming_one(account: Account) -> None:
    assert listed(account) == []
    scale(account, "function:web:live")
    scale(account, "function:web:beta", SuspendedState={"ScheduledScalingSuspended": True})
    live, beta = listed(account)
    assert (live["ResourceId"], live["MinCapacity"], live["MaxCapacity"]) == ("function:web:live", 1, 10)
    assert beta["SuspendedState"]["ScheduledScalingSuspended"] is True
    assert account.calls(service="application-autoscaling")[0]["operation"] == "DescribeScalableTargets"


def test_what_is_scaled_in_one_account_is_not_told_in_another(account: Account, standin: Any) -> None:
    scale(account, "function:web:live")
    assert listed(Account(standin, "999999999990")) == []
