"""Spans of BIOUL tags, well-formed and not."""

from typing import List, Tuple

import pytest
from allennlp.data.dataset_readers.dataset_utils import bioul_tags_to_spans

from multitask_model.modules.span_encodings import spans_of_bioul


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
