"""The default clock of a function, and where boto3 finds S3."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.session import Session

from shared.app.runtime import MissingSettingError, system_clock
from shared.storage.aws import Aws


def test_by_default_it_has_the_machines_time() -> None:
    before = datetime.now(UTC)
    assert before <= system_clock({"CLOCK_STARTS_AT": ""}).now() <= datetime.now(UTC)


def test_it_starts_at_the_given_instant_and_runs_on() -> None:
    start = datetime(2026, 11, 23, 10, tzinfo=UTC)
    before = datetime.now(UTC)
    clock = system_clock({"CLOCK_STARTS_AT": "2026-11-23T11:00:00+01:00"})
    first, second = clock.now(), clock.now()
    assert start <= first <= second <= start + (datetime.now(UTC) - before)
    assert first.utcoffset() == timedelta(0)


@pytest.mark.parametrize("wrong", ["noon", "2026-11-23T10:00:00"])
def test_an_invalid_instant_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"zone|noon"):
        system_clock({"CLOCK_STARTS_AT": wrong})


def test_the_variable_must_be_there() -> None:
    """If the template forgot the variable, the function must not run on silently."""
    with pytest.raises(MissingSettingError):
        system_clock({})


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("", "https://payloads.s3.eu-west-1.amazonaws.com/key?"),
        ("http://host.docker.internal:8001", "http://host.docker.internal:8001/payloads/key?"),
    ],
)
def test_a_bucket_has_a_host_of_its_own_on_aws_only(monkeypatch: pytest.MonkeyPatch, endpoint: str, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    session = Session()
    session.set_config_variable("region", "eu-west-1")
    session.set_credentials("any", "any")
    signed = Aws(session).s3.generate_presigned_url("put_object", Params={"Bucket": "payloads", "Key": "key"})
    assert signed.startswith(url)
