from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.gateway_message import GatewayMessage
from ...models.message import Message
from ...models.problem import Problem
from ...types import Response, Unset


def _get_kwargs(
    message_id: str,
    *,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/messages/{message_id}/cancel".format(
            message_id=quote(str(message_id), safe=""),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | Message | Problem | None:
    if response.status_code == 200:
        response_200 = Message.from_dict(response.json())

        return response_200

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

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[GatewayMessage | Message | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    message_id: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Message | Problem]:
    """Cancel one message

     Ends a message that is `pending` and that no sender has taken up: a scheduled one, one on its queue,
    one that is held or that waits for another attempt, a dead letter, a row of a distribution. It is
    then `failed` with the reason `cancelled`, and no fallback goes. A repeated request gets the same
    answer. 409 while a sender has it, while its outcome is unknown, and for every other status.

    Args:
        message_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Message | Problem]
    """

    kwargs = _get_kwargs(
        message_id=message_id,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    message_id: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Message | Problem | None:
    """Cancel one message

     Ends a message that is `pending` and that no sender has taken up: a scheduled one, one on its queue,
    one that is held or that waits for another attempt, a dead letter, a row of a distribution. It is
    then `failed` with the reason `cancelled`, and no fallback goes. A repeated request gets the same
    answer. 409 while a sender has it, while its outcome is unknown, and for every other status.

    Args:
        message_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Message | Problem
    """

    return sync_detailed(
        message_id=message_id,
        client=client,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    message_id: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Message | Problem]:
    """Cancel one message

     Ends a message that is `pending` and that no sender has taken up: a scheduled one, one on its queue,
    one that is held or that waits for another attempt, a dead letter, a row of a distribution. It is
    then `failed` with the reason `cancelled`, and no fallback goes. A repeated request gets the same
    answer. 409 while a sender has it, while its outcome is unknown, and for every other status.

    Args:
        message_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Message | Problem]
    """

    kwargs = _get_kwargs(
        message_id=message_id,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    message_id: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Message | Problem | None:
    """Cancel one message

     Ends a message that is `pending` and that no sender has taken up: a scheduled one, one on its queue,
    one that is held or that waits for another attempt, a dead letter, a row of a distribution. It is
    then `failed` with the reason `cancelled`, and no fallback goes. A repeated request gets the same
    answer. 409 while a sender has it, while its outcome is unknown, and for every other status.

    Args:
        message_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Message | Problem
    """

    return (
        await asyncio_detailed(
            message_id=message_id,
            client=client,
            accept_language=accept_language,
        )
    ).parsed
