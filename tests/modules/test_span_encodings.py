"""Spans of BIOUL tags, well-formed and not, and tags of another encoding than the given one."""

from typing import List, Tuple

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.dataset_readers.dataset_utils import bioul_tags_to_spans
from allennlp.models.heads import Head

from multitask_model.heads import CrfTaggerHead, TaggerHead
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.span_encodings import (
    ENCODINGS,
    allennlp_encoding,
    check_encoding,
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


WELL_FORMED = {
    "BIO": ["O", "B-x", "I-x", "B-y"],
    "IOB1": ["O", "I-x", "B-x", "I-y"],
    "BIOUL": ["O", "B-x", "I-x", "L-x", "U-x", "U-y"],
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


def test_only_iob2_has_another_name_in_allennlp() -> None:
    assert [allennlp_encoding(name) for name in ("BIO", "IOB1", "BIOUL", "BMES", "IOB2")] == [
        "BIO",
        "IOB1",
        "BIOUL",
        "BMES",
        "BIO",
    ]
