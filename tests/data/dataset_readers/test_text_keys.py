"""The keys of texts in inputs of a prediction: those of the file, or the names of the fields."""

from typing import Any, Dict, Optional

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model import HfDatasetReader, LabeledJsonlReader, MaskedTokensReader
from multitask_model.data.dataset_readers.text_keys import TextKeys
from multitask_model.json_inputs import JsonInputs
from tests.helpers.messages import exactly
from tests.helpers.sentences import sentences_of

PAIR = ("premise", "hypothesis")


def texts_of(inputs: Dict[str, Any], text_key: str, text_pair_key: Optional[str]) -> Any:
    keys = TextKeys(text_key, text_pair_key, labels=[])
    named = {"text": (), "text_pair": None}
    others = {key: inputs[key] for key in inputs if key not in named}
    text, text_pair = ({**named, **inputs}[key] for key in named)
    return keys.of_inputs(text, text_pair, others)


@pytest.mark.parametrize(
    ("inputs", "keys", "expected"),
    [
        ({"premise": "a", "hypothesis": "b"}, PAIR, ("a", "b")),
        ({"text": "a", "text_pair": "b"}, PAIR, ("a", "b")),
        ({"premise": "a", "text_pair": "b"}, PAIR, ("a", "b")),
        ({"text": "a", "hypothesis": "b"}, PAIR, ("a", "b")),
        ({"premise": "a", "hypothesis": "b", "text": "c", "text_pair": "d"}, PAIR, ("a", "b")),
        ({"premise": "a"}, PAIR, ("a", None)),
        ({"premise": "a", "text": "c"}, ("premise", None), ("a", None)),
        ({"text": "a", "context": "b"}, ("text", "context"), ("a", "b")),
        ({"title": "a", "text": "b"}, ("title", "text"), ("a", "b")),
        ({"text": "a", "text_pair": "b"}, ("title", "text"), ("a", "b")),
    ],
)
def test_texts_of_inputs(inputs: Dict[str, Any], keys: Any, expected: Any) -> None:
    assert texts_of(inputs, *keys) == expected


@pytest.mark.parametrize("reader_class", [LabeledJsonlReader, HfDatasetReader])
def test_a_line_of_the_file_is_an_input(reader_class: Any) -> None:
    reader = reader_class({"entailment": "class"}, text_key="premise", text_pair_key="hypothesis")
    line = {"premise": "It rains", "hypothesis": "It is wet", "entailment": "yes", "id": 3}
    instance = JsonInputs("nli", reader).to_instance(line)
    assert list(instance.fields) == ["text", "text_pair", "entailment"]
    assert sentences_of([instance]) == ["It rains"]
    assert instance["text_pair"].tokens[2].text == "wet"  # type: ignore[attr-defined]


def test_a_wrapping_reader_takes_the_keys_of_the_reader_inside() -> None:
    reader = MaskedTokensReader(LabeledJsonlReader({}, text_key="body"))
    assert sentences_of([JsonInputs("news", reader).to_instance({"body": "It rains"})]) == [
        "It rains"
    ]


@pytest.mark.parametrize(
    ("text_key", "required", "guess"),
    [
        ("premise", "'premise' or 'text'", " Is 'premis' meant to be 'premise'?"),
        ("text", "'text'", ""),
    ],
)
def test_an_input_without_a_text_is_an_error(text_key: str, required: str, guess: str) -> None:
    with pytest.raises(ValueError, match="An input") as error:
        LabeledJsonlReader({}, text_key=text_key).text_to_instance(premis="a", id=7)
    assert str(error.value) == (
        f"An input must have the key {required}, but got the keys ['premis', 'id'].{guess} Add "
        "it, or rename one of them."
    )


@pytest.mark.parametrize(
    ("parameter", "key"),
    [("text_key", "text_pair"), ("text_key", "heads"), ("text_pair_key", "self")],
)
def test_a_text_cannot_have_the_key_of_something_else(parameter: str, key: str) -> None:
    keys: Any = {parameter: key}
    message = (
        f"{parameter} must not be a name of something else, but got {key!r}. Rename the key in the "
        "data."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        LabeledJsonlReader({}, **keys)


def test_an_input_with_an_empty_text_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"at least one token, but got ''\."):
        LabeledJsonlReader({}, text_key="premise").text_to_instance(premise="")
