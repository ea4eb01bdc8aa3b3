"""The lines of CoNLL-U files: encodings, line breaks, blank lines and compression."""

import gzip
import re
from pathlib import Path

import pytest

from multitask_model.data import ConlluReader
from tests.helpers.sentences import (
    FIRST,
    GENRE,
    SECOND,
    A,
    B,
    labels_of,
    sentences_of,
    to_conllu,
)


def test_blank_lines_carriage_returns_and_a_byte_order_mark_are_ignored(tmp_path: Path) -> None:
    text = f"\ufeff{to_conllu(FIRST)}\n \n\n\n{to_conllu(SECOND).rstrip()}"
    path = tmp_path / "sentences.conllu"
    path.write_bytes(text.replace("\n", "\r\n").replace("Any", "Any\u2028").encode())
    instances = list(ConlluReader(sentence_labels=GENRE).read(path))
    assert sentences_of(instances) == ["He 's bought cars", "Any\u2028 _ with out"]
    assert labels_of(instances[0], "genre") == "letter"


def test_a_compressed_file_is_read_and_its_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "sentences.conllu.gz"
    path.write_bytes(gzip.compress(to_conllu(FIRST, SECOND).encode()))
    assert sentences_of(list(ConlluReader(max_instances=1).read(path))) == ["He 's bought cars"]
    path.write_bytes(gzip.compress(to_conllu(FIRST, "1 a a DET").encode()))
    with pytest.raises(ValueError, match="^" + re.escape(f"{path}, line 9: A row must have 10")):
        list(ConlluReader().read(path))


def test_a_line_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "sentences.conllu"
    path.write_bytes(to_conllu(f"{A}\n{B}").encode() + b"# text = \xff\n")
    message = (
        f"{path}, line 4: A line must be encoded in UTF-8, but got '# text = \ufffd' ('utf-8' "
        "codec can't decode byte 0xff in position 9: invalid start byte). Convert the file to "
        "UTF-8."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(ConlluReader().read(path))
