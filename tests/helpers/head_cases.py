"""What every head gives to the contract that all heads have to keep: parameters and labels."""

from typing import Any, Callable, Dict, List, NamedTuple

import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models.heads import Head

import multitask_model  # noqa: F401  (registers the heads, in spawned processes too)

DIM = 4
SPANS = ["O", "B-a", "I-a", "B-b", "I-b"]
WORDS = [f"word{i}" for i in range(6)]

LabelVocabulary = Dict[str, torch.Tensor]


class Case(NamedTuple):
    """How to make one head, and labels for B texts of up to T tokens."""

    params: Dict[str, Any]
    """As they stand in a config, without the type."""
    labels: Callable[[List[int], torch.Generator], LabelVocabulary]
    """Of the lengths of the texts, padded as fields are. Never the same for all texts."""


def vocab() -> Vocabulary:
    return Vocabulary(
        tokens_to_add={
            "span_tags": SPANS,
            "pos_tags": ["N", "V", "X"],
            "head_tags": ["root", "subj", "punct"],
            "topic_labels": ["a", "b", "c"],
            "labels": ["no", "yes"],
            "masked_tokens": WORDS,  # with entries for padding and for unknown words
        }
    )


def make_head(type_name: str) -> Head:
    params = CASES[type_name].params
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Head.from_params(Params({"type": type_name, **_copy(params)}), vocab=vocab())


def _copy(params: Dict[str, Any]) -> Dict[str, Any]:
    return {k: _copy(v) if isinstance(v, dict) else v for k, v in params.items()}


def _per_token(low: int, high: int, lengths: List[int], random: torch.Generator) -> torch.Tensor:
    values = torch.randint(low, high, (len(lengths), max(lengths)), generator=random)
    for row, length in enumerate(lengths):
        values[row, length:] = 0
    return values


def _pos(lengths: List[int], random: torch.Generator) -> LabelVocabulary:
    return {"tags": _per_token(0, 3, lengths, random)}


def _spans(lengths: List[int], random: torch.Generator) -> LabelVocabulary:
    tags = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    for row, length in enumerate(lengths):
        tags[row, :length] = torch.tensor([1, 2, 0, 3, 4, 4, 0, 3][:length])
        tags[row, 0] = 1 + 2 * (row % 2)
        if length > 1:
            tags[row, 1] = 2 + 2 * (row % 2)
    return {"tags": tags}


def _topics(lengths: List[int], random: torch.Generator) -> LabelVocabulary:
    labels = torch.randint(0, 2, (len(lengths), 3), generator=random)
    labels[:, 0] = torch.arange(len(lengths)) % 2
    return {"labels": labels}


def _target(lengths: List[int], random: torch.Generator) -> LabelVocabulary:
    return {"target": torch.randn(len(lengths), generator=random)}


def _tree(lengths: List[int], random: torch.Generator) -> LabelVocabulary:
    tags = _per_token(0, 3, lengths, random)
    heads = torch.zeros_like(tags)
    for row, length in enumerate(lengths):
        heads[row, :length] = torch.arange(length)  # every word's head is the one before it
    return {"head_indices": heads, "head_tags": tags}


def _masked(lengths: List[int], random: torch.Generator) -> LabelVocabulary:
    words = _per_token(2, 2 + len(WORDS), lengths, random)
    words[:, 1::2] = 0  # these were not masked
    return {"masked_tokens": words}


def _classes(lengths: List[int], random: torch.Generator) -> LabelVocabulary:
    return {"label": torch.arange(len(lengths)) % 2}


POOL = {"seq2vec_encoder": {"type": "bag_of_embeddings", "embedding_dim": DIM, "averaged": True}}
LAYERS = {
    "feedforward": {
        "input_dim": DIM,
        "num_layers": 1,
        "hidden_dims": 5,
        "activations": "tanh",
    },
    "dropout": 0.1,
}

CASES: Dict[str, Case] = {
    "classifier": Case({**POOL, **LAYERS}, _classes),  # AllenNLP's own
    "crf_tagger": Case(
        {"input_dim": DIM, "label_encoding": "BIO", "label_namespace": "span_tags", **LAYERS},
        _spans,
    ),
    "dependency_parser": Case(
        {"input_dim": DIM, "arc_dim": 3, "tag_dim": 3, "ignore_tags": ["punct"], **LAYERS}, _tree
    ),
    "masked_language_model": Case({"input_dim": DIM, **LAYERS}, _masked),
    "multi_label_classifier": Case({**POOL, "label_namespace": "topic_labels", **LAYERS}, _topics),
    "regression": Case({**POOL, **LAYERS}, _target),
    "tagger": Case({"input_dim": DIM, "label_namespace": "pos_tags", **LAYERS}, _pos),
}


class Batch(NamedTuple):
    """What the backbone returns for some texts, and their labels."""

    encoded: LabelVocabulary
    labels: LabelVocabulary

    @property
    def arguments(self) -> LabelVocabulary:
        return {**self.encoded, **self.labels}

    def row(self, row: int) -> "Batch":
        """One text as a batch of its own, without the padding that its batch mates need."""
        length = int(self.encoded["encoded_text_mask"][row].sum())
        longest = self.encoded["encoded_text_mask"].size(1)

        def cut(value: torch.Tensor) -> torch.Tensor:
            is_per_token = value.dim() > 1 and value.size(1) == longest
            return value[row : row + 1, :length] if is_per_token else value[row : row + 1]

        return Batch(*({k: cut(v) for k, v in part.items()} for part in self))


def make_batch(type_name: str, lengths: List[int]) -> Batch:
    random = torch.Generator().manual_seed(3)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(-1)
    encoded = torch.randn(len(lengths), max(lengths), DIM, generator=random)
    # What a backbone makes of padding may be anything.
    encoded = torch.where(mask.unsqueeze(-1), encoded, torch.full_like(encoded, 9.0))
    labels = CASES[type_name].labels(lengths, random)
    return Batch({"encoded_text": encoded, "encoded_text_mask": mask}, labels)


def padded(batch: Batch, columns: int) -> Batch:
    """The same texts with so many more columns of padding, whose encoding is nothing special."""
    longest = batch.encoded["encoded_text_mask"].size(1)

    def pad(name: str, value: torch.Tensor) -> torch.Tensor:
        if value.dim() < 2 or value.size(1) != longest:
            return value
        filler = torch.full_like(value[:, :1], 7.0 if name == "encoded_text" else 0)
        return torch.cat([value, *[filler] * columns], dim=1)

    return Batch(*({k: pad(k, v) for k, v in part.items()} for part in batch))
