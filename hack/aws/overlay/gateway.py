"""The way of every AWS call: read it, apply faults and limits, let a service answer, log it."""

from __future__ import annotations

import json
import re
import sys
import time
import traceback
import uuid
from typing import Any

from . import codedeploy, sts, tasks
from .calls import CallLog, is_write
from .clock import Clock
from .cloudwatch.context import CloudWatchCall
from .cloudwatch.mute_rules import DEFAULT_RULES
from .cloudwatch.service import OPERATIONS as CLOUDWATCH
from .cloudwatch.service import forwarded as cloudwatch_forwarded
from .errors import AwsError, throttled
from .faults import Fault, Faults
from .functions.context import LambdaCall, unknown_operation
from .functions.service import OPERATIONS as LAMBDA
from .http import Request, Response
from .identity import Sessions
from .incoming import Incoming, missing_operation, read
from .limits import Limits
from .moto_app import Moto
from .wire import failures, rest_json, rpc
from .world import Worlds

MAX_HANG = 600.0  # real seconds; no client of ours waits that long
_XML_CODE = re.compile(rb"<Code>([^<]+)</Code>")


class Gateway:
    def __init__(self, clock: Clock, worlds: Worlds, log: CallLog) -> None:
        self.clock = clock
        self.worlds = worlds
        self.log = log
        self.sessions = Sessions()
        self.faults = Faults()
        self.limits = Limits()
        self.moto = Moto(clock)
        self.max_datapoints = 100_800  # GetMetricData, a call
        self.max_mute_rules: dict[str, int] = {}  # by account

    def handle(self, request: Request) -> Response:
        try:
            flow = _Flow(self, read(request, self.sessions))
        except AwsError as error:  # not even the operation can be read
            return failures.respond(error, "sts", request, str(uuid.uuid4()))
        response = flow.run()
        response.headers.setdefault("x-amzn-RequestId", flow.request_id)
        return response


class _Flow:
    """One call on its way."""

    def __init__(self, gateway: Gateway, incoming: Incoming) -> None:
        self.gateway = gateway
        self.incoming = incoming
        self.started = time.perf_counter()
        self.request_id = str(uuid.uuid4())
        self.fault: Fault | None = None

    def run(self) -> Response:
        try:
            self.incoming.parse()
            self.fault = self._take_fault()
            if self.fault and (response := self._before()):
                return response
            self.gateway.sessions.check(self.incoming.caller, self.incoming.service)
            if not self._within_limits():
                raise throttled(self.incoming.service)
            response = self._perform()
        except AwsError as error:
            self._log(error.code, applied=False)
            return self._error(error)
        if self.fault and self.fault.kind == "lost":
            return self._lose(self.fault)
        return response

    def _error(self, error: AwsError) -> Response:
        return failures.respond(error, self.incoming.service, self.incoming.request, self.request_id)

    def _take_fault(self) -> Fault | None:
        call = self.incoming
        return self.gateway.faults.take(
            service=call.service,
            operation=call.operation,
            account=call.account,
            region=call.region,
            resource=call.resource,
            caller=call.caller.arn,
        )

    def _within_limits(self) -> bool:
        call = self.incoming
        return self.gateway.limits.take(call.account, call.region, call.service, call.operation)

    def _before(self) -> Response | None:
        """Effects that come before the call is applied."""
        fault = self.fault
        if fault is None:
            return None
        if fault.kind in ("error", "throttle"):
            raise fault.error(self.incoming.service)
        if fault.kind == "delay":
            fault.ended.wait(float(fault.settings.get("seconds", 1.0)))
        if fault.kind == "hang":
            self._log("Hang", applied=False)
            self._hang(fault)
            return Response(reset=True)
        return None

    def _lose(self, fault: Fault) -> Response:
        """The call was applied; its answer does not arrive."""
        if fault.settings.get("hang"):
            self._hang(fault)
        if status := fault.settings.get("status"):
            return self._error(
                AwsError("ServiceException", "An error occurred and the request cannot be processed.", int(status))
            )
        return Response(reset=True)

    def _hang(self, fault: Fault) -> None:
        """Holds the call until the client gives up, the fault is deleted, or MAX_HANG."""
        deadline = time.monotonic() + MAX_HANG
        while time.monotonic() < deadline and not fault.ended.is_set():
            if self.incoming.request.gone(0.0):
                return
            fault.ended.wait(0.1)

    def _perform(self) -> Response:
        service = self.incoming.service
        if service == "lambda" and not self.incoming.request.path.startswith("/2018-10-31/layers"):
            return self._lambda()
        if service == "cloudwatch" and not cloudwatch_forwarded(self.incoming.operation):
            return self._cloudwatch()
        if service == "sts" and self.incoming.operation in sts.OPERATIONS:
            return self._sts()
        if service == "codedeploy" and self.incoming.operation in codedeploy.OPERATIONS:
            return self._codedeploy()
        if self.incoming.operation in tasks.SERVICES.get(service, {}):
            return self._task()
        return self._moto()

    def _lambda(self) -> Response:
        call, gateway = self.incoming, self.gateway
        operation = LAMBDA.get(call.operation)
        if operation is None or call.model is None:
            raise unknown_operation(call.operation)
        world = gateway.worlds.get(call.account, call.region)
        with world.lock:
            context = LambdaCall(
                operation=call.operation,
                account=call.account,
                region=call.region,
                caller=call.caller,
                now=world.catch_up(),
                request_id=self.request_id,
                state=world.lambda_state,
                delays=world.delays,
                rng=world.rng,
                services=world,
            )
            response = rest_json.respond(operation(context, call.params), call.model)
            self._log("ok", applied=True)
        for seconds in context.after:  # the answer of Invoke takes as long as the function
            time.sleep(seconds)
        return response

    def _cloudwatch(self) -> Response:
        call, gateway = self.incoming, self.gateway
        operation = CLOUDWATCH.get(call.operation)
        if operation is None or call.model is None:
            raise missing_operation(call)
        world = gateway.worlds.get(call.account, call.region)
        with world.lock:
            now = world.catch_up()
            context = CloudWatchCall(
                call.account,
                call.region,
                now,
                world.metrics,
                world.alarms,
                world.mutes,
                gateway.max_datapoints,
                gateway.max_mute_rules.get(call.account, DEFAULT_RULES),
            )
            if self.fault and self.fault.kind == "metricStatus":
                context.forced_status = self.fault.settings
            result = operation(context, call.params)
            response = rpc.respond(result, call.request, call.service, call.model, self.request_id)
            self._log("ok", applied=True)
        return response

    def _sts(self) -> Response:
        call = self.incoming
        if call.model is None:
            raise missing_operation(call)
        result = sts.OPERATIONS[call.operation](self.gateway.sessions, call.caller, call.params)
        self._log("ok", applied=True)
        return rpc.respond(result, call.request, call.service, call.model, self.request_id)

    def _codedeploy(self) -> Response:
        call = self.incoming
        if call.model is None:
            raise missing_operation(call)
        service = codedeploy.backend(call.account, call.region)
        result = codedeploy.OPERATIONS[call.operation](service, call.params, self.gateway.clock.now())
        self._log("ok", applied=True)
        return rpc.respond(result, call.request, call.service, call.model, self.request_id)

    def _task(self) -> Response:
        call = self.incoming
        if call.model is None:
            raise missing_operation(call)
        world = self.gateway.worlds.get(call.account, call.region)
        with world.lock:
            context = world.task_call()
            if call.service == "rds":
                tasks.rds.settle(context)
            result = tasks.SERVICES[call.service][call.operation](context, call.params)
            self._log("ok", applied=True)
        return rpc.respond(result, call.request, call.service, call.model, self.request_id)

    def _moto(self) -> Response:
        call = self.incoming
        described = call.service == "rds" and call.operation == "DescribeDBInstances"
        context = self.gateway.worlds.get(call.account, call.region).task_call()
        if described:
            tasks.rds.settle(context)
        try:
            response = self.gateway.moto.call(call.request, call.account)
        except Exception as error:  # moto has no such operation, or fails in it: its exceptions come through
            traceback.print_exc(file=sys.stderr)
            raise AwsError("InternalFailure", f"moto failed: {type(error).__name__}: {error}", 500) from error
        if described:
            response.body = tasks.rds.mend(context, response.body)
        code = "ok" if response.status < 400 else _error_code(response)
        self._log(code, applied=response.status < 400)
        return response

    def _log(self, result: str, applied: bool) -> None:
        call = self.incoming
        self.gateway.log.add(
            at=self.gateway.clock.now(),
            account=call.account,
            region=call.region,
            service=call.service,
            operation=call.operation,
            resource=call.resource,
            accessKey=call.caller.access_key,
            caller=call.caller.arn,
            session=call.caller.session,
            write=is_write(call.operation),
            result=result,
            applied=applied,
            ms=round((time.perf_counter() - self.started) * 1000, 3),
            requestId=self.request_id,
            fault=self.fault.id if self.fault else None,
            detail=call.detail,
        )


def _error_code(response: Response) -> str:
    """The AWS error code in an answer of moto."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if kind := headers.get("x-amzn-errortype"):
        return kind.split(":")[0].split("#")[-1]
    if found := _XML_CODE.search(response.body):
        return found.group(1).decode()
    try:
        body: Any = json.loads(response.body)
        return str(body.get("__type", response.status)).split("#")[-1]
    except (ValueError, AttributeError):
        return str(response.status)
