"""Spans and transitions of BIOUL and BIOES, and tags of another encoding than the given one."""

import itertools
from typing import List, Set, Tuple

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.dataset_readers.dataset_utils import bioul_tags_to_spans
from allennlp.models.heads import Head
from allennlp.modules.conditional_random_field import allowed_transitions

from multitask_model.heads import CrfTaggerHead, TaggerHead
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.span_encodings import (
    ENCODINGS,
    check_encoding,
    find_transitions,
    spans_of_bioes,
    spans_of_bioul,
)


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["B-x", "I-x", "L-x"], [("x", (0, 2))]),
        (["U-x", "U-x"], [("x", (0, 0)), ("x", (1, 1))]),
        (["B", "L", "U"], [("", (0, 1)), ("", (2, 2))]),
        (["B-x", "L-y"], []),
        (["B-x", "O", "L-x"], []),
        (["B-x", "B-x", "L-x"], [("x", (1, 2))]),
        (["I-x", "L-x"], []),
        (["L"], []),
        (["O", "B-x"], []),
        (["B-x", "U-x", "L-x"], [("x", (1, 1))]),
        (["B-x", "L-x", "L-x"], [("x", (0, 1))]),
    ],
)
def test_spans_of_bioul(tags: List[str], spans: List[Tuple[str, Tuple[int, int]]]) -> None:
    assert spans_of_bioul(tags) == spans


def test_well_formed_tags_have_the_spans_that_allennlp_finds() -> None:
    tags = ["O", "B-x", "I-x", "L-x", "U-y", "O", "B-y", "L-y"]
    assert spans_of_bioul(tags) == bioul_tags_to_spans(tags)


def test_ignored_labels_have_no_spans() -> None:
    assert spans_of_bioul(["U-x", "U-y"], ["x"]) == [("y", (1, 1))]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["B-x", "I-x", "E-x"], [("x", (0, 2))]),
        (["S-x", "S-x", "O"], [("x", (0, 0)), ("x", (1, 1))]),
        (["B", "E", "S"], [("", (0, 1)), ("", (2, 2))]),
        (["B-ES", "E-ES"], [("ES", (0, 1))]),
        (["B-x", "E-y"], []),
        (["B-x", "S-x", "E-x"], [("x", (1, 1))]),
    ],
)
def test_spans_of_bioes(tags: List[str], spans: List[Tuple[str, Tuple[int, int]]]) -> None:
    assert spans_of_bioes(tags) == spans


WELL_FORMED = {
    "BIO": ["O", "B-x", "I-x", "B-y"],
    "IOB1": ["O", "I-x", "B-x", "I-y"],
    "BIOUL": ["O", "B-x", "I-x", "L-x", "U-x", "U-y"],
    "BIOES": ["O", "B-x", "I-x", "E-x", "S-x", "S-y"],
    "BMES": ["S-x", "B-x", "M-x", "E-x", "S-y"],
    "IOB2": ["O", "B-x", "I-x", "B-y"],
}


def labels(tags: List[str]) -> LabelVocabulary:
    return LabelVocabulary(Vocabulary(tokens_to_add={"ner_tags": tags}), "ner_tags")


def message(tags: List[str], encoding: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        check_encoding(labels(tags), encoding)
    return str(error.value)


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_tags_of_the_encoding_are_accepted_without_a_warning(
    encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    check_encoding(labels(WELL_FORMED[encoding]), encoding)
    check_encoding(labels(WELL_FORMED[encoding][:1]), encoding)  # no span, or spans of one token
    assert caplog.text == ""


def test_bio_tags_are_not_bioul_tags() -> None:
    assert message(["O", "B-x", "I-x"], "BIOUL") == (
        "BIOUL tags of spans must include tags that start with 'L', but got only ['O', 'B-x', "
        "'I-x'] in the namespace 'ner_tags'. Correct label_encoding, or the tags of the dataset. "
        "The tags fit 'BIO' or 'IOB1' or 'IOB2'."
    )


def test_bioul_tags_are_not_bio_tags() -> None:
    assert message(["O", "B-x", "L-x", "U-x"], "BIO") == (
        "BIO tags must be one of B, I, O, alone or followed by '-' and a label, but got ['L-x', "
        "'U-x'] in the namespace 'ner_tags'. Correct label_encoding or label_namespace. The tags "
        "fit 'BIOUL'."
    )


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("BIO", "BIOUL"),
        ("BIO", "BMES"),
        ("BIOUL", "BIO"),
        ("BIOUL", "IOB1"),
        ("BIOUL", "IOB2"),
        ("BIOUL", "BMES"),
        ("IOB1", "BIOUL"),
        ("IOB1", "BMES"),
        ("BMES", "BIO"),
        ("BMES", "IOB1"),
        ("BMES", "BIOUL"),
        ("BIOES", "BIO"),
        ("BIOES", "BIOUL"),
        ("BIOES", "BMES"),
        ("BIOUL", "BIOES"),
        ("BMES", "BIOES"),
    ],
)
@pytest.mark.parametrize("kind", ["tagger", "crf_tagger"])
def test_heads_reject_tags_of_another_encoding(data: str, encoding: str, kind: str) -> None:
    vocab = Vocabulary(tokens_to_add={"labels": WELL_FORMED[data]})

    def make_head() -> Head:
        if kind == "tagger":
            return TaggerHead(vocab, 4, label_encoding=encoding)
        return CrfTaggerHead(vocab, 4, encoding)

    with pytest.raises(ConfigurationError, match=f"^{encoding} tags .* The tags fit '{data}'"):
        make_head()


def test_tags_that_only_begin_spans_are_not_iob1_tags_and_the_reverse() -> None:
    assert "must include tags that start with 'I'" in message(["O", "B-x"], "IOB1")
    assert "must include tags that start with 'B'" in message(["O", "I-x"], "BIO")


def test_a_label_without_the_tags_of_a_span_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    # As in CoNLL 2003, whose tags are of IOB1.
    check_encoding(labels(["O", "I-PER", "I-ORG", "B-ORG"]), "BIO")
    assert caplog.messages == [
        "BIO tags of the namespace 'ner_tags' lack ['B-PER'], which spans with other tags of the "
        "same labels must have. Check the label_encoding and the tags of the dataset."
    ]


def names_of(tags: List[str], encoding: str) -> Set[Tuple[str, str]]:
    names = [*tags, "START", "END"]
    return {(names[tag], names[after]) for tag, after in find_transitions(tags, encoding)}


def test_the_transitions_of_bioes() -> None:
    first, last = ("O", "B-x", "S-x", "S-y"), ("O", "E-x", "S-x", "S-y", "START")
    between = set(itertools.product(last, first))
    ends = {(tag, "END") for tag in last if tag != "START"}
    inside = {("B-x", "I-x"), ("B-x", "E-x"), ("I-x", "I-x"), ("I-x", "E-x")}
    assert names_of(WELL_FORMED["BIOES"], "BIOES") == between | ends | inside


@pytest.mark.parametrize(
    ("encoding", "known"),
    [("BIO", "BIO"), ("IOB1", "IOB1"), ("BIOUL", "BIOUL"), ("BMES", "BMES"), ("IOB2", "BIO")],
)
def test_the_transitions_of_other_encodings_are_those_of_allennlp(
    encoding: str, known: str
) -> None:
    tags = WELL_FORMED[encoding]
    assert find_transitions(tags, encoding) == allowed_transitions(known, dict(enumerate(tags)))
