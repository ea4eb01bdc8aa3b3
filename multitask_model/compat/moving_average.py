"""Moving averages of a training that is recovered, which AllenNLP loses."""

from typing import Any, Callable, Dict

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.moving_average import MovingAverage

from multitask_model.compat.allennlp_internals import averaged_parameters, set_averages
from multitask_model.compat.patching import patch
from multitask_model.errors import format_names

Tensors = Dict[str, torch.Tensor]


def keep_parameters_of_moving_averages() -> None:
    """
    Lets `load_state_dict` keep the parameters. AllenNLP replaces them by those of the checkpoint,
    which are copies, so that the model is not averaged any more.
    """

    @patch(MovingAverage, "load_state_dict")
    def _(
        original: Callable[..., None], average: MovingAverage, state_dict: Dict[str, Any]
    ) -> None:
        parameters = averaged_parameters(average)
        saved = [_named_as(parameters, state_dict[kind]) for kind in ("shadows", "backups")]
        for tensors in saved:
            _check(parameters, tensors)
        set_averages(
            average,
            *(
                {name: tensors[name].to(p.device) for name, p in parameters.items()}
                for tensors in saved
            ),
        )


def _named_as(parameters: Tensors, saved: Tensors) -> Tensors:
    """In distributed training, AllenNLP saves the names of a wrapper."""
    return {
        name if name in parameters else name.removeprefix("module."): tensor
        for name, tensor in saved.items()
    }


def _check(parameters: Tensors, saved: Tensors) -> None:
    differ = {
        name
        for name in parameters.keys() | saved.keys()
        if name not in parameters
        or name not in saved
        or parameters[name].shape != saved[name].shape
    }
    if differ:
        raise ConfigurationError(
            "A moving_average that is recovered must be that of the same parameters, but "
            f"{format_names(sorted(differ))} differ from those of the checkpoint. Train the same "
            "parameters as before, or begin a new training."
        )
