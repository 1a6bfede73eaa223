"""What asks Meta about an organisation's account: templates, number, limits, health."""

from functools import cached_property

from shared.app.stores import Stores
from shared.integrations.health import WhatsAppHealth, WhatsAppHealthDeps
from shared.integrations.templates import Templates
from shared.pacing.daily_limit import NumberReader
from shared.pacing.members import ProvingNumbers
from shared.providers.http import client
from shared.providers.meta.graph import Graph
from shared.providers.meta.templates import MetaTemplates


class Account:
    """The use cases on Meta's administration, each made at first use. `base_url` is without the version."""

    def __init__(self, stores: Stores, base_url: str) -> None:
        self._stores = stores
        self._base_url = base_url

    @cached_property
    def templates(self) -> Templates:
        """The catalogue, and submitting."""
        stores = self._stores
        return Templates(stores.templates, MetaTemplates(self._graph), stores.telemetry, stores.clock)

    @cached_property
    def number(self) -> NumberReader:
        """What Meta grants the number."""
        stores = self._stores
        meta = ProvingNumbers(self._graph, stores.members)
        return NumberReader(stores.reputations, meta, stores.people_count, stores.telemetry, stores.clock)

    @cached_property
    def health(self) -> WhatsAppHealth:
        """GET /v1/integrations/whatsapp/health."""
        return WhatsAppHealth(
            WhatsAppHealthDeps(
                templates=self.templates,
                number=self.number,
                reputations=self._stores.reputations,
                people=self._stores.people_count,
                subscriptions=self._graph,
                clock=self._stores.clock,
            )
        )

    @cached_property
    def _graph(self) -> Graph:
        return Graph(client(), self._base_url)
