"""Alarm mute rules, and what alarms did when they changed state: acted, or were quiet, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import AwsError
from .alarms import MAX_RECORDS, AlarmStore
from .context import CloudWatchCall, paged, validation_error

MAX_ALARMS = 100
DEFAULT_RULES = 1_000  # AWS does not publish its quota
DEFAULT_RECORDS = 50
_STATUSES = ("SCHEDULED", "ACTIVE", "EXPIRED")
_MINUTE, _DAY = 60, 86_400
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\((\S+ \S+ \S+ \S+ \S+)\)")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_DAYS = "SUN MON TUE WED THU FRI SAT".split()
_FIELDS: tuple[tuple[int, int, list[str]], ...] = (
    (0, 59, []),
    (0, 23, []),
    (1, 31, []),
    (1, 12, ["", *_MONTHS]),
    (0, 6, _DAYS),
)


@dataclass
class MuteRule:
    """A rule as it was put. Dates are cut to the minute."""

    name: str
    arn: str
    schedule: dict[str, str]
    alarms: list[str]
    description: str | None
    updated: float
    zone: tzinfo
    length: float
    at: float | None
    """Start of a rule that mutes once, else `cron` says when it starts."""
    cron: list[set[int]]
    start: float | None
    expire: float | None

    def begun(self, now: float) -> float | None:
        """When the mute that holds now began."""
        if (self.start is not None and now < self.start) or (self.expire is not None and now >= self.expire):
            return None
        if self.at is not None:
            return self.at if self.at <= now < self.at + self.length else None
        moment = now // _MINUTE * _MINUTE
        while now < moment + self.length:
            if self._fires(moment):
                return moment
            moment -= _MINUTE
        return None

    def end(self) -> float | None:
        """When a rule that mutes once ends."""
        if self.at is None:
            return self.expire
        return min(self.at + self.length, self.expire if self.expire is not None else self.at + self.length)

    def status(self, now: float) -> str:
        if self.begun(now) is not None:
            return "ACTIVE"
        end = self.end()
        return "EXPIRED" if end is not None and now >= end else "SCHEDULED"

    def _fires(self, moment: float) -> bool:
        time = datetime.fromtimestamp(moment, self.zone)
        found = (time.minute, time.hour, time.day, time.month, time.isoweekday() % 7)
        return all(value in wanted for value, wanted in zip(found, self.cron, strict=True))


@dataclass
class MuteStore:
    """The mute rules of one account and region, and the actions of its alarms."""

    rules: dict[str, MuteRule] = field(default_factory=dict)
    actions: list[dict[str, Any]] = field(default_factory=list)
    """What became of each change of state: {n, at, alarm, state, outcome, cause}."""
    settled: float = 0.0

    def muters(self, alarm: str, now: float) -> list[str]:
        return [name for name, rule in sorted(self.rules.items()) if alarm in rule.alarms and rule.begun(now) is not None]

    def outcome(self, alarm: dict[str, Any], now: float) -> str:
        """What an action of this alarm would come to now."""
        if not alarm["ActionsEnabled"]:
            return "disabled"
        return "muted" if self.muters(alarm["AlarmName"], now) else "fired"

    def changed(self, alarm: dict[str, Any], now: float) -> None:
        """An alarm changed its state."""
        self._note(alarm, now, self.outcome(alarm, now), "state")

    def settle(self, alarms: AlarmStore, now: float) -> None:
        """Mutes that ended since: what is still in ALARM acts then."""
        ended = sorted((end, rule.name) for rule in self.rules.values() if (end := rule.end()) is not None)
        for end, name in ended:
            if self.settled < end <= now:
                self.ended(alarms, self.rules[name].alarms, end)
        self.settled = max(self.settled, now)

    def ended(self, alarms: AlarmStore, names: list[str], at: float) -> None:
        """A mute of these alarms ended: those in ALARM that nothing else mutes act."""
        for name in names:
            alarm = alarms.find(name)
            if alarm and alarm["StateValue"] == "ALARM" and self.outcome(alarm, at) == "fired":
                self._note(alarm, at, "fired", "unmuted")

    def _note(self, alarm: dict[str, Any], at: float, outcome: str, cause: str) -> None:
        self.actions.append(
            {
                "n": len(self.actions) + 1,
                "at": at,
                "alarm": alarm["AlarmName"],
                "state": alarm["StateValue"],
                "outcome": outcome,
                "cause": cause,
            }
        )


def put_alarm_mute_rule(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    """Makes a rule, or puts it in place of the one of its name; tags count when it is new."""
    name = params["Name"]
    _check_length("name", name, 1, 255)
    _check_length("description", params.get("Description", ""), 0, 1024)
    names = params.get("MuteTargets", {}).get("AlarmNames", [])
    _check_targets(call, names)
    rule = _rule(call, params, names)
    rules = call.mutes.rules
    if name not in rules and len(rules) >= call.max_mute_rules:
        message = "The maximum limit of mute rules has been reached"
        raise AwsError("LimitExceeded", message, 400, shape="LimitExceededFault")
    old = rules.get(name)
    active = old is not None and old.begun(call.now) is not None
    rules[name] = rule
    if old is None:
        call.alarms.tags[rule.arn] = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
    elif active:
        call.mutes.ended(call.alarms, [alarm for alarm in old.alarms if alarm not in names or not _on(rule, call)], call.now)
    return {}


def _on(rule: MuteRule, call: CloudWatchCall) -> bool:
    return rule.begun(call.now) is not None


def get_alarm_mute_rule(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    rule = call.mutes.rules.get(params["AlarmMuteRuleName"])
    if rule is None:
        message = f"Alarm mute rule {params['AlarmMuteRuleName']} does not exist"
        raise AwsError("ResourceNotFoundException", message, 404)
    told = _summary(call, rule) | {"Name": rule.name, "Rule": {"Schedule": rule.schedule}}
    told["MuteTargets"] = {"AlarmNames": rule.alarms}
    if rule.description is not None:
        told["Description"] = rule.description
    if rule.start is not None:
        told["StartDate"] = rule.start
    return told


def list_alarm_mute_rules(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    """Without targets: only GetAlarmMuteRule tells them."""
    limit = params.get("MaxRecords", DEFAULT_RECORDS)
    if not 1 <= limit <= MAX_RECORDS:
        raise validation_error(
            f"Value '{limit}' at 'maxRecords' failed to satisfy constraint: Member must be 1 to {MAX_RECORDS}"
        )
    alarm, statuses = params.get("AlarmName"), params.get("Statuses") or _STATUSES
    if unknown := set(statuses) - set(_STATUSES):
        raise validation_error(f"Value '{', '.join(sorted(unknown))}' at 'statuses' is not one of {', '.join(_STATUSES)}")
    if alarm is not None and call.alarms.find(alarm) is None:
        raise AwsError("ResourceNotFoundException", f"Alarm {alarm} does not exist", 404)
    found = [
        rule
        for _, rule in sorted(call.mutes.rules.items())
        if (alarm is None or alarm in rule.alarms) and rule.status(call.now) in statuses
    ]
    page, token = paged(found, params.get("NextToken"), limit)
    return {"AlarmMuteRuleSummaries": [_summary(call, rule) for rule in page], "NextToken": token}


def delete_alarm_mute_rule(call: CloudWatchCall, params: dict[str, Any]) -> dict[str, Any]:
    """What is gone already is no error; what was muted and is in ALARM acts at once."""
    rule = call.mutes.rules.pop(params["AlarmMuteRuleName"], None)
    if rule is not None:
        call.alarms.tags.pop(rule.arn, None)
        if rule.begun(call.now) is not None:
            call.mutes.ended(call.alarms, rule.alarms, call.now)
    return {}


def _summary(call: CloudWatchCall, rule: MuteRule) -> dict[str, Any]:
    told = {
        "AlarmMuteRuleArn": rule.arn,
        "Status": rule.status(call.now),
        "MuteType": "RECURRING" if rule.at is None else "ONE_TIME",
        "LastUpdatedTimestamp": rule.updated,
    }
    return told | ({"ExpireDate": rule.expire} if rule.expire is not None else {})


def _check_length(member: str, text: str, least: int, most: int) -> None:
    if not least <= len(text) <= most:
        raise validation_error(
            f"Value at '{member}' failed to satisfy constraint: Member must have length {least} to {most}"
        )


def _check_targets(call: CloudWatchCall, names: list[str]) -> None:
    if len(names) > MAX_ALARMS:
        raise validation_error(
            f"Value at 'muteTargets.alarmNames' failed to satisfy constraint: Member must have length less than or equal to {MAX_ALARMS}"
        )
    for name in names:
        _check_length("muteTargets.alarmNames", name, 1, 255)
    if gone := [name for name in names if call.alarms.find(name) is None]:
        raise validation_error(f"Alarms do not exist: {', '.join(gone)}")


def _rule(call: CloudWatchCall, params: dict[str, Any], names: list[str]) -> MuteRule:
    schedule = params["Rule"]["Schedule"]
    for member, least, most in (("Expression", 1, 256), ("Duration", 1, 50), ("Timezone", 1, 50)):
        if member in schedule:
            _check_length(member, schedule[member], least, most)
    try:
        zone: tzinfo = ZoneInfo(schedule["Timezone"]) if "Timezone" in schedule else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise validation_error(f"Value '{schedule['Timezone']}' at 'timezone' is not a time zone") from None
    start, expire = (_minute(params.get(member)) for member in ("StartDate", "ExpireDate"))
    if start is not None and expire is not None and expire <= start:
        raise validation_error("ExpireDate must be after StartDate")
    at, cron = _starts(schedule["Expression"], zone)
    return MuteRule(
        name=params["Name"],
        arn=f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm-mute-rule:{params['Name']}",
        schedule=dict(schedule),
        alarms=list(names),
        description=params.get("Description"),
        updated=call.now,
        zone=zone,
        length=_length(schedule["Duration"]),
        at=at,
        cron=cron,
        start=start,
        expire=expire,
    )


def _minute(time: float | None) -> float | None:
    return None if time is None else time // _MINUTE * _MINUTE


def _length(duration: str) -> float:
    found = _DURATION.fullmatch(duration)
    if not found or duration.endswith(("P", "T")):
        raise validation_error(f"Value '{duration}' at 'duration' is not an ISO 8601 duration")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    if not _MINUTE <= length <= 15 * _DAY:
        raise validation_error(f"Value '{duration}' at 'duration' must be between PT1M and P15D")
    return length


def _starts(expression: str, zone: tzinfo) -> tuple[float | None, list[set[int]]]:
    try:
        if found := _AT.fullmatch(expression):
            return datetime.fromisoformat(found.group(1)).replace(tzinfo=zone).timestamp(), []
        if found := _CRON.fullmatch(expression):
            parts = zip(found.group(1).split(" "), _FIELDS, strict=True)
            return None, [_values(text, *bounds) for text, bounds in parts]
    except ValueError:
        pass
    raise validation_error(f"Value '{expression}' at 'expression' is neither at(yyyy-MM-ddThh:mm) nor cron(…)")


def _values(text: str, least: int, most: int, names: list[str]) -> set[int]:
    """Those of `*`, `a`, `a-b` and lists of them."""
    if text == "*":
        return set(range(least, most + 1))
    values: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        low, high = _number(first, names), _number(last or first, names)
        if not least <= low <= high <= most:
            raise ValueError(part)
        values |= set(range(low, high + 1))
    return values


def _number(text: str, names: list[str]) -> int:
    return names.index(text) if text and text in names else int(text)


OPERATIONS = {
    "PutAlarmMuteRule": put_alarm_mute_rule,
    "GetAlarmMuteRule": get_alarm_mute_rule,
    "ListAlarmMuteRules": list_alarm_mute_rules,
    "DeleteAlarmMuteRule": delete_alarm_mute_rule,
}
