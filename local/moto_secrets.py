"""Makes moto delete secrets as late as AWS does. moto itself deletes them at once.

Like `local.moto_mends`, whose `apply_all` calls it, this module changes moto's internals. The tests are beside that
module's tests.
"""

from typing import Any

from moto.core.utils import unix_time
from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import SecretsManagerBackend

from local.moto_access import replace

GONE_AFTER = 60.0
"""Seconds on moto's clock after a deletion without recovery. AWS says that the deletion happens later, but not when."""
_MARKED = "You can't perform this operation on the secret because it was marked for deletion."
_SCHEDULED = "You can't create this secret because a secret with this name is already scheduled for deletion."
_Backend: Any = SecretsManagerBackend  # moto's own methods: a second `mend_deletions` must not wrap the first one's
_DELETE, _CREATE, _PUT, _GET = (
    _Backend.delete_secret,
    _Backend.create_secret,
    _Backend.put_secret_value,
    _Backend.get_secret_value,
)


def mend_deletions() -> None:
    """Make a secret that is deleted without recovery keep its name for a while.

    During that time it cannot be created again, changed or read. A secret in its recovery window cannot be changed
    either.
    """

    def delete(
        backend: Any, secret_id: str, recovery_window_in_days: int | None, force_delete_without_recovery: bool
    ) -> Any:
        _forget(backend, secret_id)
        found = backend.secrets.get(secret_id)
        if found is None or recovery_window_in_days or not force_delete_without_recovery:
            return _DELETE(backend, secret_id, recovery_window_in_days, force_delete_without_recovery)
        found.delete(unix_time())
        found.gone_at = unix_time() + GONE_AFTER
        return found.arn, found.name, found.deleted_date

    def create(backend: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        _forget(backend, name)
        _refuse_deleted(backend, name, _SCHEDULED)
        return _CREATE(backend, name, *args, **kwargs)

    def put(backend: Any, secret_id: str, *args: Any, **kwargs: Any) -> Any:
        _forget(backend, secret_id)
        _refuse_deleted(backend, secret_id, _MARKED)
        return _PUT(backend, secret_id, *args, **kwargs)

    def get(backend: Any, secret_id: str, *args: Any, **kwargs: Any) -> Any:
        _forget(backend, secret_id)
        return _GET(backend, secret_id, *args, **kwargs)

    replace(
        SecretsManagerBackend, delete_secret=delete, create_secret=create, put_secret_value=put, get_secret_value=get
    )


def _forget(backend: Any, secret_id: str) -> None:
    """Delete the secret if its time is over."""
    found = backend.secrets.get(secret_id)
    gone_at = getattr(found, "gone_at", None)
    if gone_at is not None and gone_at <= unix_time():
        backend.secrets.pop(secret_id)


def _refuse_deleted(backend: Any, secret_id: str, why: str) -> None:
    found = backend.secrets.get(secret_id)
    if found is not None and found.is_deleted():
        raise InvalidRequestException(why)
