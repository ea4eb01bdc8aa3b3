"""Files in columns: separators, comments, headers, compression and malformed rows."""

import bz2
import gzip
import logging
import lzma
import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from multitask_model import ColumnsReader
from tests.helpers.loading import messages
from tests.helpers.sentences import labels_of, sentences_of


def read(
    folder: Path, content: str, columns: Any = None, **options: Any
) -> List[Tuple[str, List[str]]]:
    """Reads the tokens and the tags of each sentence."""
    path = folder / "file"
    path.write_bytes(content.encode())
    columns = columns or {"text": 0, "ner": 1}
    instances = list(ColumnsReader(columns, **options).read(path))
    return list(zip(sentences_of(instances), (labels_of(i, "ner") for i in instances)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\tO\nb\tX\n\nc\tO\n", [("a b", ["O", "X"]), ("c", ["O"])]),
        ("a O\nb   X \n\n \t\n\nc\u00a0d O", [("a b", ["O", "X"]), ("c\u00a0d", ["O"])]),
        # The first row has a tab, so spaces are part of cells.
        ("New York\tB LOC\nb\t O \n", [("New York b", ["B LOC", "O"])]),
        # Each sentence has its separator.
        ("a O\n\nb\tX\n", [("a", ["O"]), ("b", ["X"])]),
        ("\ufeffa O\r\nb X\r\n\r\nc O\r\n", [("a b", ["O", "X"]), ("c", ["O"])]),
        ("a \u2028O\n", [("a", ["\u2028O"])]),
        ("", []),
        ("\n\n", []),
    ],
)
def test_columns_are_separated_by_tabs_or_spaces(
    tmp_path: Path, content: str, expected: List[Tuple[str, List[str]]]
) -> None:
    assert read(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("separator", "content"),
    [("\t", "a b\tO\n"), (" ", "a\tO\nb O\n"), ("|", "a |O\nb|O\n"), ("||", "a||O\nb||O\n")],
)
def test_the_separator_can_be_set(tmp_path: Path, separator: str, content: str) -> None:
    ((words, _),) = read(tmp_path, content, separator=separator)
    assert words == "a b"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        # Comments have another number of columns than the rows.
        ("# sent_id = 1\n# text = a\na O\n", ["a"]),
        # With spaces, `#` and a space are enough.
        ("# head\n\n# text\na O\n", ["a"]),
        ("# two words\na\tO\n\n#x\nb\tO\n", ["a", "b"]),
        ("#\thttp\t[date]\nx\ta\tO\ty\n", ["x"]),
        ("# head of the file\n\n# more of it\n\na O\n\n# foot of the file\n", ["a"]),
        # Tokens may start with the same character.
        ("#a O\nb O\n", ["#a b"]),
        ("#\tO\n1\tO\n", ["# 1"]),
        ("a O\n# O\n", ["a #"]),
        ("a O\n\n#b O\n#c O\n", ["a", "#b #c"]),
        ("#a O\n", ["#a"]),
    ],
)
def test_comments_are_told_from_tokens(tmp_path: Path, content: str, words: List[str]) -> None:
    assert [sentence for sentence, _ in read(tmp_path, content)] == words


def test_lines_with_the_comment_prefix_are_comments_anywhere(tmp_path: Path) -> None:
    content = "# a b\na O\n# c\nb O\n#c O\n\n# d e\n"
    assert read(tmp_path, content, comment_prefix="# ") == [("a b #c", ["O", "O", "O"])]


def test_without_a_comment_prefix_no_line_is_a_comment(tmp_path: Path) -> None:
    content = "# NN\na O\n\n#b O\n# O\n"
    expected = [("# a", ["NN", "O"]), ("#b #", ["O", "O"])]
    assert read(tmp_path, content, comment_prefix="") == expected


def test_a_comment_that_may_be_a_token_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = "# two words\na = O x\n\n# id = 1\nb = O x\n\n# id = 1\nc = O x\n"
    with caplog.at_level(logging.WARNING, logger="multitask_model"):
        read(tmp_path, content, {"text": 0, "ner": 2})
        read(tmp_path, content, {"text": 0, "ner": 2}, comment_prefix="# ")
        read(tmp_path, content.replace(" ", "\t"), {"text": 0, "ner": 2}, comment_prefix="#")
    assert messages(caplog) == [
        f"{tmp_path / 'file'}, line 4: '# id = 1' is read as a comment, although it has as many "
        "columns as the rows. Set comment_prefix to '# ' if it is one, and to '' if it is a token."
    ]


@pytest.mark.parametrize(
    "content",
    [
        "FORM\tID\tNER\na\t1\tO\n\nb\t2\tX\n",
        "# a comment\nFORM ID NER\n\na 1 O\n\nb 2 X\n",
        "# global.columns = FORM ID NER\na\t1\tO\n\nb\t2\tX\n",
        "# global.columns = FORM ID NER\n\na\t1\tO\n\nb\t2\tX\n",
        "-DOCSTART- O O\n\nFORM ID NER\na 1 O\n\nb 2 X\n",
    ],
)
def test_columns_are_found_by_name(tmp_path: Path, content: str) -> None:
    expected = [("a", ["O"]), ("b", ["X"])]
    assert read(tmp_path, content, {"ner": "NER", "text": "FORM"}) == expected


def test_a_file_with_only_a_header_has_no_sentences(tmp_path: Path) -> None:
    assert read(tmp_path, "FORM NER\n", {"ner": "NER", "text": "FORM"}) == []


COLUMNS: Dict[str, Any] = {"text": 0, "ner": 1}


@pytest.mark.parametrize(
    ("content", "columns", "line", "message"),
    [
        (
            "a O\n\nb O\nc d O\n",
            COLUMNS,
            4,
            "The rows of a sentence must have the same number of columns, but got 3 in 'c d O' "
            "after 2 in line 3. Correct it, or set the reader's separator or comment_prefix.",
        ),
        (
            "a O\n\nb\n",
            COLUMNS,
            3,
            "A row must have a column at position 1 for 'ner', but got 1 columns in 'b'. Correct "
            "it, or the reader's columns or separator.",
        ),
        (
            "a O\n",
            {"text": 0, "ner": -3},
            1,
            "A row must have a column at position -3 for 'ner', but got 2 columns in 'a O'. "
            "Correct it, or the reader's columns or separator.",
        ),
        (
            "a\tO\nb\t\n",
            COLUMNS,
            2,
            "The column at position 1, 'ner', must not be empty, but got 'b\\t'. Complete it.",
        ),
        (
            "# head\n\nFORM NERR\na O\n",
            {"text": "FORM", "ner": "NER"},
            3,
            "The header must have the column 'NER' once, but got ['FORM', 'NERR']. Did you mean "
            "'NERR'? Correct the reader's columns, or write their positions.",
        ),
        (
            "NER NER\na O\n",
            {"text": 0, "ner": "NER"},
            1,
            "The header must have the column 'NER' once, but got ['NER', 'NER']. Did you mean "
            "'NER'? Correct the reader's columns, or write their positions.",
        ),
    ],
)
def test_a_malformed_file_is_an_error(
    tmp_path: Path, content: str, columns: Dict[str, Any], line: int, message: str
) -> None:
    with pytest.raises(ValueError, match="line") as error:
        read(tmp_path, content, columns)
    assert str(error.value) == f"{tmp_path / 'file'}, line {line}: {message}"


def test_other_encodings_than_utf_8_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a O\n\xe9 O\n")
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}, line 2: A line must be encod"):
        list(ColumnsReader(COLUMNS).read(path))


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_files_may_be_compressed(tmp_path: Path, suffix: str, compress: Any) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(compress(b"a O\n\nb\n"))
    reader = ColumnsReader({"text": 0})
    assert sentences_of(list(reader.read(path))) == ["a", "b"]
    for malformed in (compress(b"a O\n" * 10000)[:-20], b"a O\n"):
        path.write_bytes(malformed)
        pattern = rf"^{re.escape(str(path))}, line \d+: A compressed file must be complete and of "
        with pytest.raises(ValueError, match=pattern):
            list(reader.read(path))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(ColumnsReader(COLUMNS).read(tmp_path / "file.gz"))
