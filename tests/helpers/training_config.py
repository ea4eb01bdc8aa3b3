"""A small config whose tasks have different fields, and training from it."""

import copy
import json
from pathlib import Path
from typing import Any, Dict, List

import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.data import DatasetReader, Instance, Vocabulary

from tests.helpers.commands import training_here
from tests.helpers.models import CLASSES, TinyHead, make_instance

HEAD = {"type": "tests.helpers.training_config.ExtendedHead"}
HEADS = ["polarity", "genre", "mood"]

DATA: Dict[str, List[Dict[str, Any]]] = {
    "tweets": [{"text": f"w{i}", "polarity": f"class{i % 3}"} for i in range(6)],
    "ewt": [
        {"text": f"w{i} w1", "genre": f"class{i % 2}", **({"mood": "class1"} if i % 2 else {})}
        for i in range(4)
    ],
}


class LinesReader(DatasetReader):
    """Each line of JSON has a text and labels by name. All labels have one namespace."""

    def _read(self, file_path: Any) -> Any:
        for line in Path(file_path).read_text().splitlines():
            yield self.text_to_instance(**json.loads(line))

    def text_to_instance(self, text: str, **labels: Any) -> Instance:  # type: ignore[override]
        return make_instance(text, **labels)


class ExtendedHead(TinyHead):
    """A `TinyHead` that may have one more parameter."""

    def __init__(self, vocab: Vocabulary, classes: int = CLASSES, extra: bool = False) -> None:
        super().__init__(vocab, classes)
        if extra:
            self.extra = torch.nn.Parameter(torch.zeros(1))


def make_config(folder: Path, **model: Any) -> Dict[str, Any]:
    """Writes the data to `folder` and returns a config, with these parameters of the model."""
    files = {task: str(folder / f"{task}.jsonl") for task in DATA}
    for task, rows in DATA.items():
        Path(files[task]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    reader = {"type": "tests.helpers.training_config.LinesReader"}
    config = {
        "dataset_reader": {"type": "multitask", "readers": dict.fromkeys(DATA, reader)},
        "train_data_path": files,
        "validation_data_path": files,
        "data_loader": {
            "type": "multitask",
            "scheduler": {"type": "roundrobin", "batch_size": 4},
        },
        "model": {
            "type": "multitask",
            "backbone": {"type": "tests.helpers.models.TinyBackbone"},
            "heads": dict.fromkeys(HEADS, HEAD),
            "task_heads": {"tweets": ["polarity"], "ewt": ["genre", "mood"]},
            "arg_name_mapping": {name: {name: "label"} for name in HEADS},
            **model,
        },
        "trainer": {"optimizer": {"type": "sgd", "lr": 0.1}, "num_epochs": 1, "cuda_device": -1},
    }
    # AllenNLP consumes a config, so that no dictionary may be in it twice.
    return json.loads(json.dumps(config))


def train(config: Dict[str, Any], folder: Path, name: str) -> Any:
    """Trains in `folder / name` and returns the model."""
    with training_here():
        return train_model(Params(copy.deepcopy(config)), str(folder / name), force=True)
