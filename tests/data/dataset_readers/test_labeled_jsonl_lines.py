"""The `labeled_jsonl` reader: compressed files, deeply nested JSON and invalid Unicode."""

import gzip
import re
from pathlib import Path

import pytest

from multitask_model import LabeledJsonlReader
from tests.helpers.sentences import sentences_of

SHOWN = re.compile(r"^.*, line 2: A line must be a JSON object, but got .*, which is not JSON ")


def read(folder: Path, line: bytes) -> None:
    path = folder / "lines.jsonl"
    path.write_bytes(b'{"text": "fine"}\n' + line + b"\n")
    list(LabeledJsonlReader({}).read(path))


def test_files_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n\n{"text": "b"}\n{"text": 3}\n'))
    assert sentences_of(list(LabeledJsonlReader({}, max_instances=2).read(path))) == ["a", "b"]
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}, line 4: The text must be a st"):
        list(LabeledJsonlReader({}).read(path))


def test_a_truncated_compressed_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 1000)[:-9])
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}, line \d+: A compressed file"):
        list(LabeledJsonlReader({}).read(path))


def test_deeply_nested_json_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2") as error:
        read(tmp_path, b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    shown = repr('{"text": ' + "[" * 100_000)[:80]
    assert str(error.value) == (
        f"{tmp_path / 'lines.jsonl'}, line 2: A line must be a JSON object, but got {shown}..., "
        "which is not JSON (nested too deeply). Correct it, or remove it."
    )


def test_nested_json_of_any_depth_has_an_error_with_the_line(tmp_path: Path) -> None:
    # One of these is just below the limit of the parser.
    for depth in [10, 300, *range(800, 1000), 2000]:
        line = b'{"text": "a", "heads": %s}' % (b"[" * depth + b"]" * depth)
        with pytest.raises(ValueError, match=r"lines.jsonl, line 2: .* but got "):
            read(tmp_path, line)


@pytest.mark.parametrize(
    "line",
    [
        rb'{"text": "a \ud800"}',
        rb'{"text": "a \uDFFF b"}',
        rb'{"text": ["a", "\ude00\ud83d"]}',
        rb'{"text": "a", "\ud800": 1}',
        b'{"text": "a \xed\xa0\x80"}',
    ],
)
def test_half_of_a_surrogate_pair_is_an_error(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(ValueError, match="line 2") as error:
        read(tmp_path, line)
    assert re.fullmatch(
        rf"{SHOWN.pattern}\(half of a surrogate pair, '\\ud[0-9a-f]+'\)\. Correct it, or "
        r"remove it\.",
        str(error.value),
    )


def test_surrogate_pairs_are_characters(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(rb'{"text": "a \ud83d\ude00"}' + '\n{"text": "\ud7ff 😀"}\n'.encode())
    instances = list(LabeledJsonlReader({}).read(path))
    assert sentences_of(instances) == ["a \U0001f600", "\ud7ff \U0001f600"]
