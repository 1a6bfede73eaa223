"""Removing objects of a versioned bucket for good: a plain delete only hides them."""

from collections.abc import Callable

from shared.aws.session import Aws


def remove_versions(
    aws: Aws, bucket: str, prefix: str, is_meant: Callable[[str], bool], *, but: str | None = None
) -> None:
    """All versions of those objects below a prefix whose keys are meant. With `but` those that are no longer the
    latest, and not that one. Blocks."""
    pages = aws.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            spared = but is not None and (version["IsLatest"] or version["VersionId"] == but)
            if is_meant(version["Key"]) and not spared:
                aws.s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
