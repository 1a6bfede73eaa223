"""Files of exports on S3: multipart uploads below exports/<organisation>/<export_id>/. Their rows after the last part
are objects beside the file. The bucket encrypts both; its lifecycle rules let them expire."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from shared.exports.export import Export, Part
from shared.storage.aws import Aws
from shared.storage.files import remove_versions

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

URL_VALID_FOR = timedelta(minutes=15)
"""api.md, Exports."""

_TYPE = "text/csv; charset=utf-8"

_CHECKSUM: Final = "CRC32"
"""Named in each call, because AWS's clients differ in their defaults."""

_NO_UPLOAD = "NoSuchUpload"

_OTHER_PARTS = frozenset({"InvalidPart", "InvalidPartOrder"})

_NO_FILE = frozenset({"404", "NoSuchKey", "NotFound"})


class S3ExportFiles:
    """`ExportFiles` on the payload bucket."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    async def begin(self, export: Export) -> str:
        """AWS's client may begin it twice, if the first answer was lost. `clean` removes the other."""
        made = await self._aws.run(
            lambda: self._aws.s3.create_multipart_upload(
                Bucket=self._bucket, Key=_file(export), ContentType=_TYPE, ChecksumAlgorithm=_CHECKSUM
            )
        )
        return made["UploadId"]

    async def put_part(self, export: Export, number: int, body: bytes) -> Part | None:
        def put() -> Part | None:
            try:
                stored = self._aws.s3.upload_part(
                    Bucket=self._bucket,
                    Key=_file(export),
                    UploadId=export.upload_id or "",
                    PartNumber=number,
                    Body=body,
                    ChecksumAlgorithm=_CHECKSUM,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == _NO_UPLOAD:
                    return None
                raise
            return Part(number=number, etag=stored["ETag"], checksum=stored["ChecksumCRC32"])

        return await self._aws.run(put)

    async def put_remainder(self, export: Export, number: int, body: bytes) -> None:
        key = _remainder(export, number)
        await self._aws.run(lambda: self._aws.s3.put_object(Bucket=self._bucket, Key=key, Body=body))

    async def read_remainder(self, export: Export) -> bytes | None:
        def read() -> bytes | None:
            try:
                key = _remainder(export, export.remainder or 0)
                return self._aws.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] in _NO_FILE:
                    return None
                raise

        return await self._aws.run(read)

    async def complete(self, export: Export) -> bool:
        """A second call gets NoSuchUpload: then the file is there, or the upload was removed."""

        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": one.number, "ETag": one.etag, "ChecksumCRC32": one.checksum} for one in export.parts
        ]

        def put_together() -> bool:
            try:
                self._aws.s3.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=_file(export),
                    UploadId=export.upload_id or "",
                    MultipartUpload={"Parts": parts},
                )
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == _NO_UPLOAD:
                    return self._exists(_file(export))
                if code in _OTHER_PARTS:
                    return False
                raise
            return True

        return await self._aws.run(put_together)

    async def clean(self, export: Export, *, keep_file: bool) -> None:
        """Also removes uploads that no state names: of a worker that was killed, or of a lost answer."""
        await self._aws.run(lambda: self._clean(export, keep_file=keep_file))

    async def url(self, export: Export) -> str:
        return await self._aws.run(
            lambda: self._aws.s3.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": _file(export),
                    "ResponseContentType": _TYPE,
                    "ResponseContentDisposition": f'attachment; filename="{export.file_name}"',
                },
                ExpiresIn=int(URL_VALID_FOR.total_seconds()),
                HttpMethod="GET",
            )
        )

    def _clean(self, export: Export, *, keep_file: bool) -> None:
        file = _file(export)
        pages = self._aws.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=file)
        for upload in (one for page in pages for one in page.get("Uploads", ()) if one["Key"] == file):
            self._abort(file, upload["UploadId"])
        remove_versions(self._aws, self._bucket, _folder(export), lambda found: found != file or not keep_file)

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self._aws.s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != _NO_UPLOAD:
                raise

    def _exists(self, key: str) -> bool:
        try:
            self._aws.s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_FILE:
                return False
            raise
        return True


def _folder(export: Export) -> str:
    return f"exports/{export.organisation}/{export.export_id}/"


def _file(export: Export) -> str:
    return f"{_folder(export)}file.csv"


def _remainder(export: Export, number: int) -> str:
    return f"{_folder(export)}remainder-{number}"
