"""From the settings of a run to its system."""

import torch

from nirtrans.config import Run, Settings
from nirtrans.config_files import validate
from nirtrans.domains import find_domain
from nirtrans.errors import ConfigError
from nirtrans.models.system import MODELS, System
from nirtrans.nn.pool import ImagePool


def list_models(domain: str | None = None) -> list[str]:
    """Return the names of all models, or of those that accept `domain`.

    Raises:
        UnknownNameError: If there is no such domain.
    """
    if domain is None:
        return MODELS.names()
    wanted = find_domain(domain).name
    return [name for name in MODELS.names() if wanted in MODELS.find(name).domains]


def build_system(run: Run) -> System:
    """Build the system of a run, its weights drawn from `train.seed`.

    Raises:
        ConfigError: If the model does not accept the domain, or a setting of the network is wrong.
        UnknownNameError: If the model or the domain is unknown.
    """
    model, domain, params = MODELS.find(run.model), find_domain(run.domain), network_params(run)
    if domain.name not in model.domains:
        others = ", ".join(list_models(domain.name)) or "none yet"
        raise ConfigError(f"{run.model} does not accept the domain {domain.name}; models that do: {others}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.train.seed)
        system = model(params, in_channels=domain.in_channels)
    for layer in system.modules():
        if isinstance(layer, ImagePool):
            layer.capacity, layer.seed = run.train.pool, run.train.seed
    return system


def network_params(run: Run) -> Settings:
    """Validate the `network` block with the settings of the model.

    Raises:
        ConfigError: If a key or value is wrong; proposes the nearest key.
    """
    return validate(MODELS.find(run.model).Params, run.network, origin=run.model, prefix="network.")


def with_network_defaults(run: Run) -> Run:
    """Return the run with every setting of its network written out."""
    return run.model_copy(update={"network": network_params(run).model_dump(mode="json")})
