"""Replacing a file's bytes so that a crash or a full disk leaves the old ones."""

from __future__ import annotations

import contextlib
import errno
import os
import stat


def write_atomically(path: str, data: bytes) -> None:
    """Make ``data`` the content of the existing file at ``path``.

    The bytes go to a temporary file beside it, reach the disk, and take its name in one step. Permissions and, where
    the system lets us, the owner are kept; a symbolic link stays and its target is rewritten.

    Raises:
        OSError: the old content is still there.
    """
    import tempfile

    target = os.path.realpath(path)
    old = os.stat(target)
    if not os.access(target, os.W_OK):  # a rename would succeed all the same
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".infonce-lint-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):  # only root may give files away
                os.chown(temporary, old.st_uid, old.st_gid)
        os.chmod(temporary, stat.S_IMODE(old.st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
