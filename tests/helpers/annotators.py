"""A small model that tags, parses, finds names and classifies, and its readers, from a config."""

import json
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model

from multitask_model import MultiTaskDatasetReader, MultiTaskModel, MultiTaskPredictor
from tests.helpers.sentences import FIRST, SECOND, write_conllu

NEWS = [
    {"text": ["Ann", "saw", "New", "York"], "ner": ["B-per", "O", "B-loc", "I-loc"], "topic": "a"},
    {"text": ["Any", "cars", "?"], "ner": ["O", "O", "O"], "topic": "b"},
]
DIM = 8


def tagger(namespace: str, **extra: Any) -> Dict[str, Any]:
    return {"type": "tagger", "input_dim": DIM, "label_namespace": namespace, **extra}


def make_config(folder: Path) -> Dict[str, Any]:
    """Writes the data to `folder` and returns a config of two tasks, `ewt` and `news`."""
    lines = "".join(json.dumps(row) + "\n" for row in NEWS)
    (folder / "news.jsonl").write_text(lines)
    paths = {"ewt": str(write_conllu(folder, FIRST, SECOND)), "news": str(folder / "news.jsonl")}
    parser = {"type": "dependency_parser", "input_dim": DIM, "arc_dim": 4, "tag_dim": 4}
    ner = {"input_dim": DIM, "label_encoding": "BIO", "label_namespace": "ner_labels"}
    embedder = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": DIM}}}
    boe = {"type": "boe", "embedding_dim": DIM, "averaged": True}
    labels = {"ner": "tags", "topic": "class"}
    config = {
        "dataset_reader": {
            "type": "multitask",
            "readers": {
                "ewt": {"type": "conllu"},
                "news": {"type": "labeled_jsonl", "labels": labels},
            },
        },
        "train_data_path": paths,
        "model": {
            "type": "multitask",
            "backbone": {"type": "text", "text_field_embedder": embedder},
            "heads": {
                "upos": tagger("upos_tags"),
                "xpos": tagger("xpos_tags"),
                "feats": tagger("feats"),
                "lemma": tagger("lemmas"),
                "parser": parser,
                "ner": {"type": "crf_tagger", **ner},
                "topic": {
                    "type": "classifier",
                    "seq2vec_encoder": boe,
                    "label_namespace": "topic_labels",
                },
            },
            "task_heads": {
                "ewt": ["upos", "xpos", "feats", "lemma", "parser"],
                "news": ["ner", "topic"],
            },
            "arg_name_mapping": {
                "upos": {"upos_tags": "tags"},
                "xpos": {"xpos_tags": "tags"},
                "feats": {"feats": "tags"},
                "lemma": {"lemmas": "tags"},
                "ner": {"ner": "tags"},
                "topic": {"topic": "label"},
            },
        },
        "data_loader": {"type": "multitask", "batch_size": 2},
        "trainer": {"optimizer": {"type": "adam", "lr": 0.1}, "num_epochs": 1, "cuda_device": -1},
    }
    # AllenNLP consumes a config, so that no dictionary may be in it twice.
    return json.loads(json.dumps(config))


def make_reader(config: Dict[str, Any]) -> MultiTaskDatasetReader:
    params = Params(json.loads(json.dumps(config["dataset_reader"])))
    reader = DatasetReader.from_params(params)
    assert isinstance(reader, MultiTaskDatasetReader)
    return reader


def make_model(config: Dict[str, Any], reader: MultiTaskDatasetReader) -> MultiTaskModel:
    """Builds the model, in evaluation mode, with the vocabulary of the config's data."""
    instances = [
        instance
        for task, path in config["train_data_path"].items()
        for instance in reader.read(path, force_task=task)
    ]
    torch.manual_seed(1)
    vocab = Vocabulary.from_instances(instances)
    params = Params(json.loads(json.dumps(config["model"])))
    model = Model.from_params(params, vocab=vocab)
    assert isinstance(model, MultiTaskModel)
    return model.eval()


def make_predictor(
    folder: Path, config: Optional[Dict[str, Any]] = None, **options: Any
) -> MultiTaskPredictor:
    config = make_config(folder) if config is None else config
    reader = make_reader(config)
    return MultiTaskPredictor(make_model(config, reader), reader, **options)
