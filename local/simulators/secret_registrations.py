"""Reads the registrations from the product's settings in the stack's Secrets Manager.

The simulators stand in for the person who registered each webhook at Meta and Orange, and who knew the app secret and
the receipts' URL. No other module of the simulators knows anything of the product.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.simulators.json_body import parsed_object, text_at
from local.simulators.registrations import SmsRegistration, WhatsAppRegistration

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

RECENT_SECONDS = 5.0
MISS_SECONDS = 0.5
"""A lookup that finds nothing reads again, but not more often than this.

It waits for that, because a send often follows right after its settings were saved.
"""


class SecretRegistrations:
    """All secrets under `prefix`, read at most every few seconds, in a thread."""

    def __init__(self, aws_url: str, prefix: str, region: str) -> None:
        self._prefix = prefix.rstrip("/")
        self._client: SecretsManagerClient = boto3.client(
            "secretsmanager",
            endpoint_url=aws_url,
            region_name=region,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - moto accepts any
            config=Config(connect_timeout=10, read_timeout=60, retries={"total_max_attempts": 1}),
        )
        self._lock = asyncio.Lock()
        self._read_at = -RECENT_SECONDS
        self._whatsapp: list[WhatsAppRegistration] = []
        self._sms: list[SmsRegistration] = []

    async def whatsapp(self, phone_number_id: str, access_token: str) -> WhatsAppRegistration | None:
        def matches(each: WhatsAppRegistration) -> bool:
            return each.phone_number_id == phone_number_id and each.access_token == access_token

        await self._refresh(RECENT_SECONDS)
        if not any(map(matches, self._whatsapp)):
            await self._refresh(MISS_SECONDS, wait=True)
        return next(filter(matches, self._whatsapp), None)

    async def whatsapp_of(self, organisation: str) -> WhatsAppRegistration | None:
        await self._refresh(MISS_SECONDS)
        return next((each for each in self._whatsapp if each.organisation == organisation), None)

    async def whatsapp_of_account(self, account: str) -> WhatsAppRegistration | None:
        def registered() -> WhatsAppRegistration | None:
            numbers = (each for each in self._whatsapp if each.business_account_id == account)
            return next((each for each in numbers if each.app_secret is not None), None)

        await self._refresh(MISS_SECONDS)
        if registered() is None:
            await self._refresh(MISS_SECONDS, wait=True)
        return registered()

    async def numbers_of_account(self, account: str) -> Sequence[WhatsAppRegistration]:
        await self._refresh(MISS_SECONDS)
        return [each for each in self._whatsapp if each.business_account_id == account]

    async def sms(self, client_id: str) -> SmsRegistration | None:
        await self._refresh(RECENT_SECONDS)
        if not any(each.client_id == client_id for each in self._sms):
            await self._refresh(MISS_SECONDS, wait=True)
        return next((each for each in self._sms if each.client_id == client_id), None)

    async def _refresh(self, older_than: float, *, wait: bool = False) -> None:
        asked_at = time.monotonic()
        async with self._lock:
            age = time.monotonic() - self._read_at
            if self._read_at > asked_at or (age < older_than and not wait):
                return
            await asyncio.sleep(max(older_than - age, 0))
            try:
                secrets = await asyncio.to_thread(self._read)
            except (BotoCoreError, ClientError):
                return  # The stack may be starting or stopping: keep what was known.
            finally:
                self._read_at = time.monotonic()
            found = [_whatsapp(name, raw) for name, raw in secrets if name.endswith("/whatsapp")]
            self._whatsapp = [each for each in found if each is not None]
            texts = [_sms(name, raw) for name, raw in secrets if name.endswith("/sms")]
            self._sms = [each for each in texts if each is not None]

    def _read(self) -> list[tuple[str, str]]:
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [f"{self._prefix}/"]}]
        )
        names = [each["Name"] for page in pages for each in page["SecretList"]]
        wanted = [name for name in names if name.endswith(("/whatsapp", "/sms"))]
        return [(name, self._client.get_secret_value(SecretId=name)["SecretString"]) for name in wanted]


def _organisation(name: str) -> str:
    return name.rsplit("/", 2)[1]


def _whatsapp(name: str, raw: str) -> WhatsAppRegistration | None:
    secret = parsed_object(raw)
    number = text_at(secret, "phone_number_id")
    token = text_at(secret, "access_token", "value")
    if number is None or token is None:
        return None
    return WhatsAppRegistration(
        organisation=_organisation(name),
        phone_number_id=number,
        sender_number=text_at(secret, "sender_number") or "",
        access_token=token,
        app_secret=text_at(secret, "app_secret", "value"),
        verify_token=text_at(secret, "verify_token", "value"),
        business_account_id=text_at(secret, "business_account_id"),
    )


def _sms(name: str, raw: str) -> SmsRegistration | None:
    secret = parsed_object(raw)
    client_id = text_at(secret, "client_id")
    token = text_at(secret, "receipt_token", "value")
    if client_id is None or token is None:
        return None
    return SmsRegistration(organisation=_organisation(name), client_id=client_id, receipt_token=token)
