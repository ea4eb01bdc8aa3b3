"""
What loading costs, and what buckets save: batches a second of `multitask_model`'s loader and of
AllenNLP's, with and without a model that takes five milliseconds a batch, and the share of padding.

    python benchmarks/loading.py

Two datasets of 4,000 texts each, whose lengths are drawn from a log-normal distribution around 16
words, as those of a treebank of web text are; batches of 32; the fastest of five epochs. With
`--write`, the table also goes to `benchmarks/LOADING.md`.
"""

import argparse
import gc
import math
import platform
import random
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import allennlp.version
import torch
from allennlp.data import DatasetReader, Instance, Token, Vocabulary
from allennlp.data.data_loaders.multitask_data_loader import (
    MultiTaskDataLoader as AllenNLPLoader,
)
from allennlp.data.data_loaders.multitask_scheduler import (
    HomogeneousRoundRobinScheduler as AllenNLPScheduler,
)
from allennlp.data.dataset_readers import MultiTaskDatasetReader as AllenNLPReader
from allennlp.data.fields import LabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

import multitask_model
from multitask_model import MultiTaskDataLoader, MultiTaskDatasetReader

RESULTS = Path(__file__).parent / "LOADING.md"
INTRODUCTION = """# What loading costs, and what buckets save

Batches a second in the fastest of five epochs of 8,000 texts in batches of 32, and the share of the
tokens of a batch that is padding. Command: `python benchmarks/loading.py --write`.
"""
TEXTS = 4000
TASKS = ["a", "b"]
BATCH_SIZE = 32
EPOCHS = 5
MODEL_SECONDS = 0.005
OURS: Dict[str, Dict[str, Any]] = {
    "here": {},
    "here, 1 worker": {"num_workers": 1},
    "here, 2 workers": {"num_workers": 2},
    "here, `sorting_keys`": {"sorting_keys": ["text"]},
}


class GeneratedReader(DatasetReader):
    """Takes a number of texts in place of a path."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        draw = random.Random(0)
        for _ in range(int(file_path)):
            length = max(1, round(draw.lognormvariate(math.log(16), 0.8)))
            words = [Token(f"w{draw.randrange(1000)}") for _ in range(length)]
            label = LabelField(str(draw.randrange(2)))
            yield Instance({"text": TextField(words), "label": label})

    def apply_token_indexers(self, instance: Instance) -> None:
        text: Any = instance.fields["text"]
        text.token_indexers = {"tokens": SingleIdTokenIndexer()}


def loaders() -> Iterator[Any]:
    """The name and the loader of each row, one after the other."""
    readers: Dict[str, DatasetReader] = {task: GeneratedReader() for task in TASKS}
    paths = {task: str(TEXTS) for task in TASKS}
    yield "AllenNLP", AllenNLPLoader(AllenNLPReader(readers), paths, AllenNLPScheduler(BATCH_SIZE))
    for name, options in OURS.items():
        reader = MultiTaskDatasetReader(dict(readers))
        # The texts are read here, whoever makes the batches.
        workers = options.get("num_workers", 0)
        rest = {key: value for key, value in options.items() if key != "num_workers"}
        loader = MultiTaskDataLoader(reader, paths, batch_size=BATCH_SIZE, **rest)
        loader._workers = loader._workers._replace(number=workers)
        yield name, loader


def epoch(loader: Any, model_seconds: float) -> "tuple[float, float]":
    """Batches a second, and the share of padding."""
    batches, filled, total = 0, 0, 0
    start = time.perf_counter()
    for batch in loader:
        tokens = batch["text"]["tokens"]["tokens"]
        batches, total = batches + 1, total + tokens.numel()
        filled += int((tokens != 0).sum())
        end = time.perf_counter() + model_seconds
        while time.perf_counter() < end:
            pass
    return batches / (time.perf_counter() - start), 1 - filled / total


def table() -> str:
    lines = [
        "| loader | loader alone | with 5 ms of model | padding |",
        "| --- | --- | --- | --- |",
    ]
    vocab: Optional[Vocabulary] = None
    for name, loader in loaders():
        vocab = vocab or Vocabulary.from_instances(loader.iter_instances())
        loader.index_with(vocab)
        gc.collect()
        gc.freeze()  # the texts of all loaders, which would be looked through again and again
        alone, padding = max(epoch(loader, 0.0) for _ in range(EPOCHS))
        with_model, _ = max(epoch(loader, MODEL_SECONDS) for _ in range(EPOCHS))
        lines.append(f"| {name} | {alone:.0f} | {with_model:.0f} | {100 * padding:.1f} % |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="What loading costs, and what buckets save.")
    parser.add_argument("--write", action="store_true", help="write benchmarks/LOADING.md too")
    arguments = parser.parse_args()
    random.seed(0)
    torch.set_num_threads(1)
    results = table()
    versions: List[str] = [
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}",
        f"allennlp {allennlp.version.VERSION}",
        f"multitask_model {multitask_model.__version__}",
    ]
    machine = f"Two CPU cores; {', '.join(versions)}."
    print(f"\n{results}\n\n{machine}")
    if arguments.write:
        RESULTS.write_text(f"{INTRODUCTION}\n{results}\n\n{machine}\n")


if __name__ == "__main__":
    main()
