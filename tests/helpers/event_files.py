"""Reads the files that the callbacks `tensorboard` and `wandb` write."""

import importlib
import json
import struct
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

from tensorboardX.proto.event_pb2 import Event  # type: ignore[import-untyped]

Scalars = Dict[str, Dict[int, float]]
"""The value of each name at each step."""

BLOCK = 32768
"""The bytes of a block in a file of W&B. A block begins with a record and ends with zeros."""


def read_scalars(folder: Path) -> Scalars:
    """The scalars in the only event file of TensorBoard in a folder."""
    (path,) = folder.glob("events.out.tfevents.*")
    scalars: Scalars = {}
    for record in _tfrecords(path.read_bytes()):
        event = Event.FromString(record)
        for value in event.summary.value:
            scalars.setdefault(value.tag, {})[event.step] = value.simple_value
    return scalars


def _tfrecords(content: bytes) -> Iterator[bytes]:
    """Each record is a length of 8 bytes, a checksum of 4, the data and a checksum of 4."""
    start = 0
    while start < len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        yield content[start + 12 : start + 12 + length]
        start += 12 + length + 4


def read_wandb_run(folder: Path) -> Tuple[Any, Scalars]:
    """The record of the only run of W&B below a folder, and the numbers that were logged."""
    # Its annotations are incomplete.
    messages: Any = importlib.import_module("wandb.proto.wandb_internal_pb2")
    (path,) = folder.glob("offline-run-*/run-*.wandb")
    run: Any = None
    scalars: Scalars = {}
    for data in _leveldb_records(path.read_bytes()):
        record = messages.Record.FromString(data)
        if record.HasField("run"):
            run = record.run
        items = [(item.key or item.nested_key[0], item.value_json) for item in record.history.item]
        values = {name: json.loads(value) for name, value in items}
        for name, value in values.items():
            scalars.setdefault(name, {})[values["_step"]] = value
    return run, scalars


def _leveldb_records(content: bytes) -> Iterator[bytes]:
    """
    The format of LevelDB's log. Each part of a record is a checksum of 4 bytes, a length of 2, a
    type of 1 and the data. The type is 1 for a complete record and 4 for the last part of one. W&B
    puts 7 bytes before the first part.
    """
    data, start = b"", 7
    while start < len(content):
        length, kind = struct.unpack_from("<HB", content, start + 4)
        data += content[start + 7 : start + 7 + length]
        start += 7 + length
        if kind in (1, 4):
            yield data
            data = b""
        if BLOCK - start % BLOCK < 7:
            start += BLOCK - start % BLOCK
