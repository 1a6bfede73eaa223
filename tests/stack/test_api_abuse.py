"""Requests that no front end sends: paths that almost name a thing, and bodies that are too deep or too long."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pytest

from shared.base.instants import format_instant
from tests.contract.tricks import tricks
from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack

LEADS_NOWHERE = {400, 401, 403, 404}
READS = (
    "GET /v1/messages/{}",
    "GET /v1/distributions/{}",
    "GET /v1/distributions/{}/errors",
    "GET /v1/distributions/{}/duplicates",
)
WRITES = ("POST /v1/messages/{}/resend", "POST /v1/distributions/{}/confirm", "POST /v1/distributions/{}/cancel")
CAMPAIGN = "campaign-of-the-owner"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An organisation with a waiting message and a distribution without confirmation."""

    programme: Programme
    message_id: str
    distribution_id: str

    def named(self, path: str) -> str:
        return self.message_id if "messages" in path else self.distribution_id

    def state(self) -> tuple[Json, Json]:
        """Without the estimated end, which is computed from the present time."""
        distribution = self.programme.distribution(self.distribution_id)
        return self.programme.message(self.message_id), distribution | {"estimated_end": None}


@pytest.fixture(scope="module")
def owner(stack: RunningStack) -> Iterator[Owner]:
    with Programme(stack, "owner-of-paths") as programme:
        later = format_instant(programme.stack.now() + timedelta(days=2))
        person = programme.recipient(DELIVERED)
        sent = programme.ok(programme.send(person, campaign_id=CAMPAIGN, send_at=later))
        rows = [person, programme.recipient(1, phone="N/A")]
        planned = programme.ok(programme.distribute(recipients=rows, campaign_id=CAMPAIGN))
        yield Owner(programme=programme, message_id=sent["message_id"], distribution_id=planned["distribution_id"])


def on_the_wire(stack: RunningStack, method: str, path: str, token: str) -> tuple[int, str]:
    """Sends the path as it is; the other client would normalise dots and signs."""
    connection = http.client.HTTPConnection(stack.base_url.removeprefix("http://"), timeout=35)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("route", [*READS, *WRITES])
def test_a_path_that_almost_names_a_thing_is_404(owner: Owner, route: str) -> None:
    """Neither another organisation nor the owner reaches anything by such a path. The owner finds it by its own
    path."""
    method, path = route.split(" ")
    stack, before = owner.programme.stack, owner.state()
    strange, own = stack.token("a-stranger"), stack.token(owner.programme.organisation)
    whole = path.format(owner.named(path))
    assert on_the_wire(stack, method, whole, strange)[0] == 404
    if route in READS:
        assert on_the_wire(stack, method, whole, own)[0] == 200
    for trick in tricks(owner.named(path), below=owner.programme.organisation, beside=path.split("/")[2]):
        for token in (strange, own):
            status, reported = on_the_wire(stack, method, path.format(trick), token)
            assert status in LEADS_NOWHERE, (trick, status, reported)
            assert CAMPAIGN not in reported, trick
    assert owner.state() == before


def deep(levels: int) -> str:
    return '{"x":' * levels + "1" + "}" * levels


BODIES = {
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "another encoding": json.dumps({"channel": "sms"}).encode("utf-16"),
    "HTML": b"<html>502 Bad Gateway</html>",
    "a number": b"1e400",
    "not a number": b'{"channel": NaN}',
    "many digits": b'{"channel": ' + b"9" * 100_000 + b"}",
    "a lone surrogate": b'{"channel": "\\ud800"}',
    "deep lists": b"[" * 200_000,
    "deep lists that end": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": deep(50_000).encode(),
    **{f"{levels} deep in a field": f'{{"content": {deep(levels)}}}'.encode() for levels in (100, 900, 3_000)},
}
TAKERS = ("POST /v1/messages", "POST /v1/distributions", "POST /v1/preview", "POST /v1/consents",
          "PUT /v1/integrations/dhis2", "POST /v1/messages/lookup", "POST /v1/dead-letters/redrive")  # fmt: skip


@pytest.mark.parametrize("shape", BODIES)
def test_a_malformed_body_is_a_bad_request(owner: Owner, shape: str) -> None:
    for route in TAKERS:
        answer = ask(owner, route, BODIES[shape])
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), (route, answer.text)


def ask(owner: Owner, route: str, body: bytes) -> httpx2.Response:
    method, path = route.split(" ")
    headers = {"Content-Type": "application/json", "Idempotency-Key": "abuse"}
    return owner.programme.api.request(method, path, headers=headers, content=body)


@pytest.mark.parametrize("levels", [100, 900, 3_000, 100_000])
def test_a_deeply_nested_entity_never_fails_the_function(owner: Owner, levels: int) -> None:
    """A tracked entity may have any fields, as DHIS2 sends it."""
    entity = f'{{"dhis2": {{"attributes": [], "x": {deep(levels)}}}}}'
    said, here = {"channel": "sms", "content": {"text": "Bonjour"}}, "the entity"
    for route, body in (
        ("POST /v1/messages", said | {"campaign_id": "c-1", "recipient": here}),
        ("POST /v1/distributions", said | {"campaign_id": "c-1", "recipients": [here]}),
        ("POST /v1/preview", said | {"recipients": [here]}),
    ):
        answer = ask(owner, route, json.dumps(body).replace(f'"{here}"', entity).encode())
        assert answer.status_code in {200, 201, 400, 409, 422}, (route, answer.status_code, answer.text[:300])


@pytest.mark.parametrize("size", [4_000_001, 5 * MEGABYTE])
def test_a_body_over_the_limit_is_refused(owner: Owner, size: int) -> None:
    for route in TAKERS:
        code = "use_upload" if route.endswith("distributions") else "too_large"
        answer = ask(owner, route, b"{}".ljust(size))
        assert (answer.status_code, answer.json()["code"]) == (413, code), route


def test_a_body_over_the_gateways_limit_reaches_no_function(owner: Owner) -> None:
    """API Gateway refuses a body over 10 MB."""
    for route in TAKERS[:2]:
        assert ask(owner, route, b"{}".ljust(11 * MEGABYTE)).status_code == 413


@pytest.mark.parametrize("query", ["campaign_id=" + "a" * 4_000, "cursor=" + "%41" * 3_000, "limit=" + "9" * 3_000,
                                   "from=" + "%00" * 50, "status=%ff", "campaign_id=a&campaign_id=b", "limit=1&limit=2",
                                   "organisation_id=demo"])  # fmt: skip
def test_a_malformed_query_is_a_bad_request(owner: Owner, query: str) -> None:
    stack = owner.programme.stack
    status, reported = on_the_wire(stack, "GET", f"/v1/messages?{query}", stack.token(owner.programme.organisation))
    assert (status, json.loads(reported).get("code")) == (400, "bad_request"), reported[:300]
