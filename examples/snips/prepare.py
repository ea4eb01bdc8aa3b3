"""
Write the SNIPS queries as lines of JSON, for the reader `labeled_jsonl`.

The queries are those of A. Coucke and others, "Snips Voice Platform: an embedded Spoken Language
Understanding system for private-by-design voice interfaces" (arXiv:1805.10190): what people say to
a voice assistant, with one of seven intents and the slots that they fill. Each intent has a folder:

    python examples/snips/prepare.py SNIPS_FOLDER OUTPUT_FOLDER

reads `INTENT/train_INTENT_full.json` and `INTENT/validate_INTENT.json` in SNIPS_FOLDER and writes
`train.jsonl`, `validation.jsonl` (about 5% of the former) and `test.jsonl` (the latter). A line is
`{"text": [tokens], "intent": ..., "slots": [a BIO tag for each token]}`. Queries to be trained or
validated on that are among those to be tested on, but for case and spacing, are left out.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Tuple

SPLITS = ("train", "validation", "test")
VALIDATION_PERCENT = 5
OUTSIDE = "O"
# A word, which may have apostrophes in it, or one character that is neither of a word nor a space.
TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


class Query(NamedTuple):
    text: str
    intent: str
    tokens: Tuple[str, ...]
    slots: Tuple[str, ...]

    @property
    def key(self) -> str:
        """What is the same for queries that differ by case and spacing only."""
        return " ".join(self.text.lower().split())


def decode(content: bytes, name: str) -> str:
    """
    The text of a file in UTF-8. In one of the published files a character beyond the first 65,536
    is written as the two halves that UTF-16 has for it; those are put together. A file that is not
    UTF-8 even so is read as Latin-1, and reported.
    """
    try:
        halves = content.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        print(f"{name} is not UTF-8 ({error.reason}): read as Latin-1", file=sys.stderr)
        return content.decode("latin-1")


def parse(content: str, name: str) -> List[Query]:
    try:
        [(intent, rows)] = json.loads(content).items()
        chunks = [row["data"] for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'{name} has to be one JSON object {{INTENT: [{{"data": [...]}}, ...]}}, but reading '
            f"it as that failed: {error!r}. Get the file again."
        ) from error
    return [_query(intent, data, f"{name}, query {i}") for i, data in enumerate(chunks, start=1)]


def _query(intent: str, chunks: Any, name: str) -> Query:
    try:
        labelled = [(chunk["text"], chunk.get("entity")) for chunk in chunks]
        text = "".join(part for part, _ in labelled)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f'{name}: a query has to be a list of {{"text": ...}} with or without an "entity", but '
            f"it is {chunks!r}. Correct or remove it."
        ) from error
    tokens: List[str] = []
    tags: List[str] = []
    for part, slot in labelled:
        found = TOKEN.findall(part)
        if slot is not None and not found:
            raise ValueError(
                f"{name}: a slot has to have a token in it, but {slot!r} is {part!r}. Correct or "
                "remove it."
            )
        tokens += found
        tags += bio(slot, len(found))
    if not tokens:
        raise ValueError(
            f"{name}: a query has to have a token in it, but its text is {text!r}. Remove it."
        )
    return Query(text, intent, tuple(tokens), tuple(tags))


def bio(slot: Any, length: int) -> List[str]:
    """The tags of the tokens of one piece of a query: of a slot, or (`None`) of none."""
    if slot is None:
        return [OUTSIDE] * length
    return [f"B-{slot}" if i == 0 else f"I-{slot}" for i in range(length)]


def read(folder: Path) -> Dict[str, List[Query]]:
    """All queries of the files for training (`"train"`) and of those for testing (`"test"`)."""
    intents = sorted(path.parent.name for path in folder.glob("*/train_*_full.json"))
    if not intents:
        raise RuntimeError(
            f"{folder} has to have a folder with a file train_INTENT_full.json for each intent, "
            "but it has none. Give the folder that holds AddToPlaylist, BookRestaurant and so on."
        )
    names = {"train": "{0}/train_{0}_full.json", "test": "{0}/validate_{0}.json"}
    queries: Dict[str, List[Query]] = {part: [] for part in names}
    for part, name in names.items():
        for intent in intents:
            path = folder / name.format(intent)
            if not path.is_file():
                raise RuntimeError(
                    f"{folder} has to have two files for each intent, but {path} is missing. Get "
                    "it, or remove the folder of that intent."
                )
            queries[part] += parse(decode(path.read_bytes(), str(path)), str(path))
    return queries


def split(queries: Dict[str, List[Query]]) -> Dict[str, List[Query]]:
    """The queries of each split. The same text is never in two of them."""
    tested = {query.key for query in queries["test"]}
    splits: Dict[str, List[Query]] = {name: [] for name in SPLITS}
    splits["test"] = queries["test"]
    for query in queries["train"]:
        if query.key not in tested:
            held_back = int(_digest(query), 16) % 100 < VALIDATION_PERCENT
            splits["validation" if held_back else "train"].append(query)
    return splits


def _digest(query: Query) -> str:
    return hashlib.sha256(query.key.encode()).hexdigest()


def write(queries: Iterable[Query], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # For loaders that shuffle within a window, as AllenNLP's own does and any that reads lazily.
    mixed = sorted(queries, key=_digest)
    path.write_text("".join(map(_line, mixed)), encoding="utf-8")
    print(f"{len(mixed):6} lines in {path}")


def _line(query: Query) -> str:
    row = {"text": query.tokens, "intent": query.intent, "slots": query.slots}
    return json.dumps(row) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the SNIPS queries as lines of JSON.")
    parser.add_argument("snips", type=Path, help="the folder with a folder for each intent")
    parser.add_argument("output", type=Path, help="where train.jsonl and the others go")
    arguments = parser.parse_args()
    try:
        queries = read(arguments.snips)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")
    splits = split(queries)
    for name in SPLITS:
        write(splits[name], arguments.output / f"{name}.jsonl")
    left_out = sum(map(len, queries.values())) - sum(map(len, splits.values()))
    print(f"{left_out:6} queries left out, because they are among those to be tested on")


if __name__ == "__main__":
    main()
