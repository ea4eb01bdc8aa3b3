"""How a head says which labels it predicts, and which labels are right."""

from typing import NamedTuple, Optional, Sequence


class PredictedLabels(NamedTuple):
    """
    What a head's method `predicted_labels` returns. The trainer callback `task_report` compares the
    predictions with the gold labels.

        >>> PredictedLabels("tags", "tags", ["DET", "NOUN"]).label_encoding is None
        True

    # Parameters

    output : `str`
        The output of the head that has the predictions: indices of the shape of the gold labels,
        with -1 for padding, or scores with one more dimension.
    argument : `str`
        The argument of its `forward` that has the gold labels.
    names : `Sequence[str]`
        The name of each index.
    label_encoding : `str`, optional (default = `None`)
        The encoding of spans as tags, if the labels are tags of spans.
    """

    output: str
    argument: str
    names: Sequence[str]
    label_encoding: Optional[str] = None
