"""Which predictions of a batch are compared with which gold labels."""

from typing import Any, Dict

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import ClassifierHead
from allennlp.modules import Backbone
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

from multitask_model import CrfTaggerHead, MultiTaskModel, Partial, RegressionHead, TaggerHead
from multitask_model.distributed import FILLER
from multitask_model.training.report.label_reading import LabelReader, predicted_labels

DIM = 2


def make_vocab() -> Vocabulary:
    tags = ["O", "B-city"]
    return Vocabulary(
        tokens_to_add={"pos_labels": ["DET", "NOUN"], "kinds_labels": ["x", "y"], "tags": tags}
    )


def make_reader() -> LabelReader:
    vocab = make_vocab()
    heads = {
        "pos": TaggerHead(vocab, DIM, label_namespace="pos_labels"),
        "kind": ClassifierHead(vocab, BagOfEmbeddingsEncoder(DIM), label_namespace="kinds_labels"),
        "stars": RegressionHead(vocab, BagOfEmbeddingsEncoder(DIM)),
    }
    model = MultiTaskModel(
        vocab,
        Backbone(),
        heads,
        task_heads={"ewt": ["pos", "stars"], "mail": ["kind", "pos"]},
        arg_name_mapping={"pos": {"pos": "tags"}, "kind": {"kind": "label"}},
    )
    return LabelReader(model)


def pairs(reader: LabelReader, head: str) -> Any:
    return reader.counts[head].to_json()["pairs"]


def test_a_head_says_which_labels_it_predicts() -> None:
    head = CrfTaggerHead(make_vocab(), DIM, label_encoding="BIO", label_namespace="tags")
    assert predicted_labels(head) == ("tags", "tags", ["O", "B-city"], "BIO")


def test_heads_without_labels_are_left_out() -> None:
    assert list(make_reader().counts) == ["pos", "kind"]


def test_each_head_compares_its_own_rows() -> None:
    reader = make_reader()
    batch: Dict[str, Any] = {
        "task": ["ewt", "mail", "mail"],
        "pos": torch.tensor([[0, 1], [1, 1], [0, 0]]),
        # The rows 1 and 2 are the rows of the head.
        "kind": Partial(torch.tensor([1, 0]), rows=(1, 2)),
    }
    outputs = {
        "pos_tags": torch.tensor([[0, 1], [1, 0], [0, -1]]),
        "kind_logits": torch.tensor([[0.0, 2.0], [1.0, 3.0]]),
    }
    reader.add(batch, outputs)
    assert pairs(reader, "kind") == [["x", "y", 1], ["y", "y", 1]]
    assert pairs(reader, "pos") == [["DET", "DET", 2], ["NOUN", "DET", 1], ["NOUN", "NOUN", 2]]


def test_rows_without_a_gold_label_do_not_count() -> None:
    reader = make_reader()
    batch = {"task": ["mail"] * 3, "kind": Partial(torch.tensor([1]), rows=(2,))}
    reader.add(batch, {"kind_logits": torch.tensor([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])})
    assert pairs(reader, "kind") == [["y", "x", 1]]


def test_sequences_of_several_calls_may_have_different_lengths() -> None:
    reader = make_reader()
    batch = {"task": ["ewt"] * 2, "pos": Partial(torch.tensor([[1, 1]]), rows=(1,))}
    reader.add(batch, {"pos_tags": [torch.tensor([0, 0, 0]), torch.tensor([1, 0])]})
    assert pairs(reader, "pos") == [["NOUN", "DET", 1], ["NOUN", "NOUN", 1]]


def test_a_filler_does_not_count() -> None:
    reader = make_reader()
    reader.add({FILLER: True}, {})
    assert pairs(reader, "pos") == []
