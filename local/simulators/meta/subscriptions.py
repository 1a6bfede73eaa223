"""Which WhatsApp Business Accounts have an app that receives their webhooks."""

from local.simulators.registrations import Registrations


class Subscriptions:
    """The person whom the simulators play subscribed the app when registering the webhook: an account with a registered
    webhook is subscribed until DELETE /{account}/subscribed_apps, and Meta calls no webhook of one that is not."""

    def __init__(self, registrations: Registrations) -> None:
        self._registrations = registrations
        self._reported: dict[str, bool] = {}

    async def is_subscribed(self, account: str) -> bool:
        """Whether its webhooks reach an app."""
        if account in self._reported:
            return self._reported[account]
        return await self._registrations.whatsapp_of_account(account) is not None

    def is_ended(self, account: str) -> bool:
        """Whether the subscription was taken away."""
        return self._reported.get(account) is False

    def tell(self, account: str, *, subscribed: bool) -> None:
        """A POST or a DELETE."""
        self._reported[account] = subscribed

    def clear(self) -> None:
        """As if just started."""
        self._reported.clear()
