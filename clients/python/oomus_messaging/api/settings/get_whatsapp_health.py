from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.channel_health import ChannelHealth
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...types import Response, Unset


def _get_kwargs(
    *,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/integrations/whatsapp/health",
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ChannelHealth | GatewayMessage | Problem | None:
    if response.status_code == 200:
        response_200 = ChannelHealth.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = GatewayMessage.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ChannelHealth | GatewayMessage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> Response[ChannelHealth | GatewayMessage | Problem]:
    """Which parts of WhatsApp work, and where to repair the others

     Asks Meta now. Checks: token, number, verified_name, quality, limit, templates, webhook, account.
    `sender` is the verified name; `daily_limit` is null if there is none or Meta does not report it.

    Args:
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ChannelHealth | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> ChannelHealth | GatewayMessage | Problem | None:
    """Which parts of WhatsApp work, and where to repair the others

     Asks Meta now. Checks: token, number, verified_name, quality, limit, templates, webhook, account.
    `sender` is the verified name; `daily_limit` is null if there is none or Meta does not report it.

    Args:
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ChannelHealth | GatewayMessage | Problem
    """

    return sync_detailed(
        client=client,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> Response[ChannelHealth | GatewayMessage | Problem]:
    """Which parts of WhatsApp work, and where to repair the others

     Asks Meta now. Checks: token, number, verified_name, quality, limit, templates, webhook, account.
    `sender` is the verified name; `daily_limit` is null if there is none or Meta does not report it.

    Args:
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ChannelHealth | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> ChannelHealth | GatewayMessage | Problem | None:
    """Which parts of WhatsApp work, and where to repair the others

     Asks Meta now. Checks: token, number, verified_name, quality, limit, templates, webhook, account.
    `sender` is the verified name; `daily_limit` is null if there is none or Meta does not report it.

    Args:
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ChannelHealth | GatewayMessage | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            accept_language=accept_language,
        )
    ).parsed
