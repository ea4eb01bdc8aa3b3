"""The rows of a file with a token in each line, grouped into sentences."""

import logging
import re
from itertools import takewhile
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.data.dataset_readers.dataset_reader import PathOrStr

from multitask_model.data.dataset_readers.conllu_lines import Line, LineError, split_sentences
from multitask_model.errors import format_value

logger = logging.getLogger(__name__)

TAB, SPACE = "\t", " "
_DOCUMENT_START = "-DOCSTART-"
_SPACES = re.compile(r"[ \t]+")
_GLOBAL_COLUMNS = re.compile(r"global\.columns\s*=(.*)")


class Row(NamedTuple):
    """The cells of a line."""

    line: int
    text: str
    cells: List[str]


class ColumnSentence(NamedTuple):
    """The comments of a sentence, without the `#`, and its rows, of which there may be none."""

    comments: List[Line]
    rows: List[Row]


class RowFormat:
    """
    Splits lines into cells, and tells rows from comments.

        >>> list(RowFormat().split([b"# genre = blog", b"day NOUN"], "train.txt"))
        [ColumnSentence(comments=[Line(number=1, text='genre = blog')],
                        rows=[Row(line=2, text='day NOUN', cells=['day', 'NOUN'])])]

    # Parameters

    separator : `str`, optional (default = `None`)
        As in `ColumnsReader`.
    comment_prefix : `str`, optional (default = `None`)
        As in `ColumnsReader`.
    """

    def __init__(
        self, separator: Optional[str] = None, comment_prefix: Optional[str] = None
    ) -> None:
        if separator == "":
            raise ConfigurationError(
                "separator must have at least one character, but got ''. Leave it out for tabs or "
                "spaces."
            )
        self._separator = separator
        self._comment_prefix = comment_prefix

    def split(self, lines: Iterable[bytes], file_path: PathOrStr) -> Iterator[ColumnSentence]:
        """Splits lines into sentences. `file_path` is for a warning."""
        has_warned = False
        for block, sample in _with_samples(split_sentences(lines), self._comment_prefix or "#"):
            all_rows = [self._row(line, sample) for line in block]
            comments = self._comments_of(all_rows, self._row(sample, sample))
            comment_lines = {row.line for row in comments}
            rows = [row for row in all_rows if row.line not in comment_lines]
            width = len(rows[0].cells) if rows else 0
            doubtful = [row for row in comments if len(row.cells) == width]
            if doubtful and self._comment_prefix is None and not has_warned:
                has_warned = True
                _warn(file_path, doubtful[0])
            if rows and rows[0].cells[0] == _DOCUMENT_START:
                rows = rows[1:]
            _check_widths(rows)
            yield ColumnSentence([self._comment(row) for row in comments], rows)

    def _row(self, line: Line, sample: Line) -> Row:
        separator = self._separator_of(sample)
        if separator == SPACE:
            cells = _SPACES.split(line.text.strip(" \t"))
        else:
            cells = [cell.strip(" ") for cell in line.text.split(separator)]
        return Row(line.number, line.text, cells)

    def _separator_of(self, sample: Line) -> str:
        return self._separator or (TAB if TAB in sample.text else SPACE)

    def _comments_of(self, rows: List[Row], sample: Row) -> List[Row]:
        prefix = self._comment_prefix
        if prefix is not None:
            return [row for row in rows if prefix and row.text.startswith(prefix)]
        is_space = self._separator_of(Line(sample.line, sample.text)) == SPACE

        def is_comment(row: Row) -> bool:
            has_other_width = len(row.cells) != len(sample.cells)
            return row.text.startswith("#") and (
                has_other_width or (is_space and row.cells[0] == "#")
            )

        return list(takewhile(is_comment, rows))

    def _comment(self, row: Row) -> Line:
        return Line(row.line, row.text[len(self._comment_prefix or "#") :].strip())


def _with_samples(
    blocks: Iterable[List[Line]], comment_prefix: str
) -> Iterator[Tuple[List[Line], Line]]:
    """Yields each block with a line that is not a comment, from the same block if possible."""
    waiting: List[List[Line]] = []
    sample: Optional[Line] = None
    for block in blocks:
        others = (line for line in block if not line.text.startswith(comment_prefix))
        sample = next(others, sample)
        waiting.append(block)
        if sample is not None:
            for earlier in waiting:
                yield earlier, sample
            waiting = []
    for block in waiting:  # All lines of the file start with the prefix.
        yield block, block[-1]


def _check_widths(rows: List[Row]) -> None:
    for row in rows:
        if len(row.cells) != len(rows[0].cells):
            raise LineError(
                row.line,
                f"The rows of a sentence must have the same number of columns, but got "
                f"{len(row.cells)} in {format_value(row.text)} after {len(rows[0].cells)} in line "
                f"{rows[0].line}. Correct it, or set the reader's separator or comment_prefix.",
            )


def _warn(file_path: PathOrStr, row: Row) -> None:
    logger.warning(
        "%s, line %d: %s is read as a comment, although it has as many columns as the rows. Set "
        "comment_prefix to '# ' if it is one, and to '' if it is a token.",
        file_path,
        row.line,
        format_value(row.text),
    )


def global_columns(comment: Line) -> Optional[List[str]]:
    """Returns the names in a comment `# global.columns = ID FORM`, or `None` for other comments."""
    match = _GLOBAL_COLUMNS.fullmatch(comment.text)
    return match.group(1).split() if match else None
