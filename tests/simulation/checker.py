"""Compares the providers' ledgers with the log, the clients' requests and the local time of each recipient.

It imports nothing of the product (test_checker.py reads the imports). It takes the rules from design.md, so that a
mistake in the product is not repeated here.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import combinations
from typing import Literal
from zoneinfo import ZoneInfo

from tests.simulation.evidence import Call, Change, ConsentStatement, Deed, Evidence, Person, Row, Unknown
from tests.simulation.silence import second_messages

type Wrong = Literal["lost", "doubled", "early", "wrong"]

ZONES = {
    "SN": "Africa/Dakar",
    "CI": "Africa/Abidjan",
    "ML": "Africa/Bamako",
    "BF": "Africa/Ouagadougou",
    "GN": "Africa/Conakry",
    "CM": "Africa/Douala",
    "MG": "Indian/Antananarivo",
    "TN": "Africa/Tunis",
    "EG": "Africa/Cairo",
}
QUIET = (time(21), time(7))
PEAK = ((time(8), time(10)), (time(17), time(21)))
"""The default peak hours of api.md. The organisations of the simulation and of the chaos runs set none."""
GONE = ("sent", "delivered", "read")
MAY_LEAVE = ("scheduled", "sending", "completed", "held")
"""A held distribution sends a message now and then, to probe whether its cause still exists."""
STATUSES = ("pending", "sent", "delivered", "read", "failed")
FORWARD = {
    "pending": ("sent", "delivered", "read", "failed"),
    "sent": ("delivered", "read", "failed"),
    "delivered": ("read",),
    "read": (),
    "failed": ("delivered", "read"),
}
MAY_HAVE_GONE = ("outcome_unknown", "undeliverable", "not_on_whatsapp")
"""Reasons of a failed message that a provider may have taken: the outcome was unknown, or the provider reported it
later."""
STOP_REASONS = (
    *("token_invalid", "permission_missing", "account_restricted", "payment_required", "balance_empty"),
    *("contract_expired", "sender_name_not_approved", "template_paused", "template_disabled", "country_not_subscribed"),
    "country_not_covered",
)
TRIED_EVERY, MOST_PROBES = timedelta(seconds=50), 6
"""One message a minute probes a hold. A person's resume, saved settings and a repeated stop error add some probes."""
CARD_UNREACHABLE = "card_unreachable"
CARD_NOT_A_PICTURE = "card_not_a_picture"
GIVES_UP_AFTER = timedelta(minutes=15)
RESENT_AFTER = timedelta(minutes=15)
KNOWN_FOR = 1.0
"""Seconds that the facts of the gate check may be old."""
LATE = 5.0
"""Seconds by which a call may miss its send slot and still count."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule. `kind` is its column in the report."""

    kind: Wrong
    text: str


def violations(evidence: Evidence) -> list[Violation]:
    """All violations of a run."""
    return [
        *_outcomes(evidence),
        *_truth(evidence),
        *_twice(evidence),
        *_successors(evidence),
        *_already_sent(evidence),
        *_windows(evidence),
        *_rates(evidence),
        *_still_there(evidence),
        *_consents(evidence),
        *_backwards(evidence["changes"]),
        *_counts(evidence),
        *_idle(evidence),
        *_cards(evidence),
        *_hearsay(evidence),
        *_unknown(evidence),
        *_held(evidence),
        *_pictures(evidence),
        *(Violation("doubled", text) for text in second_messages(evidence)),
    ]


def _outcomes(evidence: Evidence) -> Iterator[Violation]:
    """Every accepted recipient has one row, and it has ended, even if a cancel came before its release. A plan without
    confirmation has no rows."""
    own = defaultdict(list)
    for row in evidence["rows"]:
        if row["status"] == "pending":
            yield Violation("lost", f"{row['card']}: still pending at the end ({row['message_id']})")
        if row["status"] not in STATUSES or (row["status"] == "failed") != (row["reason"] is not None):
            yield Violation("wrong", f"{row['card']}: {row['status']} with the reason {row['reason']}")
        if row["parent"] is None:
            own[row["card"], row["distribution"]].append(row)
    confirmed = _confirmed(evidence)
    for person in evidence["people"]:
        distribution = person["distribution"]
        rows = own.pop((person["card"], distribution), [])
        if len(rows) != int(distribution is None or distribution in confirmed):
            yield Violation("lost", f"{person['card']}: {len(rows)} rows in the log")
    for card, _ in own:
        yield Violation("wrong", f"{card}: in the log, but without a request")


def _truth(evidence: Evidence) -> Iterator[Violation]:
    """A provider has taken each message that the log shows as sent, and none that the log shows as not sent."""
    for (card, channel), rows in _by_card(evidence["rows"]).items():
        taken = sum(call["taken"] for call in evidence["calls"] if (call["card"], call["channel"]) == (card, channel))
        gone = sum(row["status"] in GONE for row in rows)
        uncertain = sum(row["status"] == "failed" and row["reason"] in MAY_HAVE_GONE for row in rows)
        twice = sum(row["resent"] for row in rows)
        if taken < gone:
            yield Violation("lost", f"{card}: {gone} {channel} messages are said to have gone, {taken} were taken")
        if taken > gone + uncertain + twice:
            yield Violation("wrong", f"{card}: {taken} {channel} messages were taken, {gone} are said to have gone")


def _twice(evidence: Evidence) -> Iterator[Violation]:
    """A provider accepts each message once. A resent WhatsApp message may have two acceptances, at least 15 minutes
    apart, if no status with our key arrived in between."""
    rows = {row["message_id"]: row for row in evidence["rows"]}
    by_message: dict[str, list[Call]] = defaultdict(list)
    texts: Counter[str] = Counter()
    for call in evidence["calls"]:
        if call["taken"] and call["key"]:
            by_message[call["key"].partition(".")[0]].append(call)
        elif call["taken"]:
            texts[call["card"]] += 1
    for message_id, calls in by_message.items():
        row = rows.get(message_id)
        if row is None:
            yield Violation("wrong", f"{message_id}: taken, but not in the log")
        elif len(calls) > 1 and not _may_be_two(row, calls, evidence):
            yield Violation("doubled", f"{row['card']}: {message_id} was taken {len(calls)} times")
    wished = Counter(
        row["card"] for row in evidence["rows"] if row["channel"] == "sms" and row["reason"] != "already_sent"
    )
    for card, count in texts.items():
        if count > wished[card]:
            yield Violation("doubled", f"{card}: {wished[card]} SMS in the log, {count} were taken")


def _successors(evidence: Evidence) -> Iterator[Violation]:
    """A failed message has one successor that was called for: a resend, a row of a retry, or a fallback. None leaves
    once a failed message before it is known to have arrived."""
    rows = {row["message_id"]: row for row in evidence["rows"]}
    known = {
        change["message_id"]: change["at"] + timedelta(seconds=KNOWN_FOR + evidence["grace"])
        for change in reversed(evidence["changes"])
        if change["status"] in ("delivered", "read")
    }
    called: dict[str, list[datetime]] = defaultdict(list)
    for call in evidence["calls"]:
        called[call["key"].partition(".")[0] or call["card"]].append(call["at"])
    for parent, children in _by([row for row in evidence["rows"] if row["parent"]], lambda row: row["parent"]).items():
        gone = [child["message_id"] for child in children if child["attempts"]]
        if len(gone) > 1:
            yield Violation("doubled", f"{children[0]['card']}: {gone} all went in the place of {parent}")
        for child in children:
            before = _chain(child, rows)
            if child["channel"] == "sms" and not _is_alone(child, before, evidence):
                continue
            arrived = min((known[one["message_id"]] for one in before if one["message_id"] in known), default=None)
            calls = called[child["message_id"] if child["channel"] == "whatsapp" else child["card"]]
            if arrived is not None and any(at > arrived for at in calls) and child["channel"] == before[0]["channel"]:
                yield Violation(
                    "doubled", f"{child['card']}: sent again after {arrived}, when it was known to be there"
                )


def _chain(row: Row, rows: Mapping[str, Row]) -> list[Row]:
    """The message that a row replaces, the one before that, and so on."""
    found: list[Row] = []
    while (parent := rows.get((found[-1] if found else row)["parent"] or "")) is not None:
        found.append(parent)
    return found


def _is_alone(row: Row, before: Sequence[Row], evidence: Evidence) -> bool:
    """Whether all SMS of the card are this one and those that it replaces. Calls for SMS name only the card."""
    chain = {row["message_id"], *(one["message_id"] for one in before)}
    texts = [one for one in evidence["rows"] if (one["card"], one["channel"]) == (row["card"], "sms")]
    return all(one["message_id"] in chain for one in texts)


def _is_retried(row: Row, rows: Mapping[str, Row], evidence: Evidence) -> bool:
    """Whether it is a row of a retry, and not the fallback of one."""
    parent = rows.get(row["parent"] or "")
    return row["distribution"] in evidence["retries"] and parent is not None and parent["channel"] == row["channel"]


def _already_sent(evidence: Evidence) -> Iterator[Violation]:
    """If two messages with one card have not failed, neither distribution had to skip the other one. If all were
    skipped, that is a loss, unless a person has sent one again."""
    failed_once = {change["message_id"] for change in evidence["changes"] if change["status"] == "failed"}
    asks = {(person["card"], person["distribution"]) for person in evidence["people"] if person["skips"]}
    cancelled = _cancelled(evidence)
    for card, rows in _by(evidence["rows"], lambda row: row["card"]).items():
        own = [row for row in rows if row["parent"] is None]
        stand = [row for row in own if row["status"] != "failed" and row["message_id"] not in failed_once]
        for one, other in combinations(stand, 2):
            both = [(card, row["distribution"]) in asks for row in (one, other)]
            if all(both) or (any(both) and _was_there(*((one, other) if both[1] else (other, one)), evidence)):
                yield Violation("doubled", f"{card}: {one['message_id']} and {other['message_id']} both stand")
        lists = {person["distribution"] for person in evidence["people"] if person["card"] == card}
        if own == rows and not lists & cancelled and _reasons(own) == {"already_sent"}:
            yield Violation("lost", f"{card}: each list has left it to another")


def _was_there(first: Row, second: Row, evidence: Evidence) -> bool:
    """Whether the first message was sent or certain to be sent before the request that confirmed the second's
    distribution."""
    asked = [one["asked"] for one in evidence["deeds"] if _confirms(one, second["distribution"])]
    if first["distribution"] is None:
        there = [one["at"] for one in evidence["changes"] if one["message_id"] == first["message_id"]]
    else:
        there = [one["done"] for one in evidence["deeds"] if _confirms(one, first["distribution"])]
    return bool(asked and there) and min(there) < min(asked)


def _confirms(deed: Deed, distribution: str | None) -> bool:
    return (deed["distribution"], deed["action"]) == (distribution, "confirm")


def _may_be_two(row: Row, calls: Sequence[Call], evidence: Evidence) -> bool:
    first, second, *more = sorted(calls, key=lambda call: call["at"])
    received = [
        reported
        for reported in evidence["reported"]
        if reported["key"] == first["key"] and reported["names_key"] and reported["at"] < second["at"]
    ]
    patient = second["at"] - first["at"] >= RESENT_AFTER
    return row["resent"] and not more and patient and not received


def _windows(evidence: Evidence) -> Iterator[Violation]:
    """No SMS in quiet hours in the recipient's local time, no off-peak SMS in peak hours, and nothing before its
    time."""
    people = {person["card"]: person for person in evidence["people"]}
    for call in evidence["calls"]:
        person = people.get(call["card"])
        if person is None:
            yield Violation("wrong", f"{call['card']}: a call without a request")
            continue
        wall = call["at"].astimezone(ZoneInfo(ZONES[person["country"]])).time()
        is_text = call["channel"] == "sms"
        if is_text and (wall >= QUIET[0] or wall < QUIET[1]):
            yield Violation("early", f"{call['card']}: an SMS at {wall} in {person['country']}")
        is_peak = person["off_peak"] and any(start <= wall < end for start, end in PEAK)
        if is_text and is_peak and not _is_resent_by_hand(call, evidence):
            yield Violation("early", f"{call['card']}: an off-peak SMS at {wall} in {person['country']}")
        not_before = person["not_before"]
        if not_before is not None and call["at"] < not_before and not _is_resent_by_hand(call, evidence):
            yield Violation("early", f"{call['card']}: {not_before - call['at']} before its time")


def _rates(evidence: Evidence) -> Iterator[Violation]:
    """In a stretch of any length there are no more calls than its seconds allow, plus those that may be late."""
    for channel, rate in evidence["rates"].items():
        instants = sorted(call["at"] for call in evidence["calls"] if call["channel"] == channel)
        spare = rate * (LATE + evidence["grace"]) + 1
        best: float | None = None
        for number, at in enumerate(instants):
            due = rate * at.timestamp() - number
            best = due if best is None else max(best, due)
            if best - due + 1 > spare:
                yield Violation("early", f"{channel}: above {rate} calls a second at {at}")
                break


def _still_there(evidence: Evidence) -> Iterator[Violation]:
    """No message of a distribution leaves before it is confirmed, while it is paused, or after it is cancelled."""
    people: dict[str, set[str | None]] = defaultdict(set)
    for person in evidence["people"]:
        people[person["card"]].add(person["distribution"])
    by_distribution = _spans(evidence)
    retried = {row["message_id"]: row["distribution"] for row in evidence["rows"] if row["parent"]}
    for call in evidence["calls"]:
        retry = retried.get(call["key"].partition(".")[0]) or ""
        if retry in evidence["retries"] and _shut_at(call["at"], by_distribution[retry], evidence["grace"]):
            yield Violation("early", f"{call['card']}: called at {call['at']}, its retry was shut")
        lists = people.get(call["card"], {None})
        if None in lists or _is_resent_by_hand(call, evidence):
            continue
        shut = [_shut_at(call["at"], by_distribution.get(one or "", ()), evidence["grace"]) for one in lists]
        if all(shut):
            yield Violation("early", f"{call['card']}: called at {call['at']}, shut: {shut}")


def _shut_at(
    at: datetime, spans: Iterable[tuple[datetime, datetime]], grace: float
) -> tuple[datetime, datetime] | None:
    return next(((start, end) for start, end in spans if start + timedelta(seconds=KNOWN_FOR + grace) < at < end), None)


def _spans(evidence: Evidence) -> Mapping[str, list[tuple[datetime, datetime]]]:
    """Distribution → stretches in which no message may leave: by its status, and from the answer to a pause or cancel
    until the next request to resume."""
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    forever = max((call["at"] for call in evidence["calls"]), default=None)
    if forever is None:
        return spans
    forever += timedelta(days=1)
    for distribution in {state["distribution"] for state in evidence["states"]}:
        states = [state for state in evidence["states"] if state["distribution"] == distribution]
        ends = [state["at"] for state in states[1:]] + [forever]
        spans[distribution] += [
            (state["at"], end)
            for state, end in zip(states, ends, strict=True)
            if state["status"] not in MAY_LEAVE and end > state["at"]
        ]
    for deed in evidence["deeds"]:
        if deed["action"] in ("pause", "cancel"):
            resumes = [
                other["asked"]
                for other in evidence["deeds"]
                if (other["distribution"], other["action"]) == (deed["distribution"], "resume")
                and other["done"] >= deed["asked"]
            ]
            end = min(resumes, default=forever) if deed["action"] == "pause" else forever
            spans[deed["distribution"]].append((deed["done"], end))
    return spans


def _is_resent_by_hand(call: Call, evidence: Evidence) -> bool:
    """Whether the call may be for a message that a person sent again, alone or by a retry.

    The distribution of the first message no longer matters: its pauses, start and peak hours do not apply, but quiet
    hours do.
    """
    return any(
        row["parent"] is not None
        and row["card"] == call["card"]
        and row["channel"] == call["channel"]
        and (row["distribution"] is None or row["distribution"] in evidence["retries"])
        for row in evidence["rows"]
    )


def _consents(evidence: Evidence) -> Iterator[Violation]:
    """No message goes to a person who has revoked consent, and no WhatsApp message to one who never agreed."""
    people = {person["card"]: person for person in evidence["people"]}
    grace = timedelta(seconds=KNOWN_FOR + evidence["grace"])
    for call in evidence["calls"]:
        person = people.get(call["card"])
        if person is None:
            continue
        statements = [statement for statement in evidence["statements"] if statement["number"] == person["number"]]
        known = [statement for statement in statements if statement["done"] < call["at"] - grace]
        perhaps = [statement for statement in statements if statement["asked"] <= call["at"] and statement not in known]
        if any(statement["granted"] for statement in perhaps):
            continue
        stops = [statement for statement in known if not statement["granted"]]
        granted = any(statement["granted"] for statement in known) or call["channel"] == "sms" or person["consent"]
        if not (_outlives(stops, known, person) if stops else granted):
            yield Violation("early", f"{call['card']}: {call['channel']} at {call['at']} without consent")


def _outlives(stops: Sequence[ConsentStatement], known: Sequence[ConsentStatement], person: Person) -> bool:
    """Whether a grant may be later than every revocation, both in its date and in its receipt."""
    grants = [
        (statement["dated"] or statement["done"], statement["done"]) for statement in known if statement["granted"]
    ]
    if person["granted_at"] is not None and person["answered"] is not None:
        grants.append((person["granted_at"], person["answered"]))
    return any(
        all(
            min(dated, by) > min(stop["dated"] or stop["asked"], stop["asked"]) and by >= stop["asked"]
            for stop in stops
        )
        for dated, by in grants
    )


def _backwards(changes: Iterable[Change]) -> Iterator[Violation]:
    """Statuses of a message only move forward. Proof of arrival may follow a failure."""
    stands: dict[str, str] = {}
    for change in changes:
        before = stands.get(change["message_id"], "pending")
        if change["status"] != before and change["status"] not in FORWARD[before]:
            yield Violation("wrong", f"{change['message_id']}: {before} became {change['status']} at {change['at']}")
        stands[change["message_id"]] = change["status"]


def _counts(evidence: Evidence) -> Iterator[Violation]:
    """The counts of a distribution equal the log's rows, by status and by reason. A distribution that was never
    confirmed has no counts."""
    asked = Counter(person["distribution"] for person in evidence["people"])
    by_id = {row["message_id"]: row for row in evidence["rows"]}
    for distribution, accepted in evidence["accepted"].items():
        of_it = [row for row in evidence["rows"] if row["distribution"] == distribution]
        rows = [row for row in of_it if row["parent"] is None or _is_retried(row, by_id, evidence)]
        wanted = len(rows) if distribution in evidence["retries"] else asked[distribution]
        if accepted != wanted:
            yield Violation("lost", f"{distribution}: {accepted} accepted of {wanted} good rows")
        listed = {
            "fallbacks": Counter(row["status"] for row in of_it if row not in rows),
            "counts": Counter(row["status"] for row in rows),
            "reasons": Counter(row["reason"] for row in rows if row["reason"] is not None),
        }
        shown = {
            "fallbacks": evidence["fallbacks"].get(distribution, {}),
            "counts": evidence["counts"].get(distribution, {}),
            "reasons": evidence["reasons"].get(distribution, {}),
        }
        for what, found in listed.items():
            if (reported := {one: count for one, count in shown[what].items() if count}) != found:
                yield Violation("wrong", f"{distribution}: {what} shown as {reported}, the log has {dict(found)}")


def _idle(evidence: Evidence) -> Iterator[Violation]:
    """Counts and lists agree at every time without work under way, not only after the last recount."""
    for one in evidence["idle"]:
        if one["shown"] != one["listed"]:
            text = f"{one['distribution']}: shown as {one['shown']} at {one['at']}, the log has {one['listed']}"
            yield Violation("wrong", text)


def _cards(evidence: Evidence) -> Iterator[Violation]:
    """A row fails for its card only if its card failed, then its host served another card of the distribution, and then
    its card failed again. A single message may fail only after a quarter of an hour of attempts."""
    lists = {(row["card"], row["distribution"]) for row in evidence["rows"]}
    for row in evidence["rows"]:
        if row["reason"] != CARD_UNREACHABLE:
            continue
        own = [fetch for fetch in evidence["fetches"] if fetch["card"] == row["card"]]
        vain = [fetch["at"] for fetch in own if not fetch["served"]]
        if len(vain) < 2:
            yield Violation("wrong", f"{row['card']}: failed for its card after {len(vain)} tries")
        elif row["distribution"] is None:
            if vain[-1] - vain[0] < GIVES_UP_AFTER:
                yield Violation("wrong", f"{row['card']}: given up {vain[-1] - vain[0]} after its card was not there")
        elif not any(
            fetch["served"] and vain[0] < fetch["at"] < vain[-1] and (fetch["card"], row["distribution"]) in lists
            for fetch in evidence["fetches"]
        ):
            yield Violation("wrong", f"{row['card']}: failed for its card, though its host served no other one")


def _hearsay(evidence: Evidence) -> Iterator[Violation]:
    """The log has at least the status of each report about a message's latest attempt that our webhook accepted."""
    rows = {row["message_id"]: row for row in evidence["rows"]}
    for reported in evidence["reported"]:
        row = rows.get(reported["key"].partition(".")[0]) if reported["key"] else None
        if row is None:
            continue
        if (
            reported["status"] == "failed"
            and row["status"] == "sent"
            and reported["key"].endswith(f".{row['attempts']}")
        ):
            yield Violation("lost", f"{row['card']}: Meta told failed, the log has sent")
        if reported["status"] not in ("delivered", "read"):
            continue
        if row["status"] != reported["status"] and reported["status"] not in _before(row["status"]):
            yield Violation("lost", f"{row['card']}: Meta told {reported['status']}, the log has {row['status']}")
    arrived = {
        reported["card"]
        for reported in evidence["reported"]
        if not reported["key"] and reported["status"] == "delivered"
    }
    texts = {card: rows for (card, channel), rows in _by_card(evidence["rows"]).items() if channel == "sms"}
    for card in sorted(arrived & texts.keys()):
        if _has_received_nothing(texts[card]):
            yield Violation("lost", f"{card}: Orange told delivered, the log has sent")


def _unknown(evidence: Evidence) -> Iterator[Violation]:
    """An outcome is unknown only if there may have been a call. WhatsApp's calls name the attempt. For SMS, each
    message of the card that was sent or has an unknown outcome needs a call of its own."""
    keys = {call["key"].removesuffix(".card") for call in evidence["calls"]}
    texts = Counter(call["card"] for call in evidence["calls"] if call["channel"] == "sms")
    called = {row["message_id"]: row["card"] for row in evidence["rows"] if row["status"] in GONE}
    for one in evidence["unknown"]:
        if one["channel"] == "sms" and not one["excused"]:
            called[one["message_id"]] = one["card"]
    needed = Counter(called[row["message_id"]] for row in evidence["rows"] if _needs_a_call(row, called))
    for one in evidence["unknown"]:
        is_text = one["channel"] == "sms"
        missing = needed[one["card"]] > texts[one["card"]] if is_text else _name(one) not in keys
        if missing and not one["excused"]:
            yield Violation("wrong", f"{one['card']}: {one['channel']} outcome unknown at {one['at']}, without a call")


def _held(evidence: Evidence) -> Iterator[Violation]:
    """A stop error fails no message, and after the first refusals only one message a minute probes the hold."""
    for row in evidence["rows"]:
        if row["status"] == "failed" and row["reason"] in STOP_REASONS:
            yield Violation("lost", f"{row['card']}: failed with {row['reason']}, which is not its recipient's fault")
    by_stop: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for call in evidence["calls"]:
        if call["stop"]:
            by_stop[call["channel"], call["stop"]].append(call["at"])
    window = timedelta(seconds=KNOWN_FOR + evidence["grace"])
    for (channel, stop), instants in by_stop.items():
        tried = [at for at in sorted(instants) if at > min(instants) + window]
        for first in tried:
            crowd = [at for at in tried if first <= at < first + TRIED_EVERY]
            if len(crowd) > MOST_PROBES:
                yield Violation("wrong", f"{channel}: {len(crowd)} calls a minute from {first} on while held: {stop}")
                break


def _pictures(evidence: Evidence) -> Iterator[Violation]:
    """A message whose picture is refused is sent with another upload, once, and never with the refused upload again."""
    refused: dict[str, set[str]] = defaultdict(set)
    for call in evidence["calls"]:
        if call["picture_refused"]:
            refused[call["key"].partition(".")[0]].add(call["upload"])
    has_fallback = {row["parent"] for row in evidence["rows"] if row["channel"] == "sms"}
    for row in evidence["rows"]:
        is_final = row["status"] == "failed" and row["reason"] == CARD_NOT_A_PICTURE
        uploads = refused[row["message_id"]]
        if is_final and len(uploads) < 2 and row["message_id"] not in has_fallback:
            yield Violation("lost", f"{row['card']}: failed for its picture, which was uploaded once")
        if len(uploads) > 2:
            yield Violation("wrong", f"{row['card']}: uploaded anew {len(uploads) - 1} times")


def _needs_a_call(row: Row, called: Mapping[str, str]) -> bool:
    return row["channel"] == "sms" and row["message_id"] in called


def _name(one: Unknown) -> str:
    return f"{one['message_id']}.{one['attempt']}"


def _has_received_nothing(rows: Sequence[Row]) -> bool:
    """Orange's receipts name no attempt of ours. A receipt may be about any SMS of the card, also about one with an
    unknown outcome."""
    stand = {row["status"] for row in rows}
    return "sent" in stand and not stand & {"delivered", "read"} and "outcome_unknown" not in _reasons(rows)


def _reasons(rows: Iterable[Row]) -> set[str | None]:
    return {row["reason"] for row in rows}


def _before(status: str) -> Sequence[str]:
    return [earlier for earlier, later in FORWARD.items() if status in later and earlier != "failed"]


def _by_card(rows: Iterable[Row]) -> Mapping[tuple[str, str], list[Row]]:
    return _by(rows, lambda row: (row["card"], row["channel"]))


def _by[K](rows: Iterable[Row], key: Callable[[Row], K]) -> Mapping[K, list[Row]]:
    found: dict[K, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _confirmed(evidence: Evidence) -> set[str]:
    done = {deed["distribution"] for deed in evidence["deeds"] if deed["action"] == "confirm"}
    return done | {state["distribution"] for state in evidence["states"] if state["status"] in MAY_LEAVE}


def _cancelled(evidence: Evidence) -> set[str]:
    done = {deed["distribution"] for deed in evidence["deeds"] if deed["action"] == "cancel"}
    return done | {state["distribution"] for state in evidence["states"] if state["status"] == "cancelled"}
