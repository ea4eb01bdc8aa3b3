"""All heads in one model, from instances to predictions, with labels missing in some instances."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.util import sanitize
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField
from allennlp.models import Model

from multitask_model import LabeledJsonlReader, MultiTaskModel, MultiTaskPredictor, collate
from tests.helpers.distributed_training import ARGUMENTS, DIM, LABELS
from tests.helpers.distributed_training import HEADS as ALL_HEADS

LINES: List[Dict[str, Any]] = [
    {"pos": ["N", "V"], "slots": ["B-x", "O"], "topics": ["t", "u"], "stars": 1.5, "kind": "k"},
    {"pos": ["V", "N", "N"], "topics": [], "kind": "l"},
    {"slots": ["O"], "stars": -2},
    {},
    {"pos": ["N"], "slots": ["B-x"], "topics": ["u"], "stars": 0, "kind": "k"},
]
LENGTHS = [2, 3, 1, 2, 1]
HEADS = {name: ALL_HEADS[name] for name in LABELS}
BACKBONE = {
    "type": "text",
    "text_field_embedder": {
        "token_embedders": {"tokens": {"type": "embedding", "embedding_dim": DIM}}
    },
}


@pytest.fixture
def reader() -> LabeledJsonlReader:
    reader = DatasetReader.from_params(Params({"type": "labeled_jsonl", "labels": dict(LABELS)}))
    assert isinstance(reader, LabeledJsonlReader)
    return reader


@pytest.fixture
def instances(reader: LabeledJsonlReader) -> List[Instance]:
    instances = []
    for row, (line, length) in enumerate(zip(LINES, LENGTHS)):
        words = [f"w{row}{word}" for word in range(length)]
        instance = reader.text_to_instance(words, **line)
        reader.apply_token_indexers(instance)
        instance.add_field("task", MetadataField("all"))
        instances.append(instance)
    return instances


@pytest.fixture
def vocab(instances: List[Instance]) -> Vocabulary:
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    return vocab


@pytest.fixture
def model(vocab: Vocabulary) -> MultiTaskModel:
    config = {
        "type": "multitask",
        "backbone": BACKBONE,
        "heads": HEADS,
        "task_heads": {"all": list(HEADS)},
        "arg_name_mapping": {head: {head: argument} for head, argument in ARGUMENTS.items()},
    }
    model = Model.from_params(Params(json.loads(json.dumps(config))), vocab=vocab)
    assert isinstance(model, MultiTaskModel)
    return model.eval()


def labeled(head: str) -> List[int]:
    return [row for row, line in enumerate(LINES) if head in line]


@pytest.mark.parametrize("head", sorted(HEADS))
def test_the_loss_of_partly_labeled_batches_is_that_of_the_labeled_rows(
    model: MultiTaskModel, instances: List[Instance], head: str
) -> None:
    loss = model(**collate(instances))[f"{head}_loss"]
    rows = labeled(head)
    assert 0 < len(rows) < len(LINES)
    expected = model(**collate([instances[row] for row in rows]))[f"{head}_loss"]
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("head", sorted(HEADS))
def test_metrics_of_partly_labeled_batches_are_those_of_the_labeled_rows(
    model: MultiTaskModel, instances: List[Instance], head: str
) -> None:
    def metrics_of(selected: List[Instance]) -> Dict[str, float]:
        model(**collate(selected))
        metrics = model.get_metrics(reset=True)
        return {name: value for name, value in metrics.items() if name.startswith(f"{head}_")}

    expected = metrics_of([instances[row] for row in labeled(head)])
    assert metrics_of(instances) == pytest.approx(expected, rel=1e-5)


def test_predictions_do_not_depend_on_labels_or_on_other_instances(
    model: MultiTaskModel, instances: List[Instance], reader: LabeledJsonlReader, vocab: Vocabulary
) -> None:
    in_batch = [sanitize(outputs) for outputs in model.forward_on_instances(instances)]
    for row, outputs in enumerate(in_batch):
        words = [str(token) for token in instances[row]["text"].tokens]  # type: ignore
        unlabeled = reader.text_to_instance(words)
        reader.apply_token_indexers(unlabeled)
        unlabeled.add_field("task", MetadataField("all"))
        unlabeled.index_fields(vocab)
        alone = sanitize(model.forward_on_instance(unlabeled))
        for name in ("pos_tags", "slots_tags", "topics_labels", "kind_label"):
            assert outputs[name] == alone[name]
        assert outputs["stars_prediction"] == pytest.approx(alone["stars_prediction"], abs=1e-5)
        assert len(outputs["pos_tags"]) == len(outputs["slots_tags"]) == LENGTHS[row]


def test_the_predictor_returns_the_outputs_of_every_head(
    model: MultiTaskModel, reader: LabeledJsonlReader
) -> None:
    multi = MultiTaskDatasetReader({"all": reader})
    predictor = MultiTaskPredictor(model, multi)
    answer = predictor.predict_json({"task": "all", "text": ["w00", "w01"]})
    assert set(answer["pos_tags"]) <= {"N", "V"}
    assert set(answer["slots_tags"]) <= {"O", "B-x"}
    assert set(answer["topics_labels"]) <= {"t", "u"}
    assert type(answer["stars_prediction"]) is float
    json.dumps(answer, allow_nan=False)


TREEBANK = """\
# newdoc id = fable-1
1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
2\tfox\tfox\tNOUN\tNN\t_\t3\tnsubj\t_\t_
3\tran\trun\tVERB\tVBD\t_\t0\troot\t_\t_

# newdoc id = news-1
1\tRates\trate\tNOUN\tNNS\t_\t2\tnsubj\t_\t_
2\trose\trise\tVERB\tVBD\t_\t0\troot\t_\t_

"""


@pytest.fixture
def treebank_and_raw_text(tmp_path: Path) -> List[Instance]:
    (tmp_path / "trees.conllu").write_text(TREEBANK)
    (tmp_path / "raw.jsonl").write_text('{"text": "a fox ran home"}\n{"text": "the rates rose"}\n')
    inner = {"type": "labeled_jsonl", "labels": {}, "tokenizer": "whitespace"}
    readers = {
        "trees.conllu": DatasetReader.from_params(Params({"type": "conllu"})),
        "raw.jsonl": DatasetReader.from_params(Params({"type": "masked_tokens", "reader": inner})),
    }
    instances = []
    for file, reader in readers.items():
        for instance in reader.read(tmp_path / file):
            instance.add_field("task", MetadataField(file.split(".")[0]))
            instances.append(instance)
    return instances


def test_a_treebank_and_raw_text_train_one_backbone(treebank_and_raw_text: List[Instance]) -> None:
    """The parser and the lemmas are of one task, the masked words of another."""
    instances = treebank_and_raw_text
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    config = {
        "type": "multitask",
        "backbone": BACKBONE,
        "heads": {
            "parser": {"type": "dependency_parser", "input_dim": DIM, "arc_dim": 3, "tag_dim": 3},
            "lemmas": {"type": "tagger", "input_dim": DIM, "label_namespace": "lemmas"},
            "words": {"type": "masked_language_model", "input_dim": DIM},
        },
        "task_heads": {"trees": ["parser", "lemmas"], "raw": ["words"]},
        "arg_name_mapping": {"lemmas": {"lemmas": "tags"}},
    }
    model = Model.from_params(Params(json.loads(json.dumps(config))), vocab=vocab)
    train(model, collate(instances))
    outputs = model.eval().forward_on_instances(instances)
    metrics = model.get_metrics()
    assert metrics["parser_LAS"] == metrics["lemmas_accuracy"] == 1.0
    # Two different words are masked, and this backbone has no context to tell them apart.
    assert metrics["words_perplexity"] == pytest.approx(2.0, rel=0.01)
    assert outputs[0]["parser_head_indices"] == [2, 3, 0]
    assert outputs[0]["parser_head_tags"] == ["det", "nsubj", "root"]
    assert "words_tokens" not in outputs[0]
    assert len(outputs[2]["words_tokens"]) == 1


def train(model: Model, batch: Dict[str, Any]) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(40):
        optimizer.zero_grad()
        model(**batch)["loss"].backward()
        optimizer.step()
    model.get_metrics(reset=True)
