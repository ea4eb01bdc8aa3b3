"""The example on a treebank, with sentences written by hand."""

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from examples.ewt import prepare
from tests.examples.test_snips import NO_WARMUP, copy_example, run_commands
from tests.tiny_bert import HIDDEN_SIZE, make_tiny_bert

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
# Which animal a sentence is about tells the genre of its document.
ANIMALS = {"weblog": "cat", "email": "dog"}


def conllu(repeats: int) -> str:
    """Two documents, each with so many times the three sentences."""
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


def write_treebank(folder: Path) -> Path:
    folder.mkdir()
    for split, repeats in (("train", 8), ("dev", 1), ("test", 1)):
        (folder / f"en_ewt-ud-{split}.conllu").write_text(conllu(repeats))
    return folder


def prepared(*arguments: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, prepare.__file__, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_sentences_are_mixed_and_keep_their_document() -> None:
    found = prepare.mixed(conllu(100)).split("\n\n")
    assert found.pop() == ""
    assert len(found) == 600
    for sentence in found:
        document, text, *rows = sentence.split("\n")
        animal = document.split("_")[-1]
        assert document in [f"# newdoc id = {g}-example.com_{a}" for g, a in ANIMALS.items()]
        assert animal in text.split()
        words = [row.split("\t")[1] for row in rows]
        assert f"# text = {' '.join(words)}" == text


def test_words_and_other_comments_stay() -> None:
    content = "# newdoc id = a\n# newpar\n# text = x\n1\tx\n\n# text = y\n1\ty\n\n"
    content += "# newdoc id = b\n# text = z\n1\tz\n\n"
    expected = {
        "# newdoc id = a\n# newpar\n# text = x\n1\tx",
        "# newdoc id = a\n# text = y\n1\ty",
        "# newdoc id = b\n# text = z\n1\tz",
    }
    mixed = prepare.mixed(content)
    assert mixed.endswith("\n\n")
    assert set(mixed[:-2].split("\n\n")) == expected


def test_genres_are_mixed_within_the_file() -> None:
    numbered = [f"# newdoc id = {d}-1\n1\t{d}{i}\n\n" for d in "ab" for i in range(500)]
    documents = [s[14] for s in prepare.mixed("".join(numbered)).split("\n\n")[:-1]]
    assert len(documents) == 1000
    # Three standard deviations of a binomial with p = 0.5 and 100 draws are 15.
    assert 35 <= documents[:100].count("b") <= 65


@pytest.mark.parametrize("compressed", [False, True])
def test_from_a_treebank_to_three_files(tmp_path: Path, compressed: bool) -> None:
    treebank = write_treebank(tmp_path / "treebank")
    train = treebank / "en_ewt-ud-train.conllu"
    content = train.read_text()
    if compressed:
        train.with_name(f"{train.name}.gz").write_bytes(gzip.compress(train.read_bytes()))
        train.unlink()
    output = tmp_path / "new" / "data"
    done = prepared(treebank, output)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"    48 sentences in {output}/en_ewt-ud-train.conllu.gz\n"
        f"     6 sentences in {output}/en_ewt-ud-dev.conllu\n"
        f"     6 sentences in {output}/en_ewt-ud-test.conllu\n"
    )
    found = gzip.decompress((output / "en_ewt-ud-train.conllu.gz").read_bytes()).decode()
    assert found == prepare.mixed(content) != content
    for split in ("dev", "test"):
        name = f"en_ewt-ud-{split}.conllu"
        assert (output / name).read_text() == (treebank / name).read_text()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_treebank(tmp_path / "treebank")
    (tmp_path / "treebank" / "en_ewt-ud-dev.conllu").unlink()
    done = prepared(tmp_path / "treebank", tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path}/treebank has to have the file en_ewt-ud-dev.conllu or "
        "en_ewt-ud-dev.conllu.gz, but it has neither. Give the folder of the treebank UD English "
        "EWT.\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.fixture(name="directory")
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the example in it, as if it were the root of a checkout, and data."""
    copy_example("ewt", tmp_path)
    treebank = write_treebank(tmp_path / "treebank")
    for split in ("train", "dev", "test"):
        prepare.write(prepare.read(treebank, split), tmp_path / "data", split)
    monkeypatch.setenv("EWT_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MINILM_DIR", make_tiny_bert(tmp_path / "bert"))
    return tmp_path


def check_loss(scores: Dict[str, float]) -> None:
    """That of all four heads, each once."""
    assert scores["loss"] == pytest.approx(sum(scores[f"{head}_loss"] for head in HEADS))


def test_the_bilstm_learns_all_four_heads(directory: Path) -> None:
    overrides = {
        **NO_WARMUP,
        "trainer.num_epochs": 15,
        "trainer.optimizer.lr": 0.01,
        "trainer.patience": None,
    }
    scores = run_commands("ewt/bilstm", overrides, directory)
    # Six sentences that it has seen many times.
    for head in ("upos", "xpos", "genre"):
        assert scores[f"{head}_accuracy"] == 1.0
    assert scores["parser_UAS"] == scores["parser_LAS"] == 1.0
    check_loss(scores)


def test_the_transformer_trains_all_four_heads(directory: Path) -> None:
    sizes = {f"model.heads.{head}.input_dim": HIDDEN_SIZE for head in ("upos", "xpos", "parser")}
    sizes["model.heads.genre.seq2vec_encoder.embedding_dim"] = HIDDEN_SIZE
    overrides = {
        **sizes,
        "trainer.num_epochs": 20,
        "trainer.optimizer.lr": 0.05,
        "trainer.patience": None,
    }
    scores = run_commands("ewt/minilm", overrides, directory)
    # A transformer of random weights. Of the 13 words of three sentences no tag has more than 4.
    assert scores["upos_accuracy"] > 0.7
    assert scores["xpos_accuracy"] > 0.7
    assert scores["parser_UAS"] > 0.5
    check_loss(scores)
