"""
What `routing.py` and `routing_plot.py` measure: batches, and their loss by `multitask_model`, by
AllenNLP's class and by a loop in plain PyTorch, over the same backbone and heads.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.models.multitask import MultiTaskModel as AllenNLPModel
from allennlp.modules import Backbone

from multitask_model import MultiTaskModel

CLASSES = 5
WORDS = 1000
PLAIN, OURS, THEIRS = "plain loop", "multitask_model", "AllenNLP"
Text = Dict[str, Dict[str, torch.Tensor]]
LossFunction = Callable[[Dict[str, Any]], torch.Tensor]


class EmbeddingBackbone(Backbone):
    """Word embeddings only, so that the backbone takes little time."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(WORDS, dim)

    def forward(  # type: ignore[override]
        self, text: Text
    ) -> Dict[str, torch.Tensor]:
        tokens = text["tokens"]["tokens"]  # Shape: (B, T)
        return {"encoded_text": self.embedding(tokens), "encoded_text_mask": tokens != 0}


class TransformerBackbone(Backbone):
    """Word embeddings and a transformer with 2 layers, without dropout."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(WORDS, dim)
        layer = torch.nn.TransformerEncoderLayer(
            dim, nhead=4, dim_feedforward=4 * dim, dropout=0.0, batch_first=True
        )
        self.encoder = torch.nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)

    def forward(  # type: ignore[override]
        self, text: Text
    ) -> Dict[str, torch.Tensor]:
        tokens = text["tokens"]["tokens"]  # Shape: (B, T)
        mask = tokens != 0
        encoded = self.encoder(self.embedding(tokens), src_key_padding_mask=~mask)
        return {"encoded_text": encoded, "encoded_text_mask": mask}


class MeanHead(Head):
    """A linear classifier on the mean of the encoded tokens, without metrics."""

    def __init__(self, vocab: Vocabulary, dim: int) -> None:
        super().__init__(vocab)
        self.linear = torch.nn.Linear(dim, CLASSES)

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        label: torch.Tensor,
    ) -> Dict[str, torch.Tensor]:
        mask = encoded_text_mask.unsqueeze(-1)  # Shape: (B, T, 1)
        mean = (encoded_text * mask).sum(1) / mask.sum(1)  # Shape: (B, D)
        logits = self.linear(mean)  # Shape: (B, C)
        return {"logits": logits, "loss": torch.nn.functional.cross_entropy(logits, label)}


class Case(NamedTuple):
    name: str
    target: Optional[float]
    heads: int
    shape: List[int]  # B, T, D
    tasks: List[int]  # the index of each instance's task
    rounds: int
    backbone: Callable[[int], Backbone] = EmbeddingBackbone
    mode: str = "eager"  # or "compiled", "bf16"


def round_robin(batch_size: int, tasks: int) -> List[int]:
    return [i % tasks for i in range(batch_size)]


def plain_loop(
    backbone: Backbone, heads: Dict[str, Head], rows: Dict[str, Optional[torch.Tensor]]
) -> LossFunction:
    """The loss in plain PyTorch. `rows` has an index for each head, or `None` for all rows."""

    def loss_of(batch: Dict[str, Any]) -> torch.Tensor:
        encoded = backbone(batch["text"])
        losses = []
        for name, index in rows.items():
            text, mask = encoded["encoded_text"], encoded["encoded_text_mask"]
            label = batch["label"]
            if index is not None:
                text, mask = text.index_select(0, index), mask.index_select(0, index)
                label = label.index_select(0, index)
            losses.append(heads[name](text, mask, label)["loss"])
        return sum(losses[1:], losses[0])

    return loss_of


def loss_functions(case: Case) -> Dict[str, LossFunction]:
    vocab = Vocabulary()
    backbone = case.backbone(case.shape[2])
    heads: Dict[str, Head] = {f"head{i}": MeanHead(vocab, case.shape[2]) for i in range(case.heads)}
    numbers = sorted(set(case.tasks))
    rows: Dict[str, Optional[torch.Tensor]] = {f"head{n}": None for n in numbers}
    if len(numbers) > 1:
        for n in numbers:
            rows[f"head{n}"] = torch.tensor([i for i, task in enumerate(case.tasks) if task == n])
    functions: Dict[str, Callable[..., Any]] = {
        PLAIN: plain_loop(backbone, heads, rows),
        OURS: MultiTaskModel(vocab, backbone, heads),
        THEIRS: AllenNLPModel(vocab, backbone, heads),
    }
    return {name: in_mode(case.mode, name, function) for name, function in functions.items()}


def in_mode(mode: str, name: str, function: Callable[..., Any]) -> LossFunction:
    """The loss of a batch by the plain loop or by a model, in the mode of the case."""
    called = torch.compile(function) if mode == "compiled" else function

    def loss_of(batch: Dict[str, Any]) -> torch.Tensor:
        loss: torch.Tensor = called(batch) if name == PLAIN else called(**batch)["loss"]
        return loss

    def loss_with_autocast(batch: Dict[str, Any]) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return loss_of(batch)

    return loss_with_autocast if mode == "bf16" else loss_of


def make_batch(case: Case) -> Dict[str, Any]:
    batch_size, tokens, _ = case.shape
    # Created for each call, because AllenNLP's class changes the batch.
    return {
        "text": {"tokens": {"tokens": torch.randint(1, WORDS, (batch_size, tokens))}},
        "label": torch.randint(CLASSES, (batch_size,)),
        "task": [f"head{n}" for n in case.tasks],
    }
