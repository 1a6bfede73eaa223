"""Graph's ?fields=: an answer holds the ID and the fields that were asked for.

Graph refuses, by name, a field that the kind of object does not have.
"""

from collections.abc import Mapping, Set

from starlette.requests import Request

from local.simulators.meta.errors import GraphError


def chosen(
    known: Mapping[str, object], empty: Set[str], kind: str, request: Request, default: str
) -> dict[str, object]:
    """Return the fields that the request asks for, with the ID. Raises GraphError.

    `empty` are fields of the kind without a value here. Graph leaves such a field out of its answer.
    """
    wanted = request.query_params.get("fields", default).split(",")
    for field in wanted:
        if field not in known and field not in empty:
            raise GraphError(100, f"Tried accessing nonexisting field ({field}) on node type ({kind})")
    return {field: known[field] for field in {*wanted, "id"} if field in known}
