"""From the settings of a run to its system."""

import os

import torch

from nirtrans.config import Run, Settings
from nirtrans.config_files import read_config, shipped, validate
from nirtrans.domains import find_domain
from nirtrans.errors import ConfigError, UnknownNameError
from nirtrans.models.formulas import FORMULAS
from nirtrans.models.system import MODELS, System
from nirtrans.nn.pool import ImagePool
from nirtrans.nn.trunks import DilatedVGG


def list_models(domain: str | None = None) -> list[str]:
    """Return the names of all models, or of those that accept `domain`.

    Raises:
        UnknownNameError: If there is no such domain.
    """
    if domain is None:
        return MODELS.names()
    wanted = find_domain(domain).name
    return [name for name in MODELS.names() if wanted in MODELS.find(name).domains]


def find_model(name: str) -> type[System]:
    """Return the class of a model.

    Raises:
        ConfigError: If it is a formula, which has nothing to train.
        UnknownNameError: If there is none; it proposes the nearest, or tells that the name is that of a config.
    """
    if name in FORMULAS.names():
        use = f"nirtrans colorize SRC DST --weights {name} --hints FILE"
        raise ConfigError(f"{name} has no networks, so there is nothing to train; use it by `{use}`")
    if name not in MODELS.names() and name in shipped():
        model = read_config(shipped()[name])["model"]
        raise UnknownNameError(f"{name} is a config of the model {model}, not a model; use --config {name}")
    return MODELS.find(name)


def check_pairing(run: Run, system: System) -> None:
    """Refuse a pairing that the system cannot learn from as it is set.

    Raises:
        ConfigError: Naming the models that can.
    """
    pairing = run.data.pairing
    if pairing is None or pairing in system.pairings:
        return
    others = [name for name in list_models(run.domain) if name != run.model]
    able = ", ".join(name for name in others if pairing in MODELS.find(name).pairings)
    accepted = " or ".join(sorted(system.pairings))
    own = (
        f"{run.model} with other settings (`nirtrans models {run.model}`), " if pairing in type(system).pairings else ""
    )
    pairs_alone = "--set data.pairing=paired, which leaves unpaired pictures out, or " if pairing == "mixed" else ""
    raise ConfigError(
        f"{run.model} learns from {accepted} data, got {pairing}; "
        f"use {pairs_alone}a model that learns from {pairing} data: {own}{able or 'none'}"
    )


def build_system(run: Run) -> System:
    """Build the system of a run, its weights drawn from `train.seed`.

    Raises:
        ConfigError: If the model does not accept the domain, a setting of the network is wrong, or the weights cannot
            fit in memory.
        UnknownNameError: If the model or the domain is unknown.
    """
    model, domain, params = find_model(run.model), find_domain(run.domain), network_params(run)
    if domain.name not in model.domains:
        others = ", ".join(list_models(domain.name)) or "none yet"
        raise ConfigError(f"{run.model} does not accept the domain {domain.name}; models that do: {others}")
    _check_memory(model, params, in_channels=domain.in_channels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.train.seed)
        system = model(params, in_channels=domain.in_channels)
    for layer in system.modules():
        if isinstance(layer, ImagePool):
            layer.capacity, layer.seed = run.train.pool, run.train.seed
    _recompute(run, system)
    return system


def _recompute(run: Run, system: System) -> None:
    """Tell the layers that can to compute activations again instead of keeping them."""
    layers = [layer for layer in system.modules() if isinstance(layer, DilatedVGG)]
    if run.train.recompute and not layers:
        raise ConfigError(f"train.recompute: no network of {run.model} can; leave it out")
    for layer in layers:
        layer.recompute = run.train.recompute


def count_parameters(system: System) -> int:
    """Return the number of trainable values."""
    return sum(parameter.numel() for parameter in system.parameters())


def _check_memory(model: type[System], params: Settings, *, in_channels: int) -> None:
    """Refuse networks whose float32 weights alone exceed the machine's memory, before any of it is taken."""
    with torch.device("meta"):
        weights_gb = 4e-9 * count_parameters(model(params, in_channels=in_channels))
    machine_gb = 1e-9 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if weights_gb > machine_gb:
        have = f"expected weights below the {machine_gb:.0f} GB of this machine, got {weights_gb:.0f} GB"
        raise ConfigError(f"{have}; make network.width or another size under `network` smaller")


def network_params(run: Run) -> Settings:
    """Validate the `network` block with the settings of the model.

    Raises:
        ConfigError: If a key or value is wrong; proposes the nearest key.
    """
    return validate(find_model(run.model).Params, run.network, origin=run.model, prefix="network.")


def with_network_defaults(run: Run) -> Run:
    """Return the run with every setting of its network written out."""
    return run.model_copy(update={"network": network_params(run).model_dump(mode="json")})
