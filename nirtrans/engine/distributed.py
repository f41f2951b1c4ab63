"""Devices and processes: Accelerate, one wrapper per network, and what all ranks must agree on."""

import errno
import gc
import logging
from collections.abc import Callable

import torch
import torch.distributed.nn  # before a group exists: its defaults would capture the group and outlive its end
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from nirtrans.config import TrainSettings
from nirtrans.errors import ConfigError
from nirtrans.models.system import System

log = logging.getLogger("nirtrans")


def launch(settings: TrainSettings, device: torch.device | str = "cpu") -> Accelerator:
    """Join the processes of this run, one or those that torchrun or accelerate launch started.

    Args:
        settings: Precision and accumulation.
        device: What `--device` became; with several CUDA processes each takes the device of its local rank.

    Raises:
        ConfigError: If the precision does not work on this device, or the batch cannot be divided.
    """
    device = torch.device(device)
    if settings.precision == "fp16" and device.type != "cuda":
        raise ConfigError(f"fp16 needs a CUDA device, got {device}; use --precision bf16 or fp32")
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    AcceleratorState._reset_state(reset_partial_state=False)  # another run of this process may use another precision
    precision = "no" if settings.precision == "fp32" else settings.precision
    accelerator = Accelerator(
        cpu=device.type == "cpu", mixed_precision=precision, gradient_accumulation_steps=settings.accumulate
    )
    parts = settings.accumulate * accelerator.num_processes
    if settings.batch % parts:
        raise ConfigError(
            f"train.batch {settings.batch} cannot be divided among {accelerator.num_processes} processes with "
            f"{settings.accumulate} accumulation steps; use a multiple of {parts}"
        )
    return accelerator


def finish(accelerator: Accelerator) -> None:
    """Leave the process group; call it when no wrapped network is in use any more.

    Afterwards nothing may hold the group: its threads would meet an interpreter that ends, which aborts the process.
    """
    gc.collect()  # wrappers are parts of cycles
    accelerator.end_training()


def place(system: System, accelerator: Accelerator, settings: TrainSettings) -> dict[str, nn.Module]:
    """Move a system to its device, lay out, compile and wrap each of its networks; the system itself stays bare.

    Losses call networks on their own and phases freeze whole networks, so a wrapper around the system would miss both.

    Returns:
        The networks by name, not wrapped.
    """
    system.to(accelerator.device)
    if accelerator.num_processes > 1:
        _treat_batch_norm(system, accelerator, settings.sync_batchnorm)
    networks = {name: getattr(system, name) for name in system.network_names()}
    if settings.channels_last:
        for network in networks.values():
            network.to(memory_format=torch.channels_last)
    if settings.compile:
        for name in system.inference:  # penalties differentiate critics twice, which torch.compile refuses
            networks[name].compile()  # in place: names of weights, copies and wrappers see the bare network
    if accelerator.num_processes > 1:
        devices = [accelerator.device] if accelerator.device.type == "cuda" else None
        for name, network in networks.items():
            setattr(system, name, DistributedDataParallel(network, device_ids=devices, broadcast_buffers=False))
    return networks


def mean_over_ranks(values: torch.Tensor, accelerator: Accelerator) -> list[float]:
    """Average a vector [K] over all processes; NaN or infinity on one rank reaches every rank."""
    if accelerator.num_processes > 1:
        torch.distributed.all_reduce(values)
        values = values / accelerator.num_processes
    return values.tolist()


def largest_over_ranks(value: int, accelerator: Accelerator) -> int:
    """Return the largest of one number per process."""
    if accelerator.num_processes == 1:
        return value
    shared = torch.tensor(value, device=accelerator.device)
    torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX)
    return int(shared)


def together(accelerator: Accelerator, action: Callable[[], None], *, everywhere: bool = False) -> None:
    """Run an action on the main process, or everywhere, and go on only when it succeeded; else every rank raises.

    Raises:
        OSError: The action's own on the rank where it failed, a summary on the others.
    """
    failure: OSError | None = None
    if everywhere or accelerator.is_main_process:
        try:
            action()
        except OSError as error:
            failure = error
    number = largest_over_ranks(0 if failure is None else failure.errno or errno.EIO, accelerator)
    if failure is not None:
        raise failure
    if number:
        raise OSError(number, "another process of this run could not write")


def _treat_batch_norm(system: System, accelerator: Accelerator, sync: bool) -> None:
    """Synchronise batch norm if asked to and possible; say what was done, since it changes the result."""
    if not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in system.modules()):
        return
    possible = accelerator.device.type == "cuda"  # torch has no synchronised batch norm for the CPU
    if sync and possible:
        for name in system.network_names():
            setattr(system, name, nn.SyncBatchNorm.convert_sync_batchnorm(getattr(system, name)))
    if accelerator.is_main_process:
        kind = "over all processes" if sync and possible else "per process"
        log.warning("batch norm takes its statistics %s (train.sync_batchnorm=%s, %s)", kind, sync, accelerator.device)
