"""Wire formats: Smithy RPC v2 CBOR and Query for CloudWatch, error shapes, HTTP.

The CBOR client is botocore's own serializer and parser, not the code under test.
"""

from __future__ import annotations

import gzip
import http.client
import json
import struct
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlparse

import botocore.parsers
import botocore.serialize
import pytest
from botocore.session import get_session
from conftest import EPOCH, Account, Standin, error_of

from overlay.wire import cbor

MODEL = get_session().get_service_model("cloudwatch")
SCOPE = "20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=x"


def send(
    account: Account, method: str, path: str, body: bytes, headers: dict[str, str], service: str = "monitoring"
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlparse(account.standin.endpoint).netloc, timeout=10)
    credential = f"AWS4-HMAC-SHA256 Credential={account.keys[0]}/{SCOPE.format(service=service)}"
    connection.request(method, path, body, {"Authorization": credential} | headers)
    answer = connection.getresponse()
    found = (answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    connection.close()
    return found


def call(
    account: Account, operation: str, compress: bool = False, **params: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """One CBOR call, as the newest SDKs make it."""
    model = MODEL.operation_model(operation)
    request = botocore.serialize.create_serializer("smithy-rpc-v2-cbor", False).serialize_to_request(params, model)
    body, headers = request["body"], dict(request["headers"])
    if compress:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    assert request["url_path"] == f"/service/GraniteServiceVersion20100801/operation/{operation}"
    status, sent, data = send(account, "POST", request["url_path"], body, headers)
    parser = botocore.parsers.create_parser("smithy-rpc-v2-cbor")
    return parser.parse({"status_code": status, "headers": sent, "body": data}, model.output_shape), sent


def test_cbor_alarms(account: Account) -> None:
    call(
        account,
        "PutMetricAlarm",
        AlarmName="a",
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.5,
        ComparisonOperator="GreaterThanThreshold",
    )
    call(account, "SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="red")
    call(account, "DisableAlarmActions", AlarmNames=["a"])
    answer, headers = call(account, "DescribeAlarms", AlarmNames=["a"])
    (alarm,) = answer["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Threshold"], alarm["ActionsEnabled"], alarm["Period"]) == (
        "ALARM",
        1.5,
        False,
        60,
    )
    assert isinstance(alarm["StateUpdatedTimestamp"], datetime)
    assert headers["smithy-protocol"] == "rpc-v2-cbor" and headers["content-type"] == "application/cbor"


def test_cbor_metric_data_with_a_compressed_request(account: Account) -> None:
    when = datetime.fromtimestamp(EPOCH, UTC)
    data = [{"MetricName": "M", "Timestamp": when, "Values": [1.0, 3.0], "Counts": [1.0, 1.0]}]
    call(account, "PutMetricData", compress=True, Namespace="N", MetricData=data)
    stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "p99"}
    answer, _ = call(
        account,
        "GetMetricData",
        MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
        StartTime=when,
        EndTime=datetime.fromtimestamp(EPOCH + 60, UTC),
    )
    (result,) = answer["MetricDataResults"]
    assert (result["Values"], result["Timestamps"], result["StatusCode"]) == ([3.0], [when], "Complete")


def test_cbor_errors_carry_shape_and_code(account: Account) -> None:
    answer, headers = call(account, "SetAlarmState", AlarmName="none", StateValue="OK", StateReason="x")
    assert answer["Error"]["Code"] == "ResourceNotFound" and answer["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert headers["x-amzn-query-error"] == "ResourceNotFound;Sender" and headers["x-amzn-requestid"]
    account.standin.control(
        "POST", "faults", match={"account": account.number, "operation": "DescribeAlarms"}, effect={"throttle": {}}
    )
    assert call(account, "DescribeAlarms")[0]["Error"]["Code"] == "Throttling"


def test_a_cbor_body_that_is_none_is_refused(account: Account) -> None:
    path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
    for body in (b"\xff", b"\xa1", b"\x9b" + b"\xff" * 8, b"\x81" * 5000, b"\xa0\xa0"):
        status, _, data = send(
            account, "POST", path, body, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        )
        assert (status, cbor.loads(data)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x9f\x01\x20\xff", [1, -1]),
        (b"\xbf\x61a\x01\xff", {"a": 1}),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\x5f\x41a\x41b\xff", b"ab"),
        (b"\xf9\x3c\x00", 1.0),
        (b"\xfa\x3f\xc0\x00\x00", 1.5),
        (b"\x82\xf6\xf5", [None, True]),
        (b"\xc1\xfb" + struct.pack(">d", 1.25), 1.25),
        (b"\x1b" + (2**40).to_bytes(8, "big"), 2**40),
    ],
)
def test_every_form_of_cbor_item_is_read(data: bytes, value: Any) -> None:
    assert cbor.loads(data) == value
    assert cbor.loads(cbor.dumps(value)) == value


def test_cloudwatch_speaks_the_query_protocol_of_older_sdks(account: Account) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = {
        "Action": "PutMetricData",
        "Namespace": "N",
        "MetricData.member.1.MetricName": "M",
        "MetricData.member.1.Value": "4",
        "MetricData.member.1.Dimensions.member.1.Name": "D",
        "MetricData.member.1.Dimensions.member.1.Value": "<&>",
    }
    status, _, data = send(account, "POST", "/", urlencode(form).encode(), headers)
    assert status == 200 and b"<PutMetricDataResponse" in data
    status, _, data = send(account, "POST", "/", b"Action=ListMetrics&Namespace=N", headers)
    assert b"<member><Name>D</Name><Value>&lt;&amp;&gt;</Value></member>" in data
    form = {"Action": "SetAlarmState", "AlarmName": "none", "StateValue": "OK", "StateReason": "x"}
    status, _, data = send(account, "POST", "/", urlencode(form).encode(), headers)
    assert status == 404 and b"<Type>Sender</Type><Code>ResourceNotFound</Code>" in data


def test_lambda_errors_have_the_shape_of_rest_json(account: Account) -> None:
    status, headers, data = send(account, "GET", "/2015-03-31/functions/none", b"", {}, service="lambda")
    assert (status, headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    body = json.loads(data)
    assert body["Type"] == "User" and body["message"].startswith("Function not found: ")
    assert headers["x-amzn-requestid"]


def test_a_body_that_is_no_json_is_refused(account: Account) -> None:
    for body in (b"{", b"[]", b'{"FunctionName": 5}', b'{"Code": {"ZipFile": "!"}}', b"\xff"):
        status, headers, _ = send(account, "POST", "/2015-03-31/functions", body, {}, service="lambda")
        assert status == 400 and headers["x-amzn-errortype"] in (
            "InvalidRequestContentException",
            "SerializationException",
        )


def test_a_chunked_body_is_read(account: Account) -> None:
    connection = http.client.HTTPConnection(urlparse(account.standin.endpoint).netloc, timeout=10)
    credential = f"AWS4-HMAC-SHA256 Credential={account.keys[0]}/{SCOPE.format(service='monitoring')}"
    headers = {"Authorization": credential, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/", iter([b"Action=Lis", b"tMetrics"]), headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


def test_bytes_that_are_no_http_close_the_connection_only(standin: Standin) -> None:
    address = urlparse(standin.endpoint)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.connect()
    connection.sock.sendall(b"nonsense\r\n\r\n")
    assert connection.sock.recv(100) == b""
    connection.close()
    assert standin.control("GET", "clock")["scale"] == 1.0


def test_an_unknown_control_command_says_what_there_is(standin: Standin) -> None:
    with pytest.raises(ValueError, match="no command GET nothing; there are GET calls"):
        standin.control("GET", "nothing")
    with pytest.raises(ValueError, match="unknown acount"):
        standin.control("POST", "metrics", acount="1", namespace="N", name="m", points=[])


def test_a_required_member_that_is_missing_is_named(account: Account) -> None:
    error, status, message = error_of(account.lambda_.create_alias, FunctionName="fn", Name="live")
    assert (error, status) == ("ValidationException", 400) and "'FunctionVersion'" in message
    query = {"Id": "m", "MetricStat": {"Period": 60, "Stat": "Sum"}}
    error, _, message = error_of(account.cloudwatch.get_metric_data, MetricDataQueries=[query], StartTime=0, EndTime=60)
    assert error == "MissingParameter" and "MetricDataQueries.member.1.MetricStat.Metric" in message
    assert error_of(account.client("sts").assume_role, RoleArn=account.role_arn)[0] == "ValidationError"


def test_a_broken_compressed_body_is_refused(account: Account) -> None:
    for headers in (
        {"smithy-protocol": "rpc-v2-cbor", "Content-Encoding": "gzip"},
        {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"},
    ):
        path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
        status, _, data = send(account, "POST", path if "smithy-protocol" in headers else "/", b"Action=x", headers)
        assert status == 400 and b"SerializationException" in data
