"""The local stack with the real template, as api.md, "The local stack", describes it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from shared.base.instants import from_rfc3339
from tests.stack.programme import Programme
from tests.stack.running import START, RunningStack
from tests.waiting import http


def test_the_public_routes_need_no_token(stack: RunningStack) -> None:
    for path in ("/health", "/openapi.json", "/docs"):
        assert http().get(stack.base_url + path).status_code == 200, path


def test_every_other_route_of_the_product_needs_a_token(stack: RunningStack) -> None:
    for path in ("/v1/messages", "/v1/templates", "/v1/distributions"):
        answer = http().get(stack.base_url + path)
        assert (answer.status_code, answer.text) == (401, '{"message":"Unauthorized"}'), path


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/v1/nothing"), ("DELETE", "/v1/messages"), ("GET", "/v1/messages/")]
)
def test_an_unknown_route_is_404_in_the_gateways_words(stack: RunningStack, method: str, path: str) -> None:
    answer = http().request(method, stack.base_url + path)
    assert (answer.status_code, answer.text) == (404, '{"message":"Not Found"}')


def test_a_good_token_is_accepted_and_an_expired_or_forged_one_refused(stack: RunningStack) -> None:
    def status(token: str) -> int:
        return http().get(f"{stack.base_url}/v1/messages", headers={"authorization": f"Bearer {token}"}).status_code

    assert status(stack.token()) == 200
    assert status(stack.token(expires=-60)) == 401
    assert status(stack.token()[:-8] + "AAAAAAAA") == 401


def test_a_browser_of_the_front_end_may_call(stack: RunningStack) -> None:
    headers = {
        "origin": "http://localhost:5173",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }
    answer = httpx2.options(f"{stack.base_url}/v1/messages", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"


def test_the_clock_goes_forwards_only(stack: RunningStack) -> None:
    now = stack.now()
    stack.move_to(now + timedelta(seconds=1))
    past = {"now": (now - timedelta(hours=1)).isoformat()}
    assert http().post(f"{stack.base_url}/_local/clock", json=past).status_code == 400
    assert stack.now() > now


def test_every_part_of_the_template_is_deployed(stack: RunningStack) -> None:
    dynamodb = stack.aws("dynamodb")
    for table in (stack.output("LogTableName"), stack.output("StateTableName")):
        assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    secret = stack.aws("secretsmanager").get_secret_value(SecretId=stack.output("NumberKeySecretArn"))
    assert len(secret["SecretString"]) == 64
    assert stack.aws("scheduler").list_schedules()["Schedules"]


def test_the_log_holds_no_path_and_no_token(stack: RunningStack) -> None:
    http().post(f"{stack.base_url}/webhooks/orange/demo/a-secret-path-token", json={})
    token = stack.token()
    http().get(f"{stack.base_url}/v1/messages?campaign_id=quiet", headers={"authorization": f"Bearer {token}"})
    log = stack.log()
    assert "POST /webhooks/orange/{organisation_id}/{token}" in log
    assert "a-secret-path-token" not in log
    assert "quiet" not in log
    assert token not in log


def test_the_log_has_the_same_time_as_the_api(programme: Programme) -> None:
    """Every line and every metric of the stack and its functions has the stack's clock, so that they can be
    compared."""
    stack = programme.stack
    asked = programme.ok(programme.send(programme.recipient(8200)))
    programme.settled(asked["message_id"], "delivered")
    lines = [json.loads(line) for line in stack.log().splitlines() if line.startswith("{")]
    written = [_written_at(line) for line in lines]
    assert {line.get("service") for line in lines} >= {"send_sms", "webhook"}
    assert any("_aws" in line for line in lines)
    assert from_rfc3339(START) <= min(written) <= max(written) <= stack.now()
    [moved] = [line for line in lines if line.get("message_id") == asked["message_id"] and line.get("status") == "sent"]
    shown = from_rfc3339(programme.message(asked["message_id"])["sent_at"])
    assert shown <= _written_at(moved) < shown + timedelta(minutes=1)


def _written_at(line: dict[str, Any]) -> datetime:
    if "_aws" in line:
        return datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC)
    return from_rfc3339(line["timestamp"])
