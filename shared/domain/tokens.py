"""Access tokens that the workers of an organisation share, and where they lie."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A provider's token. `refresh_at` (UTC) is early enough for a request that is under way to arrive in time."""

    value: str = field(repr=False)
    refresh_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """What lies on a shelf. `version` names this state of it; empty where there is no shelf."""

    token: AccessToken | None
    version: str


class TokenShelf(Protocol):
    """One token for each organisation. `application` is a hash of the credentials that a token was got with: one of
    other credentials is nobody's.

    Sharing saves requests; sending does not depend on it. So nothing here raises: a shelf that cannot be reached is
    reported to the operators and is empty.
    """

    async def read(self, organisation: str, application: str) -> Shelved:
        """What lies there now."""
        ...

    async def put(self, organisation: str, application: str, token: AccessToken, *, version: str) -> bool:
        """Replace the state `version`; False where another worker has replaced it first."""
        ...

    async def open(self, organisation: str) -> None:
        """Make the shelf, or empty it: the credentials are new."""
        ...

    async def remove(self, organisation: str) -> None:
        """Delete the shelf and what lies there, at once."""
        ...
