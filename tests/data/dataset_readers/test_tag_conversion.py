"""Encodings of spans: conversion from each to each, and what is invalid in them."""

import re
from typing import Dict, List

import pytest
from allennlp.data.dataset_readers.dataset_utils import bio_tags_to_spans, bioul_tags_to_spans
from allennlp.data.dataset_readers.dataset_utils.span_utils import iob1_tags_to_spans
from hypothesis import given
from hypothesis import strategies as st

from multitask_model.data.dataset_readers.dependency_trees import WordError
from multitask_model.data.dataset_readers.tag_conversion import SPAN_ENCODINGS, convert_tags

# One sentence: two adjacent spans of a type, one of another type, and a span at the end.
SENTENCE: Dict[str, List[str]] = {
    "IOB1": ["I-PER", "B-PER", "I-PER", "I-PER", "I-LOC", "O", "I-PER"],
    "BIO": ["B-PER", "B-PER", "I-PER", "I-PER", "B-LOC", "O", "B-PER"],
    "IOB2": ["B-PER", "B-PER", "I-PER", "I-PER", "B-LOC", "O", "B-PER"],
    "BIOUL": ["U-PER", "B-PER", "I-PER", "L-PER", "U-LOC", "O", "U-PER"],
    "BIOES": ["S-PER", "B-PER", "I-PER", "E-PER", "S-LOC", "O", "S-PER"],
}


@pytest.mark.parametrize("source", SPAN_ENCODINGS)
@pytest.mark.parametrize("target", SPAN_ENCODINGS)
def test_spans_are_the_same_in_each_encoding(source: str, target: str) -> None:
    given = list(SENTENCE[source])
    assert convert_tags("ner", given, source, target) == SENTENCE[target]
    assert given == SENTENCE[source]


@pytest.mark.parametrize("target", SPAN_ENCODINGS)
def test_spans_may_have_no_type_and_sentences_no_tokens(target: str) -> None:
    bioul = convert_tags("ner", ["B", "I", "B", "O"], "BIO", target)
    assert convert_tags("ner", bioul, target, "BIOUL") == ["B", "L", "U", "O"]
    assert convert_tags("ner", [], "BIO", target) == []


@given(tags=st.lists(st.sampled_from(["O", "I-A", "B-A", "I-B-C", "B-B-C"]), max_size=8))
def test_conversions_keep_the_spans_that_allennlp_finds(tags: List[str]) -> None:
    spans = iob1_tags_to_spans(tags)
    bioul, bio = (convert_tags("ner", tags, "IOB1", target) for target in ("BIOUL", "BIO"))
    assert sorted(bioul_tags_to_spans(bioul)) == sorted(spans)
    assert sorted(bio_tags_to_spans(bio)) == sorted(spans)
    for target in SPAN_ENCODINGS:
        converted = convert_tags("ner", bio, "BIO", target)
        assert convert_tags("ner", converted, target, "BIO") == bio


@pytest.mark.parametrize(
    ("encoding", "tags", "position", "found"),
    [
        ("BIO", ["O", "I-PER"], 1, "'I-PER' after 'O'"),
        ("BIO", ["I-PER"], 0, "'I-PER' for the first token"),
        ("BIO", ["B-PER", "I-LOC"], 1, "'I-LOC' after 'B-PER'"),
        ("BIO", ["O", "U-PER"], 1, "'U-PER' after 'O'"),
        ("BIO", ["O", "Birthday"], 1, "'Birthday' after 'O'"),
        ("BIO", ["O", "B-"], 1, "'B-' after 'O'"),
        ("IOB1", ["I-PER", "L-PER"], 1, "'L-PER' after 'I-PER'"),
        ("IOB1", ["O-PER"], 0, "'O-PER' for the first token"),
        ("BIOUL", ["B-PER", "O"], 1, "'O' after 'B-PER'"),
        ("BIOUL", ["B-PER", "L-LOC"], 1, "'L-LOC' after 'B-PER'"),
        ("BIOUL", ["O", "L-PER"], 1, "'L-PER' after 'O'"),
        ("BIOUL", ["O", "B-PER"], 1, "'B-PER' for the last token"),
        ("BIOUL", ["S-PER"], 0, "'S-PER' for the first token"),
        ("BIOES", ["B-PER", "I-PER"], 1, "'I-PER' for the last token"),
        ("BIOES", ["L-PER"], 0, "'L-PER' for the first token"),
    ],
)
def test_an_invalid_tag_is_an_error(
    encoding: str, tags: List[str], position: int, found: str
) -> None:
    with pytest.raises(WordError, match=f"but got {re.escape(found)}. Correct it") as error:
        convert_tags("ner", tags, encoding, "IOB1")
    assert error.value.position == position


def test_the_error_for_an_invalid_tag_has_the_rule_of_the_encoding() -> None:
    with pytest.raises(WordError) as error:
        convert_tags("ner", ["O", "I-PER"], "IOB2", "BIO")
    assert str(error.value) == (
        "The tags 'ner' must be in the encoding BIO, 'O', 'B-TYPE', or 'I-TYPE' after 'B-TYPE' or "
        "'I-TYPE' of the same type, but got 'I-PER' after 'O'. Correct it, or the reader's "
        "label_encodings."
    )
