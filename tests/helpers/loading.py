"""Datasets of numbered instances, and loaders of them."""

import logging
import random
from typing import Any, Dict, Iterator, List, Optional

from allennlp.data import DatasetReader, Instance, Token
from allennlp.data.fields import LabelField, MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from multitask_model.data import MultiTaskDataLoader, MultiTaskDatasetReader
from tests.helpers.models import make_vocab


class NumbersReader(DatasetReader):
    """Instead of a path it takes the number of instances: "3" is a file with three of them."""

    def __init__(self, sharding: bool = True, tokens: Optional[List[int]] = None) -> None:
        super().__init__(
            manual_distributed_sharding=sharding, manual_multiprocess_sharding=sharding
        )
        self.sharding = sharding
        self.tokens = tokens or [1, 2, 3]
        """The lengths of the texts, again and again."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        numbers = range(int(file_path))
        for number in self.shard_iterable(numbers) if self.sharding else numbers:
            yield self.text_to_instance(number)

    def text_to_instance(self, number: int, label: str = "class1") -> Instance:
        tokens = [Token(f"w{number % 5}")] * self.tokens[number % len(self.tokens)]
        return Instance(
            {
                "text": TextField(tokens),
                "number": MetadataField(number),
                "label": LabelField(label),
            }
        )

    def apply_token_indexers(self, instance: Instance) -> None:
        text: Any = instance.fields["text"]
        text.token_indexers = {"tokens": SingleIdTokenIndexer()}


def make_loader(
    sizes: Dict[str, int],
    *args: Any,
    seed: int = 1,
    readers: Optional[Dict[str, DatasetReader]] = None,
    **options: Any,
) -> MultiTaskDataLoader:
    """
    A loader of so many instances of each task, which by default are some of the tasks `a`, `b` and
    `c` of the reader. `args` and `options` are its own.
    """
    if not args:
        options.setdefault("batch_size", 3)
    tasks = dict.fromkeys([*sizes, "a", "b", "c"])
    reader = MultiTaskDatasetReader(readers or {task: NumbersReader() for task in tasks})
    random.seed(seed)
    data_path = {task: str(size) for task, size in sizes.items()}
    loader = MultiTaskDataLoader(reader, data_path, *args, **options)
    loader.index_with(make_vocab())
    return loader


def names(batch: Dict[str, Any]) -> List[str]:
    """The instances of a batch: "a3" is the one with number 3 of the task `a`."""
    return [f"{task}{number}" for task, number in zip(batch["task"], batch["number"])]


def epoch(loader: MultiTaskDataLoader) -> List[List[str]]:
    """The batches of the next epoch."""
    return [names(batch) for batch in loader]


def flat(batches: List[List[str]]) -> List[str]:
    return [name for batch in batches for name in batch]


def every(sizes: Dict[str, int]) -> List[str]:
    """All instances of the datasets, sorted."""
    return sorted(f"{task}{number}" for task, size in sizes.items() for number in range(size))


def messages(caplog: Any, level: int = logging.WARNING) -> List[str]:
    """What this library has logged, at that level or above."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("multitask_model.") and record.levelno >= level
    ]
