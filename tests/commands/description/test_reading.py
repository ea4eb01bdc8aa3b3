"""Reading the first instances of datasets, and counting them."""

import itertools
from typing import Any, Iterator

from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import MetadataField

from multitask_model.commands.description.reading import read_samples


class RangeReader(DatasetReader):
    """Reads the numbers below an input, or from a negative input on without end."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        numbers = range(file_path) if file_path >= 0 else itertools.count()
        return (Instance({"number": MetadataField(i)}) for i in numbers)


class FailingReader(RangeReader):
    """Raises an error after three instances."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        yield from super()._read(3)
        raise KeyError("label")


def test_the_first_instances_are_kept_and_all_are_counted() -> None:
    sample = read_samples({"a": RangeReader()}, {"a": 7}, number=2, seconds=60)["a"]
    assert [instance["number"].metadata for instance in sample.instances] == [0, 1]  # type: ignore
    assert (sample.size, sample.error) == (7, None)


def test_the_counting_ends_with_the_time() -> None:
    samples = read_samples({"a": RangeReader(), "b": RangeReader()}, {"a": -1, "b": 3}, 2, 0.2)
    assert samples["a"].size is None
    assert samples["b"].size == 3  # the time of one dataset is not taken by another


def test_without_time_only_short_datasets_are_counted() -> None:
    samples = read_samples({"a": RangeReader(), "b": RangeReader()}, {"a": 5, "b": 3}, 5, 0)
    assert [samples[task].size for task in "ab"] == [None, 3]


def test_an_error_keeps_the_instances_before_it() -> None:
    sample = read_samples({"a": FailingReader()}, {"a": 3}, number=5, seconds=60)["a"]
    assert len(sample.instances) == 3
    assert (sample.size, sample.error) == (None, "KeyError: 'label'")


def test_a_dataset_without_a_reader_is_left_out() -> None:
    assert read_samples({}, {"a": 3}, number=5, seconds=60) == {}
