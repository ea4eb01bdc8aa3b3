"""Reading predicted and gold labels from an evaluated batch."""

from typing import Dict, List, Mapping, Optional, Tuple, cast

import torch
from allennlp.models.heads import ClassifierHead, Head
from torch.nn.utils.rnn import pad_sequence

from multitask_model.distributed import FILLER
from multitask_model.model import MultiTaskModel
from multitask_model.modules.padded_predictions import PADDING
from multitask_model.modules.predicted_labels import PredictedLabels
from multitask_model.routing.fit_checks import find_namespace
from multitask_model.routing.partial import Partial
from multitask_model.training.report.label_counts import LabelCounts

Batch = Mapping[str, object]
Rows = Dict[int, int]
"""The position of each row in a value that only some rows may have."""


def predicted_labels(head: Head) -> Optional[PredictedLabels]:
    """
    Returns what the head's method `predicted_labels` says. AllenNLP's `classifier` has no such
    method, but its outputs are known. `None` for any other head.
    """
    method = getattr(head, "predicted_labels", None)
    if callable(method):
        return cast(Optional[PredictedLabels], method())
    namespace = find_namespace(head) if isinstance(head, ClassifierHead) else None
    if namespace is None:
        return None
    names = head.vocab.get_index_to_token_vocabulary(namespace)
    return PredictedLabels("logits", "label", [names[index] for index in range(len(names))])


class LabelReader:
    """
    Counts the labels that the heads of a model predict.

        >>> from allennlp.data import Vocabulary
        >>> from allennlp.modules import Backbone
        >>> from multitask_model import TaggerHead
        >>> vocab = Vocabulary(tokens_to_add={"labels": ["DET", "NOUN"]})
        >>> reader = LabelReader(MultiTaskModel(vocab, Backbone(), {"pos": TaggerHead(vocab, 4)}))
        >>> batch = {"task": ["pos"], "tags": torch.tensor([[0, 1]])}
        >>> reader.add(batch, {"pos_tags": torch.tensor([[0, 0]])})
        >>> reader.counts["pos"].to_json()["pairs"]
        [['DET', 'DET', 1], ['NOUN', 'DET', 1]]

    # Parameters

    model : `MultiTaskModel`
    """

    def __init__(self, model: MultiTaskModel) -> None:
        self._model = model
        found = {name: predicted_labels(model.head(name)) for name in model.heads}
        self._labels = {name: labels for name, labels in found.items() if labels is not None}
        self.reset()

    def reset(self) -> None:
        """Starts an evaluation."""
        self.counts = {
            name: LabelCounts(labels.names, labels.label_encoding)
            for name, labels in self._labels.items()
        }
        """What was counted for each head whose labels are known."""

    @torch.no_grad()
    def add(self, batch: Batch, outputs: Batch) -> None:
        """Counts the labels of a batch from the outputs of the model."""
        if FILLER in batch or not self._labels:
            return
        for head, rows in self._model.tasks.rows(batch).items():
            labels = self._labels.get(head)
            predicted = None if labels is None else outputs.get(f"{head}_{labels.output}")
            if labels is None or predicted is None:
                continue
            positions = {row: i for i, row in enumerate(rows.indices)}
            for gold in self._gold(head, labels, batch):
                self.counts[head].add(*_match(predicted, gold, positions, len(rows)))

    def _gold(self, head: str, labels: PredictedLabels, batch: Batch) -> List[object]:
        arguments = self._model.router(head).named_arguments(batch)
        return [batch[name] for name, arg in arguments.items() if arg == labels.argument]


def _match(
    predicted: object, gold: object, positions: Rows, head_rows: int
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The predicted and the gold labels of the rows that have both."""
    values, found = _values(predicted, head_rows)
    gold_values, rows = _values(gold, len(cast(torch.Tensor, gold)))
    pairs = [
        (found[positions[row]], i)
        for row, i in rows.items()
        if positions.get(row) in found  # the position among the rows of the head
    ]
    values = values[[i for i, _ in pairs]]
    gold_values = gold_values[[i for _, i in pairs]].to(values.device)
    if values.dim() > gold_values.dim():
        values = values.argmax(-1)
    if values.dim() > 1:
        length = min(values.size(1), gold_values.size(1))
        values, gold_values = values[:, :length], gold_values[:, :length]
    return values, gold_values


def _values(value: object, rows: int) -> Tuple[torch.Tensor, Rows]:
    """The tensor, and the position in it of each row that it has."""
    numbers = value.rows if isinstance(value, Partial) else range(rows)
    tensor = value.value if isinstance(value, Partial) else value
    if not isinstance(tensor, torch.Tensor):
        # Rows of several calls of a head, with sequences of different lengths.
        items = [torch.as_tensor(item) for item in cast(List[torch.Tensor], tensor)]
        tensor = pad_sequence(items, batch_first=True, padding_value=PADDING)
    return tensor, {row: i for i, row in enumerate(numbers)}
