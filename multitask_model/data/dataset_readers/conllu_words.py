"""The words of a sentence in a CoNLL-U file and their annotations."""

import re
from typing import List, NamedTuple, Optional, Tuple

import conllu
from conllu.exceptions import ParseException

from multitask_model.data.dataset_readers.conllu_lines import COLUMNS, Line, LineError
from multitask_model.data.dataset_readers.field_names import HEAD_INDICES
from multitask_model.errors import format_value

LEMMAS, FEATS = "lemmas", "feats"
COLUMN_OF_FIELD = {
    "upos_tags": "upos",
    "xpos_tags": "xpos",
    FEATS: "feats",
    HEAD_INDICES: "head",
    "head_tags": "deprel",
    LEMMAS: "lemma",
}
"""The column of each field, by the name that the conllu library gives it."""

_FEATS = re.compile(r"_|[^=|\s]+=[^=|\s]+(\|[^=|\s]+=[^=|\s]+)*")
# Keeps the column as a string. By default the library makes a dictionary of it.
_FIELD_PARSERS = {"feats": lambda cells, i: cells[i]}


class Word(NamedTuple):
    """
    A row with an integer id.

        >>> row = "1 day day NOUN NN Number=Sing 0 root _ _".replace(" ", "\\t")
        >>> (word,) = parse_words([Line(4, row)])
        >>> word.line, word.token["form"], word.token["upos"]
        (4, 'day', 'NOUN')
    """

    line: int
    token: conllu.Token


def parse_words(lines: List[Line]) -> List[Word]:
    """
    Parses the words of a sentence. Multiword token ranges and empty nodes are validated and
    skipped.
    """
    words: List[Word] = []
    range_end, range_row = 0, lines[0]
    for row in lines:
        if row.is_comment:
            continue
        token, expected = _parse_row(row), len(words) + 1
        number, kind, end = _split_id(token)
        is_in_order = number == (expected - 1 if kind == "." else expected)
        if not is_in_order or (kind == "-" and number <= range_end):
            raise _id_error(row, expected)
        if kind == "-":
            range_end, range_row = end, row
        elif not kind:
            words.append(Word(row.number, token))
    _check_complete(words, lines[0], range_end, range_row)
    return words


def _split_id(token: conllu.Token) -> Tuple[int, str, int]:
    """Returns `(1, "-", 2)` for the id `1-2`, `(1, ".", 2)` for `1.2` and `(1, "", 0)` for `1`."""
    return token["id"] if isinstance(token["id"], tuple) else (token["id"], "", 0)


def _parse_row(row: Line) -> conllu.Token:
    _check_cells(row)
    try:
        (token,) = conllu.parse_token_and_metadata(row.text, field_parsers=_FIELD_PARSERS)
    except ParseException as error:
        raise LineError(
            row.number,
            f"The conllu library must be able to parse a row, but got {format_value(row.text)}. "
            f"{error} Correct the row.",
        ) from error
    return token


def _check_cells(row: Line) -> None:
    cells = row.text.split("\t")
    # The library also splits at two spaces, and accepts rows with missing columns.
    if len(cells) != len(COLUMNS) or not all(map(_is_cell, cells)):
        raise LineError(
            row.number,
            f"A row must have {len(COLUMNS)} non-empty columns with a single tab between them and "
            f"no leading, trailing or repeated spaces, but got {format_value(row.text)} "
            f"({len(cells)} columns). Correct it, and write '_' for a missing value.",
        )


def _is_cell(text: str) -> bool:
    return bool(text) and text == text.strip(" ") and "  " not in text


def _id_error(row: Line, expected: int) -> LineError:
    return LineError(
        row.number,
        "Words must have the ids 1, 2 and so on. A multiword token such as 1-2 must precede word 1 "
        "and must not overlap another one; an empty node such as 1.1 must follow word 1. Expected "
        f"word {expected}, but got {format_value(row.text)}. Correct its id. A blank line ends a "
        "sentence.",
    )


def _check_complete(words: List[Word], first: Line, range_end: int, range_row: Line) -> None:
    if not words:
        raise LineError(
            first.number,
            "A sentence must have at least one word, but got none in the sentence that starts with "
            f"{format_value(first.text)}. Add its words, or remove it. Comments need no blank line "
            "after them.",
        )
    if range_end > len(words):
        raise LineError(
            range_row.number,
            f"A multiword token must end at one of the {len(words)} words of its sentence, but got "
            f"{format_value(range_row.text)}. Correct its id, or add the missing words.",
        )


def column_values(field: str, words: List[Word]) -> Optional[List[object]]:
    """
    Returns the values of a field's column, one for each word, or `None` if the column is not
    annotated.
    """
    column = COLUMN_OF_FIELD[field]
    values: List[object] = [word.token[column] for word in words]
    if field == FEATS:
        _check_feats(words)
        return values
    is_blank = [value in (None, "_") for value in values]
    if all(is_blank):
        return None
    _check_blanks(field, words, is_blank)
    return values


def _check_blanks(field: str, words: List[Word], is_blank: List[bool]) -> None:
    for word, blank in zip(words, is_blank):
        if blank and not (field == LEMMAS and _may_lack_lemma(word.token)):
            raise LineError(
                word.line,
                f"The column {COLUMN_OF_FIELD[field].upper()} must be annotated for all words of a "
                f"sentence or for none, but got '_' for the word {word.token['form']!r}. Complete "
                f"the column, or remove {field!r} from the reader's fields.",
            )


def _may_lack_lemma(token: conllu.Token) -> bool:
    # By the guidelines of Universal Dependencies, `goeswith` marks the later parts of a word that
    # was split by mistake. The first part has the lemma.
    form: str = token["form"]
    relation: str = token["deprel"]
    return form == "_" or relation.split(":")[0] == "goeswith"


def _check_feats(words: List[Word]) -> None:
    for word in words:
        if not _FEATS.fullmatch(word.token["feats"]):
            raise LineError(
                word.line,
                "The column FEATS must be '_' or features such as 'Case=Nom|Number=Sing', but got "
                f"{format_value(word.token['feats'])} for the word {word.token['form']!r}. Correct "
                f"it, or remove {FEATS!r} from the reader's fields.",
            )
