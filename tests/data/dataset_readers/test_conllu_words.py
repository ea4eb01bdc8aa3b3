"""The rows of CoNLL-U files: their columns, ids and annotations."""

import re
from pathlib import Path
from typing import List

import pytest

from multitask_model.data import ConlluReader
from tests.helpers.sentences import BLANK, A, B, labels_of, to_conllu


def test_a_word_may_contain_spaces(tmp_path: Path) -> None:
    path = tmp_path / "sentences.conllu"
    path.write_text("1\t10 000\t10 000\tNUM\tCD\t_\t0\troot\t_\tNote=a b\n")
    (instance,) = ConlluReader().read(path)
    assert [str(token) for token in instance["text"]] == ["10 000"]  # type: ignore[attr-defined]
    assert labels_of(instance, "lemmas") == ["lower"]


CELLS = (
    "A row must have 10 non-empty columns with a single tab between them and no leading, trailing "
    "or repeated spaces, but got ROW ({} columns). Correct it, and write '_' for a missing value."
)
IDS = (
    "Words must have the ids 1, 2 and so on. A multiword token such as 1-2 must precede word 1 and "
    "must not overlap another one; an empty node such as 1.1 must follow word 1. Expected word {}, "
    "but got ROW. Correct its id. A blank line ends a sentence."
)
PARSE = (
    "The conllu library must be able to parse a row, but got ROW. Failed parsing field {}. Correct "
    "the row."
)
RANGE = (
    "A multiword token must end at one of the 2 words of its sentence, but got ROW. Correct its "
    "id, or add the missing words."
)
NO_WORDS = (
    "A sentence must have at least one word, but got none in the sentence that starts with ROW. "
    "Add its words, or remove it. Comments need no blank line after them."
)
BLANKS = (
    "The column {} must be annotated for all words of a sentence or for none, but got '_' for the "
    "word 'b'. Complete the column, or remove '{}' from the reader's fields."
)
FEATS = (
    "The column FEATS must be '_' or features such as 'Case=Nom|Number=Sing', but got "
    "'Case=Nom|Sing' for the word 'b'. Correct it, or remove 'feats' from the reader's fields."
)


@pytest.mark.parametrize(
    ("lines", "malformed", "message"),
    [
        # Columns; ~ is a space within one.
        (["1 a a DET"], 0, CELLS.format(4)),
        ([A, B + " _"], 1, CELLS.format(11)),
        (["1  a DET DT _ 0 root _ _"], 0, CELLS.format(10)),
        (["1 a~~b a X X _ 0 root _ _"], 0, CELLS.format(10)),
        (["1 a~ a X X _ 0 root _ _"], 0, CELLS.format(10)),
        (["no~row"], 0, CELLS.format(1)),
        # Ids.
        (["x" + A], 0, PARSE.format("'id': 'x1' is not a valid ID")),
        (["_" + A[1:]], 0, IDS.format(1)),
        (["0" + A[1:]], 0, IDS.format(1)),
        ([B], 0, IDS.format(1)),
        ([A, A], 1, IDS.format(2)),
        ([A, B, A], 2, IDS.format(3)),
        ([A, "1-2 ab" + BLANK, B], 1, IDS.format(2)),
        ([A, "2.1 ab" + BLANK, B], 1, IDS.format(2)),
        ([A, "2-3 ab" + BLANK, B], 1, RANGE),
        (["1-3 ab" + BLANK, A, "2-2 b" + BLANK, B], 2, IDS.format(2)),
        # Sentences without words.
        (["# a comment", "# another"], 0, NO_WORDS),
        (["0.1 a" + BLANK], 0, NO_WORDS),
        # Columns that are annotated for some words only.
        (["# x", A, "2 b b _ NN _ 0 root _ _"], 2, BLANKS.format("UPOS", "upos_tags")),
        ([A, "2 b b NOUN _ _ 0 root _ _"], 1, BLANKS.format("XPOS", "xpos_tags")),
        ([A, "2 b b NOUN NN _ _ root _ _"], 1, BLANKS.format("HEAD", "head_indices")),
        ([A, "2 b b NOUN NN _ 0 _ _ _"], 1, BLANKS.format("DEPREL", "head_tags")),
        ([A, "2 b _ NOUN NN _ 0 root _ _"], 1, BLANKS.format("LEMMA", "lemmas")),
        # Values.
        ([A, "2 b b NOUN NN Case=Nom|Sing 0 root _ _"], 1, FEATS),
        (
            [A, "2 b b NOUN NN _ up root _ _"],
            1,
            PARSE.format("'head': 'up' is not a valid value for parse_int_value"),
        ),
    ],
)
def test_a_malformed_sentence_is_an_error(
    tmp_path: Path, lines: List[str], malformed: int, message: str
) -> None:
    text = to_conllu(f"{A}\n{B}", "\n".join(lines), f"{A}\n{B}").replace("~", " ")
    path = tmp_path / "sentences.conllu"
    path.write_text(text)
    row = text.splitlines()[3 + malformed]
    message = f"{path}, line {4 + malformed}: {message.replace('ROW', repr(row))}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(ConlluReader(sentence_labels={"mood": "mood =(.*)"}).read(path))
