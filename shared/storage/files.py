"""Files of clients: uploads by presigned PUT, and card pictures in allowed buckets.

Also removes objects of a versioned bucket for good: a plain delete only hides them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from shared.campaigns.distribution import Upload
from shared.campaigns.stored_content import Readable, UploadTarget
from shared.messages.errors import Kind, Scope, SendError
from shared.storage.aws import Aws

_VALID_FOR = timedelta(hours=1)

UPLOAD_TYPES = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "dhis2": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Format of an upload (api.md, Uploads) → its media type."""

_NO_FILE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})

_GONE = frozenset({"NoSuchKey", "NoSuchBucket", "404", "403", "AccessDenied"})


class S3Uploads:
    """`Uploads` on the payload bucket."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    async def target(self, organisation: str, upload_id: str, *, format: str, size: int, now: datetime) -> UploadTarget:
        """The URL is signed for this length and this type only."""
        url = await self._aws.run(
            lambda: self._aws.s3.generate_presigned_url(
                "put_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": _key(organisation, upload_id),
                    "ContentLength": size,
                    "ContentType": UPLOAD_TYPES[format],
                },
                ExpiresIn=int(_VALID_FOR.total_seconds()),
                HttpMethod="PUT",
            )
        )
        headers = {"Content-Type": UPLOAD_TYPES[format], "Content-Length": str(size)}
        return UploadTarget(url=url, headers=headers, expires_at=now + _VALID_FOR)

    async def find(self, organisation: str, upload_id: str) -> Upload | None:
        key = _key(organisation, upload_id)
        try:
            head = await self._aws.run(lambda: self._aws.s3.head_object(Bucket=self._bucket, Key=key))
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_FILE:
                return None
            raise
        kinds = {kind: form for form, kind in UPLOAD_TYPES.items()}
        form = kinds.get(head["ContentType"].partition(";")[0].strip())
        return Upload(object_key=key, version=head["VersionId"], format=form) if form else None

    async def open(self, upload: Upload) -> Readable | None:
        try:
            answer = await self._aws.run(
                lambda: self._aws.s3.get_object(Bucket=self._bucket, Key=upload.object_key, VersionId=upload.version)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_FILE:
                return None
            raise
        return answer["Body"]

    async def erase(self, organisation: str, upload_id: str) -> None:
        key = _key(organisation, upload_id)
        await self._aws.run(lambda: remove_versions(self._aws, self._bucket, key, lambda found: found == key))


class S3Cards:
    """Reads objects for `shared.providers.cards`."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    async def read(self, bucket: str, key: str, limit: int) -> bytes:
        """The object's first `limit` bytes. Raises SendError (`card_unreachable`)."""
        try:
            return await self._aws.run(lambda: self._aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read(limit))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            kind = Kind.RECIPIENT if code in _GONE else Kind.RETRY
            raise SendError(kind, f"s3/{code}", "card_unreachable", scope=Scope.CARDS) from None
        except BotoCoreError as error:
            code = f"s3/{type(error).__name__}"
            raise SendError(Kind.RETRY, code, "card_unreachable", scope=Scope.CARDS) from None


def _key(organisation: str, upload_id: str) -> str:
    return f"uploads/{organisation}/{upload_id}"


def remove_versions(
    aws: Aws, bucket: str, prefix: str, is_meant: Callable[[str], bool], *, but: str | None = None
) -> None:
    """Remove all versions of the objects below a prefix whose keys pass `is_meant`. With `but`, the latest version and
    version `but` stay. Blocks."""
    pages = aws.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            spared = but is not None and (version["IsLatest"] or version["VersionId"] == but)
            if is_meant(version["Key"]) and not spared:
                aws.s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
