"""Records exchanges, scene by scene."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import httpx2

from local.tokens import ALL_SCOPES
from tests.recording.normalise import Normaliser
from tests.recording.stack import Stack

type Json = dict[str, Any]

LANGUAGES = ("en", "fr")
SHOWN_HEADERS = ("accept-language", "accept", "content-type", "idempotency-key", "origin", "x-hub-signature-256")
"""Headers of a request that the recording shows."""
MOST_SHOWN = 20_000
"""Bytes of a request's body. Of a longer body the recording shows only the length."""


class Operation(NamedTuple):
    """One operation of the served OpenAPI document."""

    name: str
    method: str
    path: str
    statuses: tuple[str, ...]


class Tape:
    """All exchanges of a run, and the operations that the stack serves."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.exchanges: list[Json] = []
        document = stack.client.get(f"{stack.base_url}/openapi.json").raise_for_status().json()
        self.operations = operations(document)

    def operation(self, method: str, path: str) -> str | None:
        """The operation of a request. A path without variables comes first."""
        matching = [one for one in self.operations if one.method == method and _pattern(one.path).fullmatch(path)]
        return min(matching, key=lambda one: one.path.count("{")).name if matching else None


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """The operations of an OpenAPI document, in its order."""
    return [
        Operation(name=one["operationId"], method=method.upper(), path=path, statuses=tuple(sorted(one["responses"])))
        for path, methods in document["paths"].items()
        for method, one in methods.items()
        if isinstance(one, dict) and "operationId" in one
    ]


class Scene:
    """One organisation and its requests. Its name is in each exchange's name, and placeholders count within it."""

    def __init__(self, tape: Tape, name: str, organisation: str | None = None) -> None:
        self.tape = tape
        self.stack = tape.stack
        self.name = name
        self.organisation = organisation or f"rec-{name.replace(' ', '-')}"
        self._normaliser = Normaliser()
        self._steps = 0
        self._serial = 0
        self._tokens: dict[tuple[str | None, tuple[str, ...], str], str] = {}

    @property
    def phone_number_id(self) -> str:
        """Always the same for an organisation."""
        return str(10**11 + int(hashlib.sha256(self.organisation.encode()).hexdigest()[:10], 16) % 10**11)

    @property
    def account(self) -> str:
        """The organisation's business account at Meta."""
        return f"9{self.phone_number_id}"

    def serial(self) -> int:
        """A number that this scene has not used, from 1."""
        self._serial += 1
        return self._serial

    def bearer(
        self, organisation: str | None = None, scopes: Sequence[str] = ALL_SCOPES, subject: str = "an-officer"
    ) -> dict[str, str]:
        """The header with a token of a person of this organisation, or of another one."""
        who = organisation or self.organisation
        key = (who, tuple(scopes), subject)
        if key not in self._tokens:
            self._tokens[key] = self.stack.token(who, scopes, subject=subject)
        return {"authorization": f"Bearer {self._tokens[key]}"}

    def call(
        self,
        method: str,
        path: str,
        *,
        language: str = "en",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        token: Mapping[str, str] | None = None,
        unordered: bool = False,
        keep_hours: bool = True,
        varying: Sequence[str] = (),
        as_text: str = "",
    ) -> httpx2.Response:
        """One recorded exchange.

        `token`: the Authorization header, by default the organisation's own. `as_text`: a remark about the request, for
        example that its token has expired. `varying`: fields that depend on the exact time of the call. `unordered`,
        `keep_hours`: as in `Normaliser.body`.
        """
        asked = {"accept-language": language, **(self.bearer() if token is None else token), **(headers or {})}
        url = path if path.startswith("http") else self.stack.base_url + path
        answer = self.stack.client.request(method, url, headers=asked, json=json, content=content)
        self._steps += 1
        names = self._normaliser
        request = _request(names, method, path, asked, answer.request.content)
        body = names.body(answer.content, unordered=unordered, keep_hours=keep_hours)
        if isinstance(body, dict):
            body |= {name: "<varies>" for name in varying if name in body}
        self.tape.exchanges.append(
            {
                "name": f"{self.name} {self._steps:03d}",
                "operation": self.tape.operation(method, path.partition("?")[0]),
                "language": asked["accept-language"],
                "request": request | ({"of": as_text} if as_text else {}),
                "status": answer.status_code,
                "headers": names.headers(answer.headers, answer.content),
                "body": body,
            }
        )
        return answer

    def both(self, method: str, path: str, **asked: Any) -> httpx2.Response:
        """The same in English and in French. Returns the answer in English."""
        answers = [self.call(method, path, language=language, **asked) for language in LANGUAGES]
        return answers[0]

    def quietly(self, method: str, path: str, **asked: Any) -> httpx2.Response:
        """A request that is not recorded, with which the script waits for something."""
        headers = self.bearer() | dict(asked.pop("headers", {}))
        return self.stack.client.request(method, self.stack.base_url + path, headers=headers, **asked)

    def note(self, what: str, items: list[Any]) -> None:
        """Records what a simulator knows. The order of messages is unknown in advance."""
        self._steps += 1
        self.tape.exchanges.append(
            {
                "name": f"{self.name} {self._steps:03d}",
                "operation": None,
                "language": None,
                "request": {"method": "GET", "path": what},
                "status": 200,
                "headers": {},
                "body": self._normaliser.value(self._normaliser.in_any_order(items)),
            }
        )

    def ok(self, answer: httpx2.Response) -> Json:
        """The body of an answer. Raises if the request failed, because the script cannot go on."""
        if not answer.is_success:
            raise RuntimeError(f"{self.name}: {answer.request.method} {answer.request.url}: {answer.text}")
        body: Json = answer.json() if answer.content else {}
        return body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.settle()


def _request(names: Normaliser, method: str, path: str, headers: Mapping[str, str], content: bytes) -> Json:
    """The recorded request; of a long body only its length."""
    shown = {name: names.text(headers[name]) for name in SHOWN_HEADERS if name in headers}
    if len(shown.get("x-hub-signature-256", "")) > len("sha256=") + 32:
        shown["x-hub-signature-256"] = "<signature>"
    request: Json = {"method": method, "path": names.text(path), "headers": shown}
    if content:
        request["body"] = names.body(content) if len(content) <= MOST_SHOWN else f"{len(content)} bytes"
    return request


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path)))


def written(exchanges: Sequence[Json], coverage: Json) -> str:
    """The file's text."""
    return json.dumps({"coverage": coverage, "exchanges": exchanges}, indent=1, ensure_ascii=False) + "\n"
