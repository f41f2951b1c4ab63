"""A raster on the workers of a Dask cluster: they read, colour and compress tiles, this process writes the file.

Tiles come back in the order of the file, a few per thread ahead of it, so that journal, shards and bytes are those of
a run on one machine. distributed is imported when a scheduler is named.
"""

import asyncio
import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nirtrans.errors import InputError, MissingExtraError, NirtransError, RunError
from nirtrans.inference.colorizer import find_weights
from nirtrans.inference.encoding import Encoded
from nirtrans.inference.spectral import FORMULAS
from nirtrans.inference.tiling import Tile
from nirtrans.inference.worker import Inputs, Work, check_inputs, encode_tile_of, same, versions
from nirtrans.io.geotiff import Raster
from nirtrans.io.virtual import VirtualRaster
from nirtrans.models.weights import shipped_weights

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger("nirtrans")
CONNECT_S = 10.0
CLOSE_S = 2.0
COUNT_EVERY_S = 5.0
"""How often workers are counted, since they come and go."""
PATIENCE_S = 30.0
"""How long nothing may come back before it is asked whether there are workers."""
AHEAD_PER_THREAD = 3
"""Tiles per thread of the workers: one that is computed, one that waits for it, one that waits to be written."""


@contextmanager
def connected(scheduler: str | None, *, weights: str, device: str) -> Iterator["Cluster | None"]:
    """Open a cluster for a `with` block.

    Args:
        scheduler: An address such as tcp://host:8786, or the JSON file that a scheduler has written; None for none.
        weights: As `nirtrans.inference.colorizer.load_colorizer` takes them; workers load them themselves.
        device: The same, where the workers are.

    Raises:
        InputError: If no scheduler answers.
        MissingExtraError: If distributed is not installed.
    """
    if scheduler is None:
        yield None
        return
    client = _connect(scheduler)
    try:
        yield Cluster(client, scheduler, _known_everywhere(weights), device)
    finally:
        with suppress(TimeoutError):
            client.close(timeout=CLOSE_S)  # releases all tiles that are not done


def _connect(scheduler: str) -> "Client":
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("--scheduler needs Dask; pip install 'nirtrans[distributed]'") from None
    address = _read_address(Path(scheduler)) if scheduler.endswith(".json") else scheduler
    try:
        with ThreadPoolExecutor(1) as pool:  # the caller may have an event loop of its own
            pool.submit(asyncio.run, _knock(address)).result()
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # the last for TLS that is not configured
        remedy = "give tcp://HOST:PORT or the file of a running `dask scheduler`"
        reason = str(error) or "something else is there"
        raise InputError(f"--scheduler {scheduler}: no scheduler answers ({reason}); {remedy}") from None


async def _knock(address: str) -> None:
    """Greet a scheduler: a client of distributed 2026.8 waits without end where a port is open and says nothing.

    One that has failed may also lock up the next when it is collected as garbage.
    """
    from distributed.comm import connect
    from distributed.security import Security

    greeting = connect(address, timeout=CONNECT_S, **Security().get_connection_args("client"))
    comm = await asyncio.wait_for(greeting, 1.5 * CONNECT_S)
    await comm.close()


def _read_address(path: Path) -> str:
    """Return the address in the file of a scheduler, which may be starting at this moment."""
    latest = time.monotonic() + CONNECT_S
    while True:
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["address"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            if time.monotonic() > latest:
                remedy = "give the file that `dask scheduler --scheduler-file` has written"
                raise InputError(f"--scheduler {path}: cannot be read ({error!r}); {remedy}") from None
        time.sleep(0.1)


def _known_everywhere(weights: str) -> str:
    """Return weights by a name that does not depend on the working folder."""
    named = weights in FORMULAS or weights in shipped_weights()
    return weights if named else os.path.abspath(find_weights(weights))


@dataclass
class Cluster:
    """Workers that colour tiles.

    Attributes:
        client: The connection to the scheduler.
        address: What the user calls the scheduler.
        weights: What the workers load.
        device: Where they compute.
    """

    client: "Client"
    address: str
    weights: str
    device: str
    _threads: int = field(default=0, init=False)
    _counted: float = field(default=float("-inf"), init=False)

    def inputs(self, source: Path | str | VirtualRaster, digest: str) -> Inputs:
        """Return what each worker must find: this raster and weights of this SHA-256."""
        if not isinstance(source, VirtualRaster):
            source = os.path.abspath(source) if Path(source).exists() else str(source)
        with Raster(source) as raster:
            return Inputs(source, raster.identity(), self.weights, digest, self.device, versions())

    def check(self, inputs: Inputs) -> None:
        """Wait for a worker, and ask all that are there whether they find what they need.

        Raises:
            InputError: If one does not, naming its host.
            RunError: If the scheduler is lost.
        """
        with self._answering():
            if not self._count_threads():
                log.warning("%s has no worker yet; waiting for the first", self.address)
                self.client.wait_for_workers(1)
            answers = self.client.run(check_inputs, inputs, on_error="return")
        for worker, answer in answers.items():
            if isinstance(answer, NirtransError):
                raise answer
            if isinstance(answer, Exception) and not isinstance(answer, OSError):  # one that has died is replaced
                raise _foreign(f"worker at {worker}", answer)

    def encoded(self, work: Work, tiles: Iterable[Tile]) -> Iterator[Encoded]:
        """Yield the blocks of tiles and what is to be known of them, in order.

        Raises:
            NirtransError: What a tile has failed with twice.
            RunError: If a tile fails otherwise, naming its window, or the scheduler is lost.
        """
        waiting: deque[tuple[Tile, Future]] = deque()
        try:
            with self._answering():
                shared = self.client.submit(same, work, pure=False)
            for tile in tiles:
                with self._answering():
                    future = self.client.submit(encode_tile_of, shared, tile, pure=False, retries=1)
                    waiting.append((tile, future))
                    most = AHEAD_PER_THREAD * max(1, self._count_threads())
                while len(waiting) >= most:
                    yield self._result(*waiting.popleft())
            while waiting:
                yield self._result(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.release()

    def _result(self, tile: Tile, future: "Future") -> Encoded:
        with self._answering():
            failure = self._failure(future)
            if failure is None:
                return future.result()
        if isinstance(failure, NirtransError):
            raise failure
        raise _explained(failure, tile)

    def _failure(self, future: "Future") -> Exception | None:
        """Wait for a tile, and return what it has failed with; say so when there is nobody to make it."""
        told = False
        while True:
            try:
                return future.exception(timeout=PATIENCE_S)
            except TimeoutError:
                if not (told or self._count_threads()):
                    log.warning("%s has no worker left; waiting for one", self.address)
                    told = True

    def _count_threads(self) -> int:
        """Return the threads of all workers, as they were a few seconds ago at most."""
        if time.monotonic() - self._counted > COUNT_EVERY_S:
            self._threads = sum(self.client.nthreads().values())
            self._counted = time.monotonic()
        return self._threads

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn what a lost scheduler makes of a call into one error."""
        from distributed.client import ClosedClientError

        try:
            yield
        except (OSError, CancelledError, ClosedClientError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            remedy = "the same command with --resume goes on when it is there again"
            raise RunError(f"--scheduler {self.address}: the scheduler is lost ({reason}); {remedy}") from None


def _explained(failure: Exception, tile: Tile) -> NirtransError:
    """Return the error for a tile whose worker gave none of ours."""
    from distributed import KilledWorker

    place = "the tile of {2}x{3} pixels at row {0}, column {1}".format(*tile.core)
    if isinstance(failure, KilledWorker):
        died = f"{failure.allowed_failures + 1} workers died on {place}, the last at {failure.last_worker.address}"
        return RunError(f"{died}; if memory is short, use a smaller --tile or fewer workers per machine, and --resume")
    if isinstance(failure, ImportError | AttributeError):
        return _foreign("worker", failure)
    return RunError(f"{place} failed twice ({type(failure).__name__}: {failure}); the log of the workers tells more")


def _foreign(worker: str, failure: Exception) -> InputError:
    reason = f"{type(failure).__name__}: {failure}"
    return InputError(f"{worker} cannot run this nirtrans ({reason}); install nirtrans {versions()['nirtrans']} there")
