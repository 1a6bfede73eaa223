from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.gateway_message import GatewayMessage
from ...models.message_list import MessageList
from ...models.phone_order import PhoneOrder
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: PhoneOrder,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    params: dict[str, Any] = {}

    params["limit"] = limit

    params["cursor"] = cursor

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/messages/lookup",
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | MessageList | Problem | None:
    if response.status_code == 200:
        response_200 = MessageList.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = GatewayMessage.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[GatewayMessage | MessageList | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: PhoneOrder,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | MessageList | Problem]:
    """A person's messages, newest first

     By number. The number is in the body, because an address must never contain a number. A national
    number is read with the organisation's default country. After an erasure the list is empty. Together
    with /v1/consents/lookup, at most 60 calls in any minute for each `sub` of an organisation, pages
    included; tokens without `sub` and `client_id` share one count. Each call writes a log event with
    the `sub`.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.
        body (PhoneOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | MessageList | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        limit=limit,
        cursor=cursor,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: PhoneOrder,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> GatewayMessage | MessageList | Problem | None:
    """A person's messages, newest first

     By number. The number is in the body, because an address must never contain a number. A national
    number is read with the organisation's default country. After an erasure the list is empty. Together
    with /v1/consents/lookup, at most 60 calls in any minute for each `sub` of an organisation, pages
    included; tokens without `sub` and `client_id` share one count. Each call writes a log event with
    the `sub`.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.
        body (PhoneOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | MessageList | Problem
    """

    return sync_detailed(
        client=client,
        body=body,
        limit=limit,
        cursor=cursor,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: PhoneOrder,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | MessageList | Problem]:
    """A person's messages, newest first

     By number. The number is in the body, because an address must never contain a number. A national
    number is read with the organisation's default country. After an erasure the list is empty. Together
    with /v1/consents/lookup, at most 60 calls in any minute for each `sub` of an organisation, pages
    included; tokens without `sub` and `client_id` share one count. Each call writes a log event with
    the `sub`.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.
        body (PhoneOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | MessageList | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        limit=limit,
        cursor=cursor,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: PhoneOrder,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> GatewayMessage | MessageList | Problem | None:
    """A person's messages, newest first

     By number. The number is in the body, because an address must never contain a number. A national
    number is read with the organisation's default country. After an erasure the list is empty. Together
    with /v1/consents/lookup, at most 60 calls in any minute for each `sub` of an organisation, pages
    included; tokens without `sub` and `client_id` share one count. Each call writes a log event with
    the `sub`.

    Args:
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.
        body (PhoneOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | MessageList | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            limit=limit,
            cursor=cursor,
            accept_language=accept_language,
        )
    ).parsed
