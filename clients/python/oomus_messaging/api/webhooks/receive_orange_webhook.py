from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.receive_orange_webhook_body import ReceiveOrangeWebhookBody
from ...types import Response


def _get_kwargs(
    organisation_id: str,
    token: str,
    *,
    body: ReceiveOrangeWebhookBody,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/webhooks/orange/{organisation_id}/{token}".format(
            organisation_id=quote(str(organisation_id), safe=""),
            token=quote(str(token), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Any | Problem | None:
    if response.status_code == 200:
        response_200 = cast(Any, None)
        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Any | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    organisation_id: str,
    token: str,
    *,
    client: AuthenticatedClient | Client,
    body: ReceiveOrangeWebhookBody,
) -> Response[Any | Problem]:
    """Orange's delivery receipts

     Orange does not sign: the secret part of the address and the list of its networks prove who it is.

    Args:
        organisation_id (str):
        token (str):
        body (ReceiveOrangeWebhookBody):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        organisation_id=organisation_id,
        token=token,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    organisation_id: str,
    token: str,
    *,
    client: AuthenticatedClient | Client,
    body: ReceiveOrangeWebhookBody,
) -> Any | Problem | None:
    """Orange's delivery receipts

     Orange does not sign: the secret part of the address and the list of its networks prove who it is.

    Args:
        organisation_id (str):
        token (str):
        body (ReceiveOrangeWebhookBody):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return sync_detailed(
        organisation_id=organisation_id,
        token=token,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    organisation_id: str,
    token: str,
    *,
    client: AuthenticatedClient | Client,
    body: ReceiveOrangeWebhookBody,
) -> Response[Any | Problem]:
    """Orange's delivery receipts

     Orange does not sign: the secret part of the address and the list of its networks prove who it is.

    Args:
        organisation_id (str):
        token (str):
        body (ReceiveOrangeWebhookBody):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | Problem]
    """

    kwargs = _get_kwargs(
        organisation_id=organisation_id,
        token=token,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    organisation_id: str,
    token: str,
    *,
    client: AuthenticatedClient | Client,
    body: ReceiveOrangeWebhookBody,
) -> Any | Problem | None:
    """Orange's delivery receipts

     Orange does not sign: the secret part of the address and the list of its networks prove who it is.

    Args:
        organisation_id (str):
        token (str):
        body (ReceiveOrangeWebhookBody):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | Problem
    """

    return (
        await asyncio_detailed(
            organisation_id=organisation_id,
            token=token,
            client=client,
            body=body,
        )
    ).parsed
