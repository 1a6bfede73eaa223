"""`make run DOCKER=1`: the functions run in containers (`sam local`), and this process only shows what they did.

This process polls no queue and fires no schedule, so a queue message of one container waits for the next container. The
gateway still answers, with functions of this process: for the log, and for the webhooks that the simulators call. The
ports are fixed: PORT for the gateway, the next one for moto, the one after it for the simulators. Values that a
deployment draws at random are fixed here too, because events/ contains them. They are plainly no secrets.
"""

from datetime import datetime

from local.deployment import Deployment, client
from shared.base.instants import milliseconds
from shared.integrations.integration import Secret, SmsIntegration
from shared.storage.codec import encode

ORGANISATION = "demo"
NUMBER_KEY = "the-number-key-of-containers-on-one-machine-and-of-nothing-else-"
RECEIPT_TOKEN = "the-receipt-token-of-containers"  # noqa: S105 - part of the path in events/webhook_orange.json
SMS = {
    "client_id": "container-client",
    "client_secret": "container-client-secret",
    "sender_name": "PNV",
    "default_country": "SN",
}


def plant_secrets(deployment: Deployment, prefix: str, aws_url: str, now: datetime) -> None:
    """Store the number key, and SMS settings with a receipt token. A later PUT of the settings keeps the token."""
    secrets = client("secretsmanager", aws_url)
    secrets.put_secret_value(SecretId=deployment.outputs["NumberKeySecretArn"], SecretString=NUMBER_KEY)
    integration = SmsIntegration(
        organisation=ORGANISATION,
        client_id=SMS["client_id"],
        client_secret=Secret(value=SMS["client_secret"], updated_at=now),
        sender_name=SMS["sender_name"],
        default_country=SMS["default_country"],
        senders={},
        rate_per_second=5,
        unit_prices={},
        peak_hours=(),
        receipt_addresses=(),
        receipt_token=Secret(value=RECEIPT_TOKEN, updated_at=now),
        version=milliseconds(now),
    )
    secrets.create_secret(Name=f"{prefix}/{ORGANISATION}/sms", SecretString=encode(integration).decode())
