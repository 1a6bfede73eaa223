import pytest

from shared.usecases.setting import FURTHEST
from tests.template.reading import Node, at, listed, mapping, number, of_type, properties, text

KEPT = ("LogTable", "StateTable", "PayloadBucket", "NumberKeySecret", "DataKey")
DAYS_TO_SEND_A_MILLION = 8
"""At 4.5 SMS a second, outside the quiet and the peak hours."""
SMALL = ["distribution_id", "channel", "campaign_id", "enrollment_id"]


@pytest.mark.parametrize("table", ["LogTable", "StateTable"])
def test_tables_are_encrypted_recoverable_and_forget(template: Node, table: str) -> None:
    its = properties(template, table)
    assert its["BillingMode"] == "PAY_PER_REQUEST"
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
    assert indexes(template, "LogTable") == {
        "by_organisation": ("organisation_shard", "listed_at", listed_with_country),
        "by_campaign": ("campaign_shard", "listed_at", listed_with_country),
        "by_enrollment": ("enrollment_key", "listed_at", small),
        "by_person": ("person_key", "listed_at", {"ProjectionType": "KEYS_ONLY"}),
        "dead_letters": ("dead_key", "listed_at", {"ProjectionType": "KEYS_ONLY"}),
        "agenda": ("agenda_shard", "due_at", {"ProjectionType": "KEYS_ONLY"}),
    }


def test_indexes_of_the_state(template: Node) -> None:
    assert indexes(template, "StateTable") == {
        "listing": ("list_key", "listed_at", {"ProjectionType": "ALL"}),
        "agenda": ("agenda_shard", "due_at", {"ProjectionType": "KEYS_ONLY"}),
    }


@pytest.mark.parametrize("kept", KEPT)
def test_what_cannot_be_made_again_outlives_the_stack(template: Node, kept: str) -> None:
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


def test_payloads_expire_and_are_then_really_gone(template: Node) -> None:
    rules = listed(at(properties(template, "PayloadBucket"), "LifecycleConfiguration", "Rules"))
    by_prefix = {text(rule, "Prefix"): mapping(rule) for rule in rules if "Prefix" in mapping(rule)}
    assert set(by_prefix) == {"uploads/", "plans/", "messages/", "prints/"}
    for prefix, rule in by_prefix.items():
        assert "ExpirationInDays" in rule, prefix
        assert number(rule, "NoncurrentVersionExpiration", "NoncurrentDays") == 1, prefix
    shortest = number(template, "Parameters", "PayloadRetentionDays", "MinValue")
    assert shortest >= FURTHEST.days + DAYS_TO_SEND_A_MILLION


def test_a_browser_may_upload_from_the_front_ends_origins_only(template: Node) -> None:
    [rule] = listed(at(properties(template, "PayloadBucket"), "CorsConfiguration", "CorsRules"))
    assert at(rule, "AllowedOrigins") == {"Ref": "FrontEndOrigins"}
    assert at(rule, "AllowedMethods") == ["PUT"]


def test_the_number_key_is_made_and_kept_by_secrets_manager(template: Node) -> None:
    secret = properties(template, "NumberKeySecret")
    assert number(secret, "GenerateSecretString", "PasswordLength") == 64
    assert secret["KmsKeyId"] == {"Fn::GetAtt": "DataKey.Arn"}
