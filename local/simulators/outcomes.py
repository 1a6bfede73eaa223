"""Special numbers: in every country, the last four digits of a recipient choose what happens.

Meta's special numbers are the last four digits of its error codes. With a 9 first, the same error comes later, in a
webhook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cut(StrEnum):
    """How an answer goes wrong."""

    HANG = "hang"
    """No answer for `hang_seconds`, then the connection is reset."""
    RESET = "reset"
    """The connection is reset at once."""
    HTML_500 = "html_500"
    HTML_502 = "html_502"
    GARBLED = "garbled"
    """A success status with a body that cannot be read."""


class Shape(StrEnum):
    """How Orange writes a receipt."""

    DOCUMENTED = "documented"
    LIST = "list"
    """`deliveryInfo` is a list with one entry."""
    NESTED = "nested"
    """The status is in `deliveryInfo.delivery`."""
    BARE = "bare"
    """The receipt has no recipient address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happens to one message.

    `refusal` names an entry of the provider's error table. If `accepted` is False, the cut comes before the acceptance,
    so the message is never sent. `receipts` are the provider's own words, in the order in which it posts them.
    """

    summary: str
    refusal: str = ""
    once: bool = False
    first_upload: bool = False
    """The failure happens only with the first picture that is sent to the number. With any other, the message is read.
    """
    cut: Cut | None = None
    accepted: bool = True
    receipts: tuple[str, ...] = ()
    failure: int = 0
    times: int = 1
    early: bool = False
    held: bool = False
    shape: Shape = Shape.DOCUMENTED
    words: tuple[str, ...] | str | None = ()
    """What Orange adds to a refusal: the `variables` of OneAPI, as a list, a string or (None) absent."""


READ = ("sent", "delivered", "read")
ARRIVED = ("DeliveredToTerminal",)
META_DEFAULT = Outcome(summary="delivered and read", receipts=READ)
ORANGE_DEFAULT = Outcome(summary="delivered", receipts=ARRIVED)


def _broken_calls(receipts: tuple[str, ...]) -> dict[str, Outcome]:
    return {
        "0401": Outcome(summary="time-out before acceptance", cut=Cut.HANG, accepted=False),
        "0402": Outcome(summary="connection reset before acceptance", cut=Cut.RESET, accepted=False),
        "0403": Outcome(summary="time-out after acceptance; receipts come", cut=Cut.HANG, receipts=receipts),
        "0404": Outcome(summary="connection reset after acceptance; receipts come", cut=Cut.RESET, receipts=receipts),
        "0500": Outcome(summary="500 in HTML, not accepted", cut=Cut.HTML_500, accepted=False),
        "0502": Outcome(summary="502 in HTML, not accepted", cut=Cut.HTML_502, accepted=False),
        "0512": Outcome(
            summary="502 in HTML, accepted all the same; receipts come", cut=Cut.HTML_502, receipts=receipts
        ),
        "0200": Outcome(summary="success whose body is not JSON; receipts come", cut=Cut.GARBLED, receipts=receipts),
        "0603": Outcome(summary="accepted, no receipt at all"),
        "0604": Outcome(summary="each receipt twice", receipts=receipts, times=2),
        "0606": Outcome(summary="receipts before the answer", receipts=receipts, early=True),
    }


def _refused(code: int, summary: str) -> Outcome:
    return Outcome(summary=f"refused with {code}: {summary}", refusal=str(code))


def _failed(code: int, *before: str) -> Outcome:
    return Outcome(summary=f"accepted, then `failed` with {code}", receipts=(*before, "failed"), failure=code)


META: Mapping[str, Outcome] = {
    **_broken_calls(READ),
    "0429": Outcome(summary="throttled once (400, 130429), then read", refusal="130429", once=True, receipts=READ),
    "0430": Outcome(summary="throttled once (HTTP 429, 130429), then read", refusal="429", once=True, receipts=READ),
    "0503": Outcome(summary="503 with code 2 once, then read", refusal="2", once=True, receipts=READ),
    "0601": Outcome(summary="delivered, never read", receipts=("sent", "delivered")),
    "0602": Outcome(summary="sent, nothing more", receipts=("sent",)),
    "0605": Outcome(summary="out of order: read, delivered, sent", receipts=("read", "delivered", "sent")),
    "0607": Outcome(summary="read without delivered", receipts=("sent", "read")),
    "0700": Outcome(summary="held for quality assessment, then read", held=True, receipts=READ),
    "0701": Outcome(summary="held, then `failed` with 132015", held=True, receipts=("failed",), failure=132015),
    "0100": _refused(100, "bad parameter"),
    "0190": _refused(190, "token expired"),
    "0472": _refused(130472, "in a marketing experiment"),
    "1000": _refused(131000, "unknown error, HTTP 500"),
    "1016": _refused(131016, "service unavailable"),
    "1026": _refused(131026, "not on WhatsApp"),
    "1031": _refused(131031, "account locked"),
    "1042": _refused(131042, "payment problem"),
    "1047": _refused(131047, "more than 24 hours since the person's last message"),
    "1048": _refused(131048, "number restricted"),
    "1049": _refused(131049, "withheld for ecosystem health"),
    "1050": _refused(131050, "person stopped marketing"),
    "1053": _refused(131053, "the picture"),
    "1153": Outcome(
        summary="refused with 131053 with the first upload, read with another", refusal="131053", first_upload=True
    ),
    "1056": Outcome(summary="pair limit (131056) once, then read", refusal="131056", once=True, receipts=READ),
    "1057": _refused(131057, "number in maintenance"),
    "2001": _refused(132001, "template missing"),
    "2015": _refused(132015, "template paused"),
    "2016": _refused(132016, "template disabled"),
    "9000": _failed(131000),
    "9026": _failed(131026),
    "9042": _failed(131042),
    "9047": _failed(131047),
    "9048": _failed(131048),
    "9049": _failed(131049),
    "9050": _failed(131050),
    "9053": _failed(131053),
    "9153": Outcome(
        summary="accepted, then `failed` with 131053, with the first upload; read with another",
        receipts=("failed",),
        failure=131053,
        first_upload=True,
    ),
    "9126": _failed(131026, "sent"),
    "9472": _failed(130472),
}

ORANGE: Mapping[str, Outcome] = {
    **_broken_calls(ARRIVED),
    "0429": Outcome(summary="403 code 53 once, then delivered", refusal="403/53", once=True, receipts=ARRIVED),
    "0430": Outcome(summary="429 code 53 once, then delivered", refusal="429/53", once=True, receipts=ARRIVED),
    "0503": Outcome(summary="503 code 5 once, then delivered", refusal="503/5", once=True, receipts=ARRIVED),
    "0504": Outcome(summary="504 code 6, not accepted", refusal="504/6"),
    "0602": Outcome(summary="DeliveredToNetwork, nothing more", receipts=("DeliveredToNetwork",)),
    "0605": Outcome(
        summary="out of order: DeliveredToTerminal, DeliveredToNetwork",
        receipts=("DeliveredToTerminal", "DeliveredToNetwork"),
    ),
    "0608": Outcome(summary="MessageWaiting, then delivered", receipts=("MessageWaiting", "DeliveredToTerminal")),
    "0609": Outcome(
        summary="DeliveryImpossible, then delivered all the same",
        receipts=("DeliveryImpossible", "DeliveredToTerminal"),
    ),
    "0610": Outcome(summary="DeliveryImpossible", receipts=("DeliveryImpossible",)),
    "0611": Outcome(summary="DeliveryUncertain", receipts=("DeliveryUncertain",)),
    "0612": Outcome(summary="a delivery status that is not documented", receipts=("HeldByOperator",)),
    "4002": Outcome(summary="400 SVC0002, the number", refusal="SVC0002"),
    "4004": Outcome(summary="400 SVC0004, no valid address", refusal="SVC0004"),
    "4280": Outcome(summary="400 SVC0280, message too long", refusal="SVC0280"),
    "4301": Outcome(summary="403 POL0001, no balance", refusal="POL0001"),
    "4350": Outcome(summary="403 code 50, not subscribed", refusal="403/50"),
    "4141": Outcome(summary="401 code 41", refusal="401/41"),
    "4142": Outcome(summary="401 code 42 once, then delivered", refusal="401/42", once=True, receipts=ARRIVED),
    "0613": Outcome(summary="delivered; the receipt is a list", receipts=ARRIVED, shape=Shape.LIST),
    "0614": Outcome(
        summary="delivered; the receipt's status stands under `delivery`", receipts=ARRIVED, shape=Shape.NESTED
    ),
    "0615": Outcome(summary="delivered; the receipt has no address", receipts=ARRIVED, shape=Shape.BARE),
    "0431": Outcome(
        summary="403 code 53 once, the global quota, then delivered",
        refusal="403/53",
        once=True,
        receipts=ARRIVED,
        words=("The global quota limit has been reached.",),
    ),
    "0505": Outcome(summary="503 code 6 once, then delivered", refusal="503/6", once=True, receipts=ARRIVED),
    "0408": Outcome(summary="408 code 63 once, then delivered", refusal="408/63", once=True, receipts=ARRIVED),
    "0501": Outcome(summary="500 code 1, not accepted", refusal="500/1"),
    "0522": Outcome(summary="502 code 1, not accepted", refusal="502/1"),
    "4020": Outcome(summary="400 code 20", refusal="400/20"),
    "4025": Outcome(summary="400 code 25", refusal="400/25"),
    "4140": Outcome(summary="401 code 40", refusal="401/40"),
    "4351": Outcome(summary="403 code 51, requester blocked", refusal="403/51"),
    "4352": Outcome(summary="403 code 52, user blocked", refusal="403/52"),
    "4460": Outcome(summary="404 code 60", refusal="404/60"),
    "4461": Outcome(summary="405 code 61", refusal="405/61"),
    "4462": Outcome(summary="406 code 62", refusal="406/62"),
    "4464": Outcome(summary="411 code 64", refusal="411/64"),
    "4466": Outcome(summary="413 code 66", refusal="413/66"),
    "4467": Outcome(summary="414 code 67", refusal="414/67"),
    "4468": Outcome(summary="415 code 68", refusal="415/68"),
    "4469": Outcome(summary="409 code 69", refusal="409/69"),
    "4001": Outcome(summary="400 SVC0001, `variables` absent", refusal="SVC0001", words=None),
    "4003": Outcome(summary="400 SVC0003, `variables` a string", refusal="SVC0003", words="address"),
    "4102": Outcome(summary="400 SVC0002, the sender name", refusal="SVC0002", words=("senderName",)),
    "4302": Outcome(summary="403 POL0001 that says nothing of units", refusal="POL0001", words=("unspecified",)),
    "4309": Outcome(summary="403 POL1009, not provisioned", refusal="POL1009", words=None),
    "4310": Outcome(summary="403 POL1010, suspended", refusal="POL1010", words=None),
}

LANDLINE = Outcome(summary="a landline: DeliveryImpossible", receipts=("DeliveryImpossible",))


class FirstUploads:
    """Remembers which picture was the first that was sent to each number."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], str] = {}

    def is_first(self, sender: str, number: str, media_id: str) -> bool:
        """Whether no other upload was sent to the number before this one."""
        return self._first.setdefault((sender, number), media_id) == media_id

    def clear(self) -> None:
        self._first.clear()


class Once:
    """Remembers which numbers have had their one refusal."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def refuses(self, sender: str, number: str, outcome: Outcome) -> bool:
        """Whether this attempt is refused. An outcome with `once` refuses only the first one."""
        if not outcome.refusal:
            return False
        if not outcome.once:
            return True
        first = (sender, number) not in self._seen
        self._seen.add((sender, number))
        return first

    def clear(self) -> None:
        self._seen.clear()
