"""The types of labels: which values are valid, and what they are converted to."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from multitask_model.data import LabeledJsonlReader
from tests.helpers.sentences import labels_of

TYPES = {"polarity": "class", "stars": "number", "topics": "classes", "pos": "tags"}


def test_an_integer_class_is_converted_to_a_string() -> None:
    reader = LabeledJsonlReader({"level": "class", "ids": "classes", "bits": "tags"})
    instance = reader.text_to_instance(["a", "b"], level=0, ids=[3, "x"], bits=[1, 0])
    assert labels_of(instance, "level") == "0"
    assert labels_of(instance, "ids") == ["3", "x"]
    assert labels_of(instance, "bits") == ["1", "0"]


CLASS = "an integer or a non-empty string"
TAGS = f"a list of 2 tags, one for each token of the text, each {CLASS}"


@pytest.mark.parametrize(
    ("key", "value", "required", "shown"),
    [
        ("polarity", "", CLASS, "''"),
        ("polarity", True, CLASS, "True"),
        ("polarity", 1.0, CLASS, "1.0"),
        ("polarity", ["good"], CLASS, "['good'] (1 items)"),
        ("stars", "4", "a finite number", "'4'"),
        ("stars", False, "a finite number", "False"),
        ("stars", float("nan"), "a finite number", "nan"),
        ("stars", float("inf"), "a finite number", "inf"),
        ("stars", -(10**39), "a finite number", f"-1{'0' * 39}"),
        ("topics", "weather", f"a list, each item {CLASS}", "'weather'"),
        ("topics", ["weather", None], f"a list, each item {CLASS}", "['weather', None] (2 items)"),
        ("pos", "ADJ", TAGS, "'ADJ'"),
        ("pos", ["ADJ"], TAGS, "['ADJ'] (1 items)"),
        ("pos", ["ADJ"] * 16, TAGS, "['ADJ'" + ", 'ADJ'" * 10 + ", 'A... (16 items)"),
        ("pos", ["ADJ", {}], TAGS, "['ADJ', {}] (2 items)"),
    ],
)
def test_an_invalid_label_is_an_error(
    tmp_path: Path, key: str, value: Any, required: str, shown: str
) -> None:
    path = tmp_path / "lines.jsonl"
    line = {"text": ["so", "bad"], key: value}
    path.write_text(f'{{"text": ["so", "bad"]}}\n{json.dumps(line)}\n')
    message = (
        f"{path}, line 2: The label {key!r} must be {required}, but got {shown}. Correct it, "
        "leave it out, or change its type in the reader's labels."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(LabeledJsonlReader(TYPES).read(path))
