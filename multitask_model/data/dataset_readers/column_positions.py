"""Which column of a file has which label."""

from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from allennlp.common.checks import ConfigurationError

from multitask_model.data.dataset_readers.column_rows import ColumnSentence, Row, global_columns
from multitask_model.data.dataset_readers.conllu_lines import Line, LineError
from multitask_model.data.dataset_readers.field_names import RESERVED, TEXT
from multitask_model.errors import format_names, format_value, suggest


class NamedCells(NamedTuple):
    """The cells of a sentence by the name of their label, one for each of its lines."""

    comments: List[Line]
    lines: List[int]
    cells: Dict[str, List[str]]


class ColumnPositions:
    """
    Finds columns by their position or by their name in the header of a file.

        >>> from multitask_model.data.dataset_readers.column_rows import RowFormat
        >>> sentences = RowFormat().split([b"form upos", b"good ADJ"], "train.txt")
        >>> list(ColumnPositions({"text": "form", "tags": 1}).resolve(sentences))
        [NamedCells(comments=[], lines=[2], cells={'text': ['good'], 'tags': ['ADJ']})]

    # Parameters

    columns : `Dict[str, Union[int, str]]`
        As in `ColumnsReader`.
    """

    def __init__(self, columns: Dict[str, Union[int, str]]) -> None:
        if TEXT not in columns:
            raise ConfigurationError(
                f"columns must have the column of the tokens, with the name {TEXT!r}, but got the "
                f"names {format_names(columns)}.{suggest(TEXT, columns)} Add it."
            )
        for name, column in columns.items():
            _check_column(name, column)
        self._columns = dict(columns)
        self._has_header = any(isinstance(column, str) for column in columns.values())

    def resolve(self, sentences: Iterable[ColumnSentence]) -> Iterator[NamedCells]:
        """Selects the cells of each sentence that has rows. The header is not a sentence."""
        positions: Optional[Dict[str, int]] = None
        for sentence in sentences:
            rows = sentence.rows
            if positions is None:
                positions, rows = self._positions(sentence)
            if rows:
                assert positions is not None
                cells = {n: [_cell(row, n, p) for row in rows] for n, p in positions.items()}
                yield NamedCells(sentence.comments, [row.line for row in rows], cells)

    def _positions(self, sentence: ColumnSentence) -> Tuple[Optional[Dict[str, int]], List[Row]]:
        """Returns the position of each label, if it is known, and the rows without the header."""
        rows = sentence.rows
        if not self._has_header:
            return self._find([], 0), rows
        for comment in sentence.comments:
            names = global_columns(comment)
            if names is not None:
                return self._find(names, comment.number), rows
        return (self._find(rows[0].cells, rows[0].line), rows[1:]) if rows else (None, rows)

    def _find(self, header: List[str], line: int) -> Dict[str, int]:
        return {
            name: column if isinstance(column, int) else _index_of(column, header, line)
            for name, column in self._columns.items()
        }


def _check_column(name: str, column: object) -> None:
    if name in RESERVED and name != TEXT:
        raise ConfigurationError(
            f"columns must not use the name of another field, but got {name!r}. Choose a name that "
            f"is not in {format_names(RESERVED)}."
        )
    # `isinstance` would accept booleans as integers.
    if type(column) is not int and not (isinstance(column, str) and column):
        raise ConfigurationError(
            "columns must map names to the position of a column, from 0, or to its name in the "
            f"header of the file, but got {column!r} for {name!r}. Correct it."
        )


def _index_of(column: str, header: List[str], line: int) -> int:
    if header.count(column) != 1:
        raise LineError(
            line,
            f"The header must have the column {column!r} once, but got {format_names(header)}."
            f"{suggest(column, header)} Correct the reader's columns, or write their positions.",
        )
    return header.index(column)


def _cell(row: Row, name: str, position: int) -> str:
    if not -len(row.cells) <= position < len(row.cells):
        raise LineError(
            row.line,
            f"A row must have a column at position {position} for {name!r}, but got "
            f"{len(row.cells)} columns in {format_value(row.text)}. Correct it, or the reader's "
            "columns or separator.",
        )
    cell = row.cells[position]
    if not cell:
        raise LineError(
            row.line,
            f"The column at position {position}, {name!r}, must not be empty, but got "
            f"{format_value(row.text)}. Complete it.",
        )
    return cell
