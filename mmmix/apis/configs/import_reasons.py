"""Imports of a config that fail, told by the error of mmmix that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mmmix.apis.plain_errors import said_by_us


@contextmanager
def told_by_us() -> Iterator[None]:
    """Raise what mmmix says of a failed import, in place of mmengine's account.

    Of a module in ``custom_imports`` that cannot be imported, mmengine says that
    PYTHONPATH should be set, whatever the reason.

    Raises:
        ImportError: With the text of the error that mmmix raised. Without one the
            error stays as it is.
    """
    try:
        yield
    except ImportError as error:
        ours = next(filter(said_by_us, _causes(error)), None)
        if ours is None or ours is error:
            raise
        raise ImportError(str(ours)) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it was raised from, the latest first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
