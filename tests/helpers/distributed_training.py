"""A model with heads of every kind, and its data, for distributed training."""

import contextlib
import json
import random
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import torch
from allennlp.common import Params
from allennlp.data import DataLoader, DatasetReader, Vocabulary
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.models import Model
from allennlp.models.heads import Head
from allennlp.training.metrics import Metric

from multitask_model import MultiTaskDataLoader, MultiTaskModel
from tests.helpers.sentences import FIRST, SECOND, to_conllu

DIM = 4
POOL = {"type": "bag_of_embeddings", "embedding_dim": DIM, "averaged": True}
LABELS = {"pos": "tags", "slots": "tags", "topics": "classes", "stars": "number", "kind": "class"}
HEADS: Dict[str, Dict[str, Any]] = {
    "pos": {"type": "tagger", "input_dim": DIM, "label_namespace": "pos_labels"},
    "slots": {
        "type": "crf_tagger",
        "input_dim": DIM,
        "label_encoding": "BIO",
        "label_namespace": "slots_labels",
    },
    "topics": {
        "type": "multi_label_classifier",
        "seq2vec_encoder": POOL,
        "label_namespace": "topics_labels",
    },
    "stars": {"type": "regression", "seq2vec_encoder": POOL},
    "kind": {"type": "classifier", "seq2vec_encoder": POOL, "label_namespace": "kind_labels"},
    "tree": {"type": "dependency_parser", "input_dim": DIM, "arc_dim": 3, "tag_dim": 3},
    "words": {"type": "masked_language_model", "input_dim": DIM},
    "middle": {"type": "tests.helpers.distributed_training.MedianHead"},
}
TASK_HEADS = {
    "many": ["pos", "slots", "topics", "stars"],
    "kinds": ["kind", "middle"],
    "one": ["kind", "stars"],
    "trees": ["tree"],
    "raw": ["words"],
}
ARGUMENTS = {"pos": "tags", "slots": "tags", "topics": "labels", "stars": "target", "kind": "label"}
SIZES = {"many": 37, "kinds": 14, "one": 1, "trees": 6, "raw": 5}


class Median(Metric):
    """A metric that cannot be summed."""

    def __init__(self) -> None:
        self.values: List[float] = []

    def __call__(self, values: torch.Tensor) -> None:  # type: ignore[override]
        self.values += values.tolist()

    def get_metric(self, reset: bool = False) -> float:
        median = sorted(self.values)[len(self.values) // 2] if self.values else 0.0
        if reset:
            self.reset()
        return median

    def reset(self) -> None:
        self.values = []


class MedianHead(Head):
    """A person's own head, with a metric of their own."""

    def __init__(self, vocab: Vocabulary) -> None:
        super().__init__(vocab)
        self.linear = torch.nn.Linear(DIM, 1)
        self.median = Median()

    def forward(
        self, encoded_text: torch.Tensor, encoded_text_mask: torch.Tensor
    ) -> Dict[str, torch.Tensor]:
        mask = encoded_text_mask.unsqueeze(-1)
        means = (encoded_text * mask).sum(1) / mask.sum(1)
        scores = self.linear(means).squeeze(-1)
        self.median(scores.detach())
        return {"scores": scores, "loss": scores.square().mean()}

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return {"median": self.median.get_metric(reset)}


def _line(task: str, number: int, rng: random.Random) -> Dict[str, Any]:
    words = [f"w{rng.randrange(9)}" for _ in range(rng.randrange(1, 6))]
    line: Dict[str, Any] = {"text": words}
    if task == "many":
        line["pos"] = [rng.choice("NVA") for _ in words]
        if number % 3:
            line["slots"] = ["O" if i else rng.choice(["B-x", "O"]) for i, _ in enumerate(words)]
        line["topics"] = rng.sample(["t", "u", "v"], rng.randrange(3))
    if task == "one" or (task == "many" and number % 2):
        line["stars"] = rng.uniform(-2, 2)
    if task in ("kinds", "one"):
        line["kind"] = rng.choice("klm")
    return line


def write_data(folder: Path) -> Dict[str, str]:
    """Writes the dataset of each task, of a size in `SIZES`, and returns the paths."""
    rng = random.Random(0)
    for task in ("many", "kinds", "one", "raw"):
        lines = [json.dumps(_line(task, i, rng)) for i in range(SIZES[task])]
        (folder / task).write_text("\n".join(lines) + "\n")
    (folder / "trees").write_text(to_conllu(*[FIRST, SECOND] * (SIZES["trees"] // 2)))
    return {task: str(folder / task) for task in TASK_HEADS}


def make_config(folder: Path, **changes: Any) -> Dict[str, Any]:
    """Returns a config for the data in `folder`. `changes` replace its parts."""
    lines = {"type": "labeled_jsonl", "labels": LABELS}
    readers = {
        "many": lines,
        "kinds": lines,
        "one": lines,
        "trees": {"type": "conllu", "fields": ["head_indices", "head_tags"]},
        "raw": {"type": "masked_tokens", "reader": {"type": "labeled_jsonl", "labels": {}}},
    }
    paths = {task: str(folder / task) for task in TASK_HEADS}
    loader = {"type": "multitask", "scheduler": {"type": "shuffled", "batch_size": 2}}
    config = {
        "dataset_reader": {"type": "multitask", "readers": readers},
        "train_data_path": paths,
        "validation_data_path": paths,
        "data_loader": loader,
        "validation_data_loader": loader,
        "model": {
            "type": "multitask",
            "backbone": {
                "type": "text",
                "text_field_embedder": {
                    "token_embedders": {"tokens": {"type": "embedding", "embedding_dim": DIM}}
                },
            },
            "heads": HEADS,
            "task_heads": TASK_HEADS,
            "arg_name_mapping": {head: {head: name} for head, name in ARGUMENTS.items()},
        },
        "trainer": {"optimizer": {"type": "sgd", "lr": 0.1}, "num_epochs": 2, "cuda_device": -1},
        **changes,
    }
    copied: Dict[str, Any] = json.loads(json.dumps(config))
    return copied


def make_model_and_loader(
    config: Dict[str, Any], vocab: Vocabulary
) -> Tuple[MultiTaskModel, MultiTaskDataLoader]:
    """The model, with the same random weights in every process, and the training loader."""
    params = Params(json.loads(json.dumps(config)))
    reader = DatasetReader.from_params(params["dataset_reader"])
    random.seed(1)
    loader = DataLoader.from_params(
        params["data_loader"], reader=reader, data_path=dict(config["train_data_path"])
    )
    loader.index_with(vocab)
    torch.manual_seed(0)
    model = Model.from_params(params["model"], vocab=vocab)
    assert isinstance(model, MultiTaskModel)
    assert isinstance(loader, MultiTaskDataLoader)
    return model, loader


def make_vocab(config: Dict[str, Any]) -> Vocabulary:
    """The vocabulary of all data."""
    reader = DatasetReader.from_params(Params(json.loads(json.dumps(config)))["dataset_reader"])
    assert isinstance(reader, MultiTaskDatasetReader)
    loader = MultiTaskDataLoader(reader, dict(config["train_data_path"]), batch_size=2)
    return Vocabulary.from_instances(loader.iter_instances())


@contextlib.contextmanager
def process_group(folder: Path, rank: int, count: int) -> Iterator[None]:
    """Connects `count` processes."""
    store = f"file://{folder}/store{count}"
    torch.distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=count)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()
