"""Ctrl-C and SIGTERM end a run between two steps, not within one."""

import signal
import threading
from types import FrameType
from typing import NoReturn

from nirtrans.errors import Terminated


class Interrupts:
    """Remember the first signal for the duration of a `with` block; a second one ends the block at once."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():  # Python delivers signals nowhere else
            self._before = {number: signal.signal(number, self._receive) for number in self.SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            raise_interrupt(number, "interrupted twice; the last saved state is kept")
        self.received = number


def raise_interrupt(number: int, message: str) -> NoReturn:
    """Raise what ends a command with exit code 130 for SIGINT and 143 for SIGTERM."""
    raise (Terminated if number == signal.SIGTERM else KeyboardInterrupt)(message)
