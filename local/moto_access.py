"""Makes moto check what a function may do, by the policies of template.yaml.

A caller with a role's session may do what the role may. Every other caller is the account itself, which may do all.
Signatures are not compared, because the stack's server replaces the signed host by AWS's own. Like `local.moto_mends`,
whose `apply_all` calls it, this module changes moto's internals. The tests are beside that module's tests.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import Role, iam_backends
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sts.models import AssumedRole, sts_backends
from moto.utilities.utils import get_partition

from local.partiql import kind_and_table

SCHEDULER = "scheduler.amazonaws.com"
_SPEAK_XML = ("iam", "sts")
_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One permission that a request needs. `context` has the values that a policy's conditions read."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Ledger:
    """What sessions were allowed and refused.

    `allowed` holds (session, role, Sid of the statement, action, the statement's resource that matches). `refused`
    holds (session, role, action, resource). While `is_open` is False, refusals are not noted: a reset deletes resources
    that a function may still use.
    """

    allowed: set[tuple[str, ...]] = field(default_factory=set)
    refused: set[tuple[str, ...]] = field(default_factory=set)
    is_open: bool = True

    def refuse(self, *what: str) -> None:
        """Note a refusal, if the ledger is open."""
        if self.is_open:
            self.refused.add(what)

    def as_json(self) -> dict[str, list[tuple[str, ...]]]:
        return {"allowed": sorted(self.allowed), "refused": sorted(self.refused)}


LEDGER = Ledger()


def replace(owner: Any, **members: Any) -> None:
    """Replace members of a class or a module."""
    for name, member in members.items():
        setattr(owner, name, member)


def mend_roles() -> None:
    """Make a role of CloudFormation keep its policies as IAM's own API does, managed policies too."""
    original = Role.create_from_cloudformation_json  # bound to Role, which has no subclass in CloudFormation

    def create(_cls: Any, /, name: str, document: dict[str, Any], account_id: str, region: str, **kwargs: Any) -> Any:
        role = original(name, document, account_id, region, **kwargs)
        for policy, its in role.policies.items():
            role.policies[policy] = its if isinstance(its, str) else json.dumps(_without_no_value(its))
        backend = iam_backends[account_id][get_partition(region)]
        known = {policy.arn for policy in backend.managed_policies.values()}
        for arn in document["Properties"].get("ManagedPolicyArns", []):
            if arn in known:  # moto does not load AWS's own policies
                backend.attach_role_policy(arn, role.name)
        return role

    replace(Role, create_from_cloudformation_json=classmethod(create))


def _without_no_value(policy: dict[str, Any]) -> dict[str, Any]:
    """Remove the nulls that moto leaves for `AWS::NoValue` in a list."""
    found = policy["Statement"]
    return {**policy, "Statement": [one for one in found if one is not None] if isinstance(found, list) else found}


def mend_access() -> None:
    """Check a role's policies for the exact resource, and for everything that a request needs."""
    replace(IAMPolicyStatement, _match=staticmethod(_matches))
    replace(ActionAuthenticatorMixin, _authenticate_and_authorize_action=_authorize)


def _matches(pattern: str, text: str) -> re.Match[str] | None:
    """Match as IAM does: `*` and `?` are wildcards, every other character stands for itself."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL)


def _authorize(request: Any, _: type, resource: str = "*") -> None:
    credential = _credential(request)
    session = _session(request, credential[0])
    if session is None:
        return
    name = session.role_arn.rpartition("/")[2]
    role: Any = iam_backends[session.account_id][session.partition].get_role(name)
    documents = (*role.policies.values(), *(_default_version(policy) for policy in role.managed_policies.values()))
    for need in _needs(request, credential[3], resource):
        granting = _granting(documents, need)
        if granting is None:
            LEDGER.refuse(session.session_name, name, need.action, need.resource)
            _refuse(session, credential[3], need)
        LEDGER.allowed.add((session.session_name, name, granting.sid, need.action, granting.resource))


def _credential(request: Any) -> list[str]:
    """Return access key, day, region and service of a request's signature, which may also be in its query."""
    signed = request.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0]
    found = signed or parse_qs(urlsplit(request.uri).query).get("X-Amz-Credential", [""])[0]
    return found.split("/") if found else ["", "", "", "s3"]


def _session(request: Any, access_key: str) -> AssumedRole | None:
    backend = sts_backends[request.current_account][get_partition(request.region)]
    return backend.get_assumed_role_from_access_key(access_key)


def _default_version(policy: Any) -> str:
    return next(str(version.document) for version in policy.versions if version.is_default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granting:
    """A statement that allows something, and which of its resources matches."""

    sid: str
    resource: str


@lru_cache(10_000)
def _granting(documents: tuple[str, ...], need: Need) -> Granting | None:
    """The first statement that allows what is needed, or None if no statement allows it or one denies it."""
    granting = None
    for statement in _statements(documents):
        decision = IAMPolicyStatement(statement).is_action_permitted(
            need.action, need.resource, incoming_condition_values=dict(need.context)
        )
        if statement["Effect"] == "Deny" and decision is PermissionResult.DENIED:
            return None
        if statement["Effect"] == "Allow" and decision is PermissionResult.PERMITTED:
            granting = granting or Granting(sid=statement.get("Sid", ""), resource=_meant(statement, need.resource))
    return granting


def _meant(statement: dict[str, Any], resource: str) -> str:
    named = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    return next(str(one) for one in named if _matches(one, resource))


def _statements(documents: Iterable[str]) -> Iterator[dict[str, Any]]:
    for document in documents:
        found = json.loads(document)["Statement"]
        yield from found if isinstance(found, list) else [found]


def _refuse(session: AssumedRole, service: str, need: Need) -> NoReturn:
    if service == "s3":
        raise S3AccessDeniedError
    if service in _SPEAK_XML:
        raise AccessDeniedError(user_arn=session.arn, action=need.action)
    text = f"User: {session.arn} is not authorized to perform: {need.action} on resource: {need.resource}"
    raise JsonRESTError("AccessDeniedException", text)


def _needs(request: Any, service: str, resource: str) -> Iterator[Need]:
    action = request.data["Action"] if service == "s3" else request._get_action()
    where = f"arn:{get_partition(request.region)}:{service}:{request.region}:{request.current_account}"
    match service:
        case "dynamodb":
            yield from _items(request.params, action, where)
        case "secretsmanager":
            yield Need(action=f"{service}:{action}", resource=_secret(request, where))
        case "scheduler":
            yield from _schedule(request, action, where)
        case "sqs":
            yield Need(action=f"sqs:{action.removesuffix('Batch')}", resource=resource)
        case "s3":
            yield Need(action=f"s3:{action}", resource=resource)
            yield from _missing_object(request, action, resource)
        case _:
            yield Need(action=f"{service}:{action}", resource=resource)


def _missing_object(request: Any, action: str, resource: str) -> Iterator[Need]:
    """Only a caller who may list the bucket learns that an object is missing; S3 refuses the others."""
    bucket, _, key = resource.partition(":::")[2].partition("/")
    if action in ("GetObject", "GetObjectVersion"):
        backend = s3_backends[request.current_account][get_partition(request.region)]
        # `head_object` would raise if the last version is a delete marker.
        if backend.get_object(bucket, key) is None:
            yield Need(action="s3:ListBucket", resource=resource.removesuffix(f"/{key}"))


def _items(params: dict[str, Any], action: str, where: str) -> Iterator[Need]:
    """A transaction and PartiQL need each write under its own name; a batch needs each table."""
    if action.startswith("Transact"):
        for kind, its in (one for item in params["TransactItems"] for one in item.items()):
            single = "GetItem" if action == "TransactGetItems" else _TRANSACTED[kind]
            yield Need(action=f"dynamodb:{single}", resource=f"{where}:table/{its['TableName']}")
        return
    if action == "BatchExecuteStatement":
        for statement in params["Statements"]:
            kind, table = kind_and_table(statement)
            yield Need(action=f"dynamodb:PartiQL{kind}", resource=f"{where}:table/{table}")
        return
    tables = params["RequestItems"] if "RequestItems" in params else [params.get("TableName", "*")]
    index = f"/index/{params['IndexName']}" if params.get("IndexName") else ""
    for table in tables:
        yield Need(action=f"dynamodb:{action}", resource=f"{where}:table/{table}{index}")


def _secret(request: Any, where: str) -> str:
    """The ARN that a secret is checked by. It ends in six random characters if the secret exists; else it has none."""
    asked = request._get_param("SecretId") or request._get_param("Name")
    if asked is None:
        return "*"
    found = secretsmanager_backends[request.current_account][request.region].secrets.get(asked)
    if found is not None:
        return str(found.arn)
    return asked if asked.startswith("arn:") else f"{where}:secret:{asked}"


def _schedule(request: Any, action: str, where: str) -> Iterator[Need]:
    """A caller who gives a schedule a role also needs `iam:PassRole` for it."""
    group = request._get_param("GroupName") or request._get_param("groupName") or "default"
    name = unquote(urlsplit(request.uri).path.rpartition("/")[2])
    yield Need(action=f"scheduler:{action}", resource=f"{where}:schedule/{group}/{name}")
    target = request._get_param("Target") if action in ("CreateSchedule", "UpdateSchedule") else None
    if target:
        context = (("iam:PassedToService", SCHEDULER),)
        yield Need(action="iam:PassRole", resource=str(target["RoleArn"]), context=context)
