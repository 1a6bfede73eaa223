"""What AWS asks, in US dollars, us-east-1, without free tiers and volume steps. DynamoDB's are those since its cut of
November 2024. Where they come from and how sure they are: docs/performance.md."""

from collections.abc import Mapping

MILLION = 1_000_000

PER_MILLION: Mapping[str, float] = {
    "DynamoDB write units": 0.625,
    "DynamoDB read units": 0.125,
    "Lambda invocations": 0.20,
    "SQS requests": 0.40,
    "HTTP API requests": 1.00,
    "S3 writes": 5.00,
    "S3 reads": 0.40,
    "Scheduler calls": 1.00,
    "Secrets Manager calls": 5.00,
}
LAMBDA_GB_SECOND = 0.0000133334
"""arm64."""
LOGS_GB = 0.50
"""CloudWatch Logs, ingested."""
LOG_LINE_OVERHEAD = 26
"""Bytes that CloudWatch adds to each line."""
VCPU_MB = 1769
"""So much memory gives a function one whole processor."""

OTHERS: Mapping[str, float] = {
    "Twilio, a WhatsApp message": 0.005,
    "AWS End User Messaging Social, a WhatsApp message": 0.005,
}
"""Per message, Meta's fee besides: what others ask for the same work."""
