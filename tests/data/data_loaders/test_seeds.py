"""The seed of a loader: it does not depend on readers, and all processes agree on it."""

import json
import random
from pathlib import Path
from typing import Any, List

import pytest
import torch
from allennlp.data import Instance

from tests.helpers.loading import NumbersReader, epoch, make_loader
from tests.helpers.processes import run_processes
from tests.helpers.samplers import make_sampler

SIZES = {"a": 20, "b": 20}


class RandomReader(NumbersReader):
    """Uses `draws` random numbers for each instance, and keeps them."""

    def __init__(self, draws: int) -> None:
        super().__init__()
        self.draws = draws
        self.drawn: List[float] = []

    def text_to_instance(self, *args: Any, **kwargs: Any) -> Instance:
        self.drawn.extend(random.random() for _ in range(self.draws))
        return super().text_to_instance(*args, **kwargs)


def readers(draws: int) -> Any:
    return {task: RandomReader(draws) for task in SIZES}


def epochs(draws: int) -> Any:
    """The epochs of two loaders, made one after the other."""
    first = make_loader(SIZES, readers=readers(draws))
    state = random.getstate()
    second = make_loader(SIZES, readers=readers(draws), seed=2)
    return [epoch(first), epoch(second), state]


def test_the_batches_do_not_depend_on_random_numbers_of_the_readers() -> None:
    assert epochs(draws=0) == epochs(draws=3)


def test_random_numbers_of_the_readers_depend_on_the_seed() -> None:
    drawn = []
    for seed in (1, 1, 2):
        made = readers(1)
        make_loader(SIZES, readers=made, seed=seed)
        assert made["a"].drawn != made["b"].drawn
        drawn.append(made["a"].drawn)
    assert drawn[0] == drawn[1] != drawn[2]


def run_process(rank: int, folder: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", world_size=2, rank=rank
    )
    loader = make_loader(
        SIZES,
        readers=readers(rank),
        seed=rank,  # also the state of Python's generator differs
        sampler=make_sampler("uniform"),
        instances_per_epoch=20,
    )
    tasks = [name[0] for _ in range(2) for batch in epoch(loader) for name in batch]
    (Path(folder) / f"{rank}.json").write_text(json.dumps(tasks))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_all_processes_of_a_distributed_training_have_the_same_tasks(tmp_path: Path) -> None:
    run_processes(run_process, str(tmp_path))
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert len(first) == 20  # half of the instances of two epochs
    assert first == second
