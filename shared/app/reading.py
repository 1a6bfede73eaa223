"""What reads distributions and messages for people, for the functions that answer with them."""

from shared.app.stores import Stores
from shared.campaigns.outlook import Outlook
from shared.campaigns.reading import Browse, BrowseDeps
from shared.campaigns.stored_content import Plans
from shared.integrations.balances import Balances
from shared.pacing.daily_limit import NumberReader


def browse_with(stores: Stores, plans: Plans, balances: Balances, number: NumberReader) -> Browse:
    """Reading; `balances` and `number` say what the providers' accounts may still send."""
    return Browse(
        BrowseDeps(
            log=stores.log,
            distributions=stores.distributions,
            holds=stores.holds,
            plans=plans,
            pulse=stores.pulse,
            outlook=Outlook(stores.integrations, stores.lanes, balances, number, stores.clock),
            clock=stores.clock,
        )
    )
