from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.distribution import Distribution
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...models.retry_order import RetryOrder
from ...types import Response, Unset


def _get_kwargs(
    distribution_id: str,
    *,
    body: RetryOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Idempotency-Key"] = idempotency_key

    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/distributions/{distribution_id}/retry".format(
            distribution_id=quote(str(distribution_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Distribution | GatewayMessage | Problem | None:
    if response.status_code == 202:
        response_202 = Distribution.from_dict(response.json())

        return response_202

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = GatewayMessage.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Distribution | GatewayMessage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    distribution_id: str,
    *,
    client: AuthenticatedClient,
    body: RetryOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Response[Distribution | GatewayMessage | Problem]:
    """Send the failed messages again, as a new distribution

     Makes a new distribution of the same campaign. Its rows are failed rows of this one, planned anew
    from their stored content: consent, hours, countries, templates and cards are checked again. They
    keep their row numbers, and each new message names the failed one as its `parent_message_id`. The
    new distribution has the content, the options and the fallback of this one; a start at a fixed time
    becomes `auto`.

    A failed message gets one successor, by a retry or a resend. The new message takes its place when it
    is logged; if another one has it already, the new message ends as `failed` with the reason
    `already_sent`. So does a message whose failed one is reported as delivered meanwhile. Rows whose
    fallback is due or has begun are left out. Erased rows, and rows whose content has expired, are
    rejected rows of the new distribution.

    Possible once this distribution was confirmed, also while it is sending or paused. What fails later,
    or fails again, is retried with another request; rows that were retried before are then those of the
    new distribution.

    Args:
        distribution_id (str):
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (RetryOrder): Which failed messages are sent again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Distribution | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        distribution_id=distribution_id,
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    distribution_id: str,
    *,
    client: AuthenticatedClient,
    body: RetryOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Distribution | GatewayMessage | Problem | None:
    """Send the failed messages again, as a new distribution

     Makes a new distribution of the same campaign. Its rows are failed rows of this one, planned anew
    from their stored content: consent, hours, countries, templates and cards are checked again. They
    keep their row numbers, and each new message names the failed one as its `parent_message_id`. The
    new distribution has the content, the options and the fallback of this one; a start at a fixed time
    becomes `auto`.

    A failed message gets one successor, by a retry or a resend. The new message takes its place when it
    is logged; if another one has it already, the new message ends as `failed` with the reason
    `already_sent`. So does a message whose failed one is reported as delivered meanwhile. Rows whose
    fallback is due or has begun are left out. Erased rows, and rows whose content has expired, are
    rejected rows of the new distribution.

    Possible once this distribution was confirmed, also while it is sending or paused. What fails later,
    or fails again, is retried with another request; rows that were retried before are then those of the
    new distribution.

    Args:
        distribution_id (str):
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (RetryOrder): Which failed messages are sent again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Distribution | GatewayMessage | Problem
    """

    return sync_detailed(
        distribution_id=distribution_id,
        client=client,
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    distribution_id: str,
    *,
    client: AuthenticatedClient,
    body: RetryOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Response[Distribution | GatewayMessage | Problem]:
    """Send the failed messages again, as a new distribution

     Makes a new distribution of the same campaign. Its rows are failed rows of this one, planned anew
    from their stored content: consent, hours, countries, templates and cards are checked again. They
    keep their row numbers, and each new message names the failed one as its `parent_message_id`. The
    new distribution has the content, the options and the fallback of this one; a start at a fixed time
    becomes `auto`.

    A failed message gets one successor, by a retry or a resend. The new message takes its place when it
    is logged; if another one has it already, the new message ends as `failed` with the reason
    `already_sent`. So does a message whose failed one is reported as delivered meanwhile. Rows whose
    fallback is due or has begun are left out. Erased rows, and rows whose content has expired, are
    rejected rows of the new distribution.

    Possible once this distribution was confirmed, also while it is sending or paused. What fails later,
    or fails again, is retried with another request; rows that were retried before are then those of the
    new distribution.

    Args:
        distribution_id (str):
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (RetryOrder): Which failed messages are sent again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Distribution | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        distribution_id=distribution_id,
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    distribution_id: str,
    *,
    client: AuthenticatedClient,
    body: RetryOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Distribution | GatewayMessage | Problem | None:
    """Send the failed messages again, as a new distribution

     Makes a new distribution of the same campaign. Its rows are failed rows of this one, planned anew
    from their stored content: consent, hours, countries, templates and cards are checked again. They
    keep their row numbers, and each new message names the failed one as its `parent_message_id`. The
    new distribution has the content, the options and the fallback of this one; a start at a fixed time
    becomes `auto`.

    A failed message gets one successor, by a retry or a resend. The new message takes its place when it
    is logged; if another one has it already, the new message ends as `failed` with the reason
    `already_sent`. So does a message whose failed one is reported as delivered meanwhile. Rows whose
    fallback is due or has begun are left out. Erased rows, and rows whose content has expired, are
    rejected rows of the new distribution.

    Possible once this distribution was confirmed, also while it is sending or paused. What fails later,
    or fails again, is retried with another request; rows that were retried before are then those of the
    new distribution.

    Args:
        distribution_id (str):
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (RetryOrder): Which failed messages are sent again.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Distribution | GatewayMessage | Problem
    """

    return (
        await asyncio_detailed(
            distribution_id=distribution_id,
            client=client,
            body=body,
            idempotency_key=idempotency_key,
            accept_language=accept_language,
        )
    ).parsed
