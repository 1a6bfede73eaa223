from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.distribution import Distribution
from ...models.distribution_order import DistributionOrder
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...types import Response, Unset


def _get_kwargs(
    *,
    body: DistributionOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["Idempotency-Key"] = idempotency_key

    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/distributions",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Distribution | GatewayMessage | Problem | None:
    if response.status_code == 201:
        response_201 = Distribution.from_dict(response.json())

        return response_201

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
    *,
    client: AuthenticatedClient,
    body: DistributionOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Response[Distribution | GatewayMessage | Problem]:
    """Plan a distribution

     A wrong type or an unknown field in a recipient refuses the request, with the row's number. A
    recipient who cannot be reached is a rejected row.

    Args:
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (DistributionOrder): Needs either `recipients` or `upload_id`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Distribution | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: DistributionOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Distribution | GatewayMessage | Problem | None:
    """Plan a distribution

     A wrong type or an unknown field in a recipient refuses the request, with the row's number. A
    recipient who cannot be reached is a rejected row.

    Args:
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (DistributionOrder): Needs either `recipients` or `upload_id`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Distribution | GatewayMessage | Problem
    """

    return sync_detailed(
        client=client,
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: DistributionOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Response[Distribution | GatewayMessage | Problem]:
    """Plan a distribution

     A wrong type or an unknown field in a recipient refuses the request, with the row's number. A
    recipient who cannot be reached is a rejected row.

    Args:
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (DistributionOrder): Needs either `recipients` or `upload_id`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Distribution | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: DistributionOrder,
    idempotency_key: str,
    accept_language: str | Unset = "en",
) -> Distribution | GatewayMessage | Problem | None:
    """Plan a distribution

     A wrong type or an unknown field in a recipient refuses the request, with the row's number. A
    recipient who cannot be reached is a rejected row.

    Args:
        idempotency_key (str):
        accept_language (str | Unset):  Default: 'en'.
        body (DistributionOrder): Needs either `recipients` or `upload_id`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Distribution | GatewayMessage | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            idempotency_key=idempotency_key,
            accept_language=accept_language,
        )
    ).parsed
