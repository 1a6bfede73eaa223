"""Secrets that are made at run time. None of them is ever deleted on AWS: it is overwritten.

Secrets Manager deletes a secret some time after it was told to, also where no recovery is wanted. Until then it refuses
to make or to change one by that name (InvalidRequestException), and settings that are saved right after they were
deleted would be lost. An erased secret stays, and holds one word.
"""

import hashlib
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from shared.storage.aws import Aws

ERASED = "erased"
"""What an erased secret holds. Every other one holds JSON."""

_TRIES = 3

_ABSENT = ("ResourceNotFoundException", "InvalidRequestException")
"""Not there; or an operator has deleted it, and it may still be restored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A secret's current version."""

    text: str = field(repr=False)
    version: str


class ErasureError(Exception):
    """Another worker changed the secret each time that it was to be erased."""


def read_secret(aws: Aws, name: str) -> Kept | None:
    """None where there is none, or where it was erased."""
    found = _current(aws, name)
    return None if found is None or found.text == ERASED else found


def put_secret(aws: Aws, name: str, text: str, key: str | None) -> None:
    """Replace what is there, erased or not. Where nothing is, make it under a KMS key (None: the account's own). Of two
    first puts at once the one that comes second replaces the other's."""
    try:
        aws.secrets.put_secret_value(SecretId=name, SecretString=text)
    except aws.secrets.exceptions.ResourceNotFoundException:
        try:
            _create(aws, name, text, key)
        except aws.secrets.exceptions.ResourceExistsException:
            aws.secrets.put_secret_value(SecretId=name, SecretString=text)


def erase_secret(aws: Aws, name: str) -> bool:
    """Overwrite it, and say whether there was something. Twice, because the version before the current one can be read
    too. Repeated, it does the same again: the one before may have been killed in between.

    Raises ErasureError where workers who replace it by `following` came first each time.
    """
    there = False
    for _ in range(_TRIES):
        found = _current(aws, name)
        if found is None:
            return there
        there = there or found.text != ERASED
        first = following(found.version)
        try:
            for version in (first, following(first)):
                aws.secrets.put_secret_value(SecretId=name, SecretString=ERASED, ClientRequestToken=version)
        except aws.secrets.exceptions.ResourceExistsException:
            continue
        return there
    raise ErasureError(f"not erased in {_TRIES} tries")


def following(version: str) -> str:
    """The version that comes after `version`, for writers who replace what they have read. Of two who replace the same
    version Secrets Manager refuses the second, which makes a put conditional where the service knows no conditions."""
    return hashlib.sha256(version.encode()).hexdigest()


def _current(aws: Aws, name: str) -> Kept | None:
    try:
        found = aws.secrets.get_secret_value(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise
    return Kept(text=found["SecretString"], version=found["VersionId"])


def _create(aws: Aws, name: str, text: str, key: str | None) -> None:
    if key is None:
        aws.secrets.create_secret(Name=name, SecretString=text)
    else:
        aws.secrets.create_secret(Name=name, SecretString=text, KmsKeyId=key)
