"""The `hf_dataset` reader: data in the formats that the `datasets` library reads."""

from typing import Dict, Iterator, List, Optional

from allennlp.data import DatasetReader, Instance, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from overrides import overrides

from multitask_model.data.dataset_readers.field_names import TEXT
from multitask_model.data.dataset_readers.hf_records import Source, read_records
from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
from multitask_model.data.dataset_readers.text_reader import warn_about_missing_fields


@DatasetReader.register("hf_dataset")
class HfDatasetReader(LabeledTextReader):
    """
    Reads data with the Hugging Face library `datasets`, which is an optional requirement:
    `pip install "multitask-model[datasets]"`. Each row has a text, or a pair of texts, and any
    number of labels, as in the reader `labeled_jsonl`. The path of the data is one of:

    - a file that ends in `.arrow`, `.parquet`, `.csv`, `.tsv`, `.json` or `.jsonl`. The last four
      may be compressed (`.gz`, `.bz2`, `.xz`).
    - a folder that `save_to_disk` wrote. If it has several splits, `FOLDER:SPLIT`.
    - a dataset on the hub with a split, `NAME:SPLIT`, such as `"stanfordnlp/imdb:train"`. It is
      downloaded if the library does not have it yet.

    Labels of the feature type `ClassLabel` are converted to their names; -1, which marks a missing
    label, is not a label.

    The first line of a file of CSV or TSV has the names of the columns. An empty cell is a missing
    value, and `NA` or `null` are not. In CSV, a cell in quotation marks may have commas and line
    breaks. In TSV, as in the files of GLUE, quotation marks are characters like any other, so a
    cell cannot have a tab or a line break: a row with more cells than the header is an error.

    Registered as a `DatasetReader` with name "hf_dataset".

    # Parameters

    labels : `Dict[str, str]`
        The type of each label by its column: `"class"`, `"number"`, `"classes"` or `"tags"`, as in
        `LabeledJsonlReader`.
    config_name : `str`, optional (default = `None`)
        The configuration of a dataset on the hub, such as `"mrpc"` of `nyu-mll/glue`.
    tokenizer : `Tokenizer`, optional (default = `PunctuationTokenizer()`)
        As in `LabeledJsonlReader`.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`)
    text_key : `str`, optional (default = `"text"`)
        The column of the text.
    text_pair_key : `str`, optional (default = `None`)
        The column of the second text of a pair.
    max_tokens : `int`, optional (default = `None`)
        As in `LabeledJsonlReader`.
    max_instances : `int`, optional (default = `None`)
        As in `DatasetReader`.
    serialization_dir : `str`, optional (default = `None`)
        As in `DatasetReader`.
    label_namespaces : `Dict[str, str]`, optional (default = `None`)
        As in `LabeledJsonlReader`.

    # Raises

    `ConfigurationError`
        If `labels` or `label_namespaces` has an invalid key, or `labels` an invalid type, or
        `max_tokens` is less than 1; while reading, if `datasets` is not installed, or the path
        has no split where it needs one.
    `ValueError`
        While reading, with the path and the number of the row, from 1: if the library cannot read
        it, or it has no text with at least one token or a label that is not of its type.

    # Examples

    >>> reader = HfDatasetReader({"label": "class"}, text_key="sentence")
    >>> instance = reader.text_to_instance("A good day", label="positive")
    >>> instance["text"].tokens, instance["label"].label
    ([A, good, day], 'positive')
    """

    def __init__(
        self,
        labels: Dict[str, str],
        config_name: Optional[str] = None,
        tokenizer: Optional[Tokenizer] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        text_key: str = TEXT,
        text_pair_key: Optional[str] = None,
        max_tokens: Optional[int] = None,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
        label_namespaces: Optional[Dict[str, str]] = None,
    ) -> None:
        super().__init__(
            labels,
            tokenizer=tokenizer,
            token_indexers=token_indexers,
            text_key=text_key,
            max_tokens=max_tokens,
            max_instances=max_instances,
            serialization_dir=serialization_dir,
            text_pair_key=text_pair_key,
            label_namespaces=label_namespaces,
        )
        keys: List[Optional[str]] = [text_key, text_pair_key]
        self._text_columns = [key for key in keys if key is not None]
        self._label_types = dict(labels)
        self._config_name = config_name

    @overrides
    def _read(self, file_path: PathOrStr) -> Iterator[Instance]:
        advice = "compare the columns of the data with the reader's labels"
        return warn_about_missing_fields(
            self._read_rows(file_path), self._label_types, file_path, advice
        )

    def _read_rows(self, file_path: PathOrStr) -> Iterator[Instance]:
        source = Source(str(file_path), self._config_name, self._text_columns, self._label_types)
        rows = enumerate(read_records(source), start=1)
        for number, record in self.shard_iterable(rows):
            try:
                instance = self.record_to_instance(record)
            except ValueError as error:
                raise ValueError(f"{file_path}, row {number}: {error}") from error
            yield instance
