"""What reads distributions and messages for people, for the functions that answer with them."""

from shared.usecases.balances import Balances
from shared.usecases.browse import Browse, BrowseDeps
from shared.usecases.frozen import Plans
from shared.usecases.outlook import Outlook
from shared.usecases.reputation import NumberReader
from shared.wiring.stores import Stores


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
