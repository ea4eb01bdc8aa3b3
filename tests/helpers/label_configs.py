"""A config whose labels are not those of its head."""

import json
from pathlib import Path
from typing import Any, Dict

from tests.helpers.models import DIM

TWO_NAMESPACES = (
    "The argument 'label' of the head 'polarity' must have labels of its label_namespace "
    "'polarity_labels', ['neg', 'pos'], but got the field 'mood' of task 'tweets', whose labels "
    "['pos', 'neg'] are in the namespace 'mood_labels', with other indices: the head would take "
    "them for others. Set label_namespace of the head to 'mood_labels', let the reader write these "
    "labels to 'polarity_labels', or correct arg_name_mapping."
)
"""The error for the config."""


def two_namespaces(folder: Path) -> Dict[str, Any]:
    """One head for two datasets, whose labels have two names, and two orders of frequency."""
    data = {"reviews": ("polarity", "neg"), "tweets": ("mood", "pos")}
    paths = {task: str(folder / f"{task}.jsonl") for task in data}
    for task, (key, frequent) in data.items():
        rows = [{"text": "a", key: label} for label in ("neg", "pos", frequent)]
        Path(paths[task]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    readers = {
        task: {"type": "labeled_jsonl", "labels": {k: "class"}} for task, (k, _) in data.items()
    }
    embedder = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": DIM}}}
    head = {
        "type": "classifier",
        "seq2vec_encoder": {"type": "boe", "embedding_dim": DIM},
        "label_namespace": "polarity_labels",
    }
    return {
        "dataset_reader": {"type": "multitask", "readers": readers},
        "train_data_path": paths,
        "data_loader": {"type": "multitask", "batch_size": 2},
        "model": {
            "type": "multitask",
            "backbone": {"type": "text", "text_field_embedder": embedder},
            "heads": {"polarity": head},
            "task_heads": {task: ["polarity"] for task in data},
            "arg_name_mapping": {"polarity": {"polarity": "label", "mood": "label"}},
        },
        "trainer": {"optimizer": "adam", "num_epochs": 1, "cuda_device": -1},
    }
