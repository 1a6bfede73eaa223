"""The simulators read the stack's secrets to learn which organisation registered a webhook."""

import asyncio
import json

import boto3
import pytest
from moto import mock_aws

from local.simulators.secret_registrations import SecretRegistrations

REGION = "eu-west-1"
ENDPOINT = f"https://secretsmanager.{REGION}.amazonaws.com"


def secret(value: str) -> dict[str, str]:
    return {"value": value, "updated_at": "2026-11-23T10:00:00Z"}


WHATSAPP = {
    "phone_number_id": "106540352242922",
    "sender_number": "+221770009999",
    "access_token": secret("EAA"),
    "app_secret": None,
    "verify_token": secret("verify"),
    "business_account_id": None,
}
SMS = {"client_id": "client-1", "client_secret": secret("s"), "receipt_token": secret("r")}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def test_lookups() -> None:
    async def scene() -> None:
        client = boto3.client("secretsmanager", region_name=REGION)
        registrations = SecretRegistrations(ENDPOINT, "oomus/prod", REGION)
        client.create_secret(Name="oomus/prod/demo/whatsapp", SecretString=json.dumps(WHATSAPP))
        client.create_secret(Name="oomus/prod/demo/sms", SecretString=json.dumps(SMS))
        client.create_secret(Name="oomus/prod/broken/sms", SecretString="not JSON")
        client.create_secret(Name="oomus/prod/other/dhis2", SecretString="{}")
        client.create_secret(Name="elsewhere/demo/sms", SecretString=json.dumps({**SMS, "client_id": "c2"}))

        found = await registrations.whatsapp("106540352242922", "EAA")
        assert found is not None
        assert (found.organisation, found.sender_number, found.app_secret) == ("demo", "+221770009999", None)
        assert await registrations.whatsapp("106540352242922", "another token") is None
        assert await registrations.whatsapp("1", "EAA") is None
        text = await registrations.sms("client-1")
        assert text is not None
        assert (text.organisation, text.receipt_token) == ("demo", "r")
        assert await registrations.sms("c2") is None

    with mock_aws():
        asyncio.run(scene())


def test_accounts_and_their_numbers() -> None:
    async def scene() -> None:
        client = boto3.client("secretsmanager", region_name=REGION)
        registrations = SecretRegistrations(ENDPOINT, "oomus/prod", REGION)
        assert await registrations.whatsapp_of_account("102") is None
        ours = {**WHATSAPP, "business_account_id": "102"}
        client.create_secret(Name="oomus/prod/silent/whatsapp", SecretString=json.dumps(ours))
        reported = {**ours, "phone_number_id": "7", "app_secret": secret("s")}
        client.create_secret(Name="oomus/prod/reported/whatsapp", SecretString=json.dumps(reported))
        found = await registrations.whatsapp_of_account("102")  # saved a moment ago, and already found
        assert found is not None
        assert found.organisation == "reported"
        numbers = await registrations.numbers_of_account("102")
        assert {each.phone_number_id for each in numbers} == {"106540352242922", "7"}
        assert await registrations.numbers_of_account("106540352242922") == []

    with mock_aws():
        asyncio.run(scene())


def test_no_secrets_manager_is_no_registration() -> None:
    async def scene() -> None:
        registrations = SecretRegistrations("http://127.0.0.1:1", "oomus", REGION)
        assert await registrations.sms("client-1") is None

    asyncio.run(scene())
