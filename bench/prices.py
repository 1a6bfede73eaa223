"""AWS's prices in US dollars, us-east-1, without free tiers and volume discounts.

DynamoDB's are those since its price cut of November 2024. docs/performance.md has the sources and how sure they are.
"""

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
"""The price on arm64."""
LOGS_GB = 0.50
"""The price of ingestion into CloudWatch Logs."""
LOG_LINE_OVERHEAD = 26
"""Bytes that CloudWatch adds to each line."""
VCPU_MB = 1769
"""A function with this much memory gets one whole processor."""

OTHERS: Mapping[str, float] = {
    "Twilio, a WhatsApp message": 0.005,
    "AWS End User Messaging Social, a WhatsApp message": 0.005,
}
"""What others charge per message for the same work. Meta's own fee is not included."""
