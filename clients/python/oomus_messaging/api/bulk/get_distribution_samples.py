from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...models.sample_list import SampleList
from ...types import Response, Unset


def _get_kwargs(
    distribution_id: str,
    *,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/distributions/{distribution_id}/samples".format(
            distribution_id=quote(str(distribution_id), safe=""),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | Problem | SampleList | None:
    if response.status_code == 200:
        response_200 = SampleList.from_dict(response.json())

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

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[GatewayMessage | Problem | SampleList]:
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
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | SampleList]:
    """A few rows as the phone will show them

     The first three accepted rows, the longest text, and one row of each language and of each country:
    at most 12, in the order of the file. The texts hold personal data. A person who was erased is left
    out. The list is empty while the distribution is being planned, and where no row was accepted. Once
    the stored content has expired (40 days by default), the answer is 404.

    Args:
        distribution_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | SampleList]
    """

    kwargs = _get_kwargs(
        distribution_id=distribution_id,
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
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | SampleList | None:
    """A few rows as the phone will show them

     The first three accepted rows, the longest text, and one row of each language and of each country:
    at most 12, in the order of the file. The texts hold personal data. A person who was erased is left
    out. The list is empty while the distribution is being planned, and where no row was accepted. Once
    the stored content has expired (40 days by default), the answer is 404.

    Args:
        distribution_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | SampleList
    """

    return sync_detailed(
        distribution_id=distribution_id,
        client=client,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    distribution_id: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | SampleList]:
    """A few rows as the phone will show them

     The first three accepted rows, the longest text, and one row of each language and of each country:
    at most 12, in the order of the file. The texts hold personal data. A person who was erased is left
    out. The list is empty while the distribution is being planned, and where no row was accepted. Once
    the stored content has expired (40 days by default), the answer is 404.

    Args:
        distribution_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | SampleList]
    """

    kwargs = _get_kwargs(
        distribution_id=distribution_id,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    distribution_id: str,
    *,
    client: AuthenticatedClient,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | SampleList | None:
    """A few rows as the phone will show them

     The first three accepted rows, the longest text, and one row of each language and of each country:
    at most 12, in the order of the file. The texts hold personal data. A person who was erased is left
    out. The list is empty while the distribution is being planned, and where no row was accepted. Once
    the stored content has expired (40 days by default), the answer is 404.

    Args:
        distribution_id (str):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | SampleList
    """

    return (
        await asyncio_detailed(
            distribution_id=distribution_id,
            client=client,
            accept_language=accept_language,
        )
    ).parsed
