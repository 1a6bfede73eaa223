"""What is done to a campaign while it goes through the running stack: each is called twice a second with its turn."""

from collections.abc import Mapping
from datetime import timedelta

from tests.chaos.stage import GRACE, Stage

READS = [
    "DynamoDB_20120810.Query",
    "DynamoDB_20120810.GetItem",
    "DynamoDB_20120810.BatchGetItem",
    "secretsmanager.GetSecretValue",
]
WRITES = [
    "DynamoDB_20120810.UpdateItem",
    "DynamoDB_20120810.PutItem",
    "DynamoDB_20120810.BatchExecuteStatement",
    "AmazonSQS.SendMessageBatch",
]
FAILS: Mapping[str, object] = {"operations": [*READS, *WRITES], "every": 60, "in_a_row": 12}
"""In a row: more than AWS's own client tries by itself."""
IN_PART: Mapping[str, object] = {"operations": ["AmazonSQS.SendMessageBatch"], "every": 2, "part": True}
DONE_ALL_THE_SAME: Mapping[str, object] = {"operations": WRITES, "every": 25, "took_effect": True}
SILENT = timedelta(minutes=13)
"""Past the ten minutes after which a fallback goes."""
HELD = timedelta(seconds=30)
"""How long a pause lasts on the stack's clock: far longer than what the checker forgives."""
REVOKED = 40
"""People whose word comes while their messages wait."""


def nothing(_: Stage, __: int) -> None:
    """No fault while it runs."""


def pauses(stage: Stage, turn: int) -> None:
    """The same key twice; three pauses of half a minute each, most of which a jump of the clock skips: whatever the
    pause does not hold then has every reason to leave. In the first one, the last on the list revoke their consent."""
    if turn == 1:
        stage.ask_with_the_same_key()
    for begins in (3, 15, 27):
        if turn == begins:
            stage.act("pause")
        if turn == begins + 2:
            stage.jump(stage.stack.now() + HELD)
        if turn == begins + 8:
            stage.act("resume")
    if turn == 4:
        stage.revoke(stage.people[-REVOKED:])


def cancels(stage: Stage, turn: int) -> None:
    """Once some have gone."""
    if turn == 6:
        stage.act("cancel")
    if turn == 6 + int(4 * GRACE):
        stage.jump(stage.stack.now() + HELD)


def provider_goes_down(stage: Stage, turn: int) -> None:
    """For five seconds nothing is answered but 503."""
    if turn in (10, 20):
        stage.set_simulators(orange_down=turn == 10)


def settings_change(stage: Stage, turn: int) -> None:
    """Other credentials, three times. Meanwhile strangers report deliveries."""
    stage.forge_receipts(turn)
    if turn in (6, 16, 26):
        stage.change_credentials(f"client-secret-{turn}")


def queues_go_wrong(stage: Stage, turn: int) -> None:
    """Copies and tasks come once more; the fan-out's work and every shard of the agenda are asked for again; copies are
    given up and redriven; for some minutes no tick comes."""
    if turn % 8 == 2:
        stage.double_queue_messages("SmsQueue")
        stage.double_queue_messages("FanoutQueue")
        stage.ask_again()
    if turn in (3, 5, 7, 9):
        stage.give_up("SmsQueue")
    if turn in (24, 48):
        stage.redrive()
    if turn == 12:
        stage.switch_tick(on=False)
    if turn == 20:
        before = stage.stack.now()
        stage.jump(before + timedelta(minutes=3))
        stage.switch_tick(on=True)
        stage.done["ticks missed"] += 3


def aws_fails(stage: Stage, turn: int) -> None:
    """Three kinds of failure, one after the other."""
    for at, faults in ((0, FAILS), (24, IN_PART), (48, DONE_ALL_THE_SAME)):
        if turn == at:
            stage.set_faults(faults)


def nobody_tells_at_first(stage: Stage, turn: int) -> None:
    """Until a quarter has been taken no status comes: who has no answer either is in doubt. Then Meta tells again."""
    if turn == 0:
        stage.set_simulators(receipts=False)
    if not stage.done["told again"] and 4 * stage.taken() > len(stage.people):
        stage.set_simulators(receipts=True)
        stage.done["told again"] += 1


def meta_is_silent(stage: Stage, turn: int) -> None:
    """Everything has left, nothing is told; the clock passes the fallbacks' time. They wait, and the campaign says so.
    What Meta has not told by then it never tells: they go after a day."""
    if turn == 12:
        stage.jump(stage.stack.now() + SILENT)
        stage.done["silent"] += len(stage.people) - stage.texts()
    if turn == 15:
        stage.done["warned"] += stage.warns("receipts_missing")
