"""The systems, one per file; importing the package imports them all, and one that fails to import is an error."""

import importlib
import pkgutil

from nirtrans.models.build import (
    build_system,
    count_parameters,
    find_model,
    list_models,
    network_params,
    with_network_defaults,
)
from nirtrans.models.system import MODELS, System

__all__ = [
    "MODELS",
    "System",
    "build_system",
    "count_parameters",
    "find_model",
    "list_models",
    "network_params",
    "with_network_defaults",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
