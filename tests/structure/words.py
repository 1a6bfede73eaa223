"""The left column of house.md: the private words, their replacements, and the names for which a word is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """`forms`: the word's forms in a name; underscores join the parts of a phrase. `becomes`: house.md's right
    column."""

    forms: tuple[str, ...]
    becomes: str


def _reasons(*rows: tuple[str, str]) -> dict[str, str]:
    return {name: why for why, names in rows for name in names.split()}


def _words(*rows: tuple[str, str]) -> dict[str, Word]:
    split = ((tuple(forms.split()), becomes) for forms, becomes in rows)
    return {forms[0]: Word(forms, becomes) for forms, becomes in split}


WORDS: Mapping[str, Word] = _words(
    ("lane lanes", "rate limit (RateLimit, rate_limit_id)"),
    ("departure departures depart departs departed departing depart_at", "send slot"),
    ("boarding", "waiting for the slot"),
    ("copy copies", "queue message"),
    ("passenger passengers", "GateInput"),
    ("admission admit admits admitted", "gate check"),
    ("judge judges judged judging", "eligibility"),
    ("verdict verdicts", "eligibility, RowResult"),
    ("trial trials", "test send"),
    ("straight", "enqueue_now"),
    ("room rooms", "DailyLimit, remaining"),
    ("headroom", "DailyLimit, remaining"),
    ("reach reaches reached", "DailyLimit, remaining"),
    ("standing", "DailyLimit, remaining"),
    ("allowance allowances", "DailyLimit, remaining"),
    ("left", "DailyLimit, remaining"),
    ("reputation reputations", "number status"),
    ("quiet", "cooldown"),
    ("strangers stranger", "unmatched receipts"),
    ("stragglers straggler", "stuck messages"),
    ("doubt doubts doubted doubtful", "unknown outcome"),
    ("fate fates", "resolve_unknown"),
    ("beat beats", "last_heard_at"),
    ("pulse pulses", "last_heard_at"),
    ("unsure", "unknown outcome"),
    ("sameness", "dedupe key, dedupe index"),
    ("prints", "dedupe key, dedupe index"),
    ("watch watches watched watching", "next_check_at"),
    ("rewatch rewatches rewatched", "next_check_at"),
    ("bury buries buried burying burial", "mark_dead"),
    ("told", "update, attempt, webhook event, consent record"),
    ("told_by", "update, attempt, webhook event, consent record"),
    ("hear hears", "update, attempt, webhook event, consent record"),
    ("heard", "update, attempt, webhook event, consent record"),
    ("news", "update, attempt, webhook event, consent record"),
    ("word words", "update, attempt, webhook event, consent record"),
    ("tie ties tied", "identity link"),
    ("link links linked", "identity link"),
    ("doorkeeper", "webhook ingress"),
    ("desk desks", "channel adapter"),
    ("aftermath", "status effects"),
    ("consequences consequence", "status effects"),
    ("settler settlers", "StatusWriter"),
    ("frozen freeze freezes", "stored content"),
    ("fresh", "TTL cache"),
    ("gathered", "batch loader"),
    ("of_many", "batch loader"),
    ("side_by_side", "gather_bounded"),
    ("shelf shelves", "token store"),
    ("trouble troubles", "warning event"),
    ("notice notices", "warning"),
    ("fault faults", "field error"),
    ("echo echoes", "duplicate status"),
    ("alternative alternatives", "fallback template"),
    ("reopen reopens reopened", "retry as template"),
)

SENTENCE_WORDS = frozenset(
    {"told", "left", "hear", "heard", "news", "word", "reach", "trouble", "fault", "notice"}
    | {"room", "quiet", "straight", "link", "fresh", "standing", "judge"}
    | {"strangers", "of_many", "side_by_side", "told_by"}
)
"""Everyday words that the name of a test may use, because it is a sentence."""


NOT_MEANT: Mapping[str, str] = _reasons(
    (
        "Python's, a library's, a browser's or AWS's own name",
        """
        .copy bisect_left copy2 copy_tree frozen= AmazonCloudWatchEMFProvider CloudWatch CloudWatchMetrics
        .link .freeze SenderFault Link linked_commerce_account COPY_CODE notice_ notice_0 notice_1 notice_2
    """,
    ),
    (
        "house.md's right column, or a word that it keeps",
        """
        last_heard_at last_heard _last_heard last_heard_of LastHeard LastHeardReader _last_heard_reader
        last_heard_reader LastHeardStore last_heard_store _last_heard_store DynamoLastHeard FakeLastHeard
        IdentityLink identity_link identity_links add_identity_links _read_identity_links
        _identity_link_item quiet_hours QUIET_HOURS QUIET QUIET_FROM QUIET_TO is_quiet stop_words
        STOP_WORDS test_stop_words
    """,
    ),
    (
        "api.md's or the simulators' /_control routes' own word",
        """
        characters_left copy_unreadable COPY_UNREADABLE template_verdict reached note_reached _REACHED test_reached
    """,
    ),
    ("a logical ID or rule of template.yaml, which does not change", "TroublesQuery SomebodyHearsProd"),
    ("dead letters that stand: house.md itself calls them standing", "DeadLettersStanding"),
    (
        "words of a text, of a name or of a command line",
        """
        word words WORD WORDS _WORD _WORDS _words Words own_words _LONGEST_WORDS WORDS_OF_FAILURE WORDS_OF_INSIGHTS
    """,
    ),
    ("a caller of another organisation; the table means receipts", "stranger STRANGER _stranger _a_stranger"),
    ("links of a web page, a document or a picture", "_link _LINK _LINKS _linked"),
    ("a stack that a test starts for itself", "fresh_stack"),
    ("a copy of the project's files", "copy_project copy_function="),
    ("the direction of a script", "_RIGHT_TO_LEFT"),
    (
        "faults that are injected into a store, a simulation or a scenario",
        """
        Faults FAULTS FAULTS_PATH moto_faults test_moto_faults set_faults
    """,
    ),
    ("the head room of a budget", "HEADROOM"),
    ("how often a library makes a deep copy", "copies_per_transaction"),
)
"""Name → why the table allows it. ".name" allows it as an attribute, "name=" as a keyword."""

NOT_MEANT_IN: Mapping[str, Mapping[str, str]] = {
    "moto_": {
        "copy": "the module",
        "copies": "how often a library makes a deep copy",
        "fault": "a fault that is injected",
        "faults": "faults that are injected",
        "Fault": "a fault that is injected",
    },
    "tests/chaos/": {"fault": "a fault that is injected", "faults": "faults that are injected"},
    "tests/simulation/": {
        "copy": "the module",
        "fault": "a fault that is injected",
        "faults": "faults that are injected",
        "Fault": "a fault that is injected",
    },
    "test_lost_answers": {"faults": "faults that are injected"},
    "test_queues": {"faults": "faults that are injected", "_faults": "faults that are injected"},
    "test_second_tries": {"faults": "faults that are injected"},
    "strictness": {"fault": "what is wrong with a request to DynamoDB"},
    "test_meta_requests": {"copy": "the module", "link": "of a picture"},
    "test_nulls": {"copy": "the module"},
    "test_whatsapp_": {"copy": "the module"},
    "simulators": {"link": "of a picture"},
    "test_listening": {"link": "of the file system"},
    "response": {"link": "HTTP's header"},
    "test_openapi": {"link": "of a web page", "links": "of a web page"},
    "echo": {"echo": "a handler that answers what it was sent"},
    "test_toy_stack": {"echo": "a handler that answers what it was sent"},
    "documents/commands": {"echo": "the shell's command"},
    "bench/cloud/expressions": {"left": "the left side of a comparison"},
    "local/demo/screen": {"left": "justified to the left"},
    "/phone": {"left": "what stands to the left of a gap"},
    "/page": {"left": "CSS"},
    "test_renumbering": {"left": "one of a pair: left and right"},
    "test_local_stack": {"quiet": "the ID of a campaign"},
    "health": {"reached": "a limit that is reached, in a check's code"},
    "test_alarms": {"standing": "dead letters that stand"},
    "template.yaml": {"standing": "dead letters that stand"},
}
"""The same for single files: part of the path → name → why."""

MEANT_IN: Mapping[str, frozenset[str]] = {
    "identity": frozenset({"word"}),
    "of_many": frozenset({"word", "words"}),
    "fakes/rest": frozenset({"words"}),
    "tests/chaos/stage": frozenset({"words", "_words"}),
    "simulation/checker": frozenset({"word", "words"}),
    "simulation/clients": frozenset({"word", "words"}),
    "simulation/evidence": frozenset({"word", "words"}),
    "simulation/test_checker": frozenset({"words"}),
    "test_erasing": frozenset({"word"}),
    "test_person_functions": frozenset({"word"}),
    "test_old_numbers": frozenset({"word"}),
    "test_people": frozenset({"word"}),
    "test_single_messages": frozenset({"word"}),
    "test_consents": frozenset({"word"}),
    "test_inbound": frozenset({"word"}),
    "test_erasure": frozenset({"word", "words"}),
    "test_refusals": frozenset({"word"}),
    "test_webhooks_in_any_order": frozenset({"word"}),
}
"""Files in which a name of `NOT_MEANT` is not allowed: part of the path → names. There, "word" would mean a consent
record."""
