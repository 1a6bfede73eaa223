"""What integrations ask of the world: the settings. `storage` answers on AWS, `tests/fakes` in memory; one contract
suite holds both to the same behaviour. Every method may be called twice; instants are aware and in UTC."""

from typing import Protocol

from shared.integrations.integration import Dhis2Integration, SmsIntegration, WhatsAppIntegration


class Integrations(Protocol):
    """The organisations' settings, secrets included. `version`: a copy older than this is read anew."""

    async def whatsapp(
        self, organisation: str, *, version: int = 0, uncached: bool = False
    ) -> WhatsAppIntegration | None:
        """None where it is not set."""
        ...

    async def sms(self, organisation: str, *, version: int = 0, uncached: bool = False) -> SmsIntegration | None:
        """None where it is not set."""
        ...

    async def dhis2(self, organisation: str) -> Dhis2Integration | None:
        """None where it is not set."""
        ...

    async def put(self, integration: WhatsAppIntegration | SmsIntegration | Dhis2Integration) -> None:
        """Keep it, replacing what was there."""
        ...

    async def delete(self, organisation: str, name: str) -> bool:
        """Forget it, its secrets at once; says whether there was one."""
        ...
