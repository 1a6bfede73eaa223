import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.template.reading import FUNCTION_FOLDERS, ROOT, Node, at, listed, mapping, of_type, properties, text

# AWS has no resource for these actions. In a key's own policy "*" means that key.
STAR_RESOURCES = {
    ("RuntimePolicy", "WriteTraces"),
    ("DataKey", "AccountDecidesByIam"),
    ("DataKey", "LogGroupsOfTheStack"),
}
DENIALS = {("PayloadBucketPolicy", "TlsOnly")}
"""A denial cannot deny too much: `s3:*` covers every access to the bucket without TLS."""
SECRET_WRITES = {"CreateSecret", "PutSecretValue", "UpdateSecret", "DeleteSecret"}
CALL_ORANGE = {"BulkFanoutRole", "SendSmsRole"}
KNOW_PEOPLE = {"ApiRole", "BulkFanoutRole", "WebhookRole"}
"""They know people by the keyed hashes of their numbers. A sender gets its message by ID."""
READABLE_SECRETS = {
    "ApiRole": ["*"],
    "BulkFanoutRole": ["*/dhis2*", "*/orange-token*", "*/sms*", "*/whatsapp*"],
    "SendWhatsAppRole": ["*/whatsapp*"],
    "SendSmsRole": ["*/orange-token*", "*/sms*"],
    "WebhookRole": ["*/sms*", "*/whatsapp*"],
}


def inline_statements(template: Node, role: str) -> Iterator[dict[str, Node]]:
    for policy in listed(properties(template, role)["Policies"]):
        for statement in listed(at(policy, "PolicyDocument", "Statement")):
            chosen = mapping(statement)
            yield mapping(at(chosen, "Fn::If", 1)) if "Fn::If" in chosen else chosen


def all_statements(template: Node) -> Iterator[tuple[str, dict[str, Node]]]:
    """Every statement of every policy: (where, statement)."""
    for role in of_type(template, "AWS::IAM::Role"):
        yield from ((role, statement) for statement in inline_statements(template, role))
    for name, its in of_type(template, "AWS::IAM::ManagedPolicy").items():
        yield from ((name, mapping(statement)) for statement in listed(at(its, "PolicyDocument", "Statement")))
    for name, its in of_type(template, "AWS::KMS::Key").items():
        yield from ((name, mapping(statement)) for statement in listed(at(its, "KeyPolicy", "Statement")))
    for name, its in of_type(template, "AWS::S3::BucketPolicy").items():
        yield from ((name, mapping(statement)) for statement in listed(at(its, "PolicyDocument", "Statement")))


def actions(template: Node, role: str, service: str) -> set[str]:
    found = [str(action) for statement in inline_statements(template, role) for action in listed(statement["Action"])]
    return {action.removeprefix(f"{service}:") for action in found if action.startswith(f"{service}:")}


def resources(template: Node, role: str, action: str) -> list[str]:
    allowed = [one for one in inline_statements(template, role) if action in listed(one["Action"])]
    return sorted(str(resource) for statement in allowed for resource in listed(statement["Resource"]))


def test_every_function_has_a_role_of_its_own(template: Node) -> None:
    roles = [
        text(its, "Role", "Fn::GetAtt").removesuffix(".Arn")
        for its in of_type(template, "AWS::Serverless::Function").values()
    ]
    assert sorted(roles) == sorted(of_type(template, "AWS::IAM::Role").keys() - {"SchedulerRole"})
    assert len(set(roles)) == len(FUNCTION_FOLDERS)
    for role in roles:
        assert properties(template, role)["ManagedPolicyArns"] == [{"Ref": "RuntimePolicy"}], role


def test_no_statement_allows_all_actions_or_all_resources(template: Node) -> None:
    for where, statement in all_statements(template):
        denied = (where, text(statement, "Sid")) in DENIALS
        assert statement["Effect"] == ("Deny" if denied else "Allow"), where
        for action in map(str, listed(statement["Action"])):
            assert denied or "*" not in action, where
        starred = "*" in [str(resource) for resource in listed(statement["Resource"])]
        assert starred == ((where, text(statement, "Sid")) in STAR_RESOURCES), where


@pytest.mark.parametrize("role", ["ApiRole", "BulkFanoutRole", "SendWhatsAppRole", "SendSmsRole", "WebhookRole"])
def test_secrets_are_read_under_the_stacks_prefix_and_made_by_the_api_alone(template: Node, role: str) -> None:
    prefix = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/"
    assert at(template, "Globals", "Function", "Environment", "Variables", "SECRETS_PREFIX") == {
        "Ref": "AWS::StackName"
    }
    readable = [str({"Fn::Sub": prefix + names}) for names in READABLE_SECRETS[role]]
    if role in KNOW_PEOPLE:
        readable.append(str({"Ref": "NumberKeySecret"}))
    assert resources(template, role, "secretsmanager:GetSecretValue") == readable
    writes = actions(template, role, "secretsmanager") & SECRET_WRITES
    assert "DeleteSecret" not in writes, "what is saved right after it would be refused"
    if role == "ApiRole":
        assert resources(template, role, "secretsmanager:CreateSecret") == [str({"Fn::Sub": f"{prefix}*"})]
    elif role in CALL_ORANGE:
        # The senders replace only the token that they share. Nothing may delete a secret for good.
        assert writes == {"PutSecretValue"}
        token = f"{prefix}*/orange-token-*"
        assert resources(template, role, "secretsmanager:PutSecretValue") == [str({"Fn::Sub": token})]
    else:
        assert not writes


@pytest.mark.parametrize("role", ["SendWhatsAppRole", "SendSmsRole", "WebhookRole"])
def test_senders_and_webhook_delete_no_log_items_and_only_the_webhook_adds_some(template: Node, role: str) -> None:
    log = str({"Fn::GetAtt": "LogTable.Arn"})
    assert log in resources(template, role, "dynamodb:UpdateItem")
    # the webhook creates the answer to a STOP
    assert (log in resources(template, role, "dynamodb:PutItem")) == (role == "WebhookRole")
    for action in ("dynamodb:DeleteItem", "dynamodb:BatchWriteItem"):
        assert log not in resources(template, role, action)


def test_the_log_is_never_written_by_batch(template: Node) -> None:
    """A late BatchWriteItem would turn `sent` back into `pending` (design.md, Bulk)."""
    for role in of_type(template, "AWS::IAM::Role"):
        assert str({"Fn::GetAtt": "LogTable.Arn"}) not in resources(template, role, "dynamodb:BatchWriteItem")


def test_only_the_fan_out_may_insert_into_the_log_by_statement(template: Node) -> None:
    """INSERT fails if the key exists. No function needs PartiQL's other statements."""
    for role in of_type(template, "AWS::IAM::Role"):
        granted = {action for action in actions(template, role, "dynamodb") if action.startswith("PartiQL")}
        assert granted == ({"PartiQLInsert"} if role == "BulkFanoutRole" else set())
    log = str({"Fn::GetAtt": "LogTable.Arn"})
    assert resources(template, "BulkFanoutRole", "dynamodb:PartiQLInsert") == [log]


def test_only_the_index_of_dead_letters_may_be_scanned(template: Node) -> None:
    for role in of_type(template, "AWS::IAM::Role"):
        found = resources(template, role, "dynamodb:Scan")
        index = str({"Fn::Sub": "${LogTable.Arn}/index/dead_letters"})
        assert found == ([index] if role == "BulkFanoutRole" else []), role


@pytest.mark.parametrize(
    ("role", "queues"),
    [
        ("ApiRole", ["FanoutQueue", "SmsQueue", "WhatsAppQueue"]),
        ("BulkFanoutRole", ["FanoutQueue", "SmsQueue", "WhatsAppQueue"]),
        ("SendWhatsAppRole", ["FanoutQueue", "WhatsAppQueue"]),
        ("SendSmsRole", ["SmsQueue"]),
        ("WebhookRole", ["FanoutQueue", "StatusQueue", "WhatsAppQueue"]),
    ],
)
def test_each_role_may_send_to_its_own_queues_only(template: Node, role: str, queues: list[str]) -> None:
    expected = [str({"Fn::GetAtt": f"{queue}.Arn"}) for queue in queues]
    assert resources(template, role, "sqs:SendMessage") == expected


def test_the_fan_out_may_receive_from_its_own_queues_only(template: Node) -> None:
    queues = ("FanoutQueue", "SmsDeadLetters", "WhatsAppDeadLetters")
    expected = [str({"Fn::GetAtt": f"{queue}.Arn"}) for queue in queues]
    assert resources(template, "BulkFanoutRole", "sqs:ReceiveMessage") == expected


@pytest.mark.parametrize(
    ("role", "readable", "writable"),
    [
        ("ApiRole", {"plans", "messages", "exports"}, {"uploads", "messages"}),
        (
            "BulkFanoutRole",
            {"uploads", "plans", "messages", "dedupe_index", "exports"},
            {"plans", "messages", "dedupe_index", "exports"},
        ),
        ("SendWhatsAppRole", set(), set()),
        ("SendSmsRole", set(), set()),
        ("WebhookRole", set(), {"messages"}),
    ],
)
def test_payloads(template: Node, role: str, readable: set[str], writable: set[str]) -> None:
    """A sender gets the content in the queue message, so it reads no payloads."""

    def paths(prefixes: set[str]) -> set[str]:
        return {str({"Fn::Sub": "${PayloadBucket.Arn}/" + prefix + "/*"}) for prefix in prefixes}

    cards = {one for one in resources(template, role, "s3:GetObject") if "CardBuckets" in one}
    assert set(resources(template, role, "s3:GetObject")) - cards == paths(readable)
    assert set(resources(template, role, "s3:PutObject")) == paths(writable)
    assert bool(cards) == (role in ("SendWhatsAppRole", "BulkFanoutRole"))


def test_only_the_fan_out_removes_objects_for_good(template: Node) -> None:
    """An erasure removes versions. All versions of an uploaded file are removed once its plan is stored."""
    for role in of_type(template, "AWS::IAM::Role"):
        found = {action for action in actions(template, role, "s3") if action.startswith("Delete")}
        assert found == ({"DeleteObjectVersion"} if role == "BulkFanoutRole" else set()), role
    folders = ("dedupe_index", "exports", "messages", "plans", "uploads")
    prefixes = [str({"Fn::Sub": f"${{PayloadBucket.Arn}}/{prefix}/*"}) for prefix in folders]
    assert resources(template, "BulkFanoutRole", "s3:DeleteObjectVersion") == prefixes


def test_only_the_fan_out_removes_half_written_files_of_exports(template: Node) -> None:
    for role in of_type(template, "AWS::IAM::Role"):
        expected = [str({"Fn::Sub": "${PayloadBucket.Arn}/exports/*"})] if role == "BulkFanoutRole" else []
        assert resources(template, role, "s3:AbortMultipartUpload") == expected, role


def test_schedules_may_invoke_the_fan_out_only(template: Node) -> None:
    name = text(properties(template, "BulkFanoutFunction"), "FunctionName", "Fn::Sub")
    arn = {"Fn::Sub": f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{name}"}
    assert resources(template, "SchedulerRole", "lambda:InvokeFunction") == [str(arn)]
    [statement] = inline_statements(template, "SchedulerRole")
    assert statement["Action"] == "lambda:InvokeFunction"
    trust = at(properties(template, "SchedulerRole"), "AssumeRolePolicyDocument", "Statement", 0)
    assert at(trust, "Principal", "Service") == "scheduler.amazonaws.com"
    assert "schedule-group/${Schedules}" in text(trust, "Condition", "StringEquals", "aws:SourceArn", "Fn::Sub")
    for function in ("ApiFunction", "BulkFanoutFunction"):
        given = mapping(properties(template, function), "Environment", "Variables")
        assert given["SCHEDULE_TARGET_ARN"] == arn
        assert given["SCHEDULE_ROLE_ARN"] == {"Fn::GetAtt": "SchedulerRole.Arn"}
        assert given["SCHEDULE_GROUP"] == {"Ref": "Schedules"}


@pytest.mark.parametrize("role", ["ApiRole", "BulkFanoutRole", "SendWhatsAppRole", "SendSmsRole", "WebhookRole"])
def test_a_role_that_makes_schedules_may_pass_only_the_schedulers_role(template: Node, role: str) -> None:
    makes = role in ("ApiRole", "BulkFanoutRole")
    verbs = {"CreateSchedule", "UpdateSchedule"} | ({"DeleteSchedule"} if role == "ApiRole" else set())
    assert actions(template, role, "scheduler") == (verbs if makes else set())
    for verb in sorted(verbs) if makes else ():
        [resource] = resources(template, role, f"scheduler:{verb}")
        assert resource.count("schedule/${Schedules}/") == 1
        name = resource.partition("schedule/${Schedules}/")[2].removesuffix("'}")
        assert fnmatchcase(str(uuid5(NAMESPACE_URL, "a distribution")), name)
        assert not any(fnmatchcase(f"oomus-messaging-{stage}-tick", name) for stage in ("dev", "staging", "prod"))
    lent = [one for one in inline_statements(template, role) if "iam:PassRole" in str(one["Action"])]
    assert bool(lent) == makes
    for statement in lent:
        assert statement["Resource"] == {"Fn::GetAtt": "SchedulerRole.Arn"}
        to = at(statement["Condition"], "StringEquals", "iam:PassedToService")
        assert to == "scheduler.amazonaws.com"


def test_the_keys_own_policy_allows_all_that_iam_grants_and_its_own_change(template: Node) -> None:
    """IAM cannot allow an action that the key's policy does not name. Without `PutKeyPolicy` the policy could never be
    changed."""
    [policy] = of_type(template, "AWS::IAM::ManagedPolicy").values()
    used = {str(one) for its in listed(at(policy, "PolicyDocument", "Statement")) for one in listed(at(its, "Action"))}
    statements = listed(at(properties(template, "DataKey"), "KeyPolicy", "Statement"))
    [handed] = [
        set(map(str, listed(at(one, "Action")))) for one in statements if at(one, "Sid") == "AccountDecidesByIam"
    ]
    assert {one for one in used if one.startswith("kms:")} <= handed
    assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:CreateGrant"} <= handed


def test_keys_are_used_only_through_services_that_store_data(template: Node) -> None:
    [policy] = of_type(template, "AWS::IAM::ManagedPolicy").values()
    [statement] = [
        mapping(one)
        for one in listed(at(policy, "PolicyDocument", "Statement"))
        if at(one, "Sid") == "UseKeyThroughItsServices"
    ]
    services = at(statement, "Condition", "StringEquals", "kms:ViaService")
    assert {text(one, "Fn::Sub").split(".")[0] for one in listed(services)} == {
        "dynamodb",
        "s3",
        "secretsmanager",
        "sqs",
    }


def test_no_arn_names_a_partition() -> None:
    """The template can be deployed to China or GovCloud unchanged: each ARN takes its own partition."""
    arns = re.findall(r"\barn:(\$\{AWS::Partition\}|[^:\s]*):", (ROOT / "template.yaml").read_text(encoding="utf-8"))
    assert len(arns) > 20
    assert set(arns) == {"${AWS::Partition}", "*"}
    assert arns.count("*") == 6  # ReadCards: twice in its comment and twice in each of two roles
