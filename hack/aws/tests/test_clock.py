"""The stand-in clock, and how the stand-in starts and ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from conftest import REGION, Account, Standin


def test_the_clock_starts_at_its_epoch_and_runs_at_its_scale() -> None:
    standin = Standin(
        "--clock-epoch",
        "2026-12-05T23:00:00Z",
        "--clock-scale",
        "60",
        "--lambda-rate",
        "off",
        "--state-delays",
        "all=0,create=7",
    )
    began = time.monotonic()
    first = standin.control("GET", "clock")
    assert first["iso"].startswith("2026-12-05T23:0")
    second = standin.control("POST", "clock", advance=1000)
    elapsed = time.monotonic() - began
    assert 1000 <= second["now"] - first["now"] <= 1000 + 60 * elapsed
    account = Account(standin, "100000000001")
    standin.control("POST", "clock", scale=0)
    account.create()
    assert account.world()["functions"]["fn"]["latest"]["State"] == "Pending"
    standin.advance(7)
    assert account.world()["functions"]["fn"]["latest"]["State"] == "Active"
    account.lambda_.publish_version(FunctionName="fn")
    assert account.world()["functions"]["fn"]["versions"]["1"]["State"] == "Active"
    assert standin.stop() == 0


def test_time_stamps_of_functions_and_of_moto_follow_the_clock(account: Account) -> None:
    now = account.standin.control("GET", "clock")["now"]
    created = account.create()["LastModified"]
    assert created.startswith(time.strftime("%Y-%m-%dT%H:", time.gmtime(now)))
    topics = account.client("dynamodb").create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    assert abs(topics["TableDescription"]["CreationDateTime"].timestamp() - now) < 60


def test_credentials_expire_by_the_real_clock_that_sdks_compare_with(account: Account) -> None:
    answer = account.standin.client("sts").assume_role(
        RoleArn=account.role_arn, RoleSessionName="session", DurationSeconds=900
    )
    assert 890 <= answer["Credentials"]["Expiration"].timestamp() - time.time() <= 901


def test_a_scale_above_sixty_and_a_clock_that_goes_back_are_refused(standin: Standin) -> None:
    with pytest.raises(ValueError, match="scale must be 0 to 60"):
        standin.control("POST", "clock", scale=61)
    with pytest.raises(ValueError, match="only goes forward"):
        standin.control("POST", "clock", advance=-1)


def test_the_stand_in_ends_when_its_standard_input_closes() -> None:
    standin = Standin()
    assert standin.control("GET", "clock")["scale"] == 1.0
    assert standin.stop() == 0


def test_rds_and_dynamodb_of_moto_answer_what_checks_read(account: Account) -> None:
    rds = account.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="u",
        MasterUserPassword="password1",
    )
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier="db")["DBInstances"]
    assert (instance["DBInstanceStatus"], instance["DBInstanceArn"].split(":")[3:5]) == (
        "available",
        [REGION, account.number],
    )
    assert rds.describe_db_clusters()["DBClusters"] == []


def test_no_file_names_a_host_of_a_package_index() -> None:
    root = Path(__file__).resolve().parents[1]
    for path in (root / "requirements.txt", root / "requirements.in", root / "setup.sh"):
        assert "://" not in path.read_text(), path
