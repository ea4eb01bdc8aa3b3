"""The aggregators of TorchJD by name."""

import importlib
import inspect
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known, format_names
from multitask_model.training.head_gradients import Gradients

AGGREGATORS = {
    "aligned_mtl": "AlignedMTL",
    "cagrad": "CAGrad",
    "config": "ConFIG",
    "constant": "Constant",
    "dualproj": "DualProj",
    "excess_mtl": "ExcessMTL",
    "fairgrad": "FairGrad",
    "graddrop": "GradDrop",
    "gradvac": "GradVac",
    "imtl_g": "IMTLG",
    "krum": "Krum",
    "mean": "Mean",
    "mgda": "MGDA",
    "nash_mtl": "NashMTL",
    "pcd": "PCD",
    "pcgrad": "PCGrad",
    "random": "Random",
    "sum": "Sum",
    "trimmed_mean": "TrimmedMean",
    "upgrad": "UPGrad",
}
"""The names of the aggregators, and their classes in `torchjd.aggregation`."""

INSTALL = "Install it with: pip install 'multitask-model[gradients]' (Python 3.11 or later)."


def import_torchjd(module: str) -> Any:
    """
    Imports a module of TorchJD, such as `"aggregation"`.

    # Raises

    `ConfigurationError`
        If TorchJD is not installed.
    """
    try:
        return importlib.import_module(f"torchjd.{module}")
    except ImportError as error:
        raise ConfigurationError(
            "The trainer callback 'gradient_aggregation' requires TorchJD, but got no module "
            f"named 'torchjd'. {INSTALL}"
        ) from error


class Aggregators:
    """
    Makes an aggregator for each set of heads that run on the same batch. Some aggregators keep a
    state, and some have options with a number for each head, neither of which fits other heads.

    # Parameters

    name : `str`
        A key of `AGGREGATORS`.
    options : `Mapping[str, Any]`
        The arguments of the aggregator's class. A dictionary by head becomes a tensor of the values
        of the heads that ran.
    heads : `Sequence[str]`
        All heads of the model.

    # Raises

    `ConfigurationError`
        If TorchJD or what the aggregator requires is not installed, there is no such aggregator, or
        the options do not fit it.

    # Examples

    >>> sorted(AGGREGATORS)[:4]
    ['aligned_mtl', 'cagrad', 'config', 'constant']
    """

    def __init__(self, name: str, options: Mapping[str, Any], heads: Sequence[str]) -> None:
        module = import_torchjd("aggregation")
        check_known("aggregator", "an aggregator of TorchJD", [name], AGGREGATORS)
        self._name, self._options = name, dict(options)
        self._class = getattr(module, AGGREGATORS[name])
        self._made: Dict[Tuple[Tuple[str, ...], torch.device], Any] = {}
        for option, value in self._options.items():
            if isinstance(value, Mapping) and set(value) != set(heads):
                raise ConfigurationError(
                    f"{option} of the aggregator {name!r} must have a number for each of the heads "
                    f"{format_names(heads)}, but got {format_names(value)}."
                )
        self.get(heads, torch.device("cpu"))  # so that wrong options are found at once

    def get(self, heads: Sequence[str], device: torch.device) -> Any:
        """Returns the aggregator of these heads, for gradients on this device."""
        key = (tuple(heads), device)
        if key not in self._made:
            self._made[key] = self._make(heads, device)
        return self._made[key]

    def _make(self, heads: Sequence[str], device: torch.device) -> Any:
        parameters = inspect.signature(self._class.__init__).parameters
        options = {name: _of_heads(value, heads, device) for name, value in self._options.items()}
        if "n_tasks" in parameters:
            options.setdefault("n_tasks", len(heads))
        try:
            return self._class(**options)
        except TypeError as error:
            known: List[str] = [name for name in parameters if name != "self"]
            raise ConfigurationError(
                f"The options of the aggregator {self._name!r} must be among "
                f"{format_names(known)}, but got {format_names(self._options)}: {error}."
            ) from error
        except ImportError as error:
            raise ConfigurationError(
                f"The aggregator {self._name!r} requires a package that is not installed: {error} "
                f"{INSTALL}"
            ) from error


def _of_heads(value: object, heads: Sequence[str], device: torch.device) -> object:
    if isinstance(value, Mapping):
        return torch.tensor([float(value[head]) for head in heads], device=device)
    return value


def aggregate(aggregator: Any, gradients: Gradients) -> List[torch.Tensor]:
    """Returns the gradient at each shared tensor that an aggregator of TorchJD combines."""
    # TorchJD reads the attribute `jac` of leaves, and writes to their `grad`.
    leaves: List[Any] = [tensor.detach().requires_grad_() for tensor, _ in gradients]
    for leaf, (_, jacobian) in zip(leaves, gradients):
        leaf.jac = jacobian
    import_torchjd("autojac").jac_to_grad(leaves, aggregator)
    return [leaf.grad for leaf in leaves]
