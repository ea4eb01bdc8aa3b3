"""The option `label_namespaces` of the readers that have labels by name."""

import re
from pathlib import Path
from typing import Any, Dict

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary

from multitask_model import ColumnsReader, LabeledJsonlReader, MultiTaskDatasetReader
from multitask_model.compat.allennlp_internals import label_namespace

LINE = '{"text": "a day", "topic": "x", "pos": ["DET", "NOUN"], "stars": 1}\n'
LABELS = {"topic": "class", "pos": "tags", "stars": "number"}
COLUMNS = {"columns": {"text": 0, "pos": 1, "topic": 2}, "sentence_columns": ["topic"]}
READERS: Dict[str, Any] = {
    "labeled_jsonl": ({"labels": LABELS}, LINE),
    "hf_dataset": ({"labels": LABELS}, LINE),
    "columns": (COLUMNS, "a DET x\nday NOUN x\n"),
}
UNKNOWN = (
    "label_namespaces must name a label of the reader that is not a number, but got '{}'.{} "
    "Known names: ['{}', '{}']."
)


def make_reader(type_name: str, label_namespaces: Dict[str, Any]) -> DatasetReader:
    config = {"type": type_name, **READERS[type_name][0], "label_namespaces": label_namespaces}
    return DatasetReader.from_params(Params(config))


def namespaces(instance: Instance) -> Dict[str, Any]:
    found = {name: label_namespace(field) for name, field in instance.fields.items()}
    return {name: namespace for name, namespace in found.items() if namespace is not None}


@pytest.mark.parametrize("type_name", READERS)
def test_a_label_has_the_given_namespace_and_others_their_own(
    type_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if type_name == "hf_dataset":
        monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
        pytest.importorskip("datasets")
    path = tmp_path / "data.jsonl"
    path.write_text(READERS[type_name][1])
    (instance,) = make_reader(type_name, {"topic": "genre_labels"}).read(path)
    assert namespaces(instance) == {"topic": "genre_labels", "pos": "pos_labels"}


def test_a_namespace_of_a_sentence_label_in_a_comment() -> None:
    patterns, names = {"intent": "^intent = (.*)"}, {"intent": "action_labels"}
    reader = ColumnsReader({"text": 0}, sentence_labels=patterns, label_namespaces=names)
    instance = reader.text_to_instance("go", intent="walk")
    assert namespaces(instance) == {"intent": "action_labels"}


def test_labels_of_json_inputs_have_the_namespace() -> None:
    reader = LabeledJsonlReader(LABELS, label_namespaces={"topic": "genre_labels"})
    assert namespaces(reader.text_to_instance("a day", topic="x")) == {"topic": "genre_labels"}


def test_per_task_label_namespaces_prefix_it(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(LINE)
    reader = make_reader("labeled_jsonl", {"topic": "genre_labels"})
    readers = MultiTaskDatasetReader({"books": reader}, per_task_label_namespaces=True)
    (instance,) = readers.read(str(path), force_task="books")
    assert namespaces(instance) == {"topic": "books_genre_labels", "pos": "books_pos_labels"}


def test_labels_with_different_keys_share_a_vocabulary() -> None:
    topics = LabeledJsonlReader({"topic": "class"})
    genres = LabeledJsonlReader({"genre": "class"}, label_namespaces={"genre": "topic_labels"})
    first, second = topics.text_to_instance("a", topic="x"), genres.text_to_instance("b", genre="y")
    for instance in (first, second):
        topics.apply_token_indexers(instance)
    vocab = Vocabulary.from_instances([first, second])
    assert vocab.get_token_to_index_vocabulary("topic_labels") == {"x": 0, "y": 1}


@pytest.mark.parametrize(
    ("type_name", "name", "suggestion", "known"),
    [
        ("labeled_jsonl", "topics", " Did you mean 'topic'?", ("topic", "pos")),
        ("labeled_jsonl", "stars", "", ("topic", "pos")),
        ("hf_dataset", "post", " Did you mean 'pos'?", ("topic", "pos")),
        ("columns", "topics", " Did you mean 'topic'?", ("pos", "topic")),
    ],
)
def test_a_name_without_a_namespace_is_an_error(
    type_name: str, name: str, suggestion: str, known: Any
) -> None:
    expected = UNKNOWN.format(name, suggestion, *known)
    with pytest.raises(ConfigurationError, match=re.escape(expected)):
        make_reader(type_name, {name: "genre_labels"})


def test_an_empty_namespace_is_an_error() -> None:
    expected = (
        "label_namespaces must have the name of a namespace for each label, but got '' for "
        "'topic'. Write, for example, 'topic_labels'."
    )
    with pytest.raises(ConfigurationError, match=re.escape(expected)):
        make_reader("labeled_jsonl", {"topic": ""})
