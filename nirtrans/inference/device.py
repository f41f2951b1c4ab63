"""Where networks run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nirtrans.errors import InputError


def resolve_device(name: str) -> torch.device:
    """Return the device called auto (CUDA where there is one), cpu, cuda or cuda:N.

    Raises:
        InputError: If the name is none of these, or torch sees no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, colon, number = name.partition(":")
    if kind not in {"cpu", "cuda"} or (colon and not number.isdecimal()) or (kind == "cpu" and colon):
        raise InputError(f"--device expects auto, cpu, cuda or cuda:N, got {name!r}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError(f"--device {name}: this torch ({torch.__version__}) sees no CUDA device; use --device cpu")
    if colon and int(number) >= torch.cuda.device_count():
        raise InputError(f"--device {name}: there are {torch.cuda.device_count()} CUDA devices, counted from cuda:0")
    return torch.device(name)


def use_threads(count: int | None) -> None:
    """Let torch use `count` CPU threads; None leaves torch's own choice."""
    if count is not None:
        torch.set_num_threads(count)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let every thread that calls torch compute by itself, so that results do not depend on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
