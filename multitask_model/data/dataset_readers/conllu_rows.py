"""The rows of a CoNLL-U file: sentences, their words and columns, and what is wrong with a line."""

import re
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional

import conllu
from conllu.exceptions import ParseException

from multitask_model.data.dataset_readers.dependency_trees import HEAD_INDICES
from multitask_model.errors import format_value

LEMMAS, FEATS = "lemmas", "feats"
COLUMNS = {
    "upos_tags": "upos",
    "xpos_tags": "xpos",
    FEATS: "feats",
    HEAD_INDICES: "head",
    "head_tags": "deprel",
    LEMMAS: "lemma",
}
"""The fields that a sentence can have, and the column of each, by its name in the library."""

_ALL_COLUMNS = [name.upper() for name in conllu.parser.DEFAULT_FIELDS]
_FEATS = re.compile(r"_|[^=|\s]+=[^=|\s]+(\|[^=|\s]+=[^=|\s]+)*")
# The tag is the whole column as it stands, not the dictionary that the library would make of it.
_FIELD_PARSERS = {"feats": lambda cells, i: cells[i]}


class LineError(ValueError):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Line(NamedTuple):
    number: int
    text: str


class Word(NamedTuple):
    line: int
    token: conllu.Token


def blocks(lines: Iterable[bytes]) -> Iterator[List[Line]]:
    """What stands between blank lines."""
    block: List[Line] = []
    for number, line in enumerate(lines, start=1):
        try:
            # The first line may start with a byte order mark.
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            found = format_value(line.rstrip().decode(errors="replace"))
            raise LineError(
                number,
                f"A line must be in UTF-8, but this one is not ({error}): {found}. Convert the "
                "file to UTF-8.",
            ) from error
        if text.strip():
            block.append(Line(number, text))
        elif block:
            yield block
            block = []
    if block:
        yield block


def is_comment(line: str) -> bool:
    return line.strip().startswith("#")


def check_columns_named(comment: Line) -> None:
    name, _, columns = comment.text.partition("=")
    if name.strip() == "global.columns" and columns.upper().split() != _ALL_COLUMNS:
        raise LineError(
            comment.number,
            f"The columns must be {' '.join(_ALL_COLUMNS)}, but this file has others: "
            f"{format_value(comment.text)}. Convert it from CoNLL-U Plus to CoNLL-U.",
        )


def words_of(lines: List[Line]) -> List[Word]:
    """The rows that are words, after a look at where the other ones stand."""
    words: List[Word] = []
    covered, range_row = 0, lines[0]
    for row in lines:
        if is_comment(row.text):
            continue
        token, due = _parse(row), len(words) + 1
        number, kind, end = token["id"] if isinstance(token["id"], tuple) else (token["id"], "", 0)
        if number != (due - 1 if kind == "." else due) or (kind == "-" and number <= covered):
            raise _out_of_order(row, due)
        if kind == "-":
            covered, range_row = end, row
        elif not kind:
            words.append(Word(row.number, token))
    _check_complete(words, lines[0], covered, range_row)
    return words


def _check_complete(words: List[Word], first: Line, covered: int, range_row: Line) -> None:
    if not words:
        raise LineError(
            first.number,
            f"A sentence must have words, but the one that starts with {format_value(first.text)} "
            f"has "
            "none. Add them or remove it; comments need no blank line after them.",
        )
    if covered > len(words):
        raise LineError(
            range_row.number,
            "A multiword token must end at a word of its sentence, of which the last is "
            f"{len(words)}, but this row is {format_value(range_row.text)}. Correct its id, or "
            f"add what "
            "is missing.",
        )


def _parse(row: Line) -> conllu.Token:
    cells = row.text.split("\t")
    # The library would part columns at two spaces too, and leave out those that are missing.
    if len(cells) != len(_ALL_COLUMNS) or not all(_is_cell(cell) for cell in cells):
        raise LineError(
            row.number,
            f"A row must have {len(_ALL_COLUMNS)} columns with one tab between them, none of them "
            "empty or with spaces at its ends or next to each other, but this one has "
            f"{len(cells)}: {format_value(row.text)}. Correct it; '_' stands for what is not "
            f"there.",
        )
    try:
        (token,) = conllu.parse_token_and_metadata(row.text, field_parsers=_FIELD_PARSERS)
    except ParseException as error:
        raise LineError(
            row.number,
            f"A row must be one that the conllu library can parse, but of "
            f"{format_value(row.text)} it "
            f"says: {error} Correct the row.",
        ) from error
    return token


def _is_cell(text: str) -> bool:
    return bool(text) and text == text.strip(" ") and "  " not in text


def _out_of_order(row: Line, due: int) -> LineError:
    return LineError(
        row.number,
        "The ids of words must be 1, 2 and so on, with multiword tokens such as 1-2, which do not "
        f"overlap, before word 1 and empty nodes such as 1.1 after it. Here word {due} is due, but "
        f"the row is {format_value(row.text)}. Correct its id; a blank line ends a sentence.",
    )


def column_of(field: str, words: List[Word]) -> Optional[List[Any]]:
    """What the words have in the column of a field, or `None` if it is not annotated."""
    column = COLUMNS[field]
    values = [word.token[column] for word in words]
    if field == FEATS:
        _check_feats(words)
        return values
    blank = [value in (None, "_") for value in values]
    if all(blank):
        return None
    for word, is_blank in zip(words, blank):
        if is_blank and not (field == LEMMAS and _has_no_lemma(word.token)):
            raise LineError(
                word.line,
                f"The column {column.upper()} must be there for all words of a sentence or for "
                f"none, but {word.token['form']!r} has '_' and others do not. Complete it, or "
                f"leave {field!r} out of the reader's fields.",
            )
    return values


def _has_no_lemma(token: conllu.Token) -> bool:
    # What follows the first part of a word that was split by mistake, as the guidelines have it.
    return token["form"] == "_" or token["deprel"].split(":")[0] == "goeswith"


def _check_feats(words: List[Word]) -> None:
    for word in words:
        if not _FEATS.fullmatch(word.token["feats"]):
            raise LineError(
                word.line,
                "The column FEATS must be '_' or features such as 'Case=Nom|Number=Sing', but of "
                f"{word.token['form']!r} it is {format_value(word.token['feats'])}. Correct it, "
                f"or leave "
                f"{FEATS!r} out of the reader's fields.",
            )
