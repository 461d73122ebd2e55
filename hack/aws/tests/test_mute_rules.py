"""Mute rules: what is refused, when they mute, and which actions come through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import REGION, Account, error_of
from test_alarms import put as put_alarm
from test_alarms import put_composite


def clock(account: Account) -> float:
    return float(account.standin.control("GET", "clock")["now"])


def at(time: float) -> str:
    return f"at({datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M})"


def schedule(expression: str, duration: str = "PT1H", **more: str) -> dict[str, Any]:
    return {"Schedule": {"Expression": expression, "Duration": duration, **more}}


def put(account: Account, name: str, start: float, *alarms: str, duration: str = "PT1H", **more: Any) -> None:
    """A rule that mutes from `start` seconds after the next whole minute."""
    begin = clock(account) // 60 * 60 + 60 + start
    account.cloudwatch.put_alarm_mute_rule(
        Name=name, Rule=schedule(at(begin), duration), MuteTargets={"AlarmNames": list(alarms)}, **more
    )


def get(account: Account, name: str) -> dict[str, Any]:
    found: dict[str, Any] = account.cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=name)
    return found


def status(account: Account, name: str) -> str:
    return str(get(account, name)["Status"])


def turn(account: Account, name: str, value: str) -> None:
    account.cloudwatch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="test")


def told(account: Account) -> Any:
    return account.standin.control("GET", f"alarms?account={account.number}&region={REGION}")


def outcomes(account: Account) -> list[tuple[str, str, str, str]]:
    return [(a["alarm"], a["state"], a["outcome"], a["cause"]) for a in told(account)["actions"]]


def test_a_rule_is_scheduled_then_active_then_expired(account: Account) -> None:
    put_alarm(account, "a")
    put(account, "r", 600, "a", Description="why", Tags=[{"Key": "team", "Value": "x"}])
    rule = get(account, "r")
    arn = f"arn:aws:cloudwatch:{REGION}:{account.number}:alarm-mute-rule:r"
    assert (rule["Name"], rule["AlarmMuteRuleArn"], rule["Description"]) == ("r", arn, "why")
    assert (rule["Status"], rule["MuteType"]) == ("SCHEDULED", "ONE_TIME")
    assert rule["MuteTargets"] == {"AlarmNames": ["a"]}
    assert rule["Rule"]["Schedule"]["Duration"] == "PT1H"
    assert account.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "x"}]
    account.standin.advance(660)
    assert status(account, "r") == "ACTIVE"
    account.standin.advance(3600)
    assert status(account, "r") == "EXPIRED"


def test_a_rule_is_put_in_place_of_the_one_of_its_name(account: Account) -> None:
    put_alarm(account, "a")
    put_alarm(account, "b")
    put(account, "r", 0, "a", Description="one", Tags=[{"Key": "k", "Value": "1"}])
    first = get(account, "r")
    account.standin.advance(120)
    put(account, "r", 0, "b", Tags=[{"Key": "k", "Value": "2"}])
    second = get(account, "r")
    assert second["MuteTargets"] == {"AlarmNames": ["b"]} and "Description" not in second
    assert second["LastUpdatedTimestamp"] > first["LastUpdatedTimestamp"]
    tags = account.cloudwatch.list_tags_for_resource(ResourceARN=first["AlarmMuteRuleArn"])["Tags"]
    assert tags == [{"Key": "k", "Value": "1"}]


def test_what_aws_would_refuse_is_refused(account: Account) -> None:
    put_alarm(account, "a")
    good = {"Name": "r", "Rule": schedule("at(2030-01-01T00:00)"), "MuteTargets": {"AlarmNames": ["a"]}}
    operation = account.cloudwatch.put_alarm_mute_rule
    for bad in (
        {"Name": "n" * 256},
        {"Description": "d" * 1025},
        {"MuteTargets": {"AlarmNames": ["a", "none"]}},
        {"MuteTargets": {"AlarmNames": [f"a{number}" for number in range(101)]}},
        {"StartDate": 2_000_000_000, "ExpireDate": 2_000_000_000},
        *({"Rule": schedule("at(2030-01-01T00:00)", duration)} for duration in ("PT0M", "PT59S", "P15DT1M", "P", "PT", "1h", "P1W")),
        *(
            {"Rule": schedule(expression)}
            for expression in (
                "at(2030-01-01T00:00:00)",
                "at(2030-02-30T00:00)",
                "at(2030-01-01)",
                "2030-01-01T00:00",
                "cron(0 2 * *)",
                "cron(60 2 * * *)",
                "cron(0 2 * * MOON)",
                "rate(1 hour)",
            )
        ),
        {"Rule": schedule("at(2030-01-01T00:00)", Timezone="Mars/Olympus")},
    ):
        assert error_of(operation, **(good | bad))[:2] == ("ValidationError", 400), bad
    assert error_of(operation, Name="r")[0] == "MissingParameter"
    assert account.cloudwatch.list_alarm_mute_rules()["AlarmMuteRuleSummaries"] == []
    for duration in ("PT1M", "P15D", "P14DT23H60M", "PT60S"):
        operation(**(good | {"Rule": schedule("at(2030-01-01T00:00)", duration, Timezone="Europe/Berlin")}))


def test_a_rule_that_does_not_exist_is_not_found_and_deleting_it_is_fine(account: Account) -> None:
    error = error_of(account.cloudwatch.get_alarm_mute_rule, AlarmMuteRuleName="none")
    assert error[:2] == ("ResourceNotFoundException", 404)
    account.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="none")


def test_rules_are_listed_in_pages_by_alarm_and_by_status(account: Account) -> None:
    put_alarm(account, "a")
    put_alarm(account, "b")
    for number in range(55):
        put(account, f"r{number:02}", 0 if number < 2 else 7200, "a" if number < 3 else "b")
    account.standin.advance(60)
    rules = account.cloudwatch.list_alarm_mute_rules

    def names(**params: Any) -> list[str]:
        return [r["AlarmMuteRuleArn"].rsplit(":", 1)[1] for r in rules(**params)["AlarmMuteRuleSummaries"]]

    first = rules()
    assert len(first["AlarmMuteRuleSummaries"]) == 50
    assert len(names(NextToken=first["NextToken"])) == 5
    assert len(names(MaxRecords=100)) == 55
    assert "MuteTargets" not in first["AlarmMuteRuleSummaries"][0]
    assert names(AlarmName="a") == ["r00", "r01", "r02"]
    assert names(Statuses=["ACTIVE"]) == ["r00", "r01"]
    assert names(AlarmName="a", Statuses=["SCHEDULED"]) == ["r02"]
    assert names(Statuses=["EXPIRED"]) == []
    assert error_of(rules, AlarmName="none")[0] == "ResourceNotFoundException"
    assert error_of(rules, NextToken="nonsense")[0] == "InvalidNextToken"
    for params in ({"MaxRecords": 101}, {"Statuses": ["PAUSED"]}):
        assert error_of(rules, **params)[0] == "ValidationError"


def test_an_account_has_a_limited_number_of_rules(account: Account) -> None:
    put_alarm(account, "a")
    account.standin.control("POST", "limits", account=account.number, maxMuteRules=1)
    put(account, "one", 0, "a")
    with pytest.raises(account.cloudwatch.exceptions.LimitExceededFault):
        put(account, "two", 0, "a")
    put(account, "one", 60, "a")
    account.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="one")
    put(account, "two", 0, "a")
    with pytest.raises(ValueError, match="needs an account"):
        account.standin.control("POST", "limits", maxMuteRules=1)


def test_a_muted_alarm_is_quiet_and_what_is_red_at_the_end_acts_then(account: Account) -> None:
    for name in ("a", "b", "c", "other"):
        put_alarm(account, name)
    put(account, "r", 0, "a", "b", "c")
    turn(account, "a", "ALARM")
    account.standin.advance(60)
    turn(account, "a", "OK")
    turn(account, "b", "ALARM")
    turn(account, "c", "ALARM")
    turn(account, "c", "OK")
    turn(account, "other", "ALARM")
    assert told(account)["alarms"]["b"] == {"state": "ALARM", "action": "muted", "mutedBy": ["r"]}
    assert told(account)["alarms"]["other"]["action"] == "fired"
    account.standin.advance(3600)
    assert told(account)["alarms"]["b"]["mutedBy"] == []
    expected = [
        ("a", "ALARM", "fired", "state"),
        ("a", "OK", "muted", "state"),
        ("b", "ALARM", "muted", "state"),
        ("c", "ALARM", "muted", "state"),
        ("c", "OK", "muted", "state"),
        ("other", "ALARM", "fired", "state"),
        ("b", "ALARM", "fired", "unmuted"),
    ]
    assert outcomes(account) == expected
    account.standin.advance(3600)
    assert outcomes(account) == expected


def test_a_deleted_rule_unmutes_at_once_what_no_other_rule_mutes(account: Account) -> None:
    for name in ("a", "b"):
        put_alarm(account, name)
    put(account, "one", 0, "a", "b")
    put(account, "two", 0, "b", duration="PT2H")
    account.standin.advance(60)
    turn(account, "a", "ALARM")
    turn(account, "b", "ALARM")
    account.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="one")
    assert outcomes(account)[2:] == [("a", "ALARM", "fired", "unmuted")]
    # A rule that is put again without an alarm unmutes it, too.
    put_alarm(account, "z")
    put(account, "two", 0, "z")
    assert outcomes(account)[3:] == [("b", "ALARM", "fired", "unmuted")]


def test_a_rule_that_is_put_again_goes_on_muting_only_while_it_holds(account: Account) -> None:
    put_alarm(account, "a")
    put_alarm(account, "b")
    put(account, "r", 0, "a", "b")
    account.standin.advance(60)
    turn(account, "a", "ALARM")
    turn(account, "b", "ALARM")
    # It began in the past: what it still names stays quiet.
    put(account, "r", -120, "a")
    assert outcomes(account)[2:] == [("b", "ALARM", "fired", "unmuted")]
    # It begins later: what it names acts until then.
    put(account, "r", 600, "a")
    assert outcomes(account)[3:] == [("a", "ALARM", "fired", "unmuted")]
    assert status(account, "r") == "SCHEDULED"


def test_a_composite_acts_while_its_child_is_muted(account: Account) -> None:
    put_alarm(account, "a")
    put_composite(account, "c")
    put(account, "r", 0, "a")
    account.standin.advance(60)
    turn(account, "a", "ALARM")
    turn(account, "c", "ALARM")
    assert outcomes(account) == [("a", "ALARM", "muted", "state"), ("c", "ALARM", "fired", "state")]


def test_a_disabled_alarm_is_quiet_and_nothing_is_made_up_for(account: Account) -> None:
    put_alarm(account, "a")
    account.cloudwatch.disable_alarm_actions(AlarmNames=["a"])
    turn(account, "a", "ALARM")
    assert told(account)["alarms"]["a"]["action"] == "disabled"
    account.cloudwatch.enable_alarm_actions(AlarmNames=["a"])
    assert outcomes(account) == [("a", "ALARM", "disabled", "state")]
    turn(account, "a", "OK")
    since = told(account)["actions"][0]["n"]
    later = account.standin.control("GET", f"alarms?account={account.number}&region={REGION}&since={since}")
    assert [action["outcome"] for action in later["actions"]] == ["fired"]


def test_rules_repeat_in_their_zone_and_keep_to_their_dates(account: Account) -> None:
    put_alarm(account, "a")
    now = clock(account) // 60 * 60
    soon = datetime.fromtimestamp(now + 600, UTC)
    operation = account.cloudwatch.put_alarm_mute_rule
    cron = f"cron({soon.minute} {soon.hour} * * SUN-SAT)"
    target = {"MuteTargets": {"AlarmNames": ["a"]}}
    operation(Name="daily", Rule=schedule(cron, "PT30M"), **target)
    operation(Name="bounded", Rule=schedule(cron, "PT30M"), StartDate=now + 900, ExpireDate=now + 1200, **target)
    operation(Name="far", Rule=schedule(cron, "PT30M", Timezone="Pacific/Kiritimati"), **target)
    assert (get(account, "daily")["MuteType"], status(account, "daily")) == ("RECURRING", "SCHEDULED")
    account.standin.advance(660)
    assert [status(account, name) for name in ("daily", "bounded", "far")] == ["ACTIVE", "SCHEDULED", "SCHEDULED"]
    account.standin.advance(300)
    assert status(account, "bounded") == "ACTIVE"
    account.standin.advance(300)
    assert [status(account, name) for name in ("daily", "bounded")] == ["ACTIVE", "EXPIRED"]
    account.standin.advance(1200)
    assert status(account, "daily") == "SCHEDULED"
    account.standin.advance(86_400 - 1200)
    assert status(account, "daily") == "ACTIVE"


def test_calls_about_rules_are_logged_by_name(account: Account) -> None:
    put_alarm(account, "a")
    put(account, "r", 0, "a")
    account.cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="r")
    calls = [(c["operation"], c["resource"], c["write"]) for c in account.calls(resource="^r$")]
    assert calls == [("PutAlarmMuteRule", "r", True), ("DeleteAlarmMuteRule", "r", True)]
