"""Labels that are not of the label_namespace of a head, such as those of another namespace."""

from typing import Dict, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.heads import (
    CrfTaggerHead,
    DependencyParserHead,
    MaskedLanguageModelHead,
    MultiLabelClassifierHead,
    TaggerHead,
)
from tests.helpers.head_cases import CASES, HeadBatch, add_padding, make_batch, make_head

LENGTHS = [3, 2]
WRONG: Dict[str, Tuple[str, str, str]] = {
    "tagger": ("tags", "'pos_tags'", "['N', 'V', 'X']"),
    "crf_tagger": ("tags", "'span_tags'", "['O', 'B-a', 'I-a', 'B-b', 'I-b']"),
    "dependency_parser": ("head_tags", "'head_tags'", "['root', 'subj', 'punct']"),
    "masked_language_model": (
        "masked_tokens",
        "'masked_tokens'",
        "['@@PADDING@@', '@@UNKNOWN@@', 'word0', 'word1', 'word2', 'word3', 'word4', 'word5']",
    ),
}
CLASSES = {
    "tagger": TaggerHead,
    "crf_tagger": CrfTaggerHead,
    "dependency_parser": DependencyParserHead,
    "masked_language_model": MaskedLanguageModelHead,
}


def batch_with(type_name: str, label: int) -> HeadBatch:
    batch = make_batch(type_name, LENGTHS)
    batch.labels[WRONG[type_name][0]][1, 0] = label
    return batch


@pytest.mark.parametrize("label", [-100, -1, 8, 1000])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("type_name", sorted(WRONG))
def test_a_label_out_of_range_is_an_error_that_names_the_namespace(
    type_name: str, train: bool, label: int
) -> None:
    head = make_head(type_name).train(train)
    argument, namespace, names = WRONG[type_name]
    with pytest.raises(ConfigurationError) as error:
        head(**batch_with(type_name, label).arguments)
    last = len(CASES[type_name].vocabulary[namespace.strip("'")]) - 1
    last += 2 if type_name == "masked_language_model" else 0
    assert str(error.value) == (
        f"A {CLASSES[type_name].__name__} needs {argument} to be indices from 0 to {last}, which "
        f"are labels of its label_namespace {namespace}, {names}, but got {label}. Set "
        "label_namespace to the namespace that the dataset reader writes the labels to. Known "
        f"namespaces: [{namespace}]."
    )


@pytest.mark.parametrize("type_name", sorted(WRONG))
def test_metrics_are_those_before_the_error(type_name: str) -> None:
    head = make_head(type_name).eval()
    head(**make_batch(type_name, LENGTHS).arguments)
    before = head.get_metrics()
    with pytest.raises(ConfigurationError):
        head(**batch_with(type_name, 1000).arguments)
    assert head.get_metrics() == before


@pytest.mark.parametrize("label", [-100, 1000])
@pytest.mark.parametrize("type_name", sorted(WRONG))
def test_labels_of_padding_do_not_matter(type_name: str, label: int) -> None:
    head = make_head(type_name).eval()
    batch = add_padding(make_batch(type_name, LENGTHS), columns=1)
    expected = head(**batch.arguments)["loss"]
    metrics = head.get_metrics(reset=True)
    labels = batch.labels[WRONG[type_name][0]]
    labels[~batch.encoded["encoded_text_mask"]] = label
    torch.testing.assert_close(head(**batch.arguments)["loss"], expected)
    assert head.get_metrics() == metrics


@pytest.mark.parametrize("shape", [(2, 4), (2, 2), (2,)])
def test_labels_of_another_number_of_classes_are_an_error(shape: Tuple[int, ...]) -> None:
    head = make_head("multi_label_classifier")
    assert isinstance(head, MultiLabelClassifierHead)
    encoded = make_batch("multi_label_classifier", LENGTHS).encoded
    with pytest.raises(ConfigurationError) as error:
        head(**encoded, labels=torch.zeros(shape))
    assert str(error.value) == (
        "A MultiLabelClassifierHead needs labels of shape (B, 3), which are labels of its "
        f"label_namespace 'topic_labels', ['a', 'b', 'c'], but got {shape}. Set label_namespace "
        "to the namespace that the dataset reader writes the labels to. Known namespaces: "
        "['topic_labels']."
    )


def test_all_namespaces_are_named_also_those_that_were_added_later() -> None:
    vocab = Vocabulary(tokens_to_add={"labels": ["a", "b"], "ner_tags": ["O", "B-x", "I-x"]})
    head = TaggerHead(vocab, 4)
    vocab.add_token_to_namespace("c", "pos_tags")
    encoded, mask = torch.zeros(1, 1, 4), torch.ones(1, 1, dtype=torch.bool)
    with pytest.raises(ConfigurationError) as error:
        head(encoded, mask, torch.tensor([[2]]))
    assert str(error.value).endswith("Known namespaces: ['labels', 'ner_tags', 'pos_tags'].")
