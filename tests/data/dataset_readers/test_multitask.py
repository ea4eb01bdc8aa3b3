"""`MultiTaskDatasetReader`: the names of tasks, limits, sharding, and use by a predictor."""

import copy
import pickle
from typing import Any, Dict, List, cast

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers import MultiTaskDatasetReader as AllenNLPReader
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from allennlp.data.fields import LabelField, MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from multitask_model import (
    LabeledJsonlReader,
    MultiTaskDatasetReader,
    MultiTaskModel,
    MultiTaskPredictor,
)
from multitask_model.compat.allennlp_internals import (
    label_namespace,
    set_distributed_info,
    set_worker_info,
    token_indexers,
)
from tests.helpers.fixed_reader import FixedReader
from tests.helpers.loading import NumbersReader
from tests.helpers.models import TinyBackbone, TinyHead


def numbers(reader: DatasetReader, path: str = "5") -> List[int]:
    fields: List[Any] = [instance["number"] for instance in reader.read(path)]
    return [field.metadata for field in fields]


def test_an_instance_gets_the_name_of_its_task() -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()})
    assert isinstance(reader, AllenNLPReader)
    for task in ("a", "b"):
        (instance,) = reader.read("1", force_task=task)
        assert instance.fields["task"].metadata == task  # type: ignore[attr-defined]
        assert list(instance.fields) == ["text", "number", "label", "task"]


def test_text_to_instance_takes_positional_and_named_arguments() -> None:
    reader: Any = MultiTaskDatasetReader({"a": NumbersReader()}).readers["a"]
    for instance in (reader.text_to_instance(4, label="x"), reader.text_to_instance(4, "x")):
        assert instance["number"].metadata == 4
        assert instance["label"].label == "x"
        assert instance["task"].metadata == "a"


@pytest.mark.parametrize("per_task", [False, True])
def test_token_indexers_are_those_of_the_reader_of_the_task(per_task: bool) -> None:
    readers: Dict[str, DatasetReader] = {
        task: LabeledJsonlReader({}, token_indexers={task: SingleIdTokenIndexer()})
        for task in ("a", "b")
    }
    reader = MultiTaskDatasetReader(readers, per_task)
    for task in ("a", "b"):
        instance = reader.readers[task].text_to_instance("So good")
        reader.apply_token_indexers(instance)
        text = cast(TextField, instance["text"])
        assert text.token_indexers.keys() == {task}


def test_an_instance_without_a_task_gets_no_token_indexers() -> None:
    instance = LabeledJsonlReader({}).text_to_instance("So good")
    MultiTaskDatasetReader({"a": LabeledJsonlReader({})}).apply_token_indexers(instance)
    assert not token_indexers(cast(TextField, instance["text"]))


@pytest.mark.parametrize(("per_task", "expected"), [(False, "labels"), (True, "a_labels")])
def test_the_instances_of_the_inner_reader_are_not_modified(per_task: bool, expected: str) -> None:
    made = Instance({"label": LabelField("x")})
    reader = MultiTaskDatasetReader({"a": FixedReader(made)}, per_task)
    for _ in range(2):  # an added field `task` would be an error the second time
        (instance,) = reader.read("", force_task="a")
        assert label_namespace(instance.fields["label"]) == expected
    assert list(made.fields) == ["label"]
    assert label_namespace(made.fields["label"]) == "labels"


def test_an_inner_field_named_task_is_an_error() -> None:
    made = Instance({"task": MetadataField("mine")})
    reader = MultiTaskDatasetReader({"a": FixedReader(made)})
    with pytest.raises(ConfigurationError) as error:
        list(reader.read("", force_task="a"))
    assert str(error.value) == (
        "Instances must not have a field 'task', because the multitask reader adds it with the "
        "name of the task, but got a MetadataField of that name from the reader of 'a' "
        "(FixedReader). Rename that field."
    )


def test_max_instances_limits_each_task() -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()}, max_instances=3)
    assert reader.max_instances == 3
    assert numbers(reader.readers["a"]) == [0, 1, 2]
    assert numbers(reader.readers["b"], "2") == [0, 1]


@pytest.mark.filterwarnings("ignore:Using multi-process data loading without")
@pytest.mark.parametrize("limit", [None, 4])
@pytest.mark.parametrize("sharding", [True, False])
def test_workers_shard_the_instances(sharding: bool, limit: Any) -> None:
    shards = []
    for worker in range(2):
        reader = MultiTaskDatasetReader({"a": NumbersReader(sharding)}, max_instances=limit)
        set_worker_info(reader, WorkerInfo(2, worker))
        assert reader.readers["a"].inner.get_worker_info() == WorkerInfo(2, worker)
        shards.append(numbers(reader.readers["a"], "7"))
    assert shards == ([[0, 2, 4, 6], [1, 3, 5]] if limit is None else [[0, 2], [1, 3]])


@pytest.mark.parametrize("limit", [None, 4])
def test_distributed_processes_shard_the_instances(limit: Any) -> None:
    shards = []
    for rank in range(2):
        # A reader with its own sharding uses `torch.distributed` instead.
        reader = MultiTaskDatasetReader({"a": NumbersReader(False)}, max_instances=limit)
        set_distributed_info(reader, DistributedInfo(2, rank))
        assert reader.readers["a"].inner.get_distributed_info() == DistributedInfo(2, rank)
        shards.append(numbers(reader.readers["a"], "7"))
    assert shards == ([[0, 2, 4, 6], [1, 3, 5]] if limit is None else [[0, 2], [1, 3]])


def test_attributes_of_the_inner_reader_are_available_to_a_predictor() -> None:
    inner: Any = MultiTaskDatasetReader({"a": FixedReader()}, True).readers["a"].inner
    for reader in (inner, copy.deepcopy(inner), pickle.loads(pickle.dumps(inner))):
        assert reader.setting == "kept"
        with pytest.raises(AttributeError, match="nothing_like_it"):
            _ = reader.nothing_like_it


def test_a_predictor_uses_the_namespaces_of_the_task() -> None:
    labels = {"a_labels": ["class0", "class1", "class2"]}
    vocab = Vocabulary(tokens_to_add={"tokens": ["w0", "w1", "w2", "w3", "w4"], **labels})
    reader = MultiTaskDatasetReader({"a": NumbersReader()}, True)
    model = MultiTaskModel(vocab, TinyBackbone(), {"a": TinyHead(vocab)})
    predictor = MultiTaskPredictor(model, reader)
    prediction = predictor.predict_json({"task": "a", "number": 3, "label": "class2"})
    logits = torch.tensor(prediction["a_logits"])
    # The accuracy depends on the label, so it was looked up in the namespace of the task.
    assert model.get_metrics(reset=True)["a_accuracy"] == float(logits.argmax() == 2)
    predictor.predict_json({"task": "a", "number": 3, "label": f"class{logits.argmax()}"})
    assert model.get_metrics()["a_accuracy"] == 1.0


def test_the_reader_can_be_built_from_params() -> None:
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
    instances = list(reader.read("9", force_task="a"))
    assert len(instances) == 2
    assert label_namespace(instances[0].fields["label"]) == "a_labels"


def test_reading_without_a_task_is_an_error() -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()})
    with pytest.raises(RuntimeError) as error:
        reader.read("1")
    assert str(error.value) == (
        "Reading with a multitask reader requires force_task, the name of a task, but got None. "
        "Pass one of ['a', 'b'], or use the data loader 'multitask', which reads all tasks."
    )


def test_reading_an_unknown_task_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        MultiTaskDatasetReader({"tweets": NumbersReader()}).read("1", force_task="tweet")
    assert str(error.value) == (
        "force_task must name a task that has a reader, but got 'tweet'. Did you mean 'tweets'? "
        "Known names: ['tweets']."
    )


@pytest.mark.parametrize("make", [MultiTaskDatasetReader, AllenNLPReader])
@pytest.mark.parametrize("per_task", [False, True])
def test_the_readers_of_a_multitask_reader_can_be_used_for_another(
    make: Any, per_task: bool
) -> None:
    old = make({"a": NumbersReader()})
    new = MultiTaskDatasetReader({**old.readers, "b": old.readers["a"]}, per_task)
    for task in ("a", "b"):
        (instance,) = new.read("1", force_task=task)
        assert instance.fields["task"].metadata == task  # type: ignore[attr-defined]
        expected = f"{task}_labels" if per_task else "labels"
        assert label_namespace(instance.fields["label"]) == expected
    # The old reader is unchanged.
    assert next(iter(old.read("1", force_task="a")))["task"].metadata == "a"


@pytest.mark.parametrize(("per_task", "expected"), [(False, "a_labels"), (True, "b_labels")])
def test_readers_with_prefixed_namespaces_are_prefixed_once(per_task: bool, expected: str) -> None:
    old: Any = MultiTaskDatasetReader({"a": NumbersReader()}, True, max_instances=1)
    new = MultiTaskDatasetReader({"b": old.readers["a"]}, per_task)
    instances = list(new.read("3", force_task="b"))
    assert len(instances) == 3
    assert label_namespace(instances[0].fields["label"]) == expected
