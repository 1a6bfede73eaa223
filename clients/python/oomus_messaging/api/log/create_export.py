from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.export_accepted import ExportAccepted
from ...models.export_order import ExportOrder
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...types import Response, Unset


def _get_kwargs(
    *,
    body: ExportOrder,
    accept_language: str | Unset = "en",
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/exports",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ExportAccepted | GatewayMessage | Problem | None:
    if response.status_code == 202:
        response_202 = ExportAccepted.from_dict(response.json())

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
) -> Response[ExportAccepted | GatewayMessage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: ExportOrder,
    accept_language: str | Unset = "en",
) -> Response[ExportAccepted | GatewayMessage | Problem]:
    """Ask for a whole list as a CSV file

     The file is made in the background; GET /v1/exports/{export_id} says when it is done. The same
    request answers the same `export_id` until that export is over; after that it makes a new one. An
    organisation's exports are made one after the other. While 50 wait, another one answers 409
    `state_conflict`.

    The file: one header, at most a million rows (with more the export fails: choose a shorter time span
    or a status). UTF-8 with a byte order mark, lines that end with CRLF, quotes as in RFC 4180. English
    has commas; French has semicolons and decimal commas. Times are UTC (`2026-11-30 20:15:00`). A cell
    that a spreadsheet might run as a formula begins with an apostrophe; so do masked numbers, because
    they begin with a plus sign.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (ExportOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ExportAccepted | GatewayMessage | Problem]
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
    body: ExportOrder,
    accept_language: str | Unset = "en",
) -> ExportAccepted | GatewayMessage | Problem | None:
    """Ask for a whole list as a CSV file

     The file is made in the background; GET /v1/exports/{export_id} says when it is done. The same
    request answers the same `export_id` until that export is over; after that it makes a new one. An
    organisation's exports are made one after the other. While 50 wait, another one answers 409
    `state_conflict`.

    The file: one header, at most a million rows (with more the export fails: choose a shorter time span
    or a status). UTF-8 with a byte order mark, lines that end with CRLF, quotes as in RFC 4180. English
    has commas; French has semicolons and decimal commas. Times are UTC (`2026-11-30 20:15:00`). A cell
    that a spreadsheet might run as a formula begins with an apostrophe; so do masked numbers, because
    they begin with a plus sign.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (ExportOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ExportAccepted | GatewayMessage | Problem
    """

    return sync_detailed(
        client=client,
        body=body,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: ExportOrder,
    accept_language: str | Unset = "en",
) -> Response[ExportAccepted | GatewayMessage | Problem]:
    """Ask for a whole list as a CSV file

     The file is made in the background; GET /v1/exports/{export_id} says when it is done. The same
    request answers the same `export_id` until that export is over; after that it makes a new one. An
    organisation's exports are made one after the other. While 50 wait, another one answers 409
    `state_conflict`.

    The file: one header, at most a million rows (with more the export fails: choose a shorter time span
    or a status). UTF-8 with a byte order mark, lines that end with CRLF, quotes as in RFC 4180. English
    has commas; French has semicolons and decimal commas. Times are UTC (`2026-11-30 20:15:00`). A cell
    that a spreadsheet might run as a formula begins with an apostrophe; so do masked numbers, because
    they begin with a plus sign.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (ExportOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ExportAccepted | GatewayMessage | Problem]
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
    body: ExportOrder,
    accept_language: str | Unset = "en",
) -> ExportAccepted | GatewayMessage | Problem | None:
    """Ask for a whole list as a CSV file

     The file is made in the background; GET /v1/exports/{export_id} says when it is done. The same
    request answers the same `export_id` until that export is over; after that it makes a new one. An
    organisation's exports are made one after the other. While 50 wait, another one answers 409
    `state_conflict`.

    The file: one header, at most a million rows (with more the export fails: choose a shorter time span
    or a status). UTF-8 with a byte order mark, lines that end with CRLF, quotes as in RFC 4180. English
    has commas; French has semicolons and decimal commas. Times are UTC (`2026-11-30 20:15:00`). A cell
    that a spreadsheet might run as a formula begins with an apostrophe; so do masked numbers, because
    they begin with a plus sign.

    Args:
        accept_language (str | Unset):  Default: 'en'.
        body (ExportOrder):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ExportAccepted | GatewayMessage | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            accept_language=accept_language,
        )
    ).parsed
