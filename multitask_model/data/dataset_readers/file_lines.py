"""Reads the lines of a file, which may be compressed."""

import lzma
import zlib
from typing import Iterator

from allennlp.common.file_utils import open_compressed
from allennlp.data.dataset_readers.dataset_reader import PathOrStr


def read_lines(file_path: PathOrStr) -> Iterator[bytes]:
    """
    Yields the lines of a file, with their line breaks. Files that end in `.gz`, `.bz2` or `.xz` are
    decompressed.

    # Raises

    `ValueError`
        If the file cannot be decompressed. The message has the file and the number of the line.
    """
    with open_compressed(file_path, "rb", encoding=None) as lines:
        number = 0
        try:
            for line in lines:
                number += 1
                yield line
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # from the operating system, and not from decompression
            raise ValueError(
                f"{file_path}, line {number + 1}: A compressed file must be complete and of the "
                f"format that its name says, but got an error: {error} Compress or copy it again, "
                "or rename it."
            ) from error
