"""The faults of the scenarios. The run calls each function twice a second while the campaign runs, with a turn
number."""

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
"""`in_a_row` is larger than the number of attempts of AWS's own client."""
IN_PART: Mapping[str, object] = {"operations": ["AmazonSQS.SendMessageBatch"], "every": 2, "part": True}
DONE_ALL_THE_SAME: Mapping[str, object] = {"operations": WRITES, "every": 25, "took_effect": True}
SILENT = timedelta(minutes=13)
"""Longer than the ten minutes after which a fallback goes."""
HELD = timedelta(seconds=30)
"""How long a pause lasts on the stack's clock: far longer than the checker's tolerance."""
REVOKED = 40
"""How many people revoke their consent while their messages wait."""


def nothing(_: Stage, __: int) -> None:
    """Makes no fault."""


def pauses(stage: Stage, turn: int) -> None:
    """Asks twice with the same key, and pauses three times for half a minute of the stack's clock.

    A jump of the clock skips most of each pause, so every row that the pause does not hold is due and would leave.
    During the first pause the last people on the list revoke their consent.
    """
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
    """Cancels the campaign once some messages have gone."""
    if turn == 6:
        stage.act("cancel")
    if turn == 6 + int(4 * GRACE):
        stage.jump(stage.stack.now() + HELD)


def provider_goes_down(stage: Stage, turn: int) -> None:
    """For five seconds the provider answers only 503."""
    if turn in (10, 20):
        stage.set_simulators(orange_down=turn == 10)


def settings_change(stage: Stage, turn: int) -> None:
    """Saves other credentials, three times. Meanwhile an outsider forges delivery receipts."""
    stage.forge_receipts(turn)
    if turn in (6, 16, 26):
        stage.change_credentials(f"client-secret-{turn}")


def queues_repeat_and_fail(stage: Stage, turn: int) -> None:
    """Repeats queue messages and tasks; asks again for the fan-out's work and for every agenda shard; moves queue
    messages to the dead-letter queue and redrives them; switches the tick off for some minutes."""
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


def no_statuses_at_first(stage: Stage, turn: int) -> None:
    """Meta sends no status until it has taken a quarter of the messages, so a message without an answer has an unknown
    outcome. Then the statuses begin."""
    if turn == 0:
        stage.set_simulators(receipts=False)
    if not stage.done["statuses begin"] and 4 * stage.taken() > len(stage.people):
        stage.set_simulators(receipts=True)
        stage.done["statuses begin"] += 1


def meta_is_silent(stage: Stage, turn: int) -> None:
    """Everything has left and Meta reports nothing while the clock passes the time of the fallbacks. The fallbacks
    wait, and the campaign warns of it. Meta never makes up for these reports: the fallbacks go after a day."""
    if turn == 12:
        stage.jump(stage.stack.now() + SILENT)
        stage.done["silent"] += len(stage.people) - stage.texts()
    if turn == 15:
        stage.done["warned"] += stage.warns("receipts_missing")
