"""New labels of an old task for a trained model: what belongs to the old labels is copied."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import ClassifierHead, Head
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

from multitask_model import MultiTaskModel
from multitask_model.heads import (
    CrfTaggerHead,
    DependencyParserHead,
    MultiLabelClassifierHead,
    TaggerHead,
)
from multitask_model.modules.span_encodings import find_transitions
from tests.helpers.messages import exactly
from tests.helpers.models import DIM, TinyBackbone, TinyHead

OLD = ["O", "B-PER", "I-PER"]
NEW = ["B-LOC", "I-LOC"]
MakeHead = Callable[[Vocabulary], Head]


def make_crf(vocab: Vocabulary) -> Head:
    return CrfTaggerHead(vocab, DIM, "BIO")


def make_parser(vocab: Vocabulary) -> Head:
    return DependencyParserHead(vocab, DIM, arc_dim=4, tag_dim=4, label_namespace="labels")


HEADS: Dict[str, MakeHead] = {
    "crf_tagger": make_crf,
    "tagger": lambda vocab: TaggerHead(vocab, DIM, label_encoding="BIO"),
    "classifier": lambda vocab: ClassifierHead(vocab, BagOfEmbeddingsEncoder(DIM)),
    "multi_label_classifier": lambda vocab: MultiLabelClassifierHead(
        vocab, BagOfEmbeddingsEncoder(DIM)
    ),
    "dependency_parser": make_parser,
}


def make_model(
    labels: List[str], make_head: MakeHead, archive: Optional[Path] = None
) -> MultiTaskModel:
    vocab = Vocabulary(tokens_to_add={"labels": labels})
    path = None if archive is None else str(archive)
    head = make_head(vocab)
    return MultiTaskModel(vocab, TinyBackbone(), {"ner": head}, pretrained_file=path)


def save(folder: Path, make_head: MakeHead) -> MultiTaskModel:
    model = make_model(OLD, make_head)
    model.vocab.save_to_files(str(folder / "vocabulary"))
    torch.save(model.state_dict(), folder / "weights.th")
    return model


def weights(model: MultiTaskModel) -> Dict[str, torch.Tensor]:
    return {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("make_head", HEADS.values(), ids=HEADS)
def test_old_labels_keep_their_weights_and_new_ones_start_as_in_a_new_model(
    make_head: MakeHead, tmp_path: Path
) -> None:
    old = weights(save(tmp_path, make_head))
    torch.manual_seed(7)
    fresh = weights(make_model([*OLD, *NEW], make_head))
    torch.manual_seed(7)
    loaded = weights(make_model([*OLD, *NEW], make_head, tmp_path))
    grown = [name for name in old if old[name].shape != loaded[name].shape]
    assert len(grown) >= 2
    for name, weight in old.items():
        expected = fresh[name].clone()
        expected[tuple(slice(size) for size in weight.shape)] = weight
        assert torch.equal(loaded[name], expected), name


def test_the_new_labels_of_a_crf_have_the_transitions_of_the_encoding(tmp_path: Path) -> None:
    save(tmp_path, make_crf)
    loaded = make_model([*OLD, *NEW], make_crf, tmp_path)
    mask = loaded.state_dict()["_heads.ner._crf._constraint_mask"]
    allowed = {(row, column) for row, column in mask.nonzero().tolist()}
    assert allowed == set(find_transitions([*OLD, *NEW], "BIO"))


def test_a_crf_scores_sequences_of_old_labels_as_before(tmp_path: Path) -> None:
    old = save(tmp_path, make_crf).eval()
    loaded = make_model([*OLD, *NEW], make_crf, tmp_path).eval()
    encoded, mask = torch.randn(2, 4, DIM), torch.ones(2, 4, dtype=torch.bool)
    before, after = (model.head("ner")(encoded, mask)["logits"] for model in (old, loaded))
    torch.testing.assert_close(after[..., :3], before)


def test_one_crf_tagger_may_be_two_heads(tmp_path: Path) -> None:
    def make(labels: List[str], archive: Optional[str] = None) -> MultiTaskModel:
        vocab = Vocabulary(tokens_to_add={"labels": labels})
        head = make_crf(vocab)
        heads = {"ner": head, "chunks": head}
        return MultiTaskModel(vocab, TinyBackbone(), heads, pretrained_file=archive)

    old = make(OLD)
    old.vocab.save_to_files(str(tmp_path / "vocabulary"))
    torch.save(old.state_dict(), tmp_path / "weights.th")
    loaded = make([*OLD, *NEW], str(tmp_path)).state_dict()
    expected = old.state_dict()["_heads.ner._crf.transitions"]
    assert torch.equal(loaded["_heads.chunks._crf.transitions"][:3, :3], expected)


class MatrixHead(TinyHead):
    """Has a parameter of any shape."""

    def __init__(self, vocab: Vocabulary, *shape: int) -> None:
        super().__init__(vocab)
        self.matrix = torch.nn.Parameter(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(3, 5), (5, 5), (5, 4), (5, 3, 1), (5,), (6, 6)])
def test_a_parameter_that_did_not_grow_with_the_labels_is_an_error(
    shape: Any, tmp_path: Path
) -> None:
    save(tmp_path, lambda vocab: MatrixHead(vocab, 3, 3))
    expected = (
        "_heads.ner.matrix must have the shape that it has in the archive, plus a row for each new "
        f"entry of the vocabulary, but got {list(shape)} for [3, 3]. Configure this module as it "
        "was, or rename the head."
    )
    with pytest.raises(ConfigurationError, match=exactly(expected)):
        make_model([*OLD, *NEW], lambda vocab: MatrixHead(vocab, *shape), tmp_path)
