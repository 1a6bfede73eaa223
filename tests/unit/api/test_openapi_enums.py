"""Every list of words in the OpenAPI document equals the code's. A word that is missing on either side fails here.

`FROM_THE_CODE` names the enum or table of the code for each place of the document. A place that it does not name fails
too, so a new enum in the document needs an entry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args, get_type_hints

import pytest

from shared.api import openapi
from shared.api.texts.sentences import Language, TextKind, known_codes
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import ProblemCode
from shared.campaigns.distribution import DistributionStatus, ScheduleMode
from shared.exports.export import ExportStatus, Kind
from shared.holds.hold import HoldScope
from shared.messages.message import DeadReason, Status, Via
from shared.messages.payload import Channel, Mode
from shared.policy.consent import ConsentState
from shared.recipients.countries import COVERED
from shared.recipients.recipient import FIELDS, LANGUAGES
from shared.storage.files import UPLOAD_TYPES
from shared.texts.content import SmsEncoding
from shared.texts.sms import Encoding
from shared.texts.templates import READY_MADE, Usable
from shared.webhooks.updates import TemplateStatus

type Words = frozenset[JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The words that one place of the document must list. `also`: words of the document alone, such as `null`."""

    code: Words
    also: Words = field(default=frozenset())


def _listed(*code: JsonValue, also: tuple[JsonValue, ...] = ()) -> Listed:
    return Listed(code=frozenset(code), also=frozenset(also))


STATUSES = _listed(*Status)
COUNTRY_CODES = _listed(*COVERED)

FROM_THE_CODE: Mapping[str, Listed] = {
    "schemas/Channel": _listed(*Channel),
    "schemas/Language": _listed(*LANGUAGES),
    "schemas/Country": COUNTRY_CODES,
    "schemas/MessageStatus": STATUSES,
    "schemas/DistributionStatus": _listed(*DistributionStatus),
    "schemas/Via": _listed(*get_args(Via.__value__)),
    "schemas/MessageMode": _listed(*Mode),
    "schemas/SmsEncoding": _listed(*SmsEncoding),
    "schemas/TextEncoding": _listed(*Encoding),
    "schemas/UploadFormat": _listed(*UPLOAD_TYPES),
    "schemas/RecipientField": _listed(*FIELDS),
    "schemas/ScheduleMode": _listed(*ScheduleMode),
    "schemas/HoldScope": _listed(*HoldScope, also=("brake",)),  # api.md lists the operator's brake; it is not built yet
    "schemas/ExportKind": _listed(*Kind),
    "schemas/ExportStatus": _listed(*ExportStatus),
    "schemas/ConsentStatus": _listed(*ConsentState, also=("unknown",)),
    "schemas/TemplateOrigin": _listed(*get_args(get_type_hints(Usable)["origin"])),
    "schemas/TemplateStatus": _listed(*TemplateStatus),
    "schemas/UseCase": _listed(*(one.use_case for one in READY_MADE.values())),
    "schemas/DeadLetterReason": _listed(*DeadReason),
    "schemas/ProblemCode": _listed(*ProblemCode),
    "schemas/FieldCode": _listed(*known_codes(TextKind.FIELD, "en")),
    "schemas/Reason": _listed(*known_codes(TextKind.FIELD, "en"), *known_codes(TextKind.REASON, "en")),
    "schemas/StatusReason": _listed(*known_codes(TextKind.STATUS_REASON, "en")),
    "schemas/WarningCode": _listed(*known_codes(TextKind.WARNING, "en")),
    "schemas/Senders keys": COUNTRY_CODES,
    "schemas/SendersOrder keys": COUNTRY_CODES,
    "schemas/UnitPrices keys": COUNTRY_CODES,
    "schemas/UnitPricesOrder keys": COUNTRY_CODES,
    "schemas/UnitPricesPatch keys": COUNTRY_CODES,
    "schemas/TestResult/status": _listed(Status.SENT),
    "schemas/Fallback/channel": _listed(Channel.SMS),
    "schemas/PreviewValid/valid": _listed(True),
    "schemas/PreviewInvalid/valid": _listed(False),
    "schemas/MessageAccepted/status": _listed(Status.PENDING),
    "schemas/ExportAccepted/status": _listed(ExportStatus.RUNNING),
    "schemas/Upload/method": _listed("PUT"),
    "schemas/Schedule/if/mode": _listed(ScheduleMode.AT),
    "parameters/group/schema": _listed("day"),
    "schemas/Counts keys": STATUSES,
    "schemas/RedriveAll/all": _listed(True),
    "schemas/TemplateSubmitted/status": _listed(TemplateStatus.PENDING),
    "schemas/Health/status": _listed("ok"),
}
KEYED_BY = (frozenset(map(str, COVERED)), frozenset(map(str, Status)))
"""Objects whose property names are words of the code."""


def _lists(node: JsonValue, place: str = "") -> Iterator[tuple[str, list[JsonValue]]]:
    """(place, words) of every enum and constant, and of every object with words of the code as keys."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _lists(item, f"{place}/{index}")
    if not isinstance(node, dict):
        return
    if isinstance(words := node.get("enum"), list):
        yield place, words
    elif "const" in node and not isinstance(node["const"], dict):
        yield place, [node["const"]]
    elif isinstance(properties := node.get("properties"), dict) and any(
        len(properties.keys() & all_) > 1 for all_ in KEYED_BY
    ):
        yield f"{place} keys", list(properties)
    for name, inner in node.items():
        yield from _lists(inner, place if name == "properties" else f"{place}/{name}".removeprefix("/components/"))


def differences(document: JsonObject, table: Mapping[str, Listed]) -> Iterator[str]:
    """One sentence for each word or place that only one side has."""
    found = dict(_lists(document))
    yield from (f"{place}: the table of this test does not name it" for place in found.keys() - table.keys())
    yield from (f"{place}: the document has no such list" for place in table.keys() - found.keys())
    for place in found.keys() & table.keys():
        words, wanted = frozenset(found[place]), table[place]
        yield from (f"{place}: only the code has {word!r}" for word in wanted.code - words)
        yield from (f"{place}: only the document has {word!r}" for word in words - wanted.code - wanted.also)
        yield from (f"{place}: the code has {word!r} now, so it is no exception" for word in wanted.code & wanted.also)
        yield from (f"{place}: the document no longer has {word!r}" for word in wanted.also - words)
        if len(words) < len(found[place]):
            yield f"{place}: a word stands twice"


def test_every_list_of_words_is_the_code_s() -> None:
    assert sorted(differences(openapi.document(), FROM_THE_CODE)) == []


def test_answers_are_written_in_the_languages_that_a_recipient_may_have() -> None:
    assert get_args(Language.__value__) == LANGUAGES


_TOY: JsonObject = {"components": {"schemas": {"Pet": {"properties": {"kind": {"enum": ["cat", "dog", None]}}}}}}
_KINDS = {"schemas/Pet/kind": _listed("cat", "dog", also=(None,))}


@pytest.mark.parametrize(
    ("table", "reported"),
    [
        (_KINDS, None),
        ({"schemas/Pet/kind": _listed("cat", "dog", "cow", also=(None,))}, "only the code has 'cow'"),
        ({"schemas/Pet/kind": _listed("cat", also=(None,))}, "only the document has 'dog'"),
        ({"schemas/Pet/kind": _listed("cat", "dog")}, "only the document has None"),
        ({"schemas/Pet/kind": _listed("cat", "dog", also=("dog", None))}, "the code has 'dog' now"),
        ({"schemas/Pet/kind": _listed("cat", "dog", also=("fox", None))}, "the document no longer has 'fox'"),
        ({}, "the table of this test does not name it"),
        ({**_KINDS, "schemas/Pet/size": _listed("big")}, "the document has no such list"),
    ],
)
def test_a_word_on_one_side_alone_is_reported(table: Mapping[str, Listed], reported: str | None) -> None:
    found = list(differences(_TOY, table))
    assert len(found) == (reported is not None)
    assert all(reported is not None and reported in one for one in found)


def test_a_new_status_in_the_code_or_in_the_document_is_reported() -> None:
    """With the real document and table, and a sixth status on one side."""
    place = "schemas/MessageStatus"
    sixth = {**FROM_THE_CODE, place: _listed(*Status, "bounced")}
    assert list(differences(openapi.document(), sixth)) == [f"{place}: only the code has 'bounced'"]
    five = {**FROM_THE_CODE, place: _listed(*(set(Status) - {Status.READ}))}
    assert list(differences(openapi.document(), five)) == [f"{place}: only the document has 'read'"]


def test_every_list_of_words_has_a_name() -> None:
    """Clients get one type for each list, instead of a copy at each place that uses it."""
    lists = (place.split("/") for place, words in _lists(openapi.document()) if len(words) > 1)
    assert ["/".join(place) for place in lists if len(place) > 2] == []
