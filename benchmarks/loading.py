"""
Benchmarks data loading: batches per second of `multitask_model`'s data loader and of AllenNLP's,
with and without a model that takes 5 ms per batch, and the padding ratio with and without buckets.

    python benchmarks/loading.py

Uses two datasets of 4,000 sentences, whose lengths have a log-normal distribution with a median of
16 words, as in a treebank of web text, and batches of 32. Reports the fastest of five epochs.
`--write` also writes the table to `benchmarks/LOADING.md`.
"""

import argparse
import gc
import math
import platform
import random
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import allennlp.version
import torch
from allennlp.data import DataLoader, DatasetReader, Instance, Token, Vocabulary
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
INTRODUCTION = """# Data loading

Batches per second in the fastest of five epochs of 8,000 sentences in batches of 32, and the
padding ratio: the proportion of padding in the tokens of the batches. Command:
`python benchmarks/loading.py --write`.
"""
SENTENCES = 4000
TASKS = ["a", "b"]
BATCH_SIZE = 32
EPOCHS = 5
MODEL_SECONDS = 0.005
OURS: Dict[str, Dict[str, Any]] = {
    "multitask_model": {},
    "multitask_model, 1 worker": {"num_workers": 1},
    "multitask_model, 2 workers": {"num_workers": 2},
    "multitask_model, `sorting_keys`": {"sorting_keys": ["text"]},
}


class GeneratedReader(DatasetReader):
    """Generates random sentences. Its path is their number."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        rng = random.Random(0)
        for _ in range(int(file_path)):
            length = max(1, round(rng.lognormvariate(math.log(16), 0.8)))
            words = [Token(f"w{rng.randrange(1000)}") for _ in range(length)]
            label = LabelField(str(rng.randrange(2)))
            yield Instance({"text": TextField(words), "label": label})

    def apply_token_indexers(self, instance: Instance) -> None:
        text: Any = instance.fields["text"]
        text.token_indexers = {"tokens": SingleIdTokenIndexer()}


def loaders() -> Iterator[Tuple[str, DataLoader]]:
    """Yields the name and the loader of each row of the table."""
    readers: Dict[str, DatasetReader] = {task: GeneratedReader() for task in TASKS}
    paths = {task: str(SENTENCES) for task in TASKS}
    yield "AllenNLP", AllenNLPLoader(AllenNLPReader(readers), paths, AllenNLPScheduler(BATCH_SIZE))
    for name, options in OURS.items():
        reader = MultiTaskDatasetReader(dict(readers))
        yield name, MultiTaskDataLoader(reader, paths, batch_size=BATCH_SIZE, **options)


def epoch(loader: DataLoader, model_seconds: float) -> Tuple[float, float]:
    """Returns the batches per second and the padding ratio."""
    batches, filled, total = 0, 0, 0
    start = time.perf_counter()
    for batch in loader:
        text: Any = batch["text"]
        tokens = text["tokens"]["tokens"]
        batches, total = batches + 1, total + tokens.numel()
        filled += int((tokens != 0).sum())
        end = time.perf_counter() + model_seconds
        while time.perf_counter() < end:
            pass
    return batches / (time.perf_counter() - start), 1 - filled / total


def table() -> str:
    """Runs the benchmark and returns its results as a Markdown table."""
    lines = [
        "| loader | without a model | with a model of 5 ms | padding |",
        "| --- | --- | --- | --- |",
    ]
    vocab: Optional[Vocabulary] = None
    for name, loader in loaders():
        vocab = vocab or Vocabulary.from_instances(loader.iter_instances())
        loader.index_with(vocab)
        gc.collect()
        gc.freeze()  # so that the garbage collector does not traverse the instances again and again
        loading, padding = max(epoch(loader, 0.0) for _ in range(EPOCHS))
        with_model, _ = max(epoch(loader, MODEL_SECONDS) for _ in range(EPOCHS))
        lines.append(f"| {name} | {loading:.0f} | {with_model:.0f} | {100 * padding:.1f} % |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Benchmarks data loading.")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/LOADING.md")
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
