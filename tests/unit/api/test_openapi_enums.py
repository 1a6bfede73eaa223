"""Every list of words in the OpenAPI document equals the code's. A word that is missing on either side fails here.

`FROM_THE_CODE` names the enum or table of the code for each place of the document. A place that it does not name fails
too, so a new enum in the document needs an entry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args, get_type_hints

import pytest

from shared.api import openapi
from shared.api.documents import Via
from shared.api.texts.sentences import Language
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import ProblemCode
from shared.campaigns.distribution import DistributionStatus, ScheduleMode
from shared.holds.hold import HoldScope
from shared.messages.message import DeadReason, Status
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


CHANNELS = _listed(*Channel)
STATUSES = _listed(*Status)
DISTRIBUTION_STATUSES = _listed(*DistributionStatus)
COUNTRY_CODES = _listed(*COVERED)
LANGUAGES_OR_NULL = _listed(*LANGUAGES, also=(None,))
SMS_ENCODINGS = _listed(*SmsEncoding, also=(None,))
HOLD_SCOPES = _listed(*HoldScope, also=("brake",))
"""api.md lists the operator's brake, which is not built yet."""

FROM_THE_CODE: Mapping[str, Listed] = {
    "parameters/channel/schema": CHANNELS,
    "parameters/message_status/schema": STATUSES,
    "parameters/distribution_status/schema": DISTRIBUTION_STATUSES,
    "schemas/SmsIntegration/default_country": COUNTRY_CODES,
    "schemas/SmsIntegration/senders keys": COUNTRY_CODES,
    "schemas/SmsIntegration/unit_prices keys": COUNTRY_CODES,
    "schemas/SmsIntegrationView/default_country": COUNTRY_CODES,
    "schemas/SmsIntegrationView/senders keys": COUNTRY_CODES,
    "schemas/SmsIntegrationView/unit_prices keys": COUNTRY_CODES,
    "schemas/TestOrder/language": LANGUAGES_OR_NULL,
    "schemas/TestResult/status": _listed(Status.SENT),
    "schemas/Recipient/language": LANGUAGES_OR_NULL,
    "schemas/Defaults/language": LANGUAGES_OR_NULL,
    "schemas/TextContent/sms_encoding": SMS_ENCODINGS,
    "schemas/TemplateContent/sms_encoding": SMS_ENCODINGS,
    "schemas/Fallback/channel": _listed(Channel.SMS),
    "schemas/PreviewOrder/channel": CHANNELS,
    "schemas/PreviewValid/valid": _listed(True),
    "schemas/PreviewValid/country": COUNTRY_CODES,
    "schemas/PreviewValid/mode": _listed(*Mode),
    "schemas/PreviewValid/encoding": _listed(*Encoding, also=(None,)),
    "schemas/PreviewInvalid/valid": _listed(False),
    "schemas/MessageOrder/channel": CHANNELS,
    "schemas/MessageAccepted/status": _listed(Status.PENDING),
    "schemas/Message/channel": CHANNELS,
    "schemas/Message/status": STATUSES,
    "schemas/Message/hold/oneOf/0/scope": HOLD_SCOPES,
    "schemas/Message/via": _listed(*get_args(Via.__value__)),
    "schemas/UploadOrder/format": _listed(*UPLOAD_TYPES),
    "schemas/Upload/method": _listed("PUT"),
    "schemas/Schedule/mode": _listed(*ScheduleMode),
    "schemas/Schedule/if/mode": _listed(ScheduleMode.AT),
    "schemas/DistributionOrder/channel": CHANNELS,
    "schemas/Distribution/channel": CHANNELS,
    "schemas/Distribution/status": DISTRIBUTION_STATUSES,
    "schemas/Distribution/columns/items/field": _listed(*FIELDS, also=(None,)),
    "schemas/Distribution/counts keys": STATUSES,
    "schemas/Distribution/fallback/counts keys": STATUSES,
    "schemas/Distribution/holds/items/scope": HOLD_SCOPES,
    "schemas/Statistics/counts keys": STATUSES,
    "schemas/DeadLetter/channel": CHANNELS,
    "schemas/DeadLetter/reason": _listed(*DeadReason),
    "schemas/RedriveAll/all": _listed(True),
    "schemas/ConsentState/state": _listed(*ConsentState, also=("unknown",)),
    "schemas/Template/channel": CHANNELS,
    "schemas/Template/origin": _listed(*get_args(get_type_hints(Usable)["origin"])),
    "schemas/Template/status": _listed(*TemplateStatus),
    "schemas/Template/use_case": _listed(*(one.use_case for one in READY_MADE.values()), also=(None,)),
    "schemas/TemplateSubmitted/status": _listed(TemplateStatus.PENDING),
    "schemas/ChannelHealth/templates/items/status": _listed(*TemplateStatus, also=(None,)),
    "schemas/Problem/code": _listed(*ProblemCode),
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
    sixth = {**FROM_THE_CODE, "schemas/Message/status": _listed(*Status, "bounced")}
    assert list(differences(openapi.document(), sixth)) == ["schemas/Message/status: only the code has 'bounced'"]
    five = {**FROM_THE_CODE, "schemas/Message/status": _listed(*(set(Status) - {Status.READ}))}
    assert list(differences(openapi.document(), five)) == ["schemas/Message/status: only the document has 'read'"]
