"""Records that the `datasets` library reads from files, folders and the hub."""

import importlib
import os
import re
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path

from multitask_model.errors import format_names

Record = Dict[str, Any]

_BUILDERS = {
    "arrow": "arrow",
    "parquet": "parquet",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
}
_FILE = re.compile(rf".*\.({'|'.join(_BUILDERS)})(\.(gz|bz2|xz))?", re.IGNORECASE | re.DOTALL)


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


def _import_library() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise ConfigurationError(
            "The reader hf_dataset requires the library datasets, but got an error while importing "
            f'it: {error}. Install it: pip install "multitask-model[datasets]"'
        ) from error


def _load(library: Any, source: Source) -> Any:
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


def _load_file(library: Any, source: Source, suffix: str) -> Any:
    options: Dict[str, Any] = {}
    if _BUILDERS[suffix] == "csv":
        # Otherwise pandas guesses the types, and reads "NA" as a missing value.
        columns = [*source.text_columns, *source.label_types]
        options["converters"] = dict.fromkeys(columns, str)
        options["keep_default_na"], options["na_values"] = False, [""]
        options["sep"] = "\t" if suffix == "tsv" else ","
    # Streamed, so that no copy of the file is written to the library's cache.
    return library.load_dataset(
        _BUILDERS[suffix],
        data_files=str(cached_path(source.path)),
        split="train",
        streaming=True,
        **options,
    )


def _select(loaded: Any, split: Optional[str], folder: str) -> Any:
    """Returns the split of a folder that may have several."""
    splits = list(loaded) if isinstance(loaded, dict) else None
    if splits is None and split is None:
        return loaded
    if splits is None or split not in splits:
        raise ConfigurationError(
            f"The path of a folder with the splits {format_names(splits or [])} must end with one "
            f"of them, such as 'FOLDER:SPLIT', but got {split!r} for {folder!r}. Correct it."
        )
    return loaded[split]


def _converters(library: Any, rows: Any, source: Source) -> Dict[str, Callable[[Any], Any]]:
    """Returns what converts the values of columns to labels, where it is necessary."""
    features = rows.features or {}
    converters: Dict[str, Callable[[Any], Any]] = {}
    match = _FILE.fullmatch(source.path)
    is_csv = match is not None and _BUILDERS[match.group(1).lower()] == "csv"
    for column, label_type in source.label_types.items():
        names = _class_names(library, features.get(column))
        if names is not None:
            converters[column] = partial(_to_names, names)
        elif is_csv and label_type == "number":
            converters[column] = _to_number
    return converters


def _class_names(library: Any, feature: Any) -> Optional[List[str]]:
    """Returns the names of a `ClassLabel`, or of a list of them."""
    if isinstance(feature, list) and len(feature) == 1:
        (feature,) = feature
    feature = getattr(feature, "feature", feature)
    return list(feature.names) if isinstance(feature, library.ClassLabel) else None


def _to_names(names: List[str], value: Any) -> Any:
    if isinstance(value, list):
        return [_to_names(names, item) for item in value]
    if value is None or value == -1:
        return None
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def _to_number(cell: Optional[str]) -> object:
    try:
        return cell if cell is None else float(cell)
    except ValueError:
        return cell
