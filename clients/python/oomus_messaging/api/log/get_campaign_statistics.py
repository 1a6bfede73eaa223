import datetime
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...models.statistics import Statistics
from ...types import UNSET, Response, Unset


def _get_kwargs(
    campaign_id: str,
    *,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    group: Literal["day"] | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    params: dict[str, Any] = {}

    json_from_: str | Unset = UNSET
    if not isinstance(from_, Unset):
        json_from_ = from_.isoformat()
    params["from"] = json_from_

    json_to: str | Unset = UNSET
    if not isinstance(to, Unset):
        json_to = to.isoformat()
    params["to"] = json_to

    params["group"] = group

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/campaigns/{campaign_id}/statistics".format(
            campaign_id=quote(str(campaign_id), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | Problem | Statistics | None:
    if response.status_code == 200:
        response_200 = Statistics.from_dict(response.json())

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
) -> Response[GatewayMessage | Problem | Statistics]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    campaign_id: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    group: Literal["day"] | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | Statistics]:
    """A campaign's figures

     Counts the messages accepted in whole clock hours (UTC): `from` moves back to its full hour, `to` on
    to the next one, and the answer names both as used. A few seconds behind the log while messages
    move, exact afterwards. A campaign without messages has zeroes, because a campaign is only a
    reference.

    Args:
        campaign_id (str): The front end's reference of the campaign; no personal data. A phone
            number is refused (see the Identifier rule in the introduction).
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        group (Literal['day'] | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | Statistics]
    """

    kwargs = _get_kwargs(
        campaign_id=campaign_id,
        from_=from_,
        to=to,
        group=group,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    campaign_id: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    group: Literal["day"] | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | Statistics | None:
    """A campaign's figures

     Counts the messages accepted in whole clock hours (UTC): `from` moves back to its full hour, `to` on
    to the next one, and the answer names both as used. A few seconds behind the log while messages
    move, exact afterwards. A campaign without messages has zeroes, because a campaign is only a
    reference.

    Args:
        campaign_id (str): The front end's reference of the campaign; no personal data. A phone
            number is refused (see the Identifier rule in the introduction).
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        group (Literal['day'] | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | Statistics
    """

    return sync_detailed(
        campaign_id=campaign_id,
        client=client,
        from_=from_,
        to=to,
        group=group,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    campaign_id: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    group: Literal["day"] | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> Response[GatewayMessage | Problem | Statistics]:
    """A campaign's figures

     Counts the messages accepted in whole clock hours (UTC): `from` moves back to its full hour, `to` on
    to the next one, and the answer names both as used. A few seconds behind the log while messages
    move, exact afterwards. A campaign without messages has zeroes, because a campaign is only a
    reference.

    Args:
        campaign_id (str): The front end's reference of the campaign; no personal data. A phone
            number is refused (see the Identifier rule in the introduction).
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        group (Literal['day'] | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | Statistics]
    """

    kwargs = _get_kwargs(
        campaign_id=campaign_id,
        from_=from_,
        to=to,
        group=group,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    campaign_id: str,
    *,
    client: AuthenticatedClient,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    group: Literal["day"] | Unset = UNSET,
    accept_language: str | Unset = "en",
) -> GatewayMessage | Problem | Statistics | None:
    """A campaign's figures

     Counts the messages accepted in whole clock hours (UTC): `from` moves back to its full hour, `to` on
    to the next one, and the answer names both as used. A few seconds behind the log while messages
    move, exact afterwards. A campaign without messages has zeroes, because a campaign is only a
    reference.

    Args:
        campaign_id (str): The front end's reference of the campaign; no personal data. A phone
            number is refused (see the Identifier rule in the introduction).
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        group (Literal['day'] | Unset):
        accept_language (str | Unset):  Default: 'en'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | Statistics
    """

    return (
        await asyncio_detailed(
            campaign_id=campaign_id,
            client=client,
            from_=from_,
            to=to,
            group=group,
            accept_language=accept_language,
        )
    ).parsed
