"""How GDAL is asked: its messages become exceptions instead of lines on stderr, its cache is bounded in bytes."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

CACHE_BYTES = 64 * 2**20
FORGETFUL = {"CPL_VSIL_CURL_NON_CACHED": "/vsicurl/:/vsis3/:/vsigs/:/vsiaz/:/vsiswift/"}
"""Files opened so leave nothing of what was fetched behind when they are closed."""
RETRY = {"GDAL_HTTP_MAX_RETRY": 3, "GDAL_HTTP_RETRY_DELAY": 1}
"""Requests are repeated so often, after 1 s, then longer and longer."""


@contextmanager
def gdal_quiet(**options: object) -> Iterator[None]:
    """Keep GDAL from printing, and rasterio from warning of files without coordinates or with two kinds of mask.

    Args:
        options: What else GDAL is told, in this thread.
    """
    import rasterio
    from rasterio.errors import NodataShadowWarning, NotGeoreferencedWarning

    for category in (NotGeoreferencedWarning, NodataShadowWarning):
        warnings.filterwarnings("ignore", category=category)  # not catch_warnings, which is not safe among threads
    with rasterio.Env(**options):
        yield


def reading(decoders: int, **options: object) -> AbstractContextManager[None]:
    """Let GDAL decode blocks by several threads, and ask again where a server fails, unless the environment differs."""
    patient = {name: value for name, value in RETRY.items() if name not in os.environ}
    return gdal_quiet(GDAL_NUM_THREADS=decoders, **patient, **options)


@contextmanager
def gdal_cache(max_bytes: int = CACHE_BYTES) -> Iterator[None]:
    """Bound GDAL's block cache of this process, which otherwise takes 5 % of all memory, and restore it afterwards.

    Args:
        max_bytes: Really bytes: rasterio passes it on as it is, while small numbers in the environment variable
            GDAL_CACHEMAX mean megabytes.
    """
    import rasterio
    from rasterio.env import get_gdal_config, setenv

    with rasterio.Env():
        before = get_gdal_config("GDAL_CACHEMAX")
        setenv(GDAL_CACHEMAX=max_bytes)
        try:
            yield
        finally:
            setenv(GDAL_CACHEMAX=before)  # rasterio forgets the option but leaves the cache as it is


def bound_gdal_cache(max_bytes: int) -> None:
    """Bound GDAL's block cache for good, in a process whose threads come and go; see `gdal_cache`."""
    import rasterio
    from rasterio.env import setenv

    with rasterio.Env():
        setenv(GDAL_CACHEMAX=max_bytes)


def gdal_errors() -> tuple[type[Exception], ...]:
    """Return what rasterio raises.

    Beside its own errors those of GDAL, which have no public name, from properties and copies, and where a damaged file
    is quoted in bytes that are no text.
    """
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    return RasterioError, CPLE_BaseError, UnicodeError


@contextmanager
def failed_writes() -> Iterator[list[str]]:
    """Gather what libtiff says of failed writes: it prints lines to stderr, and GDAL goes on as if all were well.

    While this lasts, stderr of the whole process is held back; other lines are passed on afterwards.
    """
    failures: list[str] = []
    kept = os.dup(2)
    with _file_off_the_disk() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield failures
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines(keepends=True):
                if line.startswith("_tiff"):
                    failures.append(line.strip())
                else:
                    os.write(2, line.encode())


def _file_off_the_disk() -> IO[bytes]:
    """Return a file that takes some lines even where the disk is full, or one on the disk where the system has none."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()


def gdal_reason(error: Exception) -> str:
    """Return what GDAL said, where rasterio only says that there was something."""
    return str(error.__cause__ or error)


def forget_foreign_proj() -> list[str]:
    """Unset PROJ_DATA and PROJ_LIB where rasterio brings its own tables, and return what was unset as NAME=VALUE.

    They come from another program's shell (QGIS, conda, OSGeo4W), and coordinate systems fail by tables of another
    version. To be called before rasterio is imported.
    """
    found = {name: os.environ[name] for name in ("PROJ_DATA", "PROJ_LIB") if os.environ.get(name)}
    spec = find_spec("rasterio") if found else None
    if spec is None or spec.origin is None:
        return []
    own = Path(spec.origin).parent / "proj_data"
    foreign = [name for name, path in found.items() if own.is_dir() and Path(path).resolve() != own.resolve()]
    return [f"{name}={os.environ.pop(name)}" for name in foreign]
