"""The seed of a loader, and reading that does not change Python's random number generator."""

import contextlib
import random
from typing import Iterator

import torch.distributed as dist
from allennlp.common.util import is_distributed


def make_seed() -> int:
    """
    Returns a random seed from Python's generator, which AllenNLP seeds from the config. In
    distributed training, all processes get the seed of the first one, whatever the state of their
    generators, so all of them have to call this.
    """
    seeds = [random.getrandbits(32)]
    if is_distributed():
        dist.broadcast_object_list(seeds, src=0)
    return seeds[0]


@contextlib.contextmanager
def separate_random_state(seed: int) -> Iterator[None]:
    """
    Seeds Python's generator, and restores its state at the end. What is done in between, such as
    reading with a reader that uses random numbers, therefore has no effect on what follows.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
