from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...models.redrive_all import RedriveAll
from ...models.redrive_some import RedriveSome
from ...models.redriven import Redriven
from ...types import Response, Unset


def _get_kwargs(
    *,
    body: RedriveAll | RedriveSome,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/dead-letters/redrive",
    }

    if isinstance(body, RedriveSome):
        _kwargs["json"] = body.to_dict()
    else:
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | Problem | Redriven | None:
    if response.status_code == 202:
        response_202 = Redriven.from_dict(response.json())

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
) -> Response[GatewayMessage | Problem | Redriven]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: RedriveAll | RedriveSome,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | Redriven]:
    """Handle dead letters again

     Each goes the way of every message: consent, quiet hours, its distribution's state and the
    provider's rate limit are checked again. It is sent at most once, even if it is redriven several
    times. If it fails again, it comes back with another `dead_letter_id`. IDs that are unknown, already
    redriven or another organisation's are ignored.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (RedriveAll | RedriveSome): Some dead letters, or all of the organisation's.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | Redriven]
    """

    kwargs = _get_kwargs(
        body=body,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: RedriveAll | RedriveSome,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | Redriven | None:
    """Handle dead letters again

     Each goes the way of every message: consent, quiet hours, its distribution's state and the
    provider's rate limit are checked again. It is sent at most once, even if it is redriven several
    times. If it fails again, it comes back with another `dead_letter_id`. IDs that are unknown, already
    redriven or another organisation's are ignored.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (RedriveAll | RedriveSome): Some dead letters, or all of the organisation's.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | Redriven
    """

    return sync_detailed(
        client=client,
        body=body,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: RedriveAll | RedriveSome,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | Redriven]:
    """Handle dead letters again

     Each goes the way of every message: consent, quiet hours, its distribution's state and the
    provider's rate limit are checked again. It is sent at most once, even if it is redriven several
    times. If it fails again, it comes back with another `dead_letter_id`. IDs that are unknown, already
    redriven or another organisation's are ignored.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (RedriveAll | RedriveSome): Some dead letters, or all of the organisation's.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | Redriven]
    """

    kwargs = _get_kwargs(
        body=body,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: RedriveAll | RedriveSome,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | Redriven | None:
    """Handle dead letters again

     Each goes the way of every message: consent, quiet hours, its distribution's state and the
    provider's rate limit are checked again. It is sent at most once, even if it is redriven several
    times. If it fails again, it comes back with another `dead_letter_id`. IDs that are unknown, already
    redriven or another organisation's are ignored.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (RedriveAll | RedriveSome): Some dead letters, or all of the organisation's.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | Redriven
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            accept_language=accept_language,
        )
    ).parsed
