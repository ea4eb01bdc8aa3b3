"""A few sentences in a file, for AllenNLP's text classification reader."""

import json
from pathlib import Path

SENTENCES = ["the cat sat", "the dog ran on", "a good cat", "not a bad dog", "the mat"]


def write_sentences(folder: Path) -> Path:
    """Writes `SENTENCES` with the labels "0" and "1" in turn, and returns the file."""
    path = folder / "sentences.jsonl"
    rows = [{"text": text, "label": str(i % 2)} for i, text in enumerate(SENTENCES)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
