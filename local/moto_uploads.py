"""Makes moto refuse calls for a multipart upload that does not exist, as S3 does. moto itself fails with a KeyError.

Like `local.moto_mends`, whose `apply_all` calls it, this module changes moto's internals. The tests are beside that
module's tests.
"""

from typing import Any

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend

from local.moto_access import replace

_Backend: Any = S3Backend  # moto's own methods: a second `mend_parts` must not wrap the first one's
_UPLOAD_PART, _COMPLETE = _Backend.upload_part, _Backend.complete_multipart_upload


def mend_parts() -> None:
    """Answer NoSuchUpload for an upload that was removed or never begun. (moto answers for a complete one itself.)"""

    def upload_part(backend: Any, bucket_name: str, multipart_id: str, part_id: int, value: bytes) -> Any:
        _refuse_missing(backend, bucket_name, multipart_id)
        return _UPLOAD_PART(backend, bucket_name, multipart_id, part_id, value)

    def complete(backend: Any, bucket_name: str, multipart_id: str, body: Any) -> Any:
        _refuse_missing(backend, bucket_name, multipart_id)
        return _COMPLETE(backend, bucket_name, multipart_id, body)

    replace(S3Backend, upload_part=upload_part, complete_multipart_upload=complete)


def _refuse_missing(backend: Any, bucket_name: str, multipart_id: str) -> None:
    if multipart_id not in backend.get_bucket(bucket_name).multiparts:
        raise NoSuchUpload(upload_id=multipart_id)
