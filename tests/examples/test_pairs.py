"""The example `pairs`: the labels of generated captions, and small runs of its configs."""

import importlib.util
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary

import multitask_model  # noqa: F401  (registers the types of the configs)
from tests.helpers.commands import ROOT
from tests.helpers.example_configs import (
    BY_LOSS,
    WITHOUT_PICTURE,
    copy_example,
    run_commands,
    suggested_overrides,
)
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

PAIRS = ROOT / "examples" / "pairs"
SPLITS = ("train", "validation", "test")
HEADS = ("entailment", "similarity")


def load_script() -> Any:
    spec = importlib.util.spec_from_file_location("make_pairs", PAIRS / "make_pairs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # for its dataclass
    spec.loader.exec_module(module)
    return module


make_pairs = load_script()
CAPTION = make_pairs.Caption("boy", "slicing", "tomato", adjective="young", place="park")


def edited(**fields: str) -> Any:
    return make_pairs.dataclasses.replace(CAPTION, **fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "A young boy is slicing a tomato in the park"),
        ({"adjective": "", "place": ""}, "A boy is slicing a tomato"),
        ({"adjective": "old"}, "An old boy is slicing a tomato in the park"),
        ({"negation": "not"}, "A young boy is not slicing a tomato in the park"),
        ({"negation": "no"}, "There is no young boy slicing a tomato in the park"),
        ({"voice": "passive"}, "A tomato is being sliced by a young boy in the park"),
        (
            {"voice": "passive", "negation": "not", "object": "onion"},
            "An onion is not being sliced by a young boy in the park",
        ),
    ],
)
def test_the_text_of_a_caption(fields: Dict[str, str], text: str) -> None:
    assert str(edited(**fields)) == text


@pytest.mark.parametrize(
    ("fields", "relations"),
    [
        ({}, []),
        ({"subject": "lad"}, ["same"]),
        ({"subject": "child"}, ["general"]),
        ({"subject": "girl"}, ["other"]),
        ({"verb": "cutting"}, ["same"]),
        ({"object": "vegetable", "voice": "passive"}, ["general", "same"]),
        ({"adjective": "old"}, ["opposite"]),
        ({"adjective": "", "place": ""}, ["general", "general"]),
        ({"place": "garage"}, ["other"]),
        ({"negation": "no"}, []),
    ],
)
def test_the_relations_of_an_edit(fields: Dict[str, str], relations: List[str]) -> None:
    assert make_pairs.relations_between(CAPTION, edited(**fields)) == relations


def test_an_added_detail_is_more_specific() -> None:
    assert make_pairs.relations_between(edited(place=""), CAPTION) == ["specific"]


@pytest.mark.parametrize(
    ("relations", "labels"),
    [
        # None is negated, the second, the first, both.
        ([], ["entailment", "contradiction", "contradiction", "entailment"]),
        (["same"], ["entailment", "contradiction", "contradiction", "entailment"]),
        (["general"], ["entailment", "contradiction", "neutral", "neutral"]),
        (["specific"], ["neutral", "neutral", "contradiction", "entailment"]),
        (["opposite"], ["contradiction", "neutral", "neutral", "neutral"]),
        (["same", "other"], ["neutral"] * 4),
    ],
)
def test_the_label_of_two_events(relations: List[str], labels: List[str]) -> None:
    negations = [(False, False), (False, True), (True, False), (True, True)]
    assert [make_pairs.label(relations, *negated) for negated in negations] == labels


def test_no_caption_is_in_two_pairs() -> None:
    splits = make_pairs.make_splits({"train": 400, "test": 400})
    pairs = [pair for rows in splits.values() for pair in rows]
    assert len({text for pair in pairs for text in pair[:2]}) == 1600
    assert set(Counter(pair.entailment for pair in pairs)) == {
        *("entailment", "neutral", "contradiction")
    }
    assert all(1 <= pair.similarity <= 5 for pair in pairs)


def test_similar_events_are_rated_higher() -> None:
    rng = random.Random(1)
    pairs = [pair for pair in (make_pairs.make_pair(rng) for _ in range(500)) if pair]
    ratings: Dict[str, List[float]] = {}
    for pair in pairs:
        ratings.setdefault(pair.entailment, []).append(pair.similarity)
    means = {name: sum(values) / len(values) for name, values in ratings.items()}
    assert means["entailment"] > means["contradiction"] > means["neutral"]


@pytest.mark.slow
def test_the_script_writes_three_files(tmp_path: Path) -> None:
    command = [sys.executable, str(PAIRS / "make_pairs.py"), str(tmp_path / "new" / "data")]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    for name, size in make_pairs.SIZES.items():
        path = tmp_path / "new" / "data" / f"{name}.jsonl"
        assert f"{size:6} lines in {path}\n" in first.stdout
        lines = path.read_text().splitlines()
        assert len(lines) == size
        assert json.loads(lines[0]).keys() == {"text", "text_pair", *HEADS}
    before = (tmp_path / "new/data/test.jsonl").read_bytes()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / "new/data/test.jsonl").read_bytes() == before


def separable_pairs() -> List[Dict[str, Any]]:
    """The label tells whether both texts have the same animal, the similarity is 3 or 0."""
    texts = [(a, b) for a in ("cat", "dog") for b in ("cat", "dog")]
    return [
        {
            "text": f"the {first} {verb}",
            "text_pair": f"a {second} {verb}",
            "entailment": "entailment" if first == second else "neutral",
            "similarity": 3.0 * (first == second),
        }
        for first, second in texts
        for verb in ("sat", "ran", "sat on a mat", "ran on the mat")
    ]


def independent_pairs() -> List[Dict[str, Any]]:
    """The entailment depends on the second text only, the similarity on the first only."""
    return [
        {
            "text": f"the {first} sat",
            "text_pair": f"{word} {second} sat",
            "entailment": "contradiction" if word == "not" else "entailment",
            "similarity": 3.0 * (first == "cat"),
        }
        for first in ("cat", "dog")
        for second in ("cat", "dog")
        for word in ("not", "a")
    ]


def write_splits(folder: Path, pairs: List[Dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    lines = "".join(json.dumps(pair) + "\n" for pair in pairs)
    for split in SPLITS:
        (folder / f"{split}.jsonl").write_text(lines)


@pytest.fixture(name="directory")
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a copy of the example and small data."""
    copy_example("pairs", tmp_path)
    write_splits(tmp_path / "data", separable_pairs() * 6)
    monkeypatch.setenv("PAIRS_DIR", str(tmp_path / "data"))
    bert = Path(make_tiny_bert(tmp_path / "bert", layers=2))
    config = json.loads((bert / "config.json").read_text())
    config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)  # it is tiny
    (bert / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("MINILM_DIR", str(bert))
    return tmp_path


def test_both_texts_have_the_special_tokens_of_the_transformer(directory: Path) -> None:
    config = Params.from_file(str(PAIRS / "minilm.jsonnet"))
    reader = DatasetReader.from_params(config.pop("dataset_reader"))
    (instance, *_) = reader.readers["pairs"].read(directory / "data/test.jsonl")  # type: ignore
    instance.index_fields(Vocabulary.from_instances([instance]))
    tensors: Any = instance.as_tensor_dict()
    # [CLS] the cat sat [SEP] and [CLS] a cat sat [SEP]
    assert tensors["text"]["tokens"]["token_ids"].tolist() == [2, 5, 6, 8, 3]
    assert tensors["text_pair"]["tokens"]["token_ids"].tolist() == [2, 12, 6, 8, 3]


@pytest.mark.slow
def test_the_siamese_bilstm_learns_from_pairs(directory: Path) -> None:
    overrides = {**BY_LOSS, "trainer.num_epochs": 12, "trainer.optimizer.lr": 0.01}
    scores = run_commands("pairs/bilstm", overrides, directory)
    # Each text alone tells nothing: half of the pairs have the same animal.
    assert scores["entailment_accuracy"] >= 0.9
    assert scores["similarity_pearson"] >= 0.9
    assert scores["loss"] == pytest.approx(scores["entailment_loss"] + scores["similarity_loss"])


@pytest.mark.slow
def test_only_the_entailment_is_trained_as_the_readme_suggests(directory: Path) -> None:
    overrides = {**BY_LOSS, "trainer.num_epochs": 1, **suggested_overrides("pairs")}
    scores = run_commands("pairs/bilstm", overrides, directory)
    assert scores["similarity_loss"] > 0.1
    assert scores["loss"] == pytest.approx(scores["entailment_loss"])


@pytest.mark.slow
def test_both_texts_of_a_joint_pair_reach_the_heads(directory: Path) -> None:
    write_splits(directory / "data", independent_pairs() * 16)
    overrides = {
        **{f"model.heads.{head}.seq2vec_encoder.embedding_dim": HIDDEN_SIZE for head in HEADS},
        **BY_LOSS,
        "model.backbone.dropout": 0.0,
        "trainer.learning_rate_scheduler": None,
        "trainer.num_epochs": 30,
        "trainer.optimizer.lr": 0.005,
        **WITHOUT_PICTURE,
    }
    scores = run_commands("pairs/minilm", overrides, directory)
    # The transformer has random weights. Half of the pairs are entailed.
    assert scores["entailment_accuracy"] >= 0.75
    assert scores["similarity_pearson"] >= 0.75
    assert scores["loss"] == pytest.approx(scores["entailment_loss"] + scores["similarity_loss"])
