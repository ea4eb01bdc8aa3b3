"""Records that the `datasets` library reads from files, folders and the hub."""

import csv
import importlib
import os
import re
from functools import partial
from typing import (
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Union,
    cast,
)

from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path

from multitask_model.data.dataset_readers.file_lines import read_lines
from multitask_model.errors import format_names

Record = Dict[str, object]
Converter = Callable[[object], object]


class _Rows(Protocol):
    """A `Dataset` or an `IterableDataset`."""

    features: Optional[Mapping[str, object]]

    def __iter__(self) -> Iterator[Record]: ...


class _Library(Protocol):
    """What is used of the module `datasets`, which has no annotations of its results."""

    ClassLabel: type

    def load_dataset(self, path: str, name: Optional[str] = None, **options: object) -> _Rows: ...

    def load_from_disk(self, dataset_path: str) -> Union[_Rows, Dict[str, _Rows]]: ...


_BUILDERS = {
    "arrow": "arrow",
    "parquet": "parquet",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
}
_FILE = re.compile(rf".*\.({'|'.join(_BUILDERS)})(\.(gz|bz2|xz))?", re.IGNORECASE | re.DOTALL)

_EXTRA_CELL = "__index_level_0__"
"""The name of the first cell of all rows, if the first row has more cells than the header."""


class Source(NamedTuple):
    """
    What to read.

    # Parameters

    path : `str`
        As `HfDatasetReader` describes it.
    config_name : `str`, optional
    text_columns : `List[str]`
    label_types : `Dict[str, str]`
        The type of each label by its column.
    """

    path: str
    config_name: Optional[str]
    text_columns: List[str]
    label_types: Dict[str, str]


def read_records(source: Source) -> Iterator[Record]:
    """
    Yields a dictionary for each row.

    # Raises

    `ConfigurationError`
        If `datasets` is not installed, or the path lacks a split.
    `ValueError`
        If the library cannot read the data.
    """
    library = _import_library()
    number = 0
    try:
        rows = _load(library, source)
        convert = _converters(library, rows, source)
        for row in rows:
            if number == 0 and _has_extra_cell(row, source.path):
                raise ValueError("The first row has more cells than the header.")
            number += 1
            yield {key: convert[key](row[key]) if key in convert else row[key] for key in row}
    except (ConfigurationError, FileNotFoundError):
        raise
    # The library raises errors of many classes, such as those of pyarrow and pandas.
    except Exception as error:
        raise ValueError(
            f"{source.path}, row {number + 1}: The datasets library must be able to read the data, "
            f"but got {type(error).__name__}: {error} Correct the data or the path."
        ) from error


def _has_extra_cell(row: Record, path: str) -> bool:
    is_extra = _EXTRA_CELL in row and _is_csv(path)
    # A file that was written from a table may have a column of this name.
    return is_extra and _EXTRA_CELL.encode() not in next(read_lines(path))


def _import_library() -> _Library:
    try:
        return cast(_Library, importlib.import_module("datasets"))
    except ImportError as error:
        raise ConfigurationError(
            "The reader hf_dataset requires the library datasets, but got an error while importing "
            f'it: {error}. Install it: pip install "multitask-model[datasets]"'
        ) from error


def _load(library: _Library, source: Source) -> _Rows:
    match = _FILE.fullmatch(source.path)
    if match and not os.path.isdir(source.path):
        return _load_file(library, source, match.group(1).lower())
    if os.path.isdir(source.path):
        return _select(library.load_from_disk(source.path), None, source.path)
    name, _, split = source.path.rpartition(":")
    if name and os.path.isdir(name):
        return _select(library.load_from_disk(name), split, name)
    name, _, split = source.path.partition(":")  # a split may have a colon: train[:10%]
    if not name or not split:
        raise ConfigurationError(
            "The path of data for the reader hf_dataset must be a file that ends in one of "
            f"{format_names(_BUILDERS)}, a folder written by save_to_disk, or the name of a "
            f"dataset on the hub with a split, such as 'NAME:train', but got {source.path!r}. "
            "Correct it."
        )
    return library.load_dataset(name, source.config_name, split=split)


def _load_file(library: _Library, source: Source, suffix: str) -> _Rows:
    options: Dict[str, object] = {}
    if _BUILDERS[suffix] == "csv":
        # Otherwise pandas guesses the types, and reads "NA" as a missing value.
        columns = [*source.text_columns, *source.label_types]
        options["converters"] = dict.fromkeys(columns, str)
        options["keep_default_na"], options["na_values"] = False, [""]
        options["sep"] = "\t" if suffix == "tsv" else ","
    if suffix == "tsv":
        options["quoting"] = csv.QUOTE_NONE
    # Streamed, so that no copy of the file is written to the library's cache.
    return library.load_dataset(
        _BUILDERS[suffix],
        None,
        data_files=str(cached_path(source.path)),
        split="train",
        streaming=True,
        **options,
    )


def _select(loaded: Union[_Rows, Dict[str, _Rows]], split: Optional[str], folder: str) -> _Rows:
    """Returns the split of a folder that may have several."""
    if not isinstance(loaded, dict) and split is None:
        return loaded
    splits: Dict[str, _Rows] = loaded if isinstance(loaded, dict) else {}
    if split is None or split not in splits:
        raise ConfigurationError(
            f"The path of a folder with the splits {format_names(splits)} must end with one of "
            f"them, such as 'FOLDER:SPLIT', but got {split!r} for {folder!r}. Correct it."
        )
    return splits[split]


def _converters(library: _Library, rows: _Rows, source: Source) -> Dict[str, Converter]:
    """Returns what converts the values of columns to labels, where it is necessary."""
    features = rows.features or {}
    converters: Dict[str, Converter] = {}
    for column, label_type in source.label_types.items():
        names = _class_names(library, features.get(column))
        if names is not None:
            converters[column] = partial(_to_names, names)
        elif label_type == "number" and _is_csv(source.path):
            converters[column] = _to_number
    return converters


def _is_csv(path: str) -> bool:
    match = _FILE.fullmatch(path)
    return match is not None and _BUILDERS[match.group(1).lower()] == "csv"


def _class_names(library: _Library, feature: object) -> Optional[List[str]]:
    """Returns the names of a `ClassLabel`, or of a list of them."""
    if isinstance(feature, list) and len(feature) == 1:
        (feature,) = feature
    feature = getattr(feature, "feature", feature)
    names: List[str] = getattr(feature, "names", [])
    return list(names) if isinstance(feature, library.ClassLabel) else None


def _to_names(names: List[str], value: object) -> object:
    if isinstance(value, list):
        return [_to_names(names, item) for item in value]
    if value is None or value == -1:
        return None
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def _to_number(cell: object) -> object:
    try:
        return float(cell) if isinstance(cell, str) else cell
    except ValueError:
        return cell
