"""All adapters, for the API and the fan-out."""

from functools import cached_property

from shared.app.aws.clients import AwsCards
from shared.app.aws.keyed import AwsKeyed
from shared.app.providers import PROVIDERS
from shared.integrations.balances import BalancesByProvider
from shared.providers.http import client
from shared.providers.meta.graph import Graph, MetaTemplates
from shared.storage.dynamodb.exports import DynamoExports
from shared.storage.dynamodb.people import DynamoTraces
from shared.storage.export_files import S3ExportFiles
from shared.storage.files import S3Uploads
from shared.storage.schedules import ScheduleNames, SchedulerSchedules
from shared.storage.workbooks import ChildWorkbooks


class AwsWhole(AwsCards, AwsKeyed):
    """Adds: Meta's administration, balances, uploads, exports, schedules and the traces of people."""

    @cached_property
    def meta(self) -> Graph:
        """Meta's administration. `meta_graph_url` is without the version."""
        return Graph(client(), self._given.meta_graph_url)

    @cached_property
    def templates_at_meta(self) -> MetaTemplates:
        """Meta's templates."""
        return MetaTemplates(self.meta)

    @cached_property
    def balances(self) -> BalancesByProvider:
        """What accounts may still send, from the providers that report it."""
        return BalancesByProvider({row.name: row.balances(self._parts(row)) for row in PROVIDERS if row.balances})

    @cached_property
    def uploads(self) -> S3Uploads:
        """Files of clients."""
        return S3Uploads(self.aws, self._given.payload_bucket)

    @cached_property
    def export_store(self) -> DynamoExports:
        """The states of exports."""
        return DynamoExports(self.aws, self._given.state_table)

    @cached_property
    def export_files(self) -> S3ExportFiles:
        """Files of exports."""
        return S3ExportFiles(self.aws, self._given.payload_bucket)

    @cached_property
    def workbooks(self) -> ChildWorkbooks:
        """Reads uploaded workbooks."""
        return ChildWorkbooks()

    @cached_property
    def schedules(self) -> SchedulerSchedules:
        """A distribution's own schedule."""
        given = self._given
        names = ScheduleNames(
            group=given.schedule_group, target_arn=given.schedule_target_arn, role_arn=given.schedule_role_arn
        )
        return SchedulerSchedules(self.aws, names, self.telemetry)

    @cached_property
    def traces(self) -> DynamoTraces:
        """Other records about a person."""
        return DynamoTraces(self.aws, self._given.state_table)
