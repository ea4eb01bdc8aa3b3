"""The lines of a CoNLL-U file, grouped into sentences."""

from typing import Iterable, Iterator, List, NamedTuple

import conllu

from multitask_model.errors import format_value

COLUMNS = [name.upper() for name in conllu.parser.DEFAULT_FIELDS]
"""The columns of a CoNLL-U file, in order."""


class LineError(ValueError):
    """
    An error in one line of a file.

    # Parameters

    line : `int`
        The number of the line, from 1.
    message : `str`
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Line(NamedTuple):
    """
    A line without its line break.

        >>> ((comment, word),) = split_sentences([b"# newdoc", b"day NOUN", b""])
        >>> comment, comment.is_comment, word.is_comment
        (Line(number=1, text='# newdoc'), True, False)
    """

    number: int
    text: str

    @property
    def is_comment(self) -> bool:
        return self.text.strip().startswith("#")


def split_sentences(lines: Iterable[bytes]) -> Iterator[List[Line]]:
    """Groups the lines between blank lines."""
    sentence: List[Line] = []
    for number, line in enumerate(lines, start=1):
        text = _decode(line, number)
        if text.strip():
            sentence.append(Line(number, text))
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _decode(line: bytes, number: int) -> str:
    try:
        # The first line may start with a byte order mark.
        return line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        text = format_value(line.rstrip().decode(errors="replace"))
        raise LineError(
            number,
            f"A line must be encoded in UTF-8, but got {text} ({error}). Convert the file to "
            "UTF-8.",
        ) from error
