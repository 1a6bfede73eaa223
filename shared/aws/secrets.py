"""Secrets that are made at run time."""

from shared.aws.session import Aws


def create_secret(aws: Aws, name: str, text: str, key: str | None) -> None:
    """A new secret under a KMS key (None: the one that Secrets Manager keeps for the account). A later put leaves it
    under that key. Raises what Secrets Manager raises, ResourceExistsException among it."""
    if key is None:
        aws.secrets.create_secret(Name=name, SecretString=text)
    else:
        aws.secrets.create_secret(Name=name, SecretString=text, KmsKeyId=key)
