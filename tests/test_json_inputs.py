"""Making instances from JSON whose keys are the parameters of `text_to_instance`."""

from typing import Any, List, Optional

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import ShardedDatasetReader, TextClassificationJsonReader
from allennlp.data.tokenizers import WhitespaceTokenizer

from multitask_model import LabeledJsonlReader
from multitask_model.json_inputs import JsonInputs, full_name
from tests.helpers.messages import exactly


class NewsReader(TextClassificationJsonReader):
    """Takes three keys, one of them optional."""

    def text_to_instance(  # type: ignore[override]
        self, title: str, body: str, label: Optional[str] = None
    ) -> Instance:
        return super().text_to_instance(f"{title} {body}", label)


class KwargsReader(TextClassificationJsonReader):
    """Takes any key."""

    def text_to_instance(self, text: str, **kwargs: Any) -> Instance:  # type: ignore[override]
        return super().text_to_instance(f"{text} {' '.join(sorted(kwargs))}")


class Nameless(DatasetReader):
    def text_to_instance(self, *inputs: Any) -> Instance:
        raise NotImplementedError


def news_reader() -> NewsReader:
    return NewsReader(tokenizer=WhitespaceTokenizer())


def text_reader() -> TextClassificationJsonReader:
    return TextClassificationJsonReader(tokenizer=WhitespaceTokenizer())


def words(instance: Instance) -> List[str]:
    field: Any = instance["tokens"]
    return [token.text for token in field]


def test_keys_are_parameters_of_the_reader() -> None:
    inputs = {"title": "w1", "body": "w2 w3", "label": "good"}
    instance = JsonInputs("news", news_reader()).to_instance(inputs)
    label: Any = instance["label"]
    assert words(instance) == ["w1", "w2", "w3"]
    assert label.label == "good"


def test_a_reader_may_take_any_key() -> None:
    reader = KwargsReader(tokenizer=WhitespaceTokenizer())
    assert words(JsonInputs("a", reader).to_instance({"text": "w1", "y": 1, "x": 2})) == [
        *["w1", "x", "y"]
    ]


def test_missing_keys_are_an_error() -> None:
    message = (
        "Task 'news' requires the keys ['body'] (text_to_instance of NewsReader), but got "
        "['title', 'bdy']. Is 'bdy' meant to be 'body'? The known keys are ['title', 'body', "
        "'label']: add or rename them."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        JsonInputs("news", news_reader()).to_instance({"title": "w1", "bdy": "w2"})


def test_the_keys_of_a_wrapping_reader_are_those_of_the_reader_inside() -> None:
    inputs = JsonInputs("news", ShardedDatasetReader(text_reader()))
    assert words(inputs.to_instance({"text": "w1"})) == ["w1"]
    message = (
        "Task 'news' requires the keys ['text'] (text_to_instance of ShardedDatasetReader), but "
        "got ['txt']. Is 'txt' meant to be 'text'? The known keys are ['text', 'label']: add "
        "or rename them."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        inputs.to_instance({"txt": "w1"})


def test_parameters_without_names_are_an_error() -> None:
    message = (
        "Prediction from JSON requires a text_to_instance with named parameters, but got that of "
        "tests.test_json_inputs.Nameless, which has none. Name them, or give the head a "
        "default_predictor."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        JsonInputs("news", Nameless()).to_instance({"text": "w1"})


def test_an_error_of_the_reader_names_the_task_and_the_json() -> None:
    message = (
        "Task 'polarity' requires JSON that TextClassificationJsonReader can make an instance of, "
        "but got {'text': 'w1', 'label': 1}, which raised ConfigurationError: LabelFields must be "
        "passed a string label if skip_indexing=False. Found label: 1 with type: <class 'int'>. "
        "Correct the keys or their values. AllenNLP's readers take labels as strings."
    )
    with pytest.raises(ValueError, match=exactly(message)) as error:
        JsonInputs("polarity", text_reader()).to_instance({"text": "w1", "label": 1, "id": 3})
    assert isinstance(error.value.__cause__, ConfigurationError)


def test_integer_labels_of_our_readers_are_class_names() -> None:
    reader = LabeledJsonlReader({"polarity": "class"})
    instance = JsonInputs("reviews", reader).to_instance({"text": ["w1"], "polarity": 1})
    label: Any = instance["polarity"]
    assert label.label == "1"


def test_unknown_keys_are_ignored_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    inputs = JsonInputs("polarity", text_reader())
    for _ in range(2):
        assert words(inputs.to_instance({"text": "w1", "id": 7})) == ["w1"]
    assert caplog.messages == [
        "Ignoring the key 'id', because task 'polarity' only takes the keys ['text', 'label']."
    ]


def test_the_name_of_a_class_has_its_module() -> None:
    assert full_name(Nameless) == "tests.test_json_inputs.Nameless"


def test_an_error_of_our_readers_is_the_only_advice() -> None:
    reader = LabeledJsonlReader({"stars": "number"})
    message = (
        "Task 'reviews' requires JSON that LabeledJsonlReader can make an instance of, but got "
        "{'text': 'so', 'stars': 'five'}: The label 'stars' must be a finite number, but got "
        "'five'. Correct it, leave it out, or change its type in the reader's labels."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        JsonInputs("reviews", reader).to_instance({"text": "so", "stars": "five"})
