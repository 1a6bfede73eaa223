"""house.md's left column: the private words, what each becomes, and the names in which such a word is not meant."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """`forms`: how it occurs in a name; underscores join the parts of a phrase. `becomes`: house.md's right column."""

    forms: tuple[str, ...]
    becomes: str


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

SENTENCE_WORDS = frozenset[str]()
"""Words that the name of a test, which is a sentence, may use as everybody does."""

NOT_MEANT: Mapping[str, str] = {}
"""Name → why the table does not mean it."""

NOT_MEANT_IN: Mapping[str, Mapping[str, str]] = {}
"""The same for names that are meant elsewhere: start of the path → name → why."""
