"""`MultiTaskDatasetReader`: the task's name, limits, sharding, and namespaces of labels."""

import copy
import pickle
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Token, Vocabulary
from allennlp.data.dataset_readers import MultiTaskDatasetReader as AllenNLPReader
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from allennlp.data.fields import (
    LabelField,
    ListField,
    MetadataField,
    MultiLabelField,
    SequenceLabelField,
    TextField,
)

from multitask_model import MultiTaskDatasetReader, MultiTaskModel, MultiTaskPredictor
from tests.helpers.loading import NumbersReader
from tests.helpers.models import TinyBackbone, TinyHead


def numbers(reader: DatasetReader, path: str = "5") -> List[int]:
    found: List[Any] = [instance["number"] for instance in reader.read(path)]
    return [field.metadata for field in found]


class AnyReader(DatasetReader):
    """Gives what it was built with, again and again."""

    def __init__(self, *instances: Instance) -> None:
        super().__init__()
        self.instances = instances
        self.setting = "kept"

    def _read(self, file_path: Any) -> Any:
        return iter(self.instances)

    def text_to_instance(self, index: int = 0) -> Instance:
        return self.instances[index]


def test_an_instance_has_the_name_of_its_task() -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()})
    assert isinstance(reader, AllenNLPReader)
    for task in ("a", "b"):
        (instance,) = reader.read("1", force_task=task)
        assert instance.fields["task"].metadata == task  # type: ignore[attr-defined]
        assert list(instance.fields) == ["text", "number", "label", "task"]


def test_text_to_instance_takes_positions_and_names() -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader()}).readers["a"]
    for instance in (reader.text_to_instance(4, label="x"), reader.text_to_instance(4, "x")):
        assert instance["number"].metadata == 4
        assert instance["label"].label == "x"
        assert instance["task"].metadata == "a"


@pytest.mark.parametrize(("per_task", "expected"), [(False, "labels"), (True, "a_labels")])
def test_what_the_inner_reader_made_is_left_alone(per_task: bool, expected: str) -> None:
    made = Instance({"label": LabelField("x")})
    reader = MultiTaskDatasetReader({"a": AnyReader(made)}, per_task)
    for _ in range(2):  # a second time, a field `task` in it would be an error
        (instance,) = reader.read("", force_task="a")
        assert instance.fields["label"]._label_namespace == expected  # type: ignore[attr-defined]
    assert list(made.fields) == ["label"]
    assert made.fields["label"]._label_namespace == "labels"  # type: ignore[attr-defined]


def test_a_field_of_that_name() -> None:
    made = Instance({"task": MetadataField("mine")})
    reader = MultiTaskDatasetReader({"a": AnyReader(made)})
    with pytest.raises(ConfigurationError) as error:
        list(reader.read("", force_task="a"))
    assert str(error.value) == (
        "Instances must not have a field 'task' of their own, because the multitask reader puts "
        "the name of the task there, but the reader of 'a' (AnyReader) makes a MetadataField of "
        "that name. Give the field another name."
    )


def test_max_instances_limits_each_task() -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()}, max_instances=3)
    assert reader.max_instances == 3
    assert numbers(reader.readers["a"]) == [0, 1, 2]
    assert numbers(reader.readers["b"], "2") == [0, 1]


@pytest.mark.filterwarnings("ignore:Using multi-process data loading without")
@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("sharding", [True, False])
def test_worker_processes_share_out_what_is_read(sharding: bool, limit: Any) -> None:
    found = []
    for worker in range(2):
        reader = MultiTaskDatasetReader({"a": NumbersReader(sharding)}, max_instances=limit)
        reader._set_worker_info(WorkerInfo(2, worker))
        assert reader.readers["a"].inner.get_worker_info() == WorkerInfo(2, worker)
        found.append(numbers(reader.readers["a"], "7"))
    assert found == ([[0, 2, 4, 6], [1, 3, 5]] if limit is None else [[0, 2], [1, 3]])


@pytest.mark.parametrize("limit", [None, 4])
def test_distributed_processes_share_out_what_is_read(limit: Any) -> None:
    found = []
    for rank in range(2):
        # One that does its own sharding asks `torch.distributed` instead.
        reader = MultiTaskDatasetReader({"a": NumbersReader(False)}, max_instances=limit)
        reader._set_distributed_info(DistributedInfo(2, rank))
        assert reader.readers["a"].inner.get_distributed_info() == DistributedInfo(2, rank)
        found.append(numbers(reader.readers["a"], "7"))
    assert found == ([[0, 2, 4, 6], [1, 3, 5]] if limit is None else [[0, 2], [1, 3]])


def labels_of_all_kinds() -> Instance:
    text = TextField([Token("w1"), Token("w2")])
    return Instance(
        {
            "text": text,
            "label": LabelField("x"),
            "tags": SequenceLabelField(["y", "z"], text, "upos_tags"),
            "topics": MultiLabelField(["t"]),
            "several": ListField([LabelField("l", "other_labels")]),
            "texts": ListField([text]),
        }
    )


def counted(reader: DatasetReader) -> Dict[str, Dict[str, int]]:
    counter: Dict[str, Dict[str, int]] = {
        name: dict.fromkeys("xyztl", 0)
        for prefix in ("", "a_")
        for name in (f"{prefix}labels", f"{prefix}upos_tags", f"{prefix}other_labels")
    }
    for instance in reader.read(""):
        for name, field in instance.fields.items():
            if name not in ("text", "texts"):
                field.count_vocab_items(counter)
    return {
        name: {label: n for label, n in counts.items() if n}
        for name, counts in counter.items()
        if any(counts.values())
    }


def test_label_namespaces_are_those_of_the_readers() -> None:
    reader = MultiTaskDatasetReader({"a": AnyReader(labels_of_all_kinds())})
    assert counted(reader.readers["a"]) == {
        "labels": {"x": 1, "t": 1},
        "upos_tags": {"y": 1, "z": 1},
        "other_labels": {"l": 1},
    }


def test_label_namespaces_per_task() -> None:
    reader = MultiTaskDatasetReader({"a": AnyReader(labels_of_all_kinds())}, True)
    assert counted(reader.readers["a"]) == {
        "a_labels": {"x": 1, "t": 1},
        "a_upos_tags": {"y": 1, "z": 1},
        "a_other_labels": {"l": 1},
    }
    fields: Any = reader.readers["a"].text_to_instance(0).fields
    assert fields["tags"].sequence_field is fields["text"]
    assert fields["label"]._label_namespace == "a_labels"
    # Nothing in it has changed, so whatever refers to it still does.
    assert fields["texts"] is reader.readers["a"].inner.inner.instances[0].fields["texts"]


def test_two_readers_of_the_same_labels_have_vocabularies_of_their_own() -> None:
    readers: Dict[str, DatasetReader] = {
        "a": AnyReader(Instance({"label": LabelField("x")})),
        "b": AnyReader(Instance({"label": LabelField("y")}), Instance({"label": LabelField("z")})),
    }
    reader = MultiTaskDatasetReader(readers, per_task_label_namespaces=True)
    instances = [i for task in readers for i in reader.read("", force_task=task)]
    vocab = Vocabulary.from_instances(instances)
    assert vocab.get_index_to_token_vocabulary("a_labels") == {0: "x"}
    assert vocab.get_index_to_token_vocabulary("b_labels") == {0: "y", 1: "z"}
    assert vocab.get_vocab_size("labels") == 0


def test_a_predictor_finds_in_the_inner_reader_what_it_looks_for() -> None:
    inner = MultiTaskDatasetReader({"a": AnyReader()}, True).readers["a"].inner
    for reader in (inner, copy.deepcopy(inner), pickle.loads(pickle.dumps(inner))):
        assert reader.setting == "kept"
        with pytest.raises(AttributeError, match="nothing_like_it"):
            _ = reader.nothing_like_it


def test_a_predictor_with_namespaces_per_task() -> None:
    labels = {"a_labels": ["class0", "class1", "class2"]}
    vocab = Vocabulary(tokens_to_add={"tokens": ["w0", "w1", "w2", "w3", "w4"], **labels})
    reader = MultiTaskDatasetReader({"a": NumbersReader()}, True)
    model = MultiTaskModel(vocab, TinyBackbone(), {"a": TinyHead(vocab)})
    predictor = MultiTaskPredictor(model, reader)
    prediction = predictor.predict_json({"task": "a", "number": 3, "label": "class2"})
    logits = torch.tensor(prediction["a_logits"])
    # The label counts, so it was looked up in the namespace of the task.
    assert model.get_metrics(reset=True)["a_accuracy"] == float(logits.argmax() == 2)
    predictor.predict_json({"task": "a", "number": 3, "label": f"class{logits.argmax()}"})
    assert model.get_metrics()["a_accuracy"] == 1.0


def test_from_params() -> None:
    numbers_reader = {"type": "tests.helpers.loading.NumbersReader"}
    reader = DatasetReader.from_params(
        Params(
            {
                "type": "multitask",
                "readers": {"a": numbers_reader},
                "per_task_label_namespaces": True,
                "max_instances": 2,
            }
        ),
        serialization_dir="somewhere",
    )
    assert type(reader) is MultiTaskDatasetReader
    assert reader.serialization_dir == "somewhere"
    found = list(reader.read("9", force_task="a"))
    assert len(found) == 2
    assert found[0].fields["label"]._label_namespace == "a_labels"  # type: ignore[attr-defined]


def test_reading_of_no_task() -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()})
    with pytest.raises(RuntimeError) as error:
        reader.read("1")
    assert str(error.value) == (
        "Reading with a multitask reader requires force_task, the task whose reader is to read, "
        "but it was not given. Give one of ['a', 'b'], or use the data loader 'multitask', which "
        "reads the files of all tasks."
    )


def test_reading_of_an_unknown_task() -> None:
    with pytest.raises(ConfigurationError) as error:
        MultiTaskDatasetReader({"tweets": NumbersReader()}).read("1", force_task="tweet")
    assert str(error.value) == (
        "force_task must name a task that has a reader, but got 'tweet'. Did you mean 'tweets'? "
        "Known names: ['tweets']."
    )
