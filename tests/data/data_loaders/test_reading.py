"""Errors of reading and indexing: they name the task."""

from typing import Any, List

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.data_loaders.multiprocess_data_loader import WorkerError
from allennlp.data.fields import (
    LabelField,
    ListField,
    MultiLabelField,
    SequenceLabelField,
    TextField,
)

from multitask_model import ConlluReader
from multitask_model.data.data_loaders.reading import index_instance
from tests.helpers.loading import NumbersReader, make_loader

VOCAB = Vocabulary(tokens_to_add={"labels": ["class0", "class1"]})


class LabelReader(NumbersReader):
    """Instance 3 has a label that no vocabulary has."""

    def text_to_instance(self, number: int, *args: Any) -> Instance:
        return super().text_to_instance(number, "clas1" if number == 3 else "class1")


@pytest.mark.parametrize("lazy", [None, 2])
def test_a_label_that_the_vocabulary_does_not_have_is_an_error(lazy: Any) -> None:
    def index() -> None:
        loader = make_loader(
            {"b": 5}, readers={"b": LabelReader()}, max_instances_in_memory=lazy, shuffle=False
        )
        list(loader)

    with pytest.raises(ConfigurationError) as error:
        index()
    assert isinstance(error.value.__cause__, KeyError)
    assert str(error.value) == (
        "Every label must be in the vocabulary, but got 'clas1' in the field 'label' of instance 3 "
        "(counted from 0) of the dataset 'b', read from '5': {'text': ['w3'], 'number': 3, "
        "'label': 'clas1', 'task': 'b'}. The namespace 'labels' has ['class0', 'class1', "
        "'class2']. Did you mean 'class1'? Correct the label, or add it to the data that the "
        "vocabulary is made of."
    )


TEXT = TextField([Token("a"), Token("b")], {})


@pytest.mark.parametrize(
    "field",
    [
        SequenceLabelField(["class0", "new"], TEXT),
        MultiLabelField(["class1", "new"]),
        ListField([LabelField("class0"), LabelField("new")]),
    ],
    ids=["sequence", "multi-label", "list"],
)
def test_an_unknown_label_is_found_in_any_field(field: Any) -> None:
    instance = Instance({"text": TEXT, "target": field})
    with pytest.raises(ConfigurationError, match="but got 'new' in the field 'target' of instance"):
        index_instance(instance, VOCAB, "a", "file", 7)


def test_another_key_error_is_raised_unchanged() -> None:
    class BrokenField(LabelField):
        def index(self, vocab: Vocabulary) -> None:
            raise KeyError("broken")

    with pytest.raises(KeyError, match="'broken'"):
        index_instance(Instance({"x": BrokenField("class0")}), VOCAB, "a", "file", 0)


def missing_file(**options: Any) -> List[str]:
    path = "/nowhere/dev.conllu"
    readers: Any = {"a": NumbersReader(), "b": ConlluReader()}
    error = WorkerError if options else FileNotFoundError
    with pytest.raises(error) as raised:
        make_loader({}, readers=readers, data_path={"a": "3", "b": path}, **options)
    return [str(raised.value), path]


def test_a_missing_file_is_an_error_that_names_the_task() -> None:
    message, path = missing_file()
    assert message == (
        f"The files of every dataset must exist, but got '{path}' for 'b': file {path} not found. "
        "Correct the data path."
    )


@pytest.mark.slow
def test_a_missing_file_in_a_worker_is_an_error_that_names_the_task() -> None:
    message, path = missing_file(num_workers=1)
    assert f"The files of every dataset must exist, but got '{path}' for 'b': file" in message
