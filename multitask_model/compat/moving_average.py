"""Moving averages of a training that is recovered, which AllenNLP loses."""

from typing import Any, Callable, Dict

from allennlp.training.moving_average import MovingAverage

from multitask_model.compat.patching import patch


def keep_parameters_of_moving_averages() -> None:
    """
    Lets `load_state_dict` fill the averages. AllenNLP replaces the parameters by those of the
    checkpoint, which are copies, so that the model is not averaged any more.
    """

    @patch(MovingAverage, "load_state_dict")
    def _(
        original: Callable[..., None], average: MovingAverage, state_dict: Dict[str, Any]
    ) -> None:
        own = average.state_dict()
        for kind in ("shadows", "backups"):
            for name, saved in state_dict[kind].items():
                own[kind][name].copy_(saved)
