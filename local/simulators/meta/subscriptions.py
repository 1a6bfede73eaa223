"""Which WhatsApp Business Accounts have an app that receives their webhooks."""

from local.simulators.registrations import Registrations


class Subscriptions:
    """The subscriptions of accounts.

    The simulators stand in for the person who registered the webhook and subscribed the app. So an account with a
    registered webhook is subscribed until DELETE /{account}/subscribed_apps. Meta then no longer calls its webhook.
    """

    def __init__(self, registrations: Registrations) -> None:
        self._registrations = registrations
        self._reported: dict[str, bool] = {}

    async def is_subscribed(self, account: str) -> bool:
        """Whether an app receives the account's webhooks."""
        if account in self._reported:
            return self._reported[account]
        return await self._registrations.whatsapp_of_account(account) is not None

    def is_ended(self, account: str) -> bool:
        """Whether the subscription was ended."""
        return self._reported.get(account) is False

    def tell(self, account: str, *, subscribed: bool) -> None:
        """Note a POST or a DELETE."""
        self._reported[account] = subscribed

    def clear(self) -> None:
        """Go back to the state of the start."""
        self._reported.clear()
