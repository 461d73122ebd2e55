"""The control endpoint `/_control/…`: JSON in, JSON out, for tests and the demo. README.md shows each call."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from .calls import Filter
from .clock import parse_time
from .cloudwatch.metrics import Distribution, MetricKey, dimensions
from .functions import aliases, functions, provisioned
from .functions.context import LambdaCall
from .functions.invoke import Script
from .gateway import Gateway
from .http import Request, Response
from .identity import DEFAULT_ACCOUNT, ROLE, Caller, RoleRule
from .limits import CLOUDWATCH_RATES, LAMBDA_RATES
from .state_control import change_state
from .tasks import CONTROLS
from .traffic import MAX_BACKLOG, MAX_PER_MINUTE, Behaviour, Traffic
from .world import World

MAX_WAIT = 300.0  # real seconds of a long poll
Body = dict[str, Any]


class BadCommand(ValueError):
    """The command cannot be carried out; the message says why."""


def known(body: Body, *names: str, need: tuple[str, ...] = ()) -> Body:
    """Refuses members that the command does not have: a typing error must not pass for a setting."""
    if unknown := set(body) - set(names) - set(need):
        raise BadCommand(f"unknown {', '.join(sorted(unknown))}; known are {', '.join((*need, *names))}")
    if absent := [name for name in need if name not in body]:
        raise BadCommand(f"missing {', '.join(absent)}")
    return body


class Control:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.commands: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("GET", "calls"): self.calls,
            ("GET", "faults"): lambda _body: [fault.describe() for fault in gateway.faults.all()],
            ("POST", "faults"): self.add_fault,
            ("DELETE", "faults"): self.delete_faults,
            ("POST", "metrics"): self.set_metrics,
            ("POST", "state"): self.state,
            ("POST", "delays"): self.delays,
            ("POST", "lambda/invoke-script"): self.invoke_script,
            ("POST", "lambda/image"): self.image,
            ("GET", "traffic"): self.list_traffic,
            ("POST", "traffic"): self.start_traffic,
            ("DELETE", "traffic"): self.stop_traffic,
            ("GET", "clock"): lambda _body: gateway.clock.describe(),
            ("POST", "clock"): self.clock,
            ("POST", "limits"): self.limits,
            ("POST", "roles"): self.roles,
            ("POST", "reset"): self.reset,
            ("GET", "world"): self.world_json,
            ("GET", "alarms"): self.alarms,
        }
        for name in CONTROLS:
            self.commands["POST", name] = functools.partial(self.task, name)

    def handle(self, request: Request) -> Response:
        name = request.path.removeprefix("/_control/").strip("/")
        try:
            command = self.commands.get((request.method, name))
            if command is None:
                raise BadCommand(
                    f"no command {request.method} {name}; there are "
                    + ", ".join(" ".join(key) for key in self.commands)
                )
            body: Body = dict(request.query_items())
            if request.body.strip():
                body |= json.loads(request.body)
            answer = command(body)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            detail = f"missing {error}" if isinstance(error, KeyError) else str(error)
            return _json({"error": detail}, 400)
        return _json(answer, 200)

    def task(self, name: str, body: Body) -> Any:
        world = self.world(body)
        with world.lock:
            return CONTROLS[name](world.task_call(), body)

    def world(self, body: Body) -> World:
        return self.gateway.worlds.get(body.get("account", DEFAULT_ACCOUNT), body.get("region", "us-east-1"))

    def calls(self, body: Body) -> Any:
        text = ("account", "region", "service", "operation", "resource", "caller", "result")
        known(body, "since", "wait", "count", "write", *text)
        write = {"true": True, "false": False}[body["write"]] if "write" in body else None
        wanted = Filter(since=int(body.get("since", 0)), write=write, **{key: body[key] for key in text if key in body})
        wait = min(float(body.get("wait", 0)), MAX_WAIT)
        found, last = self.gateway.log.select(wanted, wait, int(body.get("count", 1)))
        return {"calls": [asdict(call) for call in found], "last": last}

    def add_fault(self, body: Body) -> Any:
        known(body, "match", "skip", "times", need=("effect",))
        fault = self.gateway.faults.add(
            body.get("match", {}), body["effect"], int(body.get("skip", 0)), int(body.get("times", 1))
        )
        return fault.describe()

    def delete_faults(self, body: Body) -> Any:
        known(body, "id", "account")
        return {"deleted": self.gateway.faults.delete(int(body["id"]) if "id" in body else None, body.get("account"))}

    def set_metrics(self, body: Body) -> Any:
        """Each point replaces the datapoint of its minute (or second, resolution 1)."""
        known(body, "account", "region", "unit", "dimensions", "resolution", need=("namespace", "name", "points"))
        world = self.world(body)
        key = MetricKey(body["namespace"], body["name"], dimensions(body.get("dimensions", {})))
        resolution = int(body.get("resolution", 60))
        parsed = [(point, parse_time(point["time"]), _distribution(point)) for point in body["points"]]
        with world.lock:
            world.catch_up()
            series = world.metrics.get(key, body.get("unit"))
            for point, time, distribution in parsed:
                series.at(time, resolution)
                moment = int(time // resolution * resolution)
                series.points[moment] = distribution
                series.visible.pop(moment, None)
                if "visibleAt" in point:
                    series.visible[moment] = parse_time(point["visibleAt"])
        return {"points": len(parsed)}

    def state(self, body: Body) -> Any:
        known(
            body,
            "account",
            "region",
            "version",
            "kind",
            "code",
            "reason",
            "now",
            "state",
            "times",
            need=("function", "action"),
        )
        world = self.world(body)
        with world.lock:
            now = world.catch_up()
            return change_state(world.lambda_state, body, now)

    def delays(self, body: Body) -> Any:
        account = body.pop("account", None)
        self.gateway.worlds.set_delays({name: float(seconds) for name, seconds in body.items()}, account)
        return {}

    def invoke_script(self, body: Body) -> Any:
        """`qualifier` is a version, an alias, $LATEST, or * for all of the function (default); no answers, no script."""
        known(body, "account", "region", "qualifier", "repeat", need=("function", "answers"))
        world = self.world(body)
        key = (body["function"], body.get("qualifier", "*"))
        for answer in body["answers"]:
            known(answer, "status", "payload", "functionError", "durationMs")
        with world.lock:
            world.scripts.pop(key, None)
            if body["answers"]:
                world.scripts[key] = Script(list(body["answers"]), bool(body.get("repeat", False)))
        return {}

    def image(self, body: Body) -> Any:
        """Moves a tag to a digest, or (digest null) removes the image from its repository."""
        known(body, "account", "region", need=("uri", "digest"))
        world = self.world(body)
        with world.lock:
            world.images[body["uri"]] = body["digest"]
        return {}

    def start_traffic(self, body: Body) -> Any:
        """Starts with the minute that runs; posted again it changes the settings from the next unwritten minute on."""
        options = ("account", "region", "versions", "seed", "late", "from", "executedNeedsWeights")
        known(body, *options, need=("function", "alias", "perMinute"))
        rate = float(body["perMinute"])
        if not 0 <= rate <= MAX_PER_MINUTE:
            raise BadCommand(f"perMinute must be 0 to {MAX_PER_MINUTE}")
        for settings in body.get("versions", {}).values():
            known(settings, "errorRate", "throttleRate", "durationMs")
        versions = {number: Behaviour.parse(settings) for number, settings in body.get("versions", {}).items()}
        world = self.world(body)
        with world.lock:
            now = world.catch_up()
            old = world.traffic.get(f"{body['function']}:{body['alias']}")
            first = parse_time(body["from"]) if "from" in body else old.next_minute if old else now
            if now - first > MAX_BACKLOG:
                raise BadCommand(f"from is more than {MAX_BACKLOG:g} seconds in the past")
            traffic = Traffic(
                body["function"],
                body["alias"],
                rate,
                versions,
                next_minute=first // 60 * 60,
                late=float(body.get("late", 0)),
                seed=int(body.get("seed", 0)),
                executed_needs_weights=bool(body.get("executedNeedsWeights", False)),
            )
            world.start_traffic(traffic)
            return {"id": traffic.id, "from": traffic.next_minute}

    def list_traffic(self, body: Body) -> Any:
        world = self.world(known(body, "account", "region"))
        with world.lock:
            world.catch_up()
            return [
                {"id": id, "perMinute": each.per_minute, "nextMinute": each.next_minute}
                for id, each in world.traffic.items()
            ]

    def stop_traffic(self, body: Body) -> Any:
        """The minutes that have ended are written; `id` is function:alias, without it all of the world stop."""
        world = self.world(known(body, "account", "region", "id"))
        with world.lock:
            world.catch_up()
            chosen = [id for id in world.traffic if body.get("id") in (None, id)]
            for id in chosen:
                world.stop_traffic(id)
        return {"stopped": chosen}

    def clock(self, body: Body) -> Any:
        known(body, "scale", "epoch", "advance")
        clock = self.gateway.clock
        if "scale" in body or "epoch" in body:
            now = clock.describe()
            scale, epoch = body.get("scale", now["scale"]), body.get("epoch", now["now"])
            clock.set(float(scale), parse_time(epoch))
        if "advance" in body:
            clock.advance(float(body["advance"]))
        return clock.describe()

    def limits(self, body: Body) -> Any:
        """{"off": true}, {"default": true}, {"maxDatapoints": N}, {"maxMuteRules": N}, or rates by service and operation; `account` narrows."""
        known(body, "account", "off", "default", "maxDatapoints", "maxMuteRules", "lambda", "cloudwatch")
        limits, account = self.gateway.limits, body.get("account")
        if body.get("off"):
            limits.off(account)
        if body.get("default"):
            limits.set("lambda", dict(LAMBDA_RATES), account)
            limits.set("cloudwatch", dict(CLOUDWATCH_RATES), account)
        if "maxDatapoints" in body:
            self.gateway.max_datapoints = int(body["maxDatapoints"])
        if "maxMuteRules" in body:
            if account is None:
                raise BadCommand("maxMuteRules needs an account")
            self.gateway.max_mute_rules[account] = int(body["maxMuteRules"])
        for service in ("lambda", "cloudwatch"):
            if service in body:
                limits.set(service, {operation: float(rate) for operation, rate in body[service].items()}, account)
        return {}

    def roles(self, body: Body) -> Any:
        """What AssumeRole demands for a role; `expire` ends all sessions of its account."""
        known(body, "deny", "externalId", "expire", need=("arn",))
        found = ROLE.fullmatch(body["arn"])
        if not found:
            raise BadCommand(f"{body['arn']} is not the ARN of a role")
        sessions = self.gateway.sessions
        sessions.rules[body["arn"]] = RoleRule(bool(body.get("deny", False)), body.get("externalId"))
        return {"expired": sessions.expire(found.group(2)) if body.get("expire") else 0}

    def reset(self, body: Body) -> Any:
        """Forgets all state, faults and role rules of one account, or of all; the call log stays."""
        account = known(body, "account").get("account")
        gateway = self.gateway
        gateway.worlds.reset(account)
        for number in [number for number in gateway.max_mute_rules if account in (None, number)]:
            del gateway.max_mute_rules[number]
        gateway.moto.reset(account)
        gateway.faults.delete(account=account)
        for arn in [arn for arn in gateway.sessions.rules if account in (None, arn.split(":")[4])]:
            del gateway.sessions.rules[arn]
        return {}

    def alarms(self, body: Body) -> Any:
        """What an action of each alarm would come to now (`fired`, `muted` or `disabled`), and what became of
        all changes of state since `since`."""
        world = self.world(known(body, "account", "region", "since"))
        since = int(body.get("since", 0))
        with world.lock:
            now = world.catch_up()
            return {
                "now": now,
                "alarms": {
                    name: {
                        "state": alarm["StateValue"],
                        "action": world.mutes.outcome(alarm, now),
                        "mutedBy": world.mutes.muters(name, now),
                    }
                    for name, alarm in sorted({**world.alarms.metric, **world.alarms.composite}.items())
                },
                "actions": [action for action in world.mutes.actions if action["n"] > since],
            }

    def world_json(self, body: Body) -> Any:
        """Functions with versions, aliases and provisioned concurrency, and alarms, as the APIs tell them."""
        world = self.world(known(body, "account", "region"))
        with world.lock:
            now = world.catch_up()
            caller = Caller("", world.account, "", "")
            call = LambdaCall(
                "", world.account, world.region, caller, now, "", world.lambda_state, world.delays, world.rng, world
            )
            return {
                "now": now,
                "functions": {name: _function_json(call, name) for name in sorted(world.lambda_state.functions)},
                "alarms": {**world.alarms.metric, **world.alarms.composite},
            }


def _function_json(call: LambdaCall, name: str) -> Any:
    function = call.function(name)
    return {
        "latest": functions.describe(call, function, function.latest),
        "versions": {
            number: functions.describe(call, function, version, number) for number, version in function.versions.items()
        },
        "aliases": {
            alias.name: aliases.describe(call, function, alias) | {"history": [asdict(line) for line in alias.history]}
            for alias in function.aliases.values()
        },
        "provisioned": {
            qualifier: provisioned.describe(call, config) for qualifier, config in function.provisioned.items()
        },
    }


def _distribution(point: Body) -> Distribution:
    """{value} | {values, counts} | {statistics: {count, sum, min, max}}"""
    known(point, "value", "values", "counts", "statistics", "visibleAt", need=("time",))
    distribution = Distribution()
    if "statistics" in point:
        stats = point["statistics"]
        distribution.add_set(float(stats["count"]), float(stats["sum"]), float(stats["min"]), float(stats["max"]))
        return distribution
    values = point["values"] if "values" in point else [point["value"]]
    for value, count in zip(values, point.get("counts", [1.0] * len(values)), strict=True):
        distribution.add(float(value), float(count))
    return distribution


def _json(answer: Any, status: int) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())
