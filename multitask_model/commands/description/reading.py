"""The first instances of each dataset, and its size."""

import itertools
import time
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Mapping, Optional

from allennlp.data import DatasetReader, Instance

from multitask_model.data.data_loaders.reading import read_dataset


@dataclass
class Sample:
    """The first instances of a dataset."""

    instances: List[Instance] = field(default_factory=list)
    size: Optional[int] = None
    """The number of instances of the dataset, if all were counted."""
    error: Optional[str] = None
    """Why not all instances were read, if the reader raised an error."""


def read_samples(
    readers: Mapping[str, DatasetReader],
    data_paths: Mapping[str, object],
    number: int,
    seconds: float,
) -> Dict[str, Sample]:
    """
    Reads the first instances of each dataset, and counts all its instances.

    # Parameters

    readers : `Mapping[str, DatasetReader]`
        The reader of each task.
    data_paths : `Mapping[str, object]`
        What the reader of each task reads. Tasks without a reader are left out.
    number : `int`
        The number of instances to keep of each dataset.
    seconds : `float`
        How long to count. What the reading of one dataset leaves over is for the next ones.

    # Returns

    `Dict[str, Sample]`
    """
    samples: Dict[str, Sample] = {}
    paths = {task: path for task, path in data_paths.items() if task in readers}
    end = time.monotonic() + seconds
    for left, task in zip(range(len(paths), 0, -1), paths):
        now = time.monotonic()
        deadline = now + max(0.0, end - now) / left
        samples[task] = _read_sample(task, readers[task], paths[task], number, deadline)
    return samples


def _read_sample(
    task: str, reader: DatasetReader, data_path: object, number: int, deadline: float
) -> Sample:
    sample = Sample()
    try:
        reading = read_dataset(task, reader, data_path)  # type: ignore[arg-type]
        for instance in itertools.islice(reading, number):
            reader.apply_token_indexers(instance)
            sample.instances.append(instance)
        is_read = len(sample.instances) < number
        sample.size = len(sample.instances) if is_read else _count(reading, number, deadline)
    except Exception as error:  # a reader may raise anything, and the others are still described
        sample.error = f"{type(error).__name__}: {error}"
    return sample


def _count(reading: Iterator[Instance], size: int, deadline: float) -> Optional[int]:
    """Counts the remaining instances. Returns `None` if the time is over before the last one."""
    while time.monotonic() < deadline:
        if next(reading, None) is None:
            return size
        size += 1
    return None
