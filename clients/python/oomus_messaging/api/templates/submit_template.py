from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...models.template_submitted import TemplateSubmitted
from ...types import Response, Unset


def _get_kwargs(
    name: str,
    *,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/templates/{name}/submit".format(
            name=quote(str(name), safe=""),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | Problem | TemplateSubmitted | None:
    if response.status_code == 202:
        response_202 = TemplateSubmitted.from_dict(response.json())

        return response_202

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

    if response.status_code == 502:
        response_502 = Problem.from_dict(response.json())

        return response_502

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[GatewayMessage | Problem | TemplateSubmitted]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    name: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | TemplateSubmitted]:
    """Submit a ready-made template for Meta's review

     In French and English, category Utility. A version that Meta already has stays, and we take over its
    status; a rejected one is submitted once more.

    Args:
        name (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | TemplateSubmitted]
    """

    kwargs = _get_kwargs(
        name=name,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    name: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | TemplateSubmitted | None:
    """Submit a ready-made template for Meta's review

     In French and English, category Utility. A version that Meta already has stays, and we take over its
    status; a rejected one is submitted once more.

    Args:
        name (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | TemplateSubmitted
    """

    return sync_detailed(
        name=name,
        client=client,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    name: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | TemplateSubmitted]:
    """Submit a ready-made template for Meta's review

     In French and English, category Utility. A version that Meta already has stays, and we take over its
    status; a rejected one is submitted once more.

    Args:
        name (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | TemplateSubmitted]
    """

    kwargs = _get_kwargs(
        name=name,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    name: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | TemplateSubmitted | None:
    """Submit a ready-made template for Meta's review

     In French and English, category Utility. A version that Meta already has stays, and we take over its
    status; a rejected one is submitted once more.

    Args:
        name (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | TemplateSubmitted
    """

    return (
        await asyncio_detailed(
            name=name,
            client=client,
            accept_language=accept_language,
        )
    ).parsed
