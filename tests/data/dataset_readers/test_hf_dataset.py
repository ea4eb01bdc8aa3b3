"""The `hf_dataset` reader: files of each format, folders, types of labels and errors."""

import gzip
import re
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo

from multitask_model import HfDatasetReader
from multitask_model.compat.allennlp_internals import set_worker_info
from tests.helpers.sentences import labels_of, sentences_of

TYPES = {"polarity": "class", "stars": "number", "topics": "classes", "pos": "tags"}
ROWS: List[Dict[str, Any]] = [
    {"text": "so bad", "polarity": "0", "stars": 1.0, "topics": [], "pos": ["ADV", "ADJ"]},
    {"text": "NA", "polarity": None, "stars": None, "topics": ["a", "b"], "pos": None},
]
EXPECTED = [
    ("so bad", {"polarity": "0", "stars": 1.0, "topics": [], "pos": ["ADV", "ADJ"]}),
    ("NA", {"topics": ["a", "b"]}),
]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return pytest.importorskip("datasets")


def make_reader(**options: Any) -> HfDatasetReader:
    reader = DatasetReader.from_params(Params({"type": "hf_dataset", "labels": TYPES, **options}))
    assert isinstance(reader, HfDatasetReader)
    return reader


def values(instance: Instance) -> Dict[str, Any]:
    numbers: Dict[str, Any] = {
        name: float(getattr(field, "tensor", "nan")) for name, field in instance.fields.items()
    }
    return {
        name: numbers[name] if name == "stars" else labels_of(instance, name)
        for name in instance.fields
        if name != "text"
    }


def contents(instances: List[Instance]) -> List[Any]:
    return list(zip(sentences_of(instances), map(values, instances)))


def write_arrow(dataset: Any, folder: Path) -> Path:
    dataset.save_to_disk(str(folder / "saved"))
    (path,) = (folder / "saved").glob("*.arrow")
    return path


def write_parquet(dataset: Any, folder: Path) -> Path:
    dataset.to_parquet(str(folder / "rows.parquet"))
    return folder / "rows.parquet"


def write_json(dataset: Any, folder: Path) -> Path:
    dataset.to_json(str(folder / "rows.jsonl"))
    return folder / "rows.jsonl"


def write_json_gz(dataset: Any, folder: Path) -> Path:
    path = folder / "rows.json.gz"
    path.write_bytes(gzip.compress(write_json(dataset, folder).read_bytes()))
    return path


def write_folder(dataset: Any, folder: Path) -> Path:
    return write_arrow(dataset, folder).parent


@pytest.mark.parametrize(
    "write", [write_arrow, write_parquet, write_json, write_json_gz, write_folder]
)
def test_files_and_folders_are_read(library: Any, tmp_path: Path, write: Any) -> None:
    path = write(library.Dataset.from_list(ROWS), tmp_path)
    assert contents(list(make_reader().read(path))) == EXPECTED


@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("tsv", "\t"), ("csv.gz", ",")])
def test_cells_of_csv_are_strings_or_missing(
    library: Any, tmp_path: Path, suffix: str, separator: str
) -> None:
    path = tmp_path / f"rows.{suffix}"
    rows = [["id", "text", "polarity", "stars"], ["1", "2020", "1", "4.5"], ["2", "NA", "", ""]]
    content = "\n".join(separator.join(row) for row in rows).encode()
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    reader = make_reader(labels={"polarity": "class", "stars": "number"})
    assert contents(list(reader.read(path))) == [
        ("2020", {"polarity": "1", "stars": 4.5}),
        ("NA", {}),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_quotation_marks_in_tsv_are_characters(library: Any, tmp_path: Path, newline: str) -> None:
    rows = ["text\tpolarity", '"Great film\tpos', 'the "end"\tneg', '""\tpos', 'end"\t"neg"']
    (tmp_path / "rows.tsv").write_bytes(newline.join(rows).encode())
    reader = make_reader(labels={"polarity": "class"}, tokenizer="whitespace")
    assert contents(list(reader.read(tmp_path / "rows.tsv"))) == [
        ('"Great film', {"polarity": "pos"}),
        ('the "end"', {"polarity": "neg"}),
        ('""', {"polarity": "pos"}),
        ('end"', {"polarity": '"neg"'}),
    ]


def test_quotation_marks_in_csv_enclose_a_cell(library: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('text,polarity\n"so ""bad"",\nor not","neg"\n')
    reader = make_reader(labels={"polarity": "class"}, tokenizer="whitespace")
    expected = [('so "bad", or not', {"polarity": "neg"})]
    assert contents(list(reader.read(tmp_path / "rows.csv"))) == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('"a\tb"\tneg\na\tpos\n', "ValueError: The first row has more cells than the header."),
        ('a\tpos\n"a\tb"\tneg\n', "ParserError: .* Expected 2 fields in line 3, saw 3\n"),
    ],
)
def test_a_row_of_tsv_with_more_cells_than_the_header_is_an_error(
    library: Any, tmp_path: Path, content: str, problem: str
) -> None:
    path = tmp_path / "rows.tsv"
    path.write_text(f"text\tpolarity\n{content}")
    pattern = (
        f"^{re.escape(str(path))}, row 1: The datasets library must be able to read the data, but "
        f"got {problem} Correct the data or the path.$"
    )
    with pytest.raises(ValueError, match=pattern):
        list(make_reader(labels={"polarity": "class"}).read(path))


def test_a_column_may_have_the_name_that_the_library_gives_to_extra_cells(
    library: Any, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("__index_level_0__,text,polarity\n7,a b,neg\n8,c,pos\n")
    instances = list(make_reader(labels={"polarity": "class"}).read(path))
    assert [instance["polarity"].label for instance in instances] == ["neg", "pos"]  # type: ignore


@pytest.mark.parametrize("write", [write_arrow, write_parquet])
def test_class_labels_are_converted_to_names(library: Any, tmp_path: Path, write: Any) -> None:
    label = library.ClassLabel(names=["bad", "good"])
    tags = library.Sequence(library.ClassLabel(names=["X", "Y"]))
    features = library.Features({"text": library.Value("string"), "polarity": label, "pos": tags})
    rows = {"text": ["a b", "c"], "polarity": [1, -1], "pos": [[0, 1], [1]]}
    path = write(library.Dataset.from_dict(rows, features=features), tmp_path)
    reader = make_reader(labels={"polarity": "class", "pos": "tags"})
    assert contents(list(reader.read(path))) == [
        ("a b", {"polarity": "good", "pos": ["X", "Y"]}),
        ("c", {"pos": ["Y"]}),
    ]


def test_a_folder_may_have_splits(library: Any, tmp_path: Path) -> None:
    splits = {"train": [{"text": "a"}], "test": [{"text": "b"}]}
    datasets = {name: library.Dataset.from_list(rows) for name, rows in splits.items()}
    library.DatasetDict(datasets).save_to_disk(str(tmp_path / "saved"))
    reader = make_reader(labels={})
    assert sentences_of(list(reader.read(f"{tmp_path / 'saved'}:test"))) == ["b"]
    for path, got in ((f"{tmp_path / 'saved'}:dev", "'dev'"), (tmp_path / "saved", "None")):
        with pytest.raises(ConfigurationError) as error:
            list(reader.read(path))
        assert str(error.value) == (
            "The path of a folder with the splits ['train', 'test'] must end with one of them, "
            f"such as 'FOLDER:SPLIT', but got {got} for {str(tmp_path / 'saved')!r}. Correct it."
        )


def test_a_name_on_the_hub_is_loaded_with_its_split(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: List[Any] = []

    def load_dataset(*args: Any, **options: Any) -> Any:  # instead of a download
        calls.append((args, options))
        return library.Dataset.from_list(ROWS)

    monkeypatch.setattr(library, "load_dataset", load_dataset)
    instances = list(make_reader(config_name="mrpc").read("nyu-mll/glue:train[:10%]"))
    assert contents(instances) == EXPECTED
    assert calls == [(("nyu-mll/glue", "mrpc"), {"split": "train[:10%]"})]


def test_texts_and_pairs_have_columns(library: Any, tmp_path: Path) -> None:
    path = write_parquet(library.Dataset.from_list([{"a": "x y", "b": ["z"], "c": 1}]), tmp_path)
    reader = make_reader(
        labels={"c": "class"}, text_key="a", text_pair_key="b", max_tokens=1, tokenizer="whitespace"
    )
    (instance,) = reader.read(path)
    assert list(instance.fields) == ["text", "text_pair", "c"]
    assert sentences_of([instance]) == ["x"]


@pytest.mark.parametrize(("worker", "expected"), [(0, ["0", "2", "4"]), (1, ["1", "3"])])
def test_workers_shard_the_rows(
    library: Any, tmp_path: Path, worker: int, expected: List[str]
) -> None:
    rows = [{"text": str(i)} for i in range(5)]
    path = write_parquet(library.Dataset.from_list(rows), tmp_path)
    reader = make_reader(labels={})
    set_worker_info(reader, WorkerInfo(num_workers=2, id=worker))
    assert sentences_of(list(reader.read(path))) == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "x,abc",
            "The label 'stars' must be a finite number, but got 'abc'. Correct it, leave it out, "
            "or change its type in the reader's labels.",
        ),
        (
            ",1",
            "The text must be a string or a list of non-empty strings, with at least one token, "
            "but got None. Correct it, or remove it from the data.",
        ),
    ],
)
def test_an_invalid_row_is_an_error(library: Any, tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"text,stars\na,1\n{row}\n")
    with pytest.raises(ValueError, match="row") as error:
        list(make_reader(labels={"stars": "number"}).read(path))
    assert str(error.value) == f"{path}, row 2: {message}"


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.json", "rows.csv.gz"])
def test_a_file_that_the_library_cannot_read_is_an_error(
    library: Any, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"{'no")
    pattern = rf"^{re.escape(str(path))}, row 1: The datasets library must be able to read the "
    with pytest.raises(ValueError, match=pattern):
        list(make_reader(labels={}).read(path))


def test_a_missing_file_is_an_error(library: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path))):
        list(make_reader().read(tmp_path / "rows.parquet"))


def test_a_path_without_a_split_is_an_error(library: Any) -> None:
    with pytest.raises(ConfigurationError) as error:
        list(make_reader().read("stanfordnlp/imdb"))
    assert str(error.value) == (
        "The path of data for the reader hf_dataset must be a file that ends in one of ['arrow', "
        "'parquet', 'csv', 'tsv', 'json', 'jsonl'], a folder written by save_to_disk, or the name "
        "of a dataset on the hub with a split, such as 'NAME:train', but got 'stanfordnlp/imdb'. "
        "Correct it."
    )


def test_the_library_is_needed_for_reading_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)  # as if it were not installed
    reader = make_reader()
    assert sentences_of([reader.text_to_instance("a b")]) == ["a b"]
    with pytest.raises(ConfigurationError) as error:
        list(reader.read("rows.parquet"))
    assert str(error.value) == (
        "The reader hf_dataset requires the library datasets, but got an error while importing it: "
        "import of datasets halted; None in sys.modules. Install it: pip install "
        '"multitask-model[datasets]"'
    )
