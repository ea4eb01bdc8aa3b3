"""The labels of a namespace, with and without padding and OOV entries."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.modules.label_vocabulary import LabelVocabulary


@pytest.fixture
def vocab() -> Vocabulary:
    # The namespace "lemmas" has padding and OOV entries before these.
    return Vocabulary(tokens_to_add={"labels": ["a", "b", "c"], "lemmas": ["a", "b"]})


def test_all_entries_of_an_unpadded_namespace_are_labels(vocab: Vocabulary) -> None:
    labels = LabelVocabulary(vocab, "labels")
    assert labels.names == ["a", "b", "c"]
    assert labels.indices == [0, 1, 2]
    assert not labels.is_padded


def test_padding_and_oov_count_as_entries_but_not_as_labels(vocab: Vocabulary) -> None:
    labels = LabelVocabulary(vocab, "lemmas")
    assert len(labels) == 4
    assert labels.indices == [2, 3]
    assert labels.is_padded


def test_scores_of_padding_and_oov_are_masked(vocab: Vocabulary) -> None:
    scores = torch.tensor([[4.0, 3.0, 2.0, 1.0]])
    masked = LabelVocabulary(vocab, "lemmas").mask_reserved(scores)
    assert masked.tolist() == [[float("-inf"), float("-inf"), 2.0, 1.0]]


def test_scores_without_padding_and_oov_are_not_copied(vocab: Vocabulary) -> None:
    scores = torch.zeros(2, 3)
    assert LabelVocabulary(vocab, "labels").mask_reserved(scores) is scores


def test_the_most_likely_label_is_never_padding_or_oov(vocab: Vocabulary) -> None:
    scores = torch.tensor([[4.0, 3.0, 1.0, 2.0], [4.0, 3.0, 2.0, 1.0]])
    assert LabelVocabulary(vocab, "lemmas").most_likely(scores).tolist() == [3, 2]


def test_the_most_likely_label_if_oov_is_between_labels(vocab: Vocabulary) -> None:
    vocab._token_to_index["mixed"] = {"@@PADDING@@": 0, "a": 1, "@@UNKNOWN@@": 2, "b": 3}
    vocab._index_to_token["mixed"] = {0: "@@PADDING@@", 1: "a", 2: "@@UNKNOWN@@", 3: "b"}
    labels = LabelVocabulary(vocab, "mixed")
    assert labels.most_likely(torch.tensor([[4.0, 1.0, 3.0, 2.0]])).tolist() == [3]


def test_is_label_is_false_for_padding_and_oov(vocab: Vocabulary) -> None:
    indices = torch.tensor([[0, 1], [2, 3]])
    expected = [[False, False], [True, True]]
    assert LabelVocabulary(vocab, "lemmas").is_label(indices).tolist() == expected


def test_is_label_is_false_for_integers_that_are_no_indices(vocab: Vocabulary) -> None:
    found = LabelVocabulary(vocab, "lemmas").is_label(torch.tensor([-1, -100, 3, 4, 1000]))
    assert found.tolist() == [False, False, True, False, False]


def test_clamp_replaces_integers_that_are_no_indices(vocab: Vocabulary) -> None:
    indices = torch.tensor([[-1, 0, 1], [2, 3, 1000]])
    found = LabelVocabulary(vocab, "labels").clamp(indices)
    assert found.tolist() == [[0, 0, 1], [2, 0, 0]]


def test_scores_of_labels_are_selected(vocab: Vocabulary) -> None:
    scores = torch.tensor([[4.0, 3.0, 2.0, 1.0]])
    assert LabelVocabulary(vocab, "lemmas").select(scores).tolist() == [[2.0, 1.0]]


def test_scores_that_are_all_of_labels_are_not_copied(vocab: Vocabulary) -> None:
    scores = torch.zeros(2, 3)
    assert LabelVocabulary(vocab, "labels").select(scores) is scores


def test_is_label_without_padding_and_oov_is_true_for_every_index(vocab: Vocabulary) -> None:
    found = LabelVocabulary(vocab, "labels").is_label(torch.tensor([-1, 0, 2, 3]))
    assert found.tolist() == [False, True, True, False]


def test_names_of_leaves_out_padding(vocab: Vocabulary) -> None:
    labels = LabelVocabulary(vocab, "labels")
    assert labels.names_of(torch.tensor([[2, 0], [1, -1]])) == [["c", "a"], ["b"]]


def test_indices_of_returns_the_indices_of_names(vocab: Vocabulary) -> None:
    assert LabelVocabulary(vocab, "labels").indices_of(["c", "a"], "ignore_tags") == [2, 0]


def test_indices_of_rejects_an_unknown_name(vocab: Vocabulary) -> None:
    with pytest.raises(ConfigurationError) as error:
        LabelVocabulary(vocab, "labels").indices_of(["d"], "ignore_tags")
    assert str(error.value) == (
        "ignore_tags must hold labels of the namespace 'labels', but got 'd'. Known labels: "
        "['a', 'b', 'c']."
    )


def test_the_state_dict_is_empty(vocab: Vocabulary) -> None:
    assert LabelVocabulary(vocab, "lemmas").state_dict() == {}
