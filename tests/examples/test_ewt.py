"""The example `ewt`, with a generated treebank."""

import gzip
from pathlib import Path
from typing import Dict

import pytest

from tests.helpers.example_configs import (
    TINY_BILSTM,
    TINY_TRANSFORMER,
    WITHOUT_PICTURE,
    copy_example,
    run_commands,
    suggested_overrides,
)
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

HEADS = ["upos", "xpos", "parser", "genre"]

# Word, UPOS, XPOS, head, relation.
SENTENCES = {
    "the {} sat on a mat .": """
        the DET DT 2 det
        {} NOUN NN 3 nsubj
        sat VERB VBD 0 root
        on ADP IN 6 case
        a DET DT 6 det
        mat NOUN NN 3 obl
        . PUNCT . 3 punct
    """,
    "a {} ran": """
        a DET DT 2 det
        {} NOUN NN 3 nsubj
        ran VERB VBD 0 root
    """,
    "bad {} .": """
        bad ADJ JJ 2 amod
        {} NOUN NN 0 root
        . PUNCT . 2 punct
    """,
}
# The animal of a sentence determines the genre of its document.
ANIMALS = {"weblog": "cat", "email": "dog"}


def conllu(repeats: int) -> str:
    """Two documents, each with the three sentences `repeats` times."""
    lines = []
    for genre, animal in ANIMALS.items():
        lines.append(f"# newdoc id = {genre}-example.com_{animal}")
        for text, rows in list(SENTENCES.items()) * repeats:
            lines.append(f"# text = {text.format(animal)}")
            for number, row in enumerate(rows.strip().splitlines(), start=1):
                word, upos, xpos, head, relation = row.format(animal).split()
                columns = [number, word, word, upos, xpos, "_", head, relation, "_", "_"]
                lines.append("\t".join(map(str, columns)))
            lines.append("")
    return "\n".join(lines) + "\n"


@pytest.fixture(name="directory")
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a copy of the example and generated data."""
    copy_example("ewt", tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    (data / "en_ewt-ud-train.conllu.gz").write_bytes(gzip.compress(conllu(8).encode()))
    for split in ("dev", "test"):
        (data / f"en_ewt-ud-{split}.conllu").write_text(conllu(1))
    monkeypatch.setenv("EWT_DIR", str(data))
    monkeypatch.setenv("MINILM_DIR", make_tiny_bert(tmp_path / "bert"))
    return tmp_path


def check_loss(scores: Dict[str, float]) -> None:
    """Checks that the joint loss is the sum of the losses of the four heads."""
    assert scores["loss"] == pytest.approx(sum(scores[f"{head}_loss"] for head in HEADS))


@pytest.mark.slow
def test_the_bilstm_learns_all_four_heads(directory: Path) -> None:
    overrides = {**TINY_BILSTM, **WITHOUT_PICTURE, "trainer.num_epochs": 20}
    scores = run_commands("ewt/bilstm", overrides, directory)
    # The six test sentences are in the training data.
    for head in ("upos", "xpos", "genre"):
        assert scores[f"{head}_accuracy"] == 1.0
    assert scores["parser_UAS"] == scores["parser_LAS"] == 1.0
    check_loss(scores)


@pytest.mark.slow
def test_the_transformer_trains_all_four_heads(directory: Path) -> None:
    sizes = {f"model.heads.{head}.input_dim": HIDDEN_SIZE for head in ("upos", "xpos", "parser")}
    sizes["model.heads.genre.seq2vec_encoder.embedding_dim"] = HIDDEN_SIZE
    overrides = {**sizes, **TINY_TRANSFORMER, **WITHOUT_PICTURE}
    scores = run_commands("ewt/minilm", overrides, directory)
    # The most frequent tag has 4 of the 13 words of a document.
    assert scores["upos_accuracy"] > 0.6
    assert scores["xpos_accuracy"] > 0.6
    assert scores["parser_LAS"] > 0.6
    check_loss(scores)


@pytest.mark.slow
def test_the_genre_counts_less_as_the_readme_suggests(directory: Path) -> None:
    overrides = {**TINY_BILSTM, "trainer.num_epochs": 1, **suggested_overrides("ewt")}
    scores = run_commands("ewt/bilstm", overrides, directory)
    others = sum(scores[f"{head}_loss"] for head in HEADS if head != "genre")
    assert scores["loss"] == pytest.approx(others + 0.1 * scores["genre_loss"])
