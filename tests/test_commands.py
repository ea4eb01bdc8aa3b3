"""
The `allennlp` command on one small model: a BERT with two classifiers, trained from a config file.
It is run in a process that has imported AllenNLP, or in this one.
"""

import json
import math
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from allennlp.training import GradientDescentTrainer

from multitask_model import MultiTaskModel, MultiTaskPredictor
from tests.helpers.commands import PACKAGE, run_allennlp, run_allennlp_here
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

pytestmark = pytest.mark.slow

Rows = List[Dict[str, Any]]

# One word of a sentence determines the label of each task.
BODIES = ["the {} {} sat", "a {} {} ran on the mat .", "{} {}", "the {} {} not on a mat"]
PAIRS = [(mood, animal) for mood in ("good", "bad") for animal in ("cat", "dog")]
TEXTS = [body.format(*pair) for body in BODIES for pair in PAIRS]
LABELS = {
    "polarity": [mood for _ in BODIES for mood, _ in PAIRS],
    "animal": [animal for _ in BODIES for _, animal in PAIRS],
}
# How many of the 8 validation sentences have the wrong label.
WRONG = {"polarity": 1, "animal": 2}

# Task, text and expected label. The lengths differ, so that batches are padded.
MIXED = [
    ("animal", "a good dog", "dog"),
    ("polarity", "the bad cat sat on a mat .", "bad"),
    ("polarity", "good dog", "good"),
    ("animal", "the bad cat ran", "cat"),
    ("animal", "the good cat sat not on the mat .", "cat"),
    ("animal", "bad dog", "dog"),
    ("polarity", "a bad dog", "bad"),
]

CONFIG = """
local bert = std.extVar("BERT");
local data = std.extVar("DATA");
local transformer = {type: "pretrained_transformer", model_name: bert};
local reader = {
  type: "text_classification_json",
  tokenizer: transformer,
  token_indexers: {tokens: transformer},
};
local head = {
  type: "classifier",
  seq2vec_encoder: {type: "bag_of_embeddings", embedding_dim: HIDDEN_SIZE, averaged: true},
};
local paths(split) = {[task]: data + "/" + task + "_" + split + ".jsonl"
                      for task in ["polarity", "animal"]};
{
  dataset_reader: {type: "multitask", readers: {polarity: reader, animal: reader}},
  train_data_path: paths("train"),
  validation_data_path: paths("validation"),
  model: {
    type: "multitask",
    // Without dropout, training is not random.
    backbone: transformer + {
      transformer_kwargs: {hidden_dropout_prob: 0.0, attention_probs_dropout_prob: 0.0},
    },
    heads: {polarity: head, animal: head},
    loss_weights: {animal: 0.5},
    arg_name_mapping: {backbone: {tokens: "text"}},
  },
  data_loader: {
    type: "multitask",
    scheduler: {type: "roundrobin", batch_size: 4},
    shuffle: false,
  },
  trainer: {
    num_epochs: 2,
    optimizer: {type: "adam", lr: 0.02},
    learning_rate_scheduler: {type: "cosine", t_initial: 4},
    validation_metric: ["+polarity_accuracy", "+animal_accuracy"],
    cuda_device: -1,
  },
}
""".replace("HIDDEN_SIZE", str(HIDDEN_SIZE))


def write_rows(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_rows(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text().splitlines()]


def read_metrics(path: Path) -> Dict[str, Any]:
    return json.loads(path.read_text())


def labeled(task: str, wrong: int = 0) -> Rows:
    """Returns the sentences with their labels, of which the first `wrong` are wrong."""
    other = dict(zip(sorted(set(LABELS[task])), sorted(set(LABELS[task]), reverse=True)))
    labels = [other[label] if i < wrong else label for i, label in enumerate(LABELS[task])]
    return [{"text": text, "label": label} for text, label in zip(TEXTS, labels)]


class Run:
    """A directory with a config, data and the results of commands."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "config.jsonnet"
        self.config.write_text(CONFIG)
        self.archive = directory / "uninterrupted" / "model.tar.gz"
        self.mixed = write_rows(
            directory / "mixed.jsonl", [{"task": task, "text": text} for task, text, _ in MIXED]
        )
        for task, wrong in WRONG.items():
            write_rows(self.data(task, "train"), labeled(task) * 16)
            write_rows(self.data(task, "validation"), labeled(task, wrong)[:8])

    def data(self, task: str, split: str) -> Path:
        return self.directory / f"{task}_{split}.jsonl"

    def predict(self, *options: Any) -> Rows:
        """Runs `allennlp predict` in this process and returns the predictions."""
        output = self.directory / "predictions_here.jsonl"
        command = ["predict", self.archive, *options, *PACKAGE, "--silent"]
        run_allennlp_here(*command, "--output-file", output, directory=self.directory)
        return read_rows(output)


@pytest.fixture(name="run", scope="module")
def _run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The data, the config, and the archive of `allennlp train`."""
    with pytest.MonkeyPatch.context() as patch:
        run = Run(tmp_path_factory.mktemp("commands"))
        patch.setenv("BERT", make_tiny_bert(run.directory / "bert"))
        patch.setenv("DATA", str(run.directory))
        run_allennlp(
            *["train", run.config, "-s", run.archive.parent, *PACKAGE], directory=run.directory
        )
        yield run


@pytest.fixture(name="metrics", scope="module")
def _metrics(run: Run) -> Dict[str, Any]:
    return read_metrics(run.archive.parent / "metrics.json")


@pytest.fixture(name="predictions", scope="module")
def _predictions(run: Run) -> Rows:
    """The predictions of `allennlp predict` for the mixed tasks, one instance at a time."""
    return run.predict(run.mixed)


def assert_same(found: Rows, expected: Rows) -> None:
    """Asserts that predictions are equal, up to rounding, which depends on the batch size."""
    assert [list(row) for row in found] == [list(row) for row in expected]
    for found_row, expected_row in zip(found, expected):
        for name, value in expected_row.items():
            values = list(value.values()) if isinstance(value, dict) else value
            is_number = isinstance(values, list) and isinstance(values[0], float)
            assert found_row[name] == (pytest.approx(value, abs=1e-6) if is_number else value)


# --- train


def test_the_trained_model_is_ours(run: Run) -> None:
    model = load_archive(run.archive).model
    assert type(model) is MultiTaskModel
    assert list(model.heads) == ["animal", "polarity"]  # jsonnet sorts


def test_each_head_has_its_validation_accuracy(metrics: Dict[str, Any]) -> None:
    # The model learns everything, so only the wrong labels are not predicted.
    for task, wrong in WRONG.items():
        assert metrics[f"best_validation_{task}_accuracy"] == (8 - wrong) / 8
        assert metrics[f"validation_{task}_accuracy"] == (8 - wrong) / 8


def test_each_head_has_its_training_accuracy(run: Run) -> None:
    first, last = (
        read_metrics(run.archive.parent / f"metrics_epoch_{epoch}.json") for epoch in range(2)
    )
    for task in WRONG:
        name = f"training_{task}_accuracy"
        # Almost nothing is left to learn in the second epoch. The accuracy would be at most 0.96 if
        # the first epoch were still counted.
        assert 0.5 < first[name] < 0.92
        assert last[name] > 0.98


@pytest.mark.parametrize("part", ["training", "validation", "best_validation"])
def test_the_joint_loss_is_the_sum_of_the_losses_of_the_heads(
    part: str, metrics: Dict[str, Any]
) -> None:
    # Every batch has 2 sentences of each task, so that batches have equal weight in each mean.
    polarity, animal = metrics[f"{part}_polarity_loss"], metrics[f"{part}_animal_loss"]
    assert metrics[f"{part}_loss"] == pytest.approx(polarity + 0.5 * animal, rel=1e-6)
    assert polarity != animal


@pytest.mark.parametrize("task", WRONG)
def test_each_head_has_its_validation_loss(task: str, run: Run, metrics: Dict[str, Any]) -> None:
    predictor: Any = Predictor.from_path(run.archive)
    vocab = predictor.model.vocab
    rows = read_rows(run.data(task, "validation"))
    predicted = predictor.predict_batch_json([{"task": task, "text": row["text"]} for row in rows])
    losses = [
        -math.log(row[f"{task}_probs"][vocab.get_token_index(gold["label"], "labels")])
        for row, gold in zip(predicted, rows)
    ]
    mean = sum(losses) / len(losses)
    assert metrics[f"best_validation_{task}_loss"] == pytest.approx(mean, rel=1e-5)


def test_recovering_resumes_where_training_was_interrupted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(trainer: Any, epoch: int) -> Any:
        if epoch == 1:
            raise KeyboardInterrupt
        return train_epoch(trainer, epoch)

    train_epoch = GradientDescentTrainer._train_epoch
    monkeypatch.setattr(GradientDescentTrainer, "_train_epoch", interrupted)
    resumed, uninterrupted = run.directory / "resumed", run.archive.parent
    train = ["train", run.config, "-s", resumed, *PACKAGE]
    with pytest.raises(KeyboardInterrupt):
        run_allennlp_here(*train, directory=run.directory)
    first = resumed / "metrics_epoch_0.json"
    written = first.stat().st_mtime_ns
    assert not (resumed / "metrics_epoch_1.json").exists()

    run_allennlp(*train, "--recover", directory=run.directory)

    assert first.stat().st_mtime_ns == written
    metrics = read_metrics(resumed / "metrics_epoch_1.json")
    for name, value in read_metrics(uninterrupted / "metrics_epoch_1.json").items():
        if "duration" not in name and "memory" not in name:
            assert metrics[name] == pytest.approx(value, rel=1e-4), name
    weights = torch.load(resumed / "model_state_e2_b0.th")
    for name, value in torch.load(uninterrupted / "model_state_e2_b0.th").items():
        assert torch.allclose(weights[name], value, atol=1e-4), name


# --- evaluate


def test_evaluate_reports_the_metrics_of_the_best_epoch(run: Run, metrics: Dict[str, Any]) -> None:
    paths = {task: str(run.data(task, "validation")) for task in WRONG}
    output = run.directory / "evaluation.json"
    run_allennlp(
        *["evaluate", run.archive, json.dumps(paths), "--output-file", output, *PACKAGE],
        directory=run.directory,
    )
    best = {
        name[len("best_validation_") :]: value
        for name, value in metrics.items()
        if name.startswith("best_validation_")
    }
    assert set(best) == {
        *["loss", "polarity_accuracy", "polarity_loss", "animal_accuracy", "animal_loss"]
    }
    assert read_metrics(output) == pytest.approx(best, rel=1e-6)


# --- predict


def test_mixed_tasks_are_predicted(predictions: Rows) -> None:
    assert len(predictions) == len(MIXED)
    for row, (task, _, label) in zip(predictions, MIXED):
        assert row[f"{task}_label"] == label
        probs = row[f"{task}_probs"]
        logits = [math.exp(logit) for logit in row[f"{task}_logits"]]
        assert probs == pytest.approx([logit / sum(logits) for logit in logits], abs=1e-6)


def test_a_prediction_only_has_the_outputs_of_its_head(predictions: Rows) -> None:
    for row, (task, text, _) in zip(predictions, MIXED):
        assert row.get("tokens") in (None, ["[CLS]", *text.split(), "[SEP]"])
        names = ["logits", "probs", "label", "probs_by_label"]
        assert set(row) - {"tokens"} == {f"{task}_{name}" for name in names}


def test_predictions_do_not_depend_on_the_batch_size(run: Run, predictions: Rows) -> None:
    output = run.directory / "predictions.jsonl"
    run_allennlp(
        *["predict", run.archive, run.mixed, "--batch-size", "4", "--silent", *PACKAGE],
        *["--output-file", output],
        directory=run.directory,
    )
    assert_same(read_rows(output), predictions)


@pytest.mark.parametrize("task", WRONG)
def test_a_data_file_is_predicted_as_json_is(task: str, run: Run) -> None:
    data = run.data(task, "validation")
    options = ["--batch-size", 7]  # the last of the 8 is a batch by itself, and has a loss
    found = run.predict(data, "--use-dataset-reader", "--multitask-head", task, *options)

    texts = [{"task": task, "text": row["text"]} for row in read_rows(data)]
    inputs = write_rows(run.directory / "inputs.jsonl", texts)
    assert [row[f"{task}_label"] for row in found] == LABELS[task][:8]
    assert_same(found, run.predict(inputs, *options))


def test_encodings_are_kept_on_request(run: Run, predictions: Rows) -> None:
    found = run.predict(run.mixed, "--predictor-args", '{"keep_encodings": true}')
    for row, (_, text, _), expected in zip(found, MIXED, predictions):
        added = {"encoded_text", "encoded_text_mask", "token_ids"}
        assert set(row) - set(expected) - {"tokens"} == added
        encoding = torch.tensor(row["encoded_text"])
        assert encoding.shape == (len(text.split()) + 2, HIDDEN_SIZE)
        assert row["encoded_text_mask"] == [True] * len(encoding)
        assert_same([{name: row[name] for name in expected}], [expected])


def test_a_predictor_from_the_archive_predicts_the_same(run: Run, predictions: Rows) -> None:
    predictor = Predictor.from_path(run.archive)
    assert type(predictor) is MultiTaskPredictor
    inputs = read_rows(run.mixed)
    assert_same([predictor.predict_json(row) for row in inputs], predictions)
    assert inputs == read_rows(run.mixed)


def test_the_package_is_imported_by_a_plugins_file(run: Run, predictions: Rows) -> None:
    directory = run.directory / "with_plugins"
    directory.mkdir()
    (directory / ".allennlp_plugins").write_text("multitask_model\n")
    output = directory / "predictions.jsonl"
    run_allennlp(
        *["predict", run.archive, run.mixed, "--silent", "--output-file", output],
        directory=directory,
    )
    assert_same(read_rows(output), predictions)
