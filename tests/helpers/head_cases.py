"""
The heads that the contract tests in `tests/heads/test_contract.py` run on. A new head needs one row
in `CASES`.
"""

import copy
from typing import Callable, Dict, List, NamedTuple

import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models.heads import Head

import multitask_model  # noqa: F401  (registers the heads, in spawned processes too)

DIM = 4

Tensors = Dict[str, torch.Tensor]
MakeLabels = Callable[[List[int], torch.Generator], torch.Tensor]
"""Makes the labels of a batch from the lengths of its sequences, padded with 0."""


class HeadCase(NamedTuple):
    """How to build one head and labels for it."""

    vocabulary: Dict[str, List[str]]
    """The labels by namespace."""
    config: Dict[str, object]
    """The parameters of the head in a config, without its type."""
    labels: Dict[str, MakeLabels]
    """The arguments of `forward` that are labels. They must differ between sequences."""
    metric: str
    """The metric that the head is usually compared by."""


def per_token(low: int, high: int) -> MakeLabels:
    """Returns a random integer from `low` to `high - 1` for each token."""

    def make(lengths: List[int], generator: torch.Generator) -> torch.Tensor:
        values = torch.randint(low, high, (len(lengths), max(lengths)), generator=generator)
        return values * mask_of(lengths)

    return make


def masked_words(low: int, high: int) -> MakeLabels:
    """As `per_token`, for every other token; 0 for the tokens between."""

    def make(lengths: List[int], generator: torch.Generator) -> torch.Tensor:
        words = per_token(low, high)(lengths, generator)
        words[:, 1::2] = 0
        return words

    return make


def bio_tags(lengths: List[int], generator: torch.Generator) -> torch.Tensor:
    """Returns well-formed tags, from 0 to 4: O, B-a, I-a, B-b, I-b."""
    tags = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    for row, length in enumerate(lengths):
        begin = 1 + 2 * (row % 2)
        tags[row, :length] = torch.tensor([begin, begin + 1, 0, 3, 4, 4, 0, 3][:length])
    return tags


def chain_heads(lengths: List[int], generator: torch.Generator) -> torch.Tensor:
    """Returns the preceding word as the head of each word, and the root for the first."""
    return torch.arange(max(lengths)) * mask_of(lengths)


def label_sets(classes: int) -> MakeLabels:
    """Returns random sets of labels, of shape (B, C)."""

    def make(lengths: List[int], generator: torch.Generator) -> torch.Tensor:
        labels = torch.randint(0, 2, (len(lengths), classes), generator=generator)
        labels[:, 0] = torch.arange(len(lengths)) % 2
        return labels

    return make


def numbers(lengths: List[int], generator: torch.Generator) -> torch.Tensor:
    """Returns a random number for each sequence."""
    return torch.randn(len(lengths), generator=generator)


def binary_classes(lengths: List[int], generator: torch.Generator) -> torch.Tensor:
    """Returns 0 and 1 in turn."""
    return torch.arange(len(lengths)) % 2


POOL = {"seq2vec_encoder": {"type": "bag_of_embeddings", "embedding_dim": DIM, "averaged": True}}
LAYERS = {
    "feedforward": {"input_dim": DIM, "num_layers": 1, "hidden_dims": 5, "activations": "tanh"},
    "dropout": 0.1,
}
POOLED = {**POOL, **LAYERS}
PER_TOKEN = {"input_dim": DIM, **LAYERS}

CASES: Dict[str, HeadCase] = {
    "classifier": HeadCase(  # AllenNLP's own head
        vocabulary={"labels": ["no", "yes"]},
        config=POOLED,
        labels={"label": binary_classes},
        metric="accuracy",
    ),
    "crf_tagger": HeadCase(
        vocabulary={"span_tags": ["O", "B-a", "I-a", "B-b", "I-b"]},
        config={**PER_TOKEN, "label_encoding": "BIO", "label_namespace": "span_tags"},
        labels={"tags": bio_tags},
        metric="f1-measure-overall",
    ),
    "dependency_parser": HeadCase(
        vocabulary={"head_tags": ["root", "subj", "punct"]},
        config={**PER_TOKEN, "arc_dim": 3, "tag_dim": 3, "ignore_tags": ["punct"]},
        labels={"head_tags": per_token(0, 3), "head_indices": chain_heads},
        metric="LAS",
    ),
    "masked_language_model": HeadCase(
        vocabulary={"masked_tokens": [f"word{i}" for i in range(6)]},  # after padding and OOV
        config=PER_TOKEN,
        labels={"masked_tokens": masked_words(2, 8)},
        metric="perplexity",
    ),
    "multi_label_classifier": HeadCase(
        vocabulary={"topic_labels": ["a", "b", "c"]},
        config={**POOLED, "label_namespace": "topic_labels"},
        labels={"labels": label_sets(3)},
        metric="micro_f1",
    ),
    "regression": HeadCase(
        vocabulary={},
        config=POOLED,
        labels={"target": numbers},
        metric="pearson",
    ),
    "tagger": HeadCase(
        vocabulary={"pos_tags": ["N", "V", "X"]},
        config={**PER_TOKEN, "label_namespace": "pos_tags"},
        labels={"tags": per_token(0, 3)},
        metric="accuracy",
    ),
}


def make_vocab(type_name: str) -> Vocabulary:
    return Vocabulary(tokens_to_add=CASES[type_name].vocabulary)


def make_head(type_name: str) -> Head:
    """Builds a head with random weights, which are the same in every call."""
    config = copy.deepcopy(CASES[type_name].config)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Head.from_params(Params({"type": type_name, **config}), vocab=make_vocab(type_name))


class HeadBatch(NamedTuple):
    """The inputs of a head for a batch of sequences."""

    encoded: Tensors
    """The outputs of the backbone."""
    labels: Tensors

    @property
    def arguments(self) -> Tensors:
        return {**self.encoded, **self.labels}

    def row(self, row: int) -> "HeadBatch":
        """Returns one sequence as a batch, without padding."""
        length = int(self.encoded["encoded_text_mask"][row].sum())
        longest = self.encoded["encoded_text_mask"].size(1)

        def cut(value: torch.Tensor) -> torch.Tensor:
            is_per_token = value.dim() > 1 and value.size(1) == longest
            return value[row : row + 1, :length] if is_per_token else value[row : row + 1]

        return HeadBatch(*({k: cut(v) for k, v in tensors.items()} for tensors in self))


def mask_of(lengths: List[int]) -> torch.Tensor:
    """Returns the mask (B, T) of sequences of these lengths."""
    return torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(-1)


def make_batch(type_name: str, lengths: List[int]) -> HeadBatch:
    """Builds random encoded sequences and labels, which are the same in every call."""
    generator = torch.Generator().manual_seed(3)
    mask = mask_of(lengths)
    encoded = torch.randn(len(lengths), max(lengths), DIM, generator=generator)
    # A backbone may return any values for padding.
    encoded = torch.where(mask.unsqueeze(-1), encoded, torch.full_like(encoded, 9.0))
    makers = CASES[type_name].labels
    labels = {name: make(lengths, generator) for name, make in makers.items()}
    return HeadBatch({"encoded_text": encoded, "encoded_text_mask": mask}, labels)


def add_padding(batch: HeadBatch, columns: int) -> HeadBatch:
    """Returns the same sequences with `columns` more columns of padding."""
    longest = batch.encoded["encoded_text_mask"].size(1)

    def pad(name: str, value: torch.Tensor) -> torch.Tensor:
        if value.dim() < 2 or value.size(1) != longest:
            return value
        filler = torch.full_like(value[:, :1], 7.0 if name == "encoded_text" else 0)
        return torch.cat([value, *[filler] * columns], dim=1)

    return HeadBatch(*({k: pad(k, v) for k, v in tensors.items()} for tensors in batch))
