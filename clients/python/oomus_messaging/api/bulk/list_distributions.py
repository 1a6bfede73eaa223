import datetime
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.channel import Channel
from ...models.distribution_list import DistributionList
from ...models.distribution_status import DistributionStatus
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    campaign_id: str | Unset = UNSET,
    channel: Channel | Unset = UNSET,
    status: DistributionStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    params: dict[str, Any] = {}

    params["campaign_id"] = campaign_id

    json_channel: str | Unset = UNSET
    if not isinstance(channel, Unset):
        json_channel = channel.value

    params["channel"] = json_channel

    json_status: str | Unset = UNSET
    if not isinstance(status, Unset):
        json_status = status.value

    params["status"] = json_status

    json_from_: str | Unset = UNSET
    if not isinstance(from_, Unset):
        json_from_ = from_.isoformat()
    params["from"] = json_from_

    json_to: str | Unset = UNSET
    if not isinstance(to, Unset):
        json_to = to.isoformat()
    params["to"] = json_to

    params["limit"] = limit

    params["cursor"] = cursor

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/distributions",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> DistributionList | GatewayMessage | Problem | None:
    if response.status_code == 200:
        response_200 = DistributionList.from_dict(response.json())

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

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[DistributionList | GatewayMessage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    campaign_id: str | Unset = UNSET,
    channel: Channel | Unset = UNSET,
    status: DistributionStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[DistributionList | GatewayMessage | Problem]:
    """Distributions, newest first

     Newest first. `from` and `to` compare `created_at`. With filters that few distributions match, a
    page may be short or empty and still have a `next_cursor`.

    Args:
        campaign_id (str | Unset): The front end's reference of the campaign; no personal data. A
            phone number is refused (see the Identifier rule in the introduction).
        channel (Channel | Unset): How a message reaches the person.
        status (DistributionStatus | Unset): How far a distribution is.
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DistributionList | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        campaign_id=campaign_id,
        channel=channel,
        status=status,
        from_=from_,
        to=to,
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
    campaign_id: str | Unset = UNSET,
    channel: Channel | Unset = UNSET,
    status: DistributionStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> DistributionList | GatewayMessage | Problem | None:
    """Distributions, newest first

     Newest first. `from` and `to` compare `created_at`. With filters that few distributions match, a
    page may be short or empty and still have a `next_cursor`.

    Args:
        campaign_id (str | Unset): The front end's reference of the campaign; no personal data. A
            phone number is refused (see the Identifier rule in the introduction).
        channel (Channel | Unset): How a message reaches the person.
        status (DistributionStatus | Unset): How far a distribution is.
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DistributionList | GatewayMessage | Problem
    """

    return sync_detailed(
        client=client,
        campaign_id=campaign_id,
        channel=channel,
        status=status,
        from_=from_,
        to=to,
        limit=limit,
        cursor=cursor,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    campaign_id: str | Unset = UNSET,
    channel: Channel | Unset = UNSET,
    status: DistributionStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[DistributionList | GatewayMessage | Problem]:
    """Distributions, newest first

     Newest first. `from` and `to` compare `created_at`. With filters that few distributions match, a
    page may be short or empty and still have a `next_cursor`.

    Args:
        campaign_id (str | Unset): The front end's reference of the campaign; no personal data. A
            phone number is refused (see the Identifier rule in the introduction).
        channel (Channel | Unset): How a message reaches the person.
        status (DistributionStatus | Unset): How far a distribution is.
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DistributionList | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        campaign_id=campaign_id,
        channel=channel,
        status=status,
        from_=from_,
        to=to,
        limit=limit,
        cursor=cursor,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    campaign_id: str | Unset = UNSET,
    channel: Channel | Unset = UNSET,
    status: DistributionStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    limit: int | Unset = 50,
    cursor: str | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> DistributionList | GatewayMessage | Problem | None:
    """Distributions, newest first

     Newest first. `from` and `to` compare `created_at`. With filters that few distributions match, a
    page may be short or empty and still have a `next_cursor`.

    Args:
        campaign_id (str | Unset): The front end's reference of the campaign; no personal data. A
            phone number is refused (see the Identifier rule in the introduction).
        channel (Channel | Unset): How a message reaches the person.
        status (DistributionStatus | Unset): How far a distribution is.
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        limit (int | Unset):  Default: 50.
        cursor (str | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DistributionList | GatewayMessage | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            campaign_id=campaign_id,
            channel=channel,
            status=status,
            from_=from_,
            to=to,
            limit=limit,
            cursor=cursor,
            accept_language=accept_language,
        )
    ).parsed
