"""A model in which tasks share heads, its instances, and its outputs computed by a plain loop."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

import torch
from allennlp.data import Instance
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from tests.helpers.models import TinyBackbone, TinyHead, make_instance, make_vocab
from tests.helpers.multitask import batch_of

HEADS = ["polarity", "genre", "upos"]
TASK_HEADS = {"ewt": ["upos", "genre"], "tweets": ["polarity"], "reviews": ["genre", "polarity"]}
WEIGHTS = {"polarity": 0.5, "genre": 2.0, "upos": 1.0}


def make_model(task_heads: Any = TASK_HEADS, **kwargs: Any) -> Any:
    """Returns a model with a `TinyHead` for each of `HEADS`."""
    torch.manual_seed(0)
    vocab = make_vocab()
    heads: Dict[str, Head] = {name: TinyHead(vocab) for name in HEADS}
    mapping = {name: {f"{name}_label": "label"} for name in HEADS}
    kwargs = {"loss_weights": WEIGHTS, "arg_name_mapping": mapping, **kwargs}
    return MultiTaskModel(vocab, TinyBackbone(), heads, task_heads=task_heads, **kwargs)


class Row(NamedTuple):
    """An instance: its task, its `heads` field, and its class for each head that has a label."""

    task: str
    heads: Optional[List[str]]
    labels: Dict[str, int]
    text: str

    def instance(self) -> Instance:
        extra: Dict[str, Any] = {f"{h}_label": f"class{c}" for h, c in self.labels.items()}
        if self.heads is not None:
            extra["heads"] = self.heads
        return make_instance(self.text, self.task, **extra)

    def is_served_by(self, head: str, task_heads: Mapping[str, List[str]] = TASK_HEADS) -> bool:
        return head in task_heads[self.task] and (self.heads is None or head in self.heads)


def batch_of_rows(rows: List[Row]) -> Dict[str, Any]:
    return batch_of([row.instance() for row in rows])


def outputs_by_loop(
    model: Any, rows: List[Row], reduction: str, task_heads: Mapping[str, List[str]] = TASK_HEADS
) -> Dict[str, Any]:
    """Computes the outputs of the heads and the joint loss from the encodings of the batch."""
    tokens = batch_of_rows(rows)["text"]["tokens"]["tokens"]
    encoded = model.backbone(text={"tokens": {"tokens": tokens}})
    outputs: Dict[str, Any] = {}
    total: Any = None
    for name in HEADS:
        of_head = [i for i, row in enumerate(rows) if row.is_served_by(name, task_heads)]
        if not of_head:
            continue
        text, mask = (encoded[key][of_head] for key in ("encoded_text", "encoded_text_mask"))
        logits = model.head(name)(text, mask)["logits"]
        outputs[f"{name}_logits"] = logits
        labeled = [k for k, i in enumerate(of_head) if name in rows[i].labels]
        if labeled:
            labels = torch.tensor([rows[of_head[k]].labels[name] for k in labeled])
            loss = torch.nn.functional.cross_entropy(logits[labeled], labels)
            outputs[f"{name}_loss"] = loss
            proportion = len(labeled) / len(rows) if reduction == "instances" else 1.0
            term = WEIGHTS[name] * proportion * loss
            total = term if total is None else total + term
    if total is not None:
        outputs["loss"] = total
    return outputs
