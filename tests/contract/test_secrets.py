"""Only the adapter: an erased secret cannot be read in any version, in spite of concurrent writes."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.storage.aws import Aws
from shared.storage.secrets import ERASED, ErasureError, erase_secret, following, put_secret, read_secret

CREDENTIALS = '{"value": "invented"}'


def _readable(aws: Aws, name: str) -> set[str]:
    """The readable values of a secret: the versions that have a label."""
    stages = ("AWSCURRENT", "AWSPREVIOUS")
    return {aws.secrets.get_secret_value(SecretId=name, VersionStage=one)["SecretString"] for one in stages}


def _before_each_put(aws: Aws, act: Callable[[int], None]) -> Callable[[], None]:
    """Calls `act` before each put except its own. Call the result to stop."""
    event, turns, inside = "before-call.secrets-manager.PutSecretValue", [0], [False]

    def overtake(**_: Any) -> None:
        if not inside[0]:
            inside[0] = True
            try:
                act(turns[0])
            finally:
                inside[0] = False
            turns[0] += 1

    aws.secrets.meta.events.register(event, overtake)
    return lambda: aws.secrets.meta.events.unregister(event, overtake)


def test_neither_the_current_nor_the_previous_version_holds_the_erased_secret(aws: Aws) -> None:
    put_secret(aws, "erased/plain", CREDENTIALS, None)
    put_secret(aws, "erased/plain", CREDENTIALS + " ", None)
    assert [erase_secret(aws, "erased/plain") for _ in range(3)] == [True, False, False]
    assert _readable(aws, "erased/plain") == {ERASED}
    assert read_secret(aws, "erased/plain") is None
    put_secret(aws, "erased/plain", CREDENTIALS, None)
    assert _readable(aws, "erased/plain") == {CREDENTIALS, ERASED}


def test_erasing_a_missing_secret_creates_nothing(aws: Aws) -> None:
    assert not erase_secret(aws, "erased/never")
    with pytest.raises(aws.secrets.exceptions.ResourceNotFoundException):
        aws.secrets.describe_secret(SecretId="erased/never")


def test_the_next_erasure_completes_a_killed_one(aws: Aws) -> None:
    put_secret(aws, "erased/killed", CREDENTIALS, None)

    def die(turn: int) -> None:
        if turn == 1:
            raise SystemExit

    stop = _before_each_put(aws, die)
    with pytest.raises(SystemExit):
        erase_secret(aws, "erased/killed")
    stop()
    assert _readable(aws, "erased/killed") == {CREDENTIALS, ERASED}
    erase_secret(aws, "erased/killed")
    assert _readable(aws, "erased/killed") == {ERASED}


def test_a_workers_write_comes_before_the_erasure_or_fails(aws: Aws) -> None:
    put_secret(aws, "erased/raced", CREDENTIALS, None)
    seen = read_secret(aws, "erased/raced")
    assert seen is not None
    follows = following(seen.version)

    def replace(turn: int) -> None:
        if turn == 0:
            aws.secrets.put_secret_value(
                SecretId="erased/raced", SecretString='{"value": "token"}', ClientRequestToken=follows
            )

    stop = _before_each_put(aws, replace)
    assert erase_secret(aws, "erased/raced")
    stop()
    assert _readable(aws, "erased/raced") == {ERASED}
    with pytest.raises(aws.secrets.exceptions.ResourceExistsException):
        aws.secrets.put_secret_value(SecretId="erased/raced", SecretString="{}", ClientRequestToken=follows)


def test_an_erasure_that_is_always_overtaken_raises(aws: Aws) -> None:
    put_secret(aws, "erased/busy", CREDENTIALS, None)

    def replace(turn: int) -> None:
        seen = read_secret(aws, "erased/busy")
        assert seen is not None
        text = f'{{"value": "{turn}"}}'
        aws.secrets.put_secret_value(
            SecretId="erased/busy", SecretString=text, ClientRequestToken=following(seen.version)
        )

    stop = _before_each_put(aws, replace)
    with pytest.raises(ErasureError, match=r"^not erased in 3 tries$"):
        erase_secret(aws, "erased/busy")
    stop()
