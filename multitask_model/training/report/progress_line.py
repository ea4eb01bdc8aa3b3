"""The progress bar of a trainer, in a line of a fixed width whatever the number of heads."""

from typing import Callable, Dict, List, Mapping, Optional, Sequence, cast

from allennlp.training import util as training_util

from multitask_model.compat.patching import patch
from multitask_model.routing.output_names import LOSS

WIDTH = 100
"""The width of a line."""

BAR = ": 100%|##########| / [00:00:00<00:00:00, 000.00it/s]"
"""What tqdm adds to the description, without the numbers of batches."""

Describe = Callable[[Mapping[str, float]], str]

_current: Dict[str, Optional[Describe]] = {"describe": None}


def describe_losses(metrics: Mapping[str, float], heads: Sequence[str], batches: int = 0) -> str:
    """
    Returns the description of a progress bar: the running joint loss and that of each head, as far
    as they fit. If not all heads fit, those with the smallest and the largest loss are named.

        >>> describe_losses({"loss": 3.0, "ner_loss": 1.0, "pos_loss": 2.0}, ["ner", "pos"])
        'loss 3.00: ner 1.00 pos 2.00'

    # Parameters

    metrics : `Mapping[str, float]`
        The metrics of the model so far.
    heads : `Sequence[str]`
    batches : `int`, optional (default = `0`)
        The largest number of batches that the bar counts.
    """
    room = WIDTH - len(BAR) - 2 * len(str(batches))
    losses = {head: metrics[f"{head}_{LOSS}"] for head in heads if f"{head}_{LOSS}" in metrics}
    each = " ".join(f"{head} {_number(loss)}" for head, loss in losses.items())
    joint = f"{LOSS} {_number(metrics[LOSS])}" if LOSS in metrics else ""
    ends = sorted(losses, key=lambda head: losses[head])
    extremes = [f"{head} {_number(losses[head])}" for head in (ends[:1] + ends[-1:])]
    texts = [f"{joint}: {each}", each, f"{joint}: {' .. '.join(extremes)}"] if losses else []
    texts += [f"{joint}: max {_number(losses[ends[-1]])}"] if losses else []
    return next((text for text in texts if len(text) <= room), joint)


def _number(value: float) -> str:
    """A number in at most six characters, unless it is very large."""
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:.3g}"


def use_description(describe: Optional[Describe]) -> None:
    """
    Lets the progress bars of AllenNLP's trainer have these descriptions; with `None`, its own. The
    trainer has no hook for it: it calls a function of a module for every batch.
    """
    _current["describe"] = describe

    @patch(training_util, "description_from_metrics")
    def _(original: Callable[..., str], metrics: Mapping[str, float]) -> str:
        current = _current["describe"]
        return original(metrics) if current is None else current(metrics)


def largest_number(loaders: List[object]) -> int:
    """Returns the largest number of batches of some data loaders, 0 where there is no length."""
    numbers = [0]
    for loader in loaders:
        try:
            numbers.append(len(cast(List[object], loader)))
        except TypeError:
            continue
    return max(numbers)
