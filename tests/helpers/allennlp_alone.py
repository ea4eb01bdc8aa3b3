"""
AllenNLP in a process that never imports `multitask_model`:

    python allennlp_alone.py CONFIG ARCHIVE TO_TRAIN OUTPUT

trains from the config in the directory `TO_TRAIN`, and writes the outputs of the trained model and
of the given archive to `OUTPUT`.
"""

import json
import sys
from typing import Any, Dict

import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.data import Batch
from allennlp.models.archival import load_archive


def outputs_of(archive_path: str) -> Dict[str, Any]:
    """
    Returns the class of the model in an archive, and its outputs for one batch of all validation
    instances, in which the tasks alternate.
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
    # JSON has all digits of a float.
    numbers = {name: value.tolist() for name, value in outputs.items()}
    model = type(archive.model)
    return {"class": f"{model.__module__}.{model.__qualname__}", "outputs": numbers}


if __name__ == "__main__":
    config, archive, to_train, output = sys.argv[1:]
    train_model(Params.from_file(config), to_train)
    found = {"trained": outputs_of(f"{to_train}/model.tar.gz"), "given": outputs_of(archive)}
    if "multitask_model" in sys.modules:
        raise RuntimeError("AllenNLP is not alone: multitask_model has been imported.")
    with open(output, "w") as file:
        json.dump(found, file)
