"""The examples in the docstrings of every kernel, for torch and for NumPy."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
import torch

from nirtrans import kernels


def modules(package: str) -> list[str]:
    """Public modules of a package whose docstrings hold examples."""
    path = importlib.import_module(package).__path__
    return [f"{package}.{module.name}" for module in pkgutil.iter_modules(path) if not module.name.startswith("_")]


def check(name: str) -> int:
    """Run the examples of a module and return how many there are."""
    failed, tried = doctest.testmod(importlib.import_module(name), extraglobs={"torch": torch, "np": np})
    assert not failed
    return tried


def test_torch_examples() -> None:
    tried = sum(check(name) for name in modules("nirtrans.kernels"))
    assert tried >= len([name for name in kernels.__all__ if name.islower() and name != "build_info"])
    assert check("nirtrans.kernels._library") == 1


def test_numpy_examples() -> None:
    package = pytest.importorskip("nirtrans.numpy_kernels", reason="compiled module absent", exc_type=ImportError)
    tried = sum(check(name) for name in modules("nirtrans.numpy_kernels"))
    assert tried >= len(package.__all__)
