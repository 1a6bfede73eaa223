"""Open 24-hour sessions, as planning and the gate ask for them (rule: `shared.domain.session`)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol


class Sessions(Protocol):
    """Sessions between the organisation's number and its people. A person is a keyed hash."""

    async def open(self, organisation: str, phone_number_id: str, person: str, until: datetime) -> None:
        """Keep the session open until then, that instant excluded; never shortens one."""
        ...

    async def open_until(
        self, organisation: str, phone_number_id: str, persons: Iterable[str]
    ) -> Mapping[str, datetime]:
        """When each one's session ends. It may have ended: compare with the clock. Who never wrote is left out."""
        ...
