"""Accounts: AssumeRole makes sessions, each account is a world of its own."""

from __future__ import annotations

from collections.abc import Callable

from conftest import Account, Standin, error_of


def test_a_role_session_acts_in_the_account_of_the_role(account: Account) -> None:
    identity = account.client("sts").get_caller_identity()
    assert identity["Account"] == account.number
    assert identity["Arn"] == f"arn:aws:sts::{account.number}:assumed-role/groundcrew/groundcrew-test"


def test_an_unknown_access_key_belongs_to_the_default_account(standin: Standin) -> None:
    assert standin.client("sts", key="AKIANOBODY").get_caller_identity()["Account"] == "123456789012"


def test_each_account_is_a_world_of_its_own(fresh: Callable[[], Account]) -> None:
    one, other = fresh(), fresh()
    one.create()
    one.cloudwatch.put_composite_alarm(AlarmName="a", AlarmRule="FALSE")
    assert error_of(other.lambda_.get_function, FunctionName="fn")[0] == "ResourceNotFoundException"
    assert other.cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_accounts_are_apart_in_moto_too(fresh: Callable[[], Account]) -> None:
    one, other = fresh(), fresh()
    one.client("sns").create_topic(Name="t")
    assert other.client("sns").list_topics()["Topics"] == []
    assert one.client("sns").list_topics()["Topics"][0]["TopicArn"].split(":")[4] == one.number


def test_regions_are_apart(account: Account) -> None:
    account.create()
    query = f"world?account={account.number}&region=us-east-1"
    assert account.standin.control("GET", query)["functions"] == {}


def test_assume_role_is_logged_with_external_id_session_name_and_tags(standin: Standin) -> None:
    arn = "arn:aws:iam::100000000099:role/path/reader"
    answer = standin.client("sts").assume_role(
        RoleArn=arn,
        RoleSessionName="groundcrew-ns",
        ExternalId="c/ns",
        Tags=[{"Key": "namespace", "Value": "ns"}],
        DurationSeconds=900,
    )
    call = standin.control("GET", "calls?operation=AssumeRole&resource=100000000099")["calls"][-1]
    assert call["resource"] == arn
    assert call["detail"] == {
        "externalId": "c/ns",
        "sessionName": "groundcrew-ns",
        "tags": {"namespace": "ns"},
        "durationSeconds": 900,
    }
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/reader/groundcrew-ns")


def test_a_role_can_be_denied_or_ask_for_an_external_id(standin: Standin) -> None:
    sts = standin.client("sts")
    arn = "arn:aws:iam::100000000098:role/locked"
    standin.control("POST", "roles", arn=arn, deny=True)
    error, status, _ = error_of(sts.assume_role, RoleArn=arn, RoleSessionName="session")
    assert (error, status) == ("AccessDenied", 403)
    standin.control("POST", "roles", arn=arn, externalId="right")
    assert error_of(sts.assume_role, RoleArn=arn, RoleSessionName="session", ExternalId="wrong")[0] == "AccessDenied"
    assert sts.assume_role(RoleArn=arn, RoleSessionName="session", ExternalId="right")["Credentials"]["AccessKeyId"]


def test_a_web_identity_makes_a_session_without_a_signature(standin: Standin) -> None:
    answer = standin.client("sts").assume_role_with_web_identity(
        RoleArn="arn:aws:iam::100000000097:role/pod", RoleSessionName="pod", WebIdentityToken="token"
    )
    credentials = answer["Credentials"]
    keys = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    assert standin.client("sts", *keys).get_caller_identity()["Account"] == "100000000097"


def test_sessions_can_be_made_to_expire(account: Account) -> None:
    account.create()
    assert account.standin.control("POST", "roles", arn=account.role_arn, expire=True)["expired"] == 1
    error, status, _ = error_of(account.lambda_.get_function, FunctionName="fn")
    assert (error, status) == ("ExpiredTokenException", 403)


def test_a_reset_forgets_one_account_and_keeps_the_others(fresh: Callable[[], Account]) -> None:
    one, other = fresh(), fresh()
    for account in (one, other):
        account.create()
        account.client("sns").create_topic(Name="t")
    one.standin.control("POST", "reset", account=one.number)
    assert one.world()["functions"] == {} and list(other.world()["functions"]) == ["fn"]
    assert one.client("sns").list_topics()["Topics"] == []
    assert len(other.client("sns").list_topics()["Topics"]) == 1


def test_a_foreign_actor_is_told_apart_by_the_log(account: Account) -> None:
    account.create()
    foreign = Account(account.standin, account.number, session="someone-else")
    foreign.lambda_.get_function(FunctionName="fn")
    callers = [call["session"] for call in account.calls(service="lambda")]
    assert callers == ["groundcrew-test", "someone-else"]
