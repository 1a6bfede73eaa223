"""The faults as data, and the dice that choose them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Fault:
    """`chance`: the probability at each opportunity in a run with this fault. `most`: how often at most in one run;
    None: no limit until the faults end. A fault of the clock or of the people is part of the whole run: it has one
    opportunity."""

    name: str
    means: str
    chance: float = 1.0
    most: int | None = None


WORKERS = (
    Fault("killed_before_claim", "a sender dies just before its claim", 0.2, 3),
    Fault("killed_between_claim_and_call", "a sender dies after its claim, before its call", 0.2, 3),
    Fault("killed_between_call_and_record", "a sender dies once the provider has taken the message", 0.2, 3),
    Fault(
        "killed_between_record_and_delete",
        "a sender dies after all records, before the queue messages are deleted",
        0.3,
    ),
    Fault("fanout_killed", "the fan-out worker dies between any two of its steps", 0.02, 6),
    Fault("consumer_killed", "the worker of the status queue dies between any two of its steps", 0.05, 6),
    Fault("api_killed", "a request's worker dies; the client asks again with the same key", 0.03, 5),
    Fault("worker_stalls", "a worker stands still, up to its time-out, and goes on", 0.01, 4),
)
SQS = (
    Fault("sqs_delivers_twice", "a queue message is delivered again while it is handled", 0.15),
    Fault("sqs_delivers_late", "a queue message comes seconds or minutes late", 0.15),
    Fault("sqs_out_of_order", "the last queue message is delivered first", 0.5),
    Fault("sqs_throttles", "SQS takes nothing of a batch", 0.1, 12),
    Fault("sqs_takes_half", "SQS takes a part of a batch and refuses the rest", 0.15, 12),
    Fault("sqs_answer_lost", "SQS takes a batch, its answer never comes", 0.15, 12),
    Fault("sqs_delete_lost", "a handled queue message is not deleted", 0.15),
    Fault(
        "dead_lettered",
        "few receives are allowed and workers fail: queue messages become dead letters and are redriven",
        0.3,
        25,
    ),
)
STORES = (
    Fault("dynamodb_throttles", "a read or write is refused", 0.02, 25),
    Fault("dynamodb_answer_lost", "a write takes effect, its answer never comes", 0.02, 25),
    Fault("own_write_met_again", "a write takes effect, its answer is lost, and AWS's client sends it again", 0.05, 40),
    Fault("dynamodb_slow", "a read or write takes up to half a second", 0.1),
    Fault("index_lags", "an index does not show a due row yet", 0.3, 20),
    Fault("s3_fails", "a stored plan or content cannot be read or written just now", 0.05, 10),
    Fault("secrets_manager_throttles", "the settings cannot be read just now", 0.2, 6),
)
PROVIDERS = (
    Fault("time_out_after_acceptance", "the provider takes the message and never answers", 0.1, 8),
    Fault("time_out_before_acceptance", "the request is lost inside the provider", 0.1, 8),
    Fault("connection_refused", "no byte reaches the provider", 0.1),
    Fault("connection_reset", "the connection breaks, the message taken or not", 0.1, 8),
    Fault("answers_500", "a 500, the message taken or not", 0.1, 8),
    Fault("answers_html_502", "a gateway's page of HTML, the message taken or not", 0.1, 8),
    Fault("answers_503", "the provider is down, and says so", 0.1),
    Fault("answers_garbage", "a 200 without a message ID, although the message was taken", 0.1, 5),
    Fault("throttled", "the provider asks for a slower pace", 0.08),
    Fault("slow_answers", "answers take up to 20 s", 0.2),
    Fault("recipient_refused", "the provider does not want this recipient", 0.15),
    Fault("provider_stops", "the provider takes nothing of the account for some minutes", 0.03, 2),
    Fault("country_stops", "the provider takes nothing for one country for some minutes", 0.05, 2),
    Fault("language_stops", "Meta has paused the template in one language for some minutes", 0.05, 2),
    Fault(
        "stops_reported_later", "Meta takes messages for some minutes, and reports later that none was sent", 0.05, 2
    ),
    Fault("card_host_away", "for some minutes the web server of the cards serves none", 0.1, 2),
    Fault("card_missing", "one person's card is not there, all others are", 0.15, 3),
    Fault("picture_refused", "Meta refuses a card as it was uploaded, in its answer or afterwards", 0.5, 10),
    Fault("upload_fails", "a card cannot be fetched or uploaded, or Meta has forgotten it", 0.5, 10),
)
WEBHOOKS = (
    Fault("webhook_dropped", "a status is never reported", 0.3),
    Fault("webhook_repeated", "a status is reported two or three times", 0.3),
    Fault("webhook_reordered", "a later status is reported first", 0.4),
    Fault("webhook_early", "a status is reported before the send's own answer", 0.3),
    Fault("webhook_late", "a status is reported hours later", 0.2),
    Fault("webhook_without_key", "Meta reports a failure with its own ID only", 0.9),
    Fault("webhook_forged", "an outsider signs a status, or guesses the secret path", 0.2, 10),
    Fault(
        "webhook_misdirected",
        "a status that Meta has signed names an SMS of ours, or a message of ours that left by another number",
        0.3,
        20,
    ),
    Fault("anothers_updates", "Meta sends us warning updates of another account of the same app", 0.3, 10),
    Fault("provider_silent", "Meta reports nothing for up to three hours, and then all of it, late", 0.5, 1),
    Fault("fails_later", "the provider takes a message, and reports later that it did not arrive", 0.3),
)
CLOCKS = (
    Fault("clock_crosses_21", "quiet hours begin while messages leave"),
    Fault("clock_crosses_07", "quiet hours end"),
    Fault("peak_hours_begin", "peak hours begin, in which an off-peak distribution sends nothing"),
    Fault("egypt_springs_forward", "Egypt's clocks go from 00:00 to 01:00 while messages wait"),
    Fault("egypt_falls_back", "Egypt's clocks go from 00:00 to 23:00 while messages wait"),
    Fault("tick_missed", "a minute's tick does not come", 0.4),
    Fault("tick_doubled", "a minute's tick comes twice", 0.4),
)
PEOPLE = (
    Fault("secrets_rotated", "tokens and secrets change while messages leave; the settings follow a little later"),
    Fault("client_repeats", "a client repeats a request, afterwards or at the same time", 0.7),
    Fault("two_bodies_under_one_key", "two clients send different requests with the same key at the same time", 0.8),
    Fault("paused_and_resumed", "a person pauses and resumes while messages leave"),
    Fault("cancelled", "a person cancels while messages leave"),
    Fault("consent_revoked", "people revoke consent, and some agree again"),
    Fault("consents_dated", "consents and revocations bear dates of days ago, or of a clock that runs fast"),
    Fault(
        "stops_written",
        "people write STOP from the old or new form of their number; the report comes late and twice",
    ),
    Fault("resent_by_hand", "a person resends failed messages"),
    Fault("lists_overlap", "several lists of one campaign that skip what was sent have people in common"),
    Fault("phone_shared", "siblings without card codes are on one phone", 0.5),
    Fault("retried_by_hand", "a person retries the failed messages of a list, sometimes twice at once"),
)
FAULTS: Sequence[Fault] = (*WORKERS, *SQS, *STORES, *PROVIDERS, *WEBHOOKS, *CLOCKS, *PEOPLE)
BY_NAME = {fault.name: fault for fault in FAULTS}
ONE_CLOCK = frozenset(fault.name for fault in CLOCKS[:5])
"""A run has only one start time."""
COMPANY = {"webhook_without_key": "stops_reported_later", "retried_by_hand": "recipient_refused"}
"""A fault that needs messages with another fault."""


@dataclass(slots=True)
class Dice:
    """The only source of randomness in a run."""

    random: Random
    chosen: frozenset[str]
    injected: Counter[str] = field(default_factory=Counter)
    calm: bool = False
    """The faults are over, and the work under way ends."""

    def breaks(self, name: str) -> bool:
        """Whether this fault happens now."""
        if self.calm or name not in self.chosen:
            return False
        fault = BY_NAME[name]
        if fault.most is not None and self.injected[name] >= fault.most:
            return False
        if self.random.random() >= fault.chance:
            return False
        self.injected[name] += 1
        return True

    def happened(self, name: str) -> None:
        """Counts a fault that another part of the simulation caused."""
        if name in self.chosen:
            self.injected[name] += 1

    def between(self, low: float, high: float) -> float:
        """Uniformly distributed."""
        return low + (high - low) * self.random.random()


def roll(seed: int) -> Dice:
    """The faults of a seed. Each fault comes first in its turn, so that consecutive seeds have all of them; the others
    are chosen at random."""
    random = Random(seed)
    first = FAULTS[seed % len(FAULTS)].name
    others = random.sample([fault.name for fault in FAULTS], random.randint(1, 7))
    clocks = [name for name in (first, *others) if name in ONE_CLOCK][1:]
    company = {COMPANY[first]} if first in COMPANY else set[str]()
    return Dice(random=random, chosen=frozenset({first, *others} - set(clocks)) | {first} | company)
