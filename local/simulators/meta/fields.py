"""Graph's ?fields=: an answer holds the fields that were asked for and the ID, and a field that a kind of object does
not have is refused by name."""

from collections.abc import Mapping, Set

from starlette.requests import Request

from local.simulators.meta.errors import GraphError


def chosen(
    known: Mapping[str, object], empty: Set[str], kind: str, request: Request, default: str
) -> dict[str, object]:
    """`empty` are fields of the kind with nothing in them here: Graph leaves such a field out. Raises GraphError."""
    wanted = request.query_params.get("fields", default).split(",")
    for field in wanted:
        if field not in known and field not in empty:
            raise GraphError(100, f"Tried accessing nonexisting field ({field}) on node type ({kind})")
    return {field: known[field] for field in {*wanted, "id"} if field in known}
