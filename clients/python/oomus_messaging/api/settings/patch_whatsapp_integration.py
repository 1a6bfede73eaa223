from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...models.whats_app_integration_patch import WhatsAppIntegrationPatch
from ...models.whats_app_integration_view import WhatsAppIntegrationView
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: WhatsAppIntegrationPatch | WhatsAppIntegrationPatch | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/v1/integrations/whatsapp",
    }

    if isinstance(body, WhatsAppIntegrationPatch):
        _kwargs["json"] = body.to_dict()

        headers["Content-Type"] = "application/json"
    if isinstance(body, WhatsAppIntegrationPatch):
        _kwargs["json"] = body.to_dict()

        headers["Content-Type"] = "application/merge-patch+json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | Problem | WhatsAppIntegrationView | None:
    if response.status_code == 200:
        response_200 = WhatsAppIntegrationView.from_dict(response.json())

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
) -> Response[GatewayMessage | Problem | WhatsAppIntegrationView]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: WhatsAppIntegrationPatch | WhatsAppIntegrationPatch | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | WhatsAppIntegrationView]:
    """Change single WhatsApp settings

     JSON Merge Patch (RFC 7396): what is not named stays, null removes a value. Two patches at once lose
    nothing. An account that was held is tried again at once.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | WhatsAppIntegrationView]
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
    body: WhatsAppIntegrationPatch | WhatsAppIntegrationPatch | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | WhatsAppIntegrationView | None:
    """Change single WhatsApp settings

     JSON Merge Patch (RFC 7396): what is not named stays, null removes a value. Two patches at once lose
    nothing. An account that was held is tried again at once.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | WhatsAppIntegrationView
    """

    return sync_detailed(
        client=client,
        body=body,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: WhatsAppIntegrationPatch | WhatsAppIntegrationPatch | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | WhatsAppIntegrationView]:
    """Change single WhatsApp settings

     JSON Merge Patch (RFC 7396): what is not named stays, null removes a value. Two patches at once lose
    nothing. An account that was held is tried again at once.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | WhatsAppIntegrationView]
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
    body: WhatsAppIntegrationPatch | WhatsAppIntegrationPatch | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | WhatsAppIntegrationView | None:
    """Change single WhatsApp settings

     JSON Merge Patch (RFC 7396): what is not named stays, null removes a value. Two patches at once lose
    nothing. An account that was held is tried again at once.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.
        body (WhatsAppIntegrationPatch): What changes; all other settings and secrets stay. Null
            removes a value.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | WhatsAppIntegrationView
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            accept_language=accept_language,
        )
    ).parsed
