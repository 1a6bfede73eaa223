"""How long the log keeps a message, and the KMS key of secrets that are made at run time."""

from datetime import timedelta

from shared.storage.aws import Aws
from shared.storage.dynamodb.log import DynamoLog
from shared.storage.dynamodb.message_item import key
from shared.storage.secrets import SecretIntegrations, SecretTokenStore
from tests.contract.cloud import deploy
from tests.contract.making import ORGANISATION, message
from tests.contract.test_integrations import SMS
from tests.fakes.world import FakeClock, FakeTelemetry
from tests.template.reading import Node

KEY = "alias/oomus-messaging-test"


async def test_a_message_expires_after_the_configured_retention(aws: Aws, described: Node) -> None:
    table = deploy(aws, described).log_table
    log = DynamoLog(aws, table, timedelta(days=90))
    for logged, number in ((log.add, 1), (lambda one: log.add_all([one]), 2)):
        one = message(f"m-{number}")
        await logged(one)
        item = aws.dynamodb.get_item(TableName=table, Key={"pk": {"S": key(ORGANISATION, one.message_id)}})["Item"]
        assert item["expires_at"] == {"N": str(int((one.accepted_at + timedelta(days=90)).timestamp()))}


async def test_secrets_are_made_under_the_configured_key_and_stay_under_it(aws: Aws) -> None:
    settings = SecretIntegrations(aws, "locked", FakeClock(), key=KEY)
    token_store = SecretTokenStore(aws, "locked", FakeTelemetry(), KEY)
    for _ in range(2):
        await settings.put(SMS)
        await token_store.open(ORGANISATION)
        for name in ("sms", "orange-token"):
            assert aws.secrets.describe_secret(SecretId=f"locked/{ORGANISATION}/{name}")["KmsKeyId"] == KEY
