"""The `shuffled` scheduler, which is the default."""

import random
from typing import Dict, Iterator, List, Mapping, Optional, TypeVar

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.schedulers.homogeneous import HomogeneousScheduler

T = TypeVar("T")


@register_in_place(MultiTaskScheduler, "shuffled")
class ShuffledScheduler(HomogeneousScheduler):
    """
    Makes batches of one dataset each, in random order. The dataset of the next batch is sampled in
    proportion to the remaining batches of each dataset, which makes every order of the batches
    equally likely. Small datasets therefore last as long as large ones.

    If a dataset has no length, the next batch is sampled uniformly from the datasets with remaining
    batches, and the end of an epoch has only batches of the largest dataset.

    Registered as a `MultiTaskScheduler` with name "shuffled", which is the default. See
    `HomogeneousScheduler` for its parameters.

    # Examples

    >>> import random
    >>> from multitask_model.data.schedulers import ShuffledScheduler
    >>> scheduler = ShuffledScheduler(batch_size=2)
    >>> scheduler.set_random(random.Random(13))
    >>> batches = list(scheduler.batch_instances({"tweets": range(6), "ewt": range(10, 13)}))
    >>> sorted(batches)
    [[0, 1], [2, 3], [4, 5], [10, 11], [12]]
    """

    _random: Optional[random.Random] = None

    @overrides
    def set_random(self, generator: random.Random) -> None:
        self._random = generator

    @overrides
    def order(
        self, batches: Dict[str, Iterator[List[T]]], counts: Optional[Mapping[str, int]]
    ) -> Iterator[List[T]]:
        # AllenNLP's data loader never calls `set_random`, but it seeds Python's generator.
        rng = self._random or random.Random(random.getrandbits(64))
        remaining = dict.fromkeys(batches, 1) if counts is None else dict(counts)
        while remaining:
            # A dataset is removed when it is exhausted, even if its length was wrong. Sampling an
            # exhausted dataset does not change the odds between the others.
            weights = [max(count, 1) for count in remaining.values()]
            (task,) = rng.choices(list(remaining), weights)
            batch = next(batches[task], None)
            if batch is None:
                del remaining[task]
            else:
                remaining[task] -= 1
                yield batch
