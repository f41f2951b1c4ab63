"""Write files that appear under their final name only when complete."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nirtrans.errors import InputError, IOFailure

_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.EISDIR, errno.ENAMETOOLONG}


def write_failure(path: Path, error: OSError) -> InputError | IOFailure:
    """Turn an OSError of writing into ours: a wrong target is the user's, anything else (a full disk) is not."""
    reason = error.strerror or str(error)
    if error.errno in _UNWRITABLE:
        return InputError(f"cannot write {path}: {reason}; choose a folder that exists and is writable")
    return IOFailure(f"writing {path} failed: {reason}; nothing stands under that name, free space and run again")


def make_folder(path: Path) -> Path:
    """Create a folder with its parents and check that files can be made in it.

    Raises:
        InputError: If it cannot be created or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except FileExistsError:
        raise InputError(f"cannot write into {path}: it is a file; choose a folder") from None
    except OSError as error:
        raise write_failure(path, error) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is flushed to disk and renamed, on failure removed.

    The temporary name keeps the suffix, since libraries choose the format by it.

    Raises:
        InputError: If the target cannot be written.
        IOFailure: If writing breaks off, for example on a full disk.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, IOFailure):
            raise
        raise write_failure(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small text file atomically; raises as `atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
