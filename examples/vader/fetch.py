"""
Download rated short texts from four sources and write them with three labels each.

The texts are from C.J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment
Analysis of Social Media Text" (ICWSM 2014): tweets, and sentences from movie reviews, product
reviews and newspaper editorials. The rating of a text is the mean of about twenty people's ratings,
from -4 (negative) to 4 (positive). The texts are part of the source distribution of vaderSentiment
(MIT).

Writes `data/SOURCE_SPLIT.jsonl` in the work directory for each of the four sources and the splits
`train` (about 80%), `validation` and `test` (about 10% each). A line is `{"text": ..., "polarity":
..., "intensity": ..., "source": ...}`, where the intensity is the mean rating, and the polarity is
negative, neutral or positive.
"""

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple

REQUIREMENT = "vaderSentiment==3.3.2"
INNER_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
FILES = {
    "tweets": "tweets_GroundTruth.txt",
    "movie_reviews": "movieReviewSnippets_GroundTruth.txt",
    "product_reviews": "amazonReviewSnippets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
}
NEUTRAL = 0.5  # ratings that round to 0 are neutral


class Row(NamedTuple):
    source: str
    document: str
    rating: float
    text: str


def download(folder: Path) -> Path:
    """Returns the path of the source distribution. pip downloads it if it is missing."""
    for path in folder.glob("*.tar.gz"):
        return path
    command = [sys.executable, "-m", "pip", "download", "--no-deps"]
    command += ["--no-binary", "vaderSentiment", "--dest", str(folder), REQUIREMENT]
    print("$", " ".join(command), flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(
            f"pip must download the source distribution of {REQUIREMENT}, but it exited with code "
            f"{done.returncode}:\n{done.stdout.strip()}\nCheck pip's connection to a package "
            f"index, or copy the .tar.gz to {folder}."
        )
    return next(folder.glob("*.tar.gz"))


def unpack(sdist: Path) -> Dict[str, str]:
    """Returns the content of each source's rating file, from the archive inside the archive."""
    inner = _member(sdist, sdist.read_bytes(), INNER_ARCHIVE)
    members = {source: f"hutto_ICWSM_2014/{file}" for source, file in FILES.items()}
    return {source: _member(sdist, inner, members[source]).decode() for source in members}


def _member(sdist: Path, archive: bytes, name: str) -> bytes:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            member = tar.extractfile(name)
            return member.read() if member else b""
    except (KeyError, EOFError, OSError, tarfile.TarError, zlib.error) as error:
        raise RuntimeError(
            f"{sdist} must be the source distribution of {REQUIREMENT} with the file {name}, but "
            f"reading it failed: {error}. Remove {sdist} and run this script again."
        ) from error


def parse(source: str, file_name: str, content: str) -> List[Row]:
    rows = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            rows.append(_row(source, *line.split("\t")))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{file_name}, line {number}: a line must be an id, a rating from -4 to 4 and a "
                f"text, separated by tabs, but got {line!r}. Correct or remove the line."
            ) from error
    return rows


def _row(source: str, identifier: str, rating: str, text: str) -> Row:
    if not (-4 <= float(rating) <= 4 and text.strip()):
        raise ValueError("The rating is out of range, or the text is empty.")
    # "12_3" is the third sentence of document 12.
    return Row(source, identifier.split("_")[0], float(rating), text.strip())


def without_duplicates(rows: Iterable[Row]) -> List[Row]:
    """
    Removes duplicates: texts that differ only in case, spacing or punctuation from an earlier one.
    """
    first: Dict[str, Row] = {}
    for row in rows:
        first.setdefault(" ".join(re.findall(r"\w+", row.text.casefold())), row)
    return list(first.values())


def polarity_of(row: Row) -> str:
    if abs(row.rating) <= NEUTRAL:
        return "neutral"
    return "positive" if row.rating > 0 else "negative"


def split_of(row: Row) -> str:
    """Returns the split of a row's document, so that no document is in two splits."""
    digest = int(_digest(f"{row.source}/{row.document}"), 16)
    return {0: "test", 1: "validation"}.get(digest % 10, "train")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write(rows: Iterable[Row], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Documents are mixed for loaders that shuffle within a window.
    rows = sorted(rows, key=lambda row: _digest(row.text))
    for source in FILES:
        for split in ("train", "validation", "test"):
            chosen = [row for row in rows if row.source == source and split_of(row) == split]
            path = folder / f"{source}_{split}.jsonl"
            path.write_text("".join(map(_line, chosen)), encoding="utf-8")
            print(f"{len(chosen):6} lines in {path}")


def _line(row: Row) -> str:
    labels = {"polarity": polarity_of(row), "intensity": row.rating, "source": row.source}
    return json.dumps({"text": row.text, **labels}) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Download the texts and write them with labels.")
    parser.add_argument("--work-dir", type=Path, default=Path(__file__).parent / "work")
    work_dir = parser.parse_args().work_dir
    try:
        contents = unpack(download(work_dir / "download"))
        rows = [row for source in FILES for row in parse(source, FILES[source], contents[source])]
    except (RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")
    write(without_duplicates(rows), work_dir / "data")


if __name__ == "__main__":
    main()
