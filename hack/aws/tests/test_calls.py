"""The call log, faults, rate limits."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from conftest import Account, Standin, code, error_of

LOST = (ConnectionClosedError, EndpointConnectionError, ConnectionError, ReadTimeoutError)


@pytest.fixture
def live(account: Account) -> Account:
    account.function(versions=2)
    account.lambda_.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    return account


def fault(account: Account, effect: dict[str, Any], operation: str = "UpdateAlias", **more: Any) -> int:
    match = {"account": account.number, "operation": operation} | more.pop("match", {})
    return int(account.standin.control("POST", "faults", match=match, effect=effect, **more)["id"])


def update(account: Account, weight: float = 0.1) -> Any:
    weights = {"AdditionalVersionWeights": {"2": weight}}
    return account.lambda_.update_alias(FunctionName="fn", Name="live", RoutingConfig=weights)


def weights(account: Account) -> dict[str, float]:
    found: dict[str, float] = (
        account.world()["functions"]["fn"]["aliases"]["live"]
        .get("RoutingConfig", {})
        .get("AdditionalVersionWeights", {})
    )
    return found


def test_each_call_is_logged_with_operation_resource_caller_and_result(live: Account) -> None:
    update(live)
    error_of(live.lambda_.get_alias, FunctionName="fn", Name="none")
    written, failed = live.calls(service="lambda")[-2:]
    assert (written["operation"], written["resource"], written["write"], written["result"], written["applied"]) == (
        "UpdateAlias",
        "fn:live",
        True,
        "ok",
        True,
    )
    assert written["caller"] == f"arn:aws:sts::{live.number}:assumed-role/groundcrew/groundcrew-test"
    assert (failed["operation"], failed["write"], failed["result"], failed["applied"]) == (
        "GetAlias",
        False,
        "ResourceNotFoundException",
        False,
    )
    assert failed["n"] == written["n"] + 1 and failed["at"] >= written["at"] and failed["region"] == "eu-central-1"


def test_calls_of_moto_are_logged_too(account: Account) -> None:
    s3 = account.client("s3")
    error_of(s3.get_object, Bucket="none-such", Key="k")
    error_of(account.client("rds").describe_db_instances, DBInstanceIdentifier="db")
    error_of(account.client("dynamodb").describe_table, TableName="t")
    found = [
        (call["service"], call["operation"], call["result"], call["resource"]) for call in account.calls(write="false")
    ]
    assert found == [
        ("s3", "GetObject", "NoSuchBucket", "none-such/k"),
        ("rds", "DescribeDBInstances", "DBInstanceNotFound", "db"),
        ("dynamodb", "DescribeTable", "ResourceNotFoundException", "t"),
    ]


def test_the_log_can_be_filtered_and_read_on_from_a_number(live: Account) -> None:
    last = live.calls()[-1]["n"]
    live.lambda_.get_alias(FunctionName="fn", Name="live")
    update(live)
    assert [call["operation"] for call in live.calls(since=last)] == ["GetAlias", "UpdateAlias"]
    assert [call["operation"] for call in live.calls(since=last, write="true")] == ["UpdateAlias"]
    assert (
        live.calls(since=last, operation="GetAlias,UpdateAlias", resource="live$", result="ok", caller="groundcrew")[1][
            "operation"
        ]
        == "UpdateAlias"
    )
    assert live.calls(since=last, resource="other") == []


def test_a_reader_of_the_log_can_wait_for_a_call(live: Account) -> None:
    last = live.calls()[-1]["n"]
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(live.calls(since=last, operation="UpdateAlias", wait=20)))
    waiting.start()
    update(live)
    waiting.join(20)
    assert [call["resource"] for call in found] == ["fn:live"]


def test_the_log_file_has_one_json_line_for_each_call(tmp_path: Path) -> None:
    standin = Standin("--log", str(tmp_path / "calls.jsonl"))
    standin.client("sts").get_caller_identity()
    assert standin.stop() == 0
    (line,) = (tmp_path / "calls.jsonl").read_text().splitlines()
    assert json.loads(line)["operation"] == "GetCallerIdentity"


def test_an_injected_error_is_answered_and_nothing_is_applied(live: Account) -> None:
    number = fault(live, {"error": {"code": "AccessDeniedException", "status": 403, "message": "no"}})
    assert error_of(update, account=live) == ("AccessDeniedException", 403, "no")
    assert weights(live) == {}
    call = live.calls(operation="UpdateAlias")[-1]
    assert (call["result"], call["applied"], call["fault"]) == ("AccessDeniedException", False, number)
    update(live)
    assert weights(live) == {"2": 0.1}


def test_an_injected_throttle_has_the_words_of_the_service(live: Account) -> None:
    fault(live, {"throttle": {}})
    assert error_of(update, account=live)[:2] == ("TooManyRequestsException", 429)
    fault(live, {"throttle": {}}, operation="DescribeAlarms")
    assert error_of(live.cloudwatch.describe_alarms)[:2] == ("Throttling", 400)
    fault(live, {"throttle": {}}, operation="DescribeTable")
    assert error_of(live.client("dynamodb").describe_table, TableName="t")[:2] == ("ThrottlingException", 400)
    fault(live, {"throttle": {}}, operation="DescribeDBInstances")
    assert error_of(live.client("rds").describe_db_instances)[:2] == ("Throttling", 400)


@pytest.mark.parametrize("how", [{}, {"status": 500}])
def test_a_lost_answer_means_that_the_call_was_applied(live: Account, how: dict[str, int]) -> None:
    fault(live, {"lost": how})
    if how:
        assert error_of(update, account=live)[1] == 500
    else:
        with pytest.raises(LOST):
            update(live)
    assert weights(live) == {"2": 0.1}
    call = live.calls(operation="UpdateAlias")[-1]
    assert (call["result"], call["applied"]) == ("ok", True)


def test_a_call_can_hang_until_the_fault_is_deleted(live: Account) -> None:
    last = live.calls()[-1]["n"]
    number = fault(live, {"hang": {}})
    outcome: list[BaseException] = []

    def call() -> None:
        try:
            update(live)
        except LOST as error:
            outcome.append(error)

    hanging = threading.Thread(target=call)
    hanging.start()
    (logged,) = live.calls(since=last, operation="UpdateAlias", wait=20)
    assert (logged["result"], logged["applied"]) == ("Hang", False)
    live.standin.control("DELETE", f"faults?id={number}")
    hanging.join(20)
    assert len(outcome) == 1 and weights(live) == {}


def test_a_call_can_be_delayed_in_real_time(live: Account) -> None:
    fault(live, {"delay": {"seconds": 0.3}})
    before = time.monotonic()
    update(live)
    assert time.monotonic() - before >= 0.3
    assert weights(live) == {"2": 0.1}


def test_a_fault_can_skip_calls_and_hit_several(live: Account) -> None:
    number = fault(live, {"error": {"code": "ServiceException", "status": 500}}, skip=1, times=2)
    outcomes = []
    for _ in range(4):
        try:
            update(live)
            outcomes.append("ok")
        except live.lambda_.exceptions.ServiceException:
            outcomes.append("error")
    assert outcomes == ["ok", "error", "error", "ok"]
    (planted,) = [each for each in live.standin.control("GET", "faults") if each["id"] == number]
    assert planted["hits"] == 2


def test_a_fault_can_be_narrowed_to_a_resource_or_a_caller(live: Account) -> None:
    foreign = Account(live.standin, live.number, session="other")
    fault(
        live,
        {"error": {"code": "ServiceException"}},
        match={"resource": "^other:", "caller": "groundcrew-test$"},
        times=0,
    )
    fault(live, {"error": {"code": "ServiceException"}}, match={"caller": "/other$"}, times=0)
    update(live)
    assert error_of(foreign.lambda_.update_alias, FunctionName="fn", Name="live")[0] == "ServiceException"


def test_a_fault_with_an_unknown_member_is_refused(standin: Standin) -> None:
    with pytest.raises(ValueError, match="match knows"):
        standin.control("POST", "faults", match={"opration": "x"}, effect={"hang": {}})
    with pytest.raises(ValueError, match="exactly one"):
        standin.control("POST", "faults", match={}, effect={"explode": {}})


def burst(account: Account, operation: Any, count: int, **params: Any) -> tuple[int, list[int]]:
    """How many of `count` calls in a row passed, and the Retry-After of the others."""
    passed, waits = 0, []
    for _ in range(count):
        try:
            operation(**params)
            passed += 1
        except account.lambda_.exceptions.TooManyRequestsException as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 429
            waits.append(int(error.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]))
    return passed, waits


def test_control_plane_calls_share_fifteen_a_second_and_get_function_has_its_own_hundred(live: Account) -> None:
    live.standin.control("POST", "limits", account=live.number, default=True)
    began = time.monotonic()
    first, waits = burst(live, live.lambda_.get_alias, 60, FunctionName="fn", Name="live")
    second, more = burst(live, live.lambda_.list_aliases, 20, FunctionName="fn")
    assert 15 <= first + second <= 16 + 15 * (time.monotonic() - began)
    assert first < 60 and set(waits + more) == {1}
    assert burst(live, live.lambda_.get_function, 60, FunctionName="fn")[0] == 60
    throttled = live.calls(result="TooManyRequestsException")
    assert len(throttled) == len(waits + more) and not any(call["applied"] for call in throttled)


def test_invoke_is_not_limited_and_other_accounts_have_their_own_limit(live: Account, fresh: Any) -> None:
    live.standin.control("POST", "limits", account=live.number, **{"lambda": {"*": 0.01}})
    burst(live, live.lambda_.get_alias, 2, FunctionName="fn", Name="live")
    assert burst(live, live.lambda_.invoke, 20, FunctionName="fn")[0] == 20
    other = fresh()
    other.create()
    assert burst(other, other.lambda_.get_function_configuration, 20, FunctionName="fn")[0] == 20


def test_the_limit_runs_on_the_real_clock(live: Account) -> None:
    live.standin.control("POST", "limits", account=live.number, **{"lambda": {"*": 0.01}})
    assert burst(live, live.lambda_.get_alias, 4, FunctionName="fn", Name="live")[0] == 1
    live.standin.advance(3600)
    assert burst(live, live.lambda_.get_alias, 4, FunctionName="fn", Name="live")[0] == 0


def test_code_of_the_request_is_not_in_the_log(live: Account) -> None:
    live.lambda_.update_function_code(FunctionName="fn", ZipFile=code("secret text"))
    assert "secret" not in json.dumps(live.calls())


def test_what_moto_cannot_do_is_an_internal_failure_in_the_log(account: Account) -> None:
    rds = account.client("rds")
    assert error_of(rds.describe_source_regions)[:2] == ("InternalFailure", 500)
    assert account.calls(service="rds")[-1]["result"] == "InternalFailure"


def test_rates_are_kept_under_many_connections_at_once(live: Account) -> None:
    live.standin.control("POST", "limits", account=live.number, **{"lambda": {"*": 20}})
    passed: list[int] = []
    clients = [Account(live.standin, live.number).lambda_ for _ in range(4)]
    began = time.monotonic()
    threads = [
        threading.Thread(
            target=lambda c=c: passed.append(burst(live, c.get_alias, 25, FunctionName="fn", Name="live")[0])
        )
        for c in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert 20 <= sum(passed) <= 21 + 20 * (time.monotonic() - began)


def test_of_many_writers_with_one_revision_exactly_one_wins(live: Account) -> None:
    revision = live.lambda_.get_alias(FunctionName="fn", Name="live")["RevisionId"]
    outcomes: list[str] = []

    def write(client: Any, weight: float) -> None:
        weights = {"AdditionalVersionWeights": {"2": weight}}
        try:
            client.update_alias(FunctionName="fn", Name="live", RevisionId=revision, RoutingConfig=weights)
            outcomes.append("ok")
        except client.exceptions.PreconditionFailedException:
            outcomes.append("412")

    clients = [Account(live.standin, live.number).lambda_ for _ in range(6)]
    threads = [threading.Thread(target=write, args=(client, 0.1 * n)) for n, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["412"] * 5 + ["ok"]
