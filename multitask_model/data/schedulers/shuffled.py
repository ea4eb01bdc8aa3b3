"""The `shuffled` scheduler, the default one."""

import random
from typing import Any, Iterator, List, Mapping, Optional

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from overrides import overrides

from multitask_model.data.schedulers.homogeneous import Batches, HomogeneousScheduler


@MultiTaskScheduler.register("shuffled", exist_ok=True)
class ShuffledScheduler(HomogeneousScheduler):
    """
    Batches of one dataset each, in random order: the dataset of the next batch is drawn with a
    probability in proportion to the batches that it has left. That makes every order of the batches
    equally likely, so small datasets last as long as large ones and none has the end for itself.

    If a dataset has no length, those with batches left are all equally likely, and the end of an
    epoch belongs to the largest.

    Registered as a `MultiTaskScheduler` with name "shuffled", which is the default. For its
    parameters see `HomogeneousScheduler`.
    """

    _random: Optional[random.Random] = None

    @overrides
    def set_random(self, generator: random.Random) -> None:
        self._random = generator

    @overrides
    def order(self, batches: Batches, counts: Optional[Mapping[str, int]]) -> Iterator[List[Any]]:
        # AllenNLP's own loader hands over no generator, but it seeds Python's.
        rng = self._random or random.Random(random.getrandbits(64))
        left = dict.fromkeys(batches, 1) if counts is None else dict(counts)
        while left:
            # A dataset stays in until it is found to have run out, whatever its length said. To
            # find that changes nothing in the odds between the others.
            weights = [max(count, 1) for count in left.values()]
            (task,) = rng.choices(list(left), weights)
            batch = next(batches[task], None)
            if batch is None:
                del left[task]
            else:
                left[task] -= 1
                yield batch
