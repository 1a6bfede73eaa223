import json

import pytest

from shared.exports.export import KEPT_FOR as EXPORT_KEPT_FOR
from shared.policy.setting import FURTHEST
from shared.storage.dynamodb.message_item import KEPT_FOR
from tests.template.reading import ROOT, Node, at, listed, mapping, number, of_type, properties, text

TABLES = ("LogTable", "StateTable")
KEPT = ("LogTable", "StateTable", "PayloadBucket", "NumberKeySecret", "DataKey")
DAYS_TO_SEND_A_MILLION = 8
"""At 4.5 SMS a second, outside quiet and peak hours."""
SMALL = ["distribution_id", "channel", "campaign_id", "enrollment_id"]
KEPT_BY = {
    "uploads/": "UploadRetentionDays",
    "plans/": "PayloadRetentionDays",
    "messages/": "PayloadRetentionDays",
    "dedupe_index/": "MessageRetentionDays",
}
CONTEXT = "kms:EncryptionContext:aws:logs:arn"
OWN_KEY: Node = {"Fn::GetAtt": "DataKey.Arn"}


def test_there_are_two_tables(template: Node) -> None:
    """The tests below check every table that exists."""
    assert set(of_type(template, "AWS::DynamoDB::Table")) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_encrypted_recoverable_protected_and_expire_items(template: Node, table: str) -> None:
    its = properties(template, table)
    assert its["BillingMode"] == "PAY_PER_REQUEST"
    assert its["DeletionProtectionEnabled"] is True
    assert at(its, "SSESpecification", "KMSMasterKeyId") == {"Fn::GetAtt": "DataKey.Arn"}
    assert at(its, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") is True
    assert its["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def indexes(template: Node, table: str) -> dict[str, tuple[str, str, dict[str, Node]]]:
    """Name → partition key, sort key, projection."""
    return {
        text(index, "IndexName"): (
            text(index, "KeySchema", 0, "AttributeName"),
            text(index, "KeySchema", 1, "AttributeName"),
            mapping(index, "Projection"),
        )
        for index in listed(properties(template, table)["GlobalSecondaryIndexes"])
    }


def test_indexes_of_the_log(template: Node) -> None:
    small: dict[str, Node] = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [*SMALL]}
    listed_with_country: dict[str, Node] = {**small, "NonKeyAttributes": [*SMALL, "country"]}
    of_failures: dict[str, Node] = {**small, "NonKeyAttributes": ["distribution_id", "channel", "campaign_id"]}
    assert indexes(template, "LogTable") == {
        "by_organisation": ("organisation_shard", "listed_at", listed_with_country),
        "by_campaign": ("campaign_shard", "listed_at", listed_with_country),
        "failures_by_organisation": ("organisation_shard", "failure", of_failures),
        "failures_by_campaign": ("campaign_shard", "failure", of_failures),
        "by_enrollment": ("enrollment_key", "listed_at", small),
        "by_person": ("person_key", "listed_at", {"ProjectionType": "KEYS_ONLY"}),
        "by_provider_id": ("provider_message_id", "pk", {"ProjectionType": "KEYS_ONLY"}),
        "dead_letters": (
            "dead_key",
            "listed_at",
            {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["channel"]},
        ),
        "agenda": ("agenda_shard", "due_at", {"ProjectionType": "KEYS_ONLY"}),
    }


def test_indexes_of_the_state(template: Node) -> None:
    assert indexes(template, "StateTable") == {
        "listing": ("list_key", "listed_at", {"ProjectionType": "ALL"}),
        "agenda": ("agenda_shard", "due_at", {"ProjectionType": "KEYS_ONLY"}),
        "unsummed": ("unsummed", "pk", {"ProjectionType": "KEYS_ONLY"}),
    }


def test_the_stack_policy_denies_updates_that_replace_or_delete_kept_resources() -> None:
    """CloudFormation would replace the log by an empty table, and every card could go out again."""
    policy = json.loads((ROOT / "stack-policy.json").read_text(encoding="utf-8"))
    allowed, denied = policy["Statement"]
    assert allowed == {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert set(denied["Action"]) == {"Update:Replace", "Update:Delete"}
    assert set(denied["Resource"]) == {f"LogicalResourceId/{name}" for name in KEPT}


@pytest.mark.parametrize("kept", KEPT)
def test_resources_that_cannot_be_recreated_outlive_the_stack(template: Node, kept: str) -> None:
    resource = mapping(template, "Resources", kept)
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_bucket_is_versioned_encrypted_and_closed(template: Node) -> None:
    bucket = properties(template, "PayloadBucket")
    assert at(bucket, "VersioningConfiguration", "Status") == "Enabled"
    [rule] = listed(at(bucket, "BucketEncryption", "ServerSideEncryptionConfiguration"))
    assert at(rule, "ServerSideEncryptionByDefault", "KMSMasterKeyID") == {"Fn::GetAtt": "DataKey.Arn"}
    assert set(mapping(bucket, "PublicAccessBlockConfiguration").values()) == {True}


def test_the_bucket_speaks_only_tls(template: Node) -> None:
    [policy] = of_type(template, "AWS::S3::BucketPolicy").values()
    [statement] = listed(at(policy, "PolicyDocument", "Statement"))
    assert at(statement, "Effect") == "Deny"
    assert at(statement, "Condition") == {"Bool": {"aws:SecureTransport": "false"}}


def test_payloads_expire_and_their_old_versions_too(template: Node) -> None:
    rules = listed(at(properties(template, "PayloadBucket"), "LifecycleConfiguration", "Rules"))
    by_prefix = {text(rule, "Prefix"): mapping(rule) for rule in rules if "Prefix" in mapping(rule)}
    assert set(by_prefix) == {*KEPT_BY, "exports/"}
    for prefix, rule in by_prefix.items():
        if prefix in KEPT_BY:
            assert rule["ExpirationInDays"] == {"Ref": KEPT_BY[prefix]}, prefix
        assert number(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation") == 1, prefix
        assert number(rule, "NoncurrentVersionExpiration", "NoncurrentDays") == 1, prefix
    shortest = number(template, "Parameters", "PayloadRetentionDays", "MinValue")
    assert shortest >= FURTHEST.days + DAYS_TO_SEND_A_MILLION


def test_the_file_of_an_export_outlives_the_export(template: Node) -> None:
    """S3 counts whole days, from the day after a file was complete."""
    rules = listed(at(properties(template, "PayloadBucket"), "LifecycleConfiguration", "Rules"))
    [rule] = [mapping(rule) for rule in rules if mapping(rule).get("Prefix") == "exports/"]
    assert number(rule, "ExpirationInDays") > EXPORT_KEPT_FOR.days


def test_a_browser_may_upload_and_fetch_from_the_front_ends_origins_only(template: Node) -> None:
    [rule] = listed(at(properties(template, "PayloadBucket"), "CorsConfiguration", "CorsRules"))
    assert at(rule, "AllowedOrigins") == {"Ref": "FrontEndOrigins"}
    assert at(rule, "AllowedMethods") == ["PUT", "GET"]


def test_the_number_key_is_made_and_kept_by_secrets_manager(template: Node) -> None:
    secret = properties(template, "NumberKeySecret")
    assert number(secret, "GenerateSecretString", "PasswordLength") == 64
    assert secret["KmsKeyId"] == {"Fn::GetAtt": "DataKey.Arn"}


def test_how_long_things_are_kept_is_a_parameter_with_a_default(template: Node) -> None:
    for parameter in ("LogRetentionDays", *sorted(set(KEPT_BY.values()))):
        assert number(template, "Parameters", parameter, "Default") > 0, parameter


def test_the_log_is_kept_as_long_by_default_as_the_code_says(template: Node) -> None:
    """Every function that logs a message gets the variable."""
    assert number(template, "Parameters", "MessageRetentionDays", "Default") == KEPT_FOR.days
    for function in ("ApiFunction", "BulkFanoutFunction", "WebhookFunction"):
        variables = mapping(properties(template, function), "Environment", "Variables")
        assert variables["MESSAGE_RETENTION_DAYS"] == {"Ref": "MessageRetentionDays"}, function


def test_everything_that_is_stored_is_encrypted_with_the_key_of_the_stack(template: Node) -> None:
    keys = {
        "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
        "AWS::Logs::LogGroup": ("KmsKeyId",),
        "AWS::SecretsManager::Secret": ("KmsKeyId",),
        "AWS::S3::Bucket": (
            *("BucketEncryption", "ServerSideEncryptionConfiguration", 0),
            *("ServerSideEncryptionByDefault", "KMSMasterKeyID"),
        ),
        "AWS::SQS::Queue": ("KmsMasterKeyId",),
    }
    for kind, path in keys.items():
        found = of_type(template, kind)
        assert found, kind
        for name, its in found.items():
            assert at(its, *path) in (OWN_KEY, {"Ref": "DataKey"}), name


def test_secrets_made_at_run_time_are_made_under_the_same_key(template: Node) -> None:
    """Under the key's alias. Only one function may make secrets."""
    assert properties(template, "DataKeyAlias")["TargetKeyId"] == {"Ref": "DataKey"}
    for function, its in of_type(template, "AWS::Serverless::Function").items():
        given = mapping(its, "Environment", "Variables").get("SECRETS_KEY")
        assert given == ({"Ref": "DataKeyAlias"} if function == "ApiFunction" else None), function
        policies = json.dumps(properties(template, function.replace("Function", "Role")))
        assert ("secretsmanager:CreateSecret" in policies) == (function == "ApiFunction"), function


def test_cloudwatch_may_use_the_key_for_the_log_groups_of_the_stack_alone(template: Node) -> None:
    statements = listed(at(properties(template, "DataKey"), "KeyPolicy", "Statement"))
    [logs] = [mapping(one) for one in statements if at(one, "Sid") == "LogGroupsOfTheStack"]
    assert logs["Principal"] == {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}}
    allowed = [
        text(one, "Fn::Sub").partition(":log-group:")[2] for one in listed(at(logs, "Condition", "ArnLike", CONTEXT))
    ]
    for name, its in of_type(template, "AWS::Logs::LogGroup").items():
        group = text(its, "LogGroupName", "Fn::Sub")
        assert any(group.startswith(one.removesuffix("*")) for one in allowed), name
