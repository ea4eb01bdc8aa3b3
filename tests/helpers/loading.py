"""Datasets of numbered instances, and data loaders for them."""

import logging
import random
from typing import Any, Dict, Iterator, List, Optional

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Token
from allennlp.data.fields import LabelField, MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from multitask_model.data import MultiTaskDataLoader, MultiTaskDatasetReader
from tests.helpers.models import make_vocab


class NumbersReader(DatasetReader):
    """Takes the number of instances as its path: "3" is a file with three instances."""

    def __init__(self, sharding: bool = True, tokens: Optional[List[int]] = None) -> None:
        super().__init__(
            manual_distributed_sharding=sharding, manual_multiprocess_sharding=sharding
        )
        self.sharding = sharding
        self.tokens = tokens or [1, 2, 3]
        """The lengths of the texts, repeated."""

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
    data_path: Optional[Dict[str, Any]] = None,
    **options: Any,
) -> MultiTaskDataLoader:
    """
    A loader with `sizes` instances of each task, or with the data at `data_path`. By default the
    reader has the tasks `a`, `b` and `c`. `args` and `options` are passed to the loader.
    """
    if not args:
        options.setdefault("batch_size", 3)
    tasks = dict.fromkeys([*sizes, "a", "b", "c"])
    reader = MultiTaskDatasetReader(readers or {task: NumbersReader() for task in tasks})
    random.seed(seed)
    data_path = data_path or {task: str(size) for task, size in sizes.items()}
    loader = MultiTaskDataLoader(reader, data_path, *args, **options)
    loader.index_with(make_vocab())
    return loader


def names(batch: Dict[str, Any]) -> List[str]:
    """The names of a batch's instances: "a3" is instance 3 of the task `a`."""
    return [f"{task}{number}" for task, number in zip(batch["task"], batch["number"])]


def epoch(loader: MultiTaskDataLoader) -> List[List[str]]:
    """The names in each batch of the next epoch."""
    return [names(batch) for batch in loader]


def flat(batches: List[List[str]]) -> List[str]:
    """The names of all batches in one list."""
    return [name for batch in batches for name in batch]


def every(sizes: Dict[str, int]) -> List[str]:
    """The names of all instances of the datasets, sorted."""
    return sorted(f"{task}{number}" for task, size in sizes.items() for number in range(size))


def messages(caplog: Any, level: int = logging.WARNING) -> List[str]:
    """The messages that this library logged at `level` or above."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("multitask_model.") and record.levelno >= level
    ]


def loader_error(*args: Any, sizes: Optional[Dict[str, int]] = None, **options: Any) -> str:
    """The message of the `ConfigurationError` that `make_loader` raises."""
    with pytest.raises(ConfigurationError) as error:
        make_loader(sizes or {"a": 3, "b": 2}, *args, **options)
    return str(error.value)
