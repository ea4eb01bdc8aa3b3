"""
Runs AllenNLP's own classes in a process that never imports `multitask_model`:

    python allennlp_alone.py CONFIG ARCHIVE SERIALIZATION_DIR OUTPUT

trains the config in SERIALIZATION_DIR and writes the outputs of that model and of the model in
ARCHIVE to the JSON file OUTPUT.
"""

import json
import sys
from typing import Any, Dict, TypedDict

import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.data import Batch
from allennlp.models.archival import load_archive

ModelOutputs = TypedDict("ModelOutputs", {"class": str, "outputs": Dict[str, Any]})


def outputs_of(archive_path: str) -> ModelOutputs:
    """
    Returns the class of an archive's model and its outputs for one batch of the validation data,
    with the instances of the tasks in turn.
    """
    archive = load_archive(archive_path)
    readers = archive.dataset_reader.readers  # type: ignore[attr-defined]
    paths = archive.config["validation_data_path"]
    datasets = [list(readers[task].read(paths[task])) for task in sorted(readers)]
    instances = [instance for turn in zip(*datasets) for instance in turn]
    for instance in instances:
        readers[instance["task"].metadata].apply_token_indexers(instance)
    batch = Batch(instances)
    batch.index_instances(archive.model.vocab)
    with torch.no_grad():
        outputs = archive.model(**batch.as_tensor_dict())
    # JSON keeps all digits of a float.
    numbers = {name: value.tolist() for name, value in outputs.items()}
    model = type(archive.model)
    return {"class": f"{model.__module__}.{model.__qualname__}", "outputs": numbers}


if __name__ == "__main__":
    config, archive, serialization_dir, output = sys.argv[1:]
    train_model(Params.from_file(config), serialization_dir)
    trained = outputs_of(f"{serialization_dir}/model.tar.gz")
    found = {"trained": trained, "given": outputs_of(archive)}
    if "multitask_model" in sys.modules:
        raise RuntimeError(
            "This script must run without multitask_model, but it was imported. Remove the import."
        )
    with open(output, "w") as file:
        json.dump(found, file)
