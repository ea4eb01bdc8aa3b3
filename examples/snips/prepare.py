"""
Write the SNIPS queries as JSON lines for the reader `labeled_jsonl`.

The queries are from A. Coucke et al., "Snips Voice Platform: an embedded Spoken Language
Understanding system for private-by-design voice interfaces" (arXiv:1805.10190): queries to a voice
assistant, with one of seven intents and with slots. Each intent has its own folder.

    python examples/snips/prepare.py SNIPS_FOLDER OUTPUT_FOLDER

reads `INTENT/train_INTENT_full.json` and `INTENT/validate_INTENT.json` in SNIPS_FOLDER and writes
`train.jsonl`, `validation.jsonl` (about 5% of the former) and `test.jsonl` (the latter). A line is
`{"text": [tokens], "intent": ..., "slots": [a BIO tag for each token]}`. Training queries that
differ only in case and spacing from a test query are left out.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

SPLITS = ("train", "validation", "test")
VALIDATION_PERCENT = 5
OUTSIDE = "O"
# A word, possibly with apostrophes inside, or any other character that is not a space.
TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


class Query(NamedTuple):
    text: str
    intent: str
    tokens: Tuple[str, ...]
    slots: Tuple[str, ...]

    @property
    def key(self) -> str:
        """The text, normalized for case and spacing."""
        return " ".join(self.text.lower().split())


def decode(content: bytes, name: str) -> str:
    """
    Decodes a file in UTF-8. One of the published files has surrogate pairs for a character outside
    the basic multilingual plane; they are combined. A file that is still not UTF-8 is decoded as
    Latin-1 and reported on stderr.
    """
    try:
        surrogates = content.decode("utf-8", "surrogatepass")
        return surrogates.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        print(f"{name} is not UTF-8 ({error.reason}): decoded as Latin-1", file=sys.stderr)
        return content.decode("latin-1")


def parse(content: str, name: str) -> List[Query]:
    try:
        [(intent, rows)] = json.loads(content).items()
        chunks = [row["data"] for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'{name} must be a JSON object {{INTENT: [{{"data": [...]}}, ...]}}, but reading it '
            f"failed: {error!r}. Download the file again."
        ) from error
    return [_query(intent, data, f"{name}, query {i}") for i, data in enumerate(chunks, start=1)]


def _query(intent: str, chunks: Any, name: str) -> Query:
    try:
        labeled = [(chunk["text"], chunk.get("entity")) for chunk in chunks]
        text = "".join(part for part, _ in labeled)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f'{name}: a query must be a list of {{"text": ...}} with an optional "entity", but got '
            f"{chunks!r}. Correct or remove it."
        ) from error
    tokens: List[str] = []
    tags: List[str] = []
    for part, slot in labeled:
        found = TOKEN.findall(part)
        if slot is not None and not found:
            raise ValueError(
                f"{name}: a slot must have at least one token, but got {part!r} for {slot!r}. "
                "Correct or remove it."
            )
        tokens += found
        tags += bio(slot, len(found))
    if not tokens:
        raise ValueError(
            f"{name}: a query must have at least one token, but got {text!r}. Remove it."
        )
    return Query(text, intent, tuple(tokens), tuple(tags))


def bio(slot: Optional[str], length: int) -> List[str]:
    """The BIO tags of `length` tokens of a slot, or outside of slots if `slot` is `None`."""
    if slot is None:
        return [OUTSIDE] * length
    return [f"B-{slot}" if i == 0 else f"I-{slot}" for i in range(length)]


def read(folder: Path) -> Dict[str, List[Query]]:
    """Reads all queries of the training files (`"train"`) and test files (`"test"`)."""
    intents = sorted(path.parent.name for path in folder.glob("*/train_*_full.json"))
    if not intents:
        raise RuntimeError(
            f"{folder} must have a folder with a file train_INTENT_full.json for each intent, but "
            "none was found. Choose the folder with AddToPlaylist, BookRestaurant and so on."
        )
    names = {"train": "{0}/train_{0}_full.json", "test": "{0}/validate_{0}.json"}
    queries: Dict[str, List[Query]] = {part: [] for part in names}
    for part, name in names.items():
        for intent in intents:
            path = folder / name.format(intent)
            if not path.is_file():
                raise RuntimeError(
                    f"{folder} must have two files for each intent, but {path} is missing. "
                    "Download it, or remove the folder of its intent."
                )
            queries[part] += parse(decode(path.read_bytes(), str(path)), str(path))
    return queries


def split(queries: Dict[str, List[Query]]) -> Dict[str, List[Query]]:
    """Returns the queries of each split. The same text is never in two splits."""
    test_keys = {query.key for query in queries["test"]}
    splits: Dict[str, List[Query]] = {name: [] for name in SPLITS}
    splits["test"] = queries["test"]
    for query in queries["train"]:
        if query.key not in test_keys:
            held_back = int(_digest(query), 16) % 100 < VALIDATION_PERCENT
            splits["validation" if held_back else "train"].append(query)
    return splits


def _digest(query: Query) -> str:
    return hashlib.sha256(query.key.encode()).hexdigest()


def write(queries: Iterable[Query], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Intents are mixed for loaders that shuffle within a window.
    mixed = sorted(queries, key=_digest)
    path.write_text("".join(map(_line, mixed)), encoding="utf-8")
    print(f"{len(mixed):6} lines in {path}")


def _line(query: Query) -> str:
    row = {"text": query.tokens, "intent": query.intent, "slots": query.slots}
    return json.dumps(row) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the SNIPS queries as JSON lines.")
    parser.add_argument("snips", type=Path, help="the folder with a folder for each intent")
    parser.add_argument(
        "output", type=Path, help="the folder for train.jsonl, validation.jsonl and test.jsonl"
    )
    arguments = parser.parse_args()
    try:
        queries = read(arguments.snips)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")
    splits = split(queries)
    for name in SPLITS:
        write(splits[name], arguments.output / f"{name}.jsonl")
    left_out = sum(map(len, queries.values())) - sum(map(len, splits.values()))
    print(f"{left_out:6} training queries left out, because they are in the test set")


if __name__ == "__main__":
    main()
