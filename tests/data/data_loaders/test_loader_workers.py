"""Reading and collating in worker processes: the batches are the same as without."""

import multiprocessing
import os
from typing import Any, Dict, List, Set

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.data_loaders.multiprocess_data_loader import WorkerError
from allennlp.data.fields import MetadataField

from tests.helpers.loading import NumbersReader, make_loader
from tests.helpers.models import make_instance, make_vocab
from tests.helpers.samplers import default_sampler

pytestmark = pytest.mark.slow


class ProcessField(MetadataField):
    """Is collated to the id of the process that collates it."""

    def as_tensor(self, padding_lengths: Dict[str, int]) -> Any:
        return os.getpid()


class ProcessReader(NumbersReader):
    """Adds the id of the process that reads, and of the one that collates."""

    def text_to_instance(self, *args: Any, **kwargs: Any) -> Instance:
        instance = super().text_to_instance(*args, **kwargs)
        instance.add_field("read", MetadataField(os.getpid()))
        instance.add_field("collated", ProcessField(None))
        return instance


class IndexedReader(NumbersReader):
    """Sets token indexers in `text_to_instance`."""

    def text_to_instance(self, number: int, *args: Any) -> Instance:
        return make_instance("w1", number=number)


def contents(batches: Any) -> List[Any]:
    """The values of the batches, for comparison."""
    return [
        (batch["task"], batch["number"], batch["text"]["tokens"]["tokens"].tolist())
        for batch in batches
    ]


def epochs(num_workers: int, **options: Any) -> List[Any]:
    """The contents of two epochs and an evaluation."""
    readers: Any = {task: ProcessReader() for task in "ab"}
    options = {"readers": readers, **options}
    loader = make_loader({"a": 11, "b": 4}, num_workers=num_workers, **options)
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
def test_batches_do_not_depend_on_the_number_of_workers(options: Dict[str, Any]) -> None:
    def found(num_workers: int) -> List[Any]:
        made = {"sampler": default_sampler(options["sampler"])} if "sampler" in options else {}
        return epochs(num_workers, **{**options, **made})

    expected = found(0)
    assert found(1) == expected
    assert found(2) == expected


def test_batches_are_the_same_with_readers_without_sharding() -> None:
    readers: Any = {task: ProcessReader(sharding=False) for task in "ab"}
    assert epochs(2, readers=readers, instance_chunk_size=1) == epochs(0, readers=readers)


def test_batches_are_the_same_with_a_spawned_process_that_collates_every_epoch() -> None:
    readers: Any = {task: ProcessReader() for task in "ab"}
    options: Any = {"num_workers": {"b": 1}, "start_method": "spawn", "readers": readers}
    reference, loader = make_loader({"a": 4, "b": 3}), make_loader({"a": 4, "b": 3}, **options)
    processes: Set[int] = set()
    for _ in range(2):
        batches = list(loader)
        assert contents(batches) == contents(reference)
        processes.update(process for batch in batches for process in batch["collated"])
    assert len(processes) == 1


def test_processes_of_a_server_collate_every_epoch() -> None:
    readers: Any = {task: ProcessReader() for task in "ab"}
    sizes = {"a": 8, "b": 4}
    reference = make_loader(sizes)
    loader = make_loader(sizes, readers=readers, num_workers=1, start_method="forkserver")
    processes: Set[int] = set()
    for _ in range(3):
        batches = list(loader)
        assert contents(batches) == contents(reference)
        processes.update(process for batch in batches for process in batch["collated"])
        next(iter(loader))  # an epoch that is left early
        next(iter(reference))
        with torch.no_grad():
            evaluated = list(loader)
            assert contents(evaluated) == contents(reference)
        processes.update(process for batch in evaluated for process in batch["collated"])
    assert len(processes) == 1
    # Two epochs at the same time have different processes.
    first, second = iter(loader), iter(loader)
    assert next(first)["collated"] != next(second)["collated"]
    # Instances that are indexed again are sent again.
    loader.index_with(make_vocab())
    assert {process for batch in loader for process in batch["collated"]}.isdisjoint(processes)


def test_workers_read_and_collate() -> None:
    readers: Any = {task: ProcessReader() for task in "ab"}
    loader = make_loader({"a": 8, "b": 4}, readers=readers, num_workers={"a": 2})
    batches = list(loader)
    read = {task: set() for task in "ab"}  # type: ignore[var-annotated]
    for batch in batches:
        for task, process in zip(batch["task"], batch["read"]):
            read[task].add(process)
    assert len(read["a"]) == 2
    assert read["b"] == {os.getpid()}  # without num_workers
    collated = {process for batch in batches for process in batch["collated"]}
    assert len(collated) == 2
    assert os.getpid() not in collated | read["a"]


def test_fields_that_are_batched_fast_are_collated_in_this_process() -> None:
    loader = make_loader({"a": 8}, num_workers={"a": 2})
    assert loader.collate_workers.num_workers == 0
    assert loader.datasets["a"].processes is not None


def test_lazily_read_instances_are_collated_in_this_process() -> None:
    readers: Any = {"a": ProcessReader()}
    loader = make_loader({"a": 4}, readers=readers, num_workers=1, max_instances_in_memory=2)
    for batch in loader:
        assert os.getpid() not in batch["read"]
        assert set(batch["collated"]) == {os.getpid()}


def test_an_error_in_a_worker_is_raised() -> None:
    class Failing(NumbersReader):
        def text_to_instance(self, number: int, *args: Any) -> Any:
            raise ValueError("no such number")

    with pytest.raises(WorkerError) as error:
        make_loader({"a": 2}, readers={"a": Failing()}, num_workers=1)
    text = str(error.value)
    assert text.startswith("worker raised ValueError: no such number\n\n  Traceback from worker:\n")
    assert 'raise ValueError("no such number")' in text


def test_a_configuration_error_in_a_worker_is_one_with_the_traceback_as_its_cause() -> None:
    class Failing(NumbersReader):
        def text_to_instance(self, number: int, *args: Any) -> Any:
            raise ConfigurationError("the file needs a header")

    with pytest.raises(ConfigurationError, match="^the file needs a header$") as error:
        make_loader({"a": 2}, readers={"a": Failing()}, num_workers=1)
    assert isinstance(error.value.__cause__, WorkerError)
    assert "in text_to_instance" in str(error.value.__cause__)


def test_an_error_without_a_readable_text_is_raised() -> None:
    class Failing(NumbersReader):
        def text_to_instance(self, number: int, *args: Any) -> Any:
            raise ConfigurationError(["a", "b"])  # type: ignore[arg-type]  # not a string

    with pytest.raises(ConfigurationError, match=r"ConfigurationError\("):
        make_loader({"a": 2}, readers={"a": Failing()}, num_workers=1)


def test_instances_with_token_indexers_from_a_worker_are_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, readers={"a": IndexedReader()}, num_workers=1)
    assert (
        "A reader in a worker process must not set token indexers in text_to_instance, because "
        "each instance would be sent with a copy, but got some in the field 'text' of the dataset "
        "'a'. Set them in apply_token_indexers, or set num_workers of this dataset to 0."
    ) in str(error.value)


def test_no_process_remains_after_an_epoch_that_is_left_early() -> None:
    before = multiprocessing.active_children()
    for lazy in (None, 3):
        loader = make_loader({"a": 50}, num_workers=1, max_instances_in_memory=lazy)
        batches = iter(loader)
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        for process in set(multiprocessing.active_children()).difference(before):
            process.join(30)  # it may still be ending
            assert process.exitcode is not None
