"""The batches of two processes, with components that were not written for several processes."""

import pickle
import random
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Sized

import pytest
import torch
from allennlp.data import DatasetReader, Instance
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from allennlp.data.fields import LabelField, ListField, MetadataField

from multitask_model import MultiTaskDataLoader, MultiTaskDatasetReader
from multitask_model.data.schedulers import RoundRobinScheduler
from multitask_model.distributed import FILLER
from tests.helpers.distributed_training import process_group
from tests.helpers.processes import run_processes
from tests.helpers.schedulers import PairScheduler

pytestmark = pytest.mark.slow

Epoch = List[List[str]]
"""The instances of each batch; none for a batch that only fills the step."""

SIZES = {"a": 7, "b": 1}


class NumberReader(DatasetReader):
    def _read(self, file_path: Any) -> Iterable[Instance]:
        task, size = file_path.split()
        for i in range(int(size)):
            items = ListField([LabelField(0, skip_indexing=True)] * (i % 3 + 1))
            yield Instance({"name": MetadataField(f"{task}{i}"), "items": items})


class OddAloneScheduler(MultiTaskScheduler):
    """Reads the instances: those with an even number are a batch together."""

    def batch_instances(
        self, epoch_instances: Dict[str, Iterable[Instance]]
    ) -> Iterable[List[Instance]]:
        even = []
        for instance in (i for of_task in epoch_instances.values() for i in of_task):
            if int(instance["name"].human_readable_repr()[1:]) % 2:
                yield [instance]
            else:
                even.append(instance)
        yield even

    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        return 2


class RandomSampler(MultiTaskEpochSampler):
    """Returns other proportions in each process."""

    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        return {task: random.random() for task in data_loaders}


def make_loader(paths: Dict[str, str], **options: Any) -> MultiTaskDataLoader:
    reader = MultiTaskDatasetReader({task: NumberReader() for task in paths})
    return MultiTaskDataLoader(reader, paths, **options)


def make_loaders() -> Dict[str, MultiTaskDataLoader]:
    paths = {task: f"{task} {size}" for task, size in SIZES.items()}
    lazy = {"max_instances_in_memory": 2, "batch_size": 2}
    limited: Any = {"max_tokens": 4, "sorting_keys": ["items"]}
    return {
        "allennlp": make_loader(paths, scheduler=PairScheduler()),
        "reads instances": make_loader(paths, scheduler=OddAloneScheduler()),
        "one instance": make_loader({"a": "a 1"}, scheduler=PairScheduler()),
        "lazy": make_loader(paths, **lazy),
        "one lazy dataset": make_loader(
            paths, scheduler=PairScheduler(), max_instances_in_memory={"a": 2}
        ),
        "limited": make_loader(paths, batch_size=4, **limited),
        "limited, mixed": make_loader(paths, scheduler=RoundRobinScheduler(4), **limited),
        "limited, lazy": make_loader(paths, **lazy, **limited),
        "random": make_loader(paths, batch_size=2, sampler=RandomSampler(), instances_per_epoch=10),
        "lazy random": make_loader(paths, sampler=RandomSampler(), instances_per_epoch=10, **lazy),
    }


def names_of(batches: Iterable[Mapping[str, Any]]) -> Epoch:
    return [[] if FILLER in batch else batch["name"] for batch in batches]


def run_process(rank: int, folder: str) -> None:
    found: Dict[str, List[Epoch]] = {}
    with process_group(Path(folder), rank, 2):
        random.seed(rank)
        for name, loader in make_loaders().items():
            with torch.no_grad():
                found[name] = [names_of(loader)]
            found[name] += [names_of(loader) for _ in range(2)]
    (Path(folder) / f"{rank}").write_bytes(pickle.dumps(found))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> List[Dict[str, List[Epoch]]]:
    folder = tmp_path_factory.mktemp("loaders")
    run_processes(run_process, str(folder))
    return [pickle.loads((folder / str(rank)).read_bytes()) for rank in (0, 1)]


NAMES = ["allennlp", "reads instances", "one instance", "lazy", "one lazy dataset"]
NAMES += ["limited", "limited, mixed", "limited, lazy"]
RANDOM = ["random", "lazy random"]


@pytest.mark.parametrize("name", [*NAMES, *RANDOM])
def test_processes_take_the_same_number_of_steps(found: List[Any], name: str) -> None:
    first, second = (of_process[name] for of_process in found)
    assert list(map(len, first)) == list(map(len, second))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [0, 1, 2], ids=["evaluation", "epoch 0", "epoch 1"])
def test_every_instance_is_in_one_process(found: List[Any], name: str, number: int) -> None:
    sizes = {"a": 1} if name == "one instance" else SIZES
    batches = [batch for of_process in found for batch in of_process[name][number]]
    instances = sorted(instance for batch in batches for instance in batch)
    assert instances == [f"{task}{i}" for task, size in sizes.items() for i in range(size)]


@pytest.mark.parametrize("name", RANDOM)
def test_processes_agree_on_random_proportions(found: List[Any], name: str) -> None:
    for number in (1, 2):
        batches = [batch for of_process in found for batch in of_process[name][number]]
        assert sum(map(len, batches)) == 10
