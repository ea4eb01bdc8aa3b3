"""
Small backbones, heads, instances and batches. Nothing here imports `multitask_model`, so that
AllenNLP can use them without it.
"""

from typing import Any, Dict, List, Optional

import torch
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import LabelField, MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.data.tokenizers import Token
from allennlp.models.heads import Head
from allennlp.modules import Backbone
from allennlp.training.metrics import CategoricalAccuracy

DIM = 6
WORDS = 20
CLASSES = 3


def make_vocab() -> Vocabulary:
    """Returns a vocabulary of the words `w0`, `w1`, ... and the labels `class0`, `class1`, ..."""
    return Vocabulary(
        tokens_to_add={
            "tokens": [f"w{i}" for i in range(WORDS - 2)],
            "labels": [f"class{i}" for i in range(CLASSES)],
        }
    )


class TinyBackbone(Backbone):
    """Embeds the tokens and applies a linear layer."""

    def __init__(self, vocab: Optional[Vocabulary] = None) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(WORDS, DIM)
        self.linear = torch.nn.Linear(DIM, DIM)

    def forward(self, text: Dict[str, Dict[str, torch.Tensor]]) -> Dict[str, Any]:  # type: ignore
        tokens = text["tokens"]["tokens"]  # Shape: (B, T)
        encoded = torch.tanh(self.linear(self.embedding(tokens)))
        return {"encoded_text": encoded, "encoded_text_mask": tokens != 0}


class TinyHead(Head):
    """Classifies the mean of the encoded text. Its metrics are the accuracy and a hidden one."""

    def __init__(self, vocab: Vocabulary, classes: int = CLASSES, **kwargs: Any) -> None:
        super().__init__(vocab, **kwargs)
        self.linear = torch.nn.Linear(DIM, classes)
        self.accuracy = CategoricalAccuracy()

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        label: Optional[torch.Tensor] = None,
    ) -> Dict[str, torch.Tensor]:
        mask = encoded_text_mask.unsqueeze(-1)  # Shape: (B, T, 1)
        logits = self.linear((encoded_text * mask).sum(1) / mask.sum(1))  # Shape: (B, C)
        outputs = {"logits": logits}
        if label is not None:
            outputs["loss"] = torch.nn.functional.cross_entropy(logits, label)
            self.accuracy(logits, label)
        return outputs

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return {"accuracy": self.accuracy.get_metric(reset), "_hidden": 1.5}

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        output_dict["label"] = [f"class{i}" for i in output_dict["logits"].argmax(-1).tolist()]
        return output_dict


class FixedBackbone(Backbone):
    """Returns the outputs given to `__init__`, and records the arguments of each call."""

    def __init__(self, **outputs: Any) -> None:
        super().__init__()
        self.outputs = outputs
        self.calls: List[Dict[str, Any]] = []

    def forward(self, text: Any = None) -> Dict[str, Any]:  # type: ignore[override]
        self.calls.append({"text": text})
        return dict(self.outputs)


class FixedHead(Head):
    """
    Takes any arguments, returns the outputs given to `__init__`, and records the arguments of each
    call.
    """

    def __init__(self, metrics: Optional[Dict[str, float]] = None, **outputs: Any) -> None:
        super().__init__(Vocabulary())
        self.outputs = outputs
        self.metrics = metrics or {}
        self.calls: List[Dict[str, Any]] = []
        self.readable_calls: List[Dict[str, Any]] = []
        self.resets = 0

    def forward(self, **kwargs: Any) -> Dict[str, Any]:  # type: ignore[override]
        self.calls.append(kwargs)
        return dict(self.outputs)

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        self.resets += reset
        return dict(self.metrics)

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        self.readable_calls.append(dict(output_dict))
        return {**output_dict, "readable": True}


def make_batch(
    tasks: List[str], seed: int = 0, tokens: int = 4, labels: bool = True
) -> Dict[str, Any]:
    """Returns a batch as a data loader does: sequences of different lengths, padded with 0."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, WORDS, (len(tasks), tokens), generator=generator)
    for row in range(len(tasks)):
        ids[row, 1 + (row + seed) % tokens :] = 0
    batch: Dict[str, Any] = {"text": {"tokens": {"tokens": ids}}, "task": list(tasks)}
    if labels:
        batch["label"] = torch.randint(CLASSES, (len(tasks),), generator=generator)
    return batch


def make_instance(
    text: str, task: Optional[str] = None, label: Optional[str] = None, **extra: Any
) -> Instance:
    """Returns an instance. In `extra`, strings become labels, and other values metadata."""
    tokens = [Token(word) for word in text.split()]
    fields: Dict[str, Any] = {"text": TextField(tokens, {"tokens": SingleIdTokenIndexer()})}
    if task is not None:
        fields["task"] = MetadataField(task)
    if label is not None:
        fields["label"] = LabelField(label)
    for name, value in extra.items():
        fields[name] = LabelField(value) if isinstance(value, str) else MetadataField(value)
    return Instance(fields)
