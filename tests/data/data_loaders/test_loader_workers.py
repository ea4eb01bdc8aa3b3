"""Reading and batching in worker processes: the same batches, in the same order, as without."""

import multiprocessing
import os
from typing import Any, Dict, Iterator, List

import pytest
import torch
from allennlp.data import Instance
from allennlp.data.data_loaders.multiprocess_data_loader import WorkerError
from allennlp.data.fields import MetadataField

from multitask_model.data.data_loaders.task_dataset import Chunk, TaskDataset, in_order
from tests.data.data_loaders.test_epochs import sampler
from tests.helpers.loading import NumbersReader, make_loader
from tests.helpers.models import make_instance


class WhereField(MetadataField):
    """Becomes the process that it was made part of a batch in."""

    def as_tensor(self, padding_lengths: Dict[str, int]) -> Any:
        return os.getpid()


class WhereReader(NumbersReader):
    """Notes the process that reads, and the one that makes batches."""

    def text_to_instance(self, *args: Any, **kwargs: Any) -> Instance:
        instance = super().text_to_instance(*args, **kwargs)
        instance.add_field("read", MetadataField(os.getpid()))
        instance.add_field("batched", WhereField(None))
        return instance


class IndexedReader(NumbersReader):
    """Sets token indexers too early for worker processes."""

    def text_to_instance(self, number: int, *args: Any) -> Instance:
        return make_instance("w1", number=number)


def contents(batches: Any) -> List[Any]:
    return [
        (batch["task"], batch["number"], batch["text"]["tokens"]["tokens"].tolist())
        for batch in batches
    ]


def epochs(workers: Any, **options: Any) -> List[Any]:
    loader = make_loader({"a": 11, "b": 4}, num_workers=workers, **options)
    found = [contents(loader) for _ in range(2)]
    with torch.no_grad():
        return [*found, contents(loader)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sorting_keys": ["text"], "sampler": "uniform", "instances_per_epoch": 9},
        {"max_instances_in_memory": {"b": 3}},
    ],
    ids=["plain", "buckets", "lazy"],
)
def test_batches_are_the_same_whatever_the_number_of_workers(options: Dict[str, Any]) -> None:
    def found(workers: int) -> List[Any]:
        chosen = {"sampler": sampler(options["sampler"])} if "sampler" in options else {}
        return epochs(workers, **{**options, **chosen})

    expected = found(0)
    assert found(1) == expected
    assert found(2) == expected


def test_readers_that_do_no_sharding() -> None:
    readers: Any = {task: NumbersReader(sharding=False) for task in "ab"}
    assert epochs(2, readers=readers, instance_chunk_size=1) == epochs(0, readers=readers)


def test_spawned_processes() -> None:
    options: Any = {"num_workers": {"b": 1}, "start_method": "spawn"}
    expected = contents(make_loader({"a": 4, "b": 3}))
    assert contents(make_loader({"a": 4, "b": 3}, **options)) == expected


def test_workers_read_and_make_batches() -> None:
    readers: Any = {task: WhereReader() for task in "ab"}
    loader = make_loader({"a": 8, "b": 4}, readers=readers, num_workers={"a": 2})
    batches = list(loader)
    read = {task: set() for task in "ab"}  # type: ignore[var-annotated]
    for batch in batches:
        for task, process in zip(batch["task"], batch["read"]):
            read[task].add(process)
    assert len(read["a"]) == 2
    assert read["b"] == {os.getpid()}  # it has none of its own
    batched = {process for batch in batches for process in batch["batched"]}
    assert len(batched) == 2
    assert os.getpid() not in batched | read["a"]


def test_lazily_read_instances_are_not_sent_on() -> None:
    readers: Any = {"a": WhereReader()}
    loader = make_loader({"a": 4}, readers=readers, num_workers=1, max_instances_in_memory=2)
    for batch in loader:
        assert os.getpid() not in batch["read"]
        assert set(batch["batched"]) == {os.getpid()}


def test_a_worker_that_fails() -> None:
    class Failing(NumbersReader):
        def text_to_instance(self, number: int, *args: Any) -> Any:
            raise ValueError("no such number")

    with pytest.raises(WorkerError, match="no such number"):
        make_loader({"a": 2}, readers={"a": Failing()}, num_workers=1)


def test_token_indexers_that_are_set_too_early() -> None:
    with pytest.raises(WorkerError) as error:
        make_loader({"a": 2}, readers={"a": IndexedReader()}, num_workers=1)
    assert (
        "Instances from worker processes must come without token indexers, so that these are not "
        "sent along with each, but the field 'text' of the dataset 'a' has some. Have its reader "
        "set them in apply_token_indexers, or set the num_workers of this dataset to 0."
    ) in str(error.value)


def test_an_epoch_that_is_left_early_leaves_no_process() -> None:
    for lazy in (None, 3):
        loader = make_loader({"a": 50}, num_workers=1, max_instances_in_memory=lazy)
        batches = iter(loader)
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        for process in multiprocessing.active_children():
            process.join(30)  # it may have been told to end just now
            assert process.exitcode is not None


# --- one dataset


def test_options_of_a_dataset() -> None:
    loader = make_loader(
        {"a": 5, "b": 5},
        num_workers={"a": 1},
        instance_queue_size={"a": 40},
        instance_chunk_size={"a": 4},
        max_instances_in_memory={"a": 6},
    )
    inner = loader._loaders["a"]._loader
    assert inner.num_workers == 1
    assert inner._max_instance_queue_size == 10  # chunks of four
    assert inner.reader.size == 4
    assert loader._loaders["a"].pool_size == 6
    assert loader._loaders["b"]._loader.num_workers == 0
    assert loader._loaders["b"]._loader._max_instance_queue_size is None


def test_the_queue_of_a_lazily_read_dataset_is_limited() -> None:
    loader = TaskDataset("a", NumbersReader(), "5", num_workers=2, max_instances_in_memory=30)
    assert loader._loader._max_instance_queue_size == 12  # chunks of ten, of 2 · 2 · 30 instances


def chunks(*given: Any) -> Iterator[Chunk]:
    for worker, numbers in given:
        yield Chunk(numbers, worker, is_last=not numbers)


def test_chunks_in_the_order_of_the_file() -> None:
    # Worker 0 has read 0, 2, 4, 6, 8 and worker 1 has read 1, 3, 5, 7.
    arrivals: List[Any] = [
        [(0, [0, 2]), (0, [4, 6]), (1, [1, 3]), (0, [8]), (0, []), (1, [5, 7]), (1, [])],
        [(1, [1, 3]), (1, [5, 7]), (1, []), (0, [0, 2]), (0, [4, 6]), (0, [8]), (0, [])],
    ]
    for arrival in arrivals:
        found: List[Any] = list(in_order(chunks(*arrival), 2))
        assert found == list(range(9))


def test_chunks_of_unlike_workers() -> None:
    arrival: List[Any] = [(1, []), (2, ["c1"]), (0, ["a1", "a2"]), (2, []), (0, [])]
    found: List[Any] = list(in_order(chunks(*arrival), 3))
    assert found == ["a1", "c1", "a2"]
