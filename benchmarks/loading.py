"""
Benchmarks data loading: batches per second of `multitask_model`'s data loader and of AllenNLP's,
with and without a model that takes 5 or 20 ms per batch, the padding ratio, and evaluation.

    python benchmarks/loading.py

Uses sentences whose lengths have a log-normal distribution with a median of 16 words, as in a
treebank of web text, and batches of 32. Each round has one epoch of every loader; a ratio is the
median of those of the rounds. `--rows` selects tables; `--write` writes `benchmarks/LOADING.md`.
"""

import argparse
import gc
import math
import platform
import random
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

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

Batches of up to 32 generated sentences. A figure is the median of {rounds} rounds, or of 3 with a
model; each round has one epoch of every loader. A ratio is the median of the ratios to AllenNLP's
loader within a round. Padding is its proportion in the tokens of the batches. The processes of
`num_workers` only read these fields. Command: `python benchmarks/loading.py --write`.
"""
BATCH_SIZE = 32
ROUNDS = 7
SENTENCES = 4000
BUCKETS = "multitask_model, `sorting_keys`"
BUDGET = "multitask_model, `sorting_keys`, `max_tokens` of 640"
OURS: Dict[str, Dict[str, Any]] = {
    "multitask_model": {},
    "multitask_model, 1 worker": {"num_workers": 1},
    "multitask_model, 2 workers": {"num_workers": 2},
    BUCKETS: {"sorting_keys": ["text"]},
    BUDGET: {"sorting_keys": ["text"], "max_tokens": 640},
}
Loaders = Dict[str, DataLoader]
Figures = Dict[str, List[float]]


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


def make_loaders(tasks: int) -> Loaders:
    """Returns AllenNLP's loader and ours, all with `SENTENCES` sentences in total."""
    names = [f"task{i}" for i in range(tasks)]
    readers: Dict[str, DatasetReader] = {task: GeneratedReader() for task in names}
    paths = {task: str(SENTENCES // tasks) for task in names}
    scheduler = AllenNLPScheduler(BATCH_SIZE)
    loaders: Loaders = {"AllenNLP": AllenNLPLoader(AllenNLPReader(readers), paths, scheduler)}
    for name, options in OURS.items():
        reader = MultiTaskDatasetReader(dict(readers))
        loaders[name] = MultiTaskDataLoader(reader, paths, batch_size=BATCH_SIZE, **options)
    vocab = Vocabulary.from_instances(loaders["AllenNLP"].iter_instances())
    for loader in loaders.values():
        loader.index_with(vocab)
    gc.collect()
    gc.freeze()  # so that the garbage collector does not traverse the instances again and again
    return loaders


def batches_per_second(loader: DataLoader, model_seconds: float) -> float:
    batches, start = 0, time.perf_counter()
    for _ in loader:
        batches += 1
        end = time.perf_counter() + model_seconds
        while time.perf_counter() < end:
            pass
    return batches / (time.perf_counter() - start)


def measure(loaders: Loaders, model_seconds: float, rounds: int) -> Figures:
    """Returns the batches per second of each loader in each round."""
    figures: Figures = {name: [] for name in loaders}
    for _ in range(rounds):
        for name, loader in loaders.items():
            figures[name].append(batches_per_second(loader, model_seconds))
    return figures


def ratio(figures: Figures, name: str, reference: str) -> float:
    return median(a / b for a, b in zip(figures[name], figures[reference]))


def padding(loader: DataLoader) -> float:
    filled, total = 0, 0
    for batch in loader:
        text: Any = batch["text"]
        tokens = text["tokens"]["tokens"]
        filled, total = filled + int((tokens != 0).sum()), total + tokens.numel()
    return 1 - filled / total


def loading_table(tasks: int) -> List[str]:
    """The loader alone, and with a model that takes 5 ms."""
    loaders = make_loaders(tasks)
    alone, with_model = measure(loaders, 0.0, ROUNDS), measure(loaders, 0.005, ROUNDS // 2)
    lines = [
        f"| datasets: {tasks} | batches/s | ratio | with a model of 5 ms | ratio | padding |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, loader in loaders.items():
        cells = [name]
        for figures in (alone, with_model):
            cells += [f"{median(figures[name]):.0f}", f"{ratio(figures, name, 'AllenNLP'):.2f}"]
        lines.append(f"| {' | '.join(cells)} | {100 * padding(loader):.1f} % |")
    return lines


def workers_table() -> List[str]:
    """Workers against none, with a model that takes 20 ms."""
    loaders = {name: loader for name, loader in make_loaders(1).items() if name in list(OURS)[:3]}
    figures = measure(loaders, 0.02, 3)
    lines = ["| with a model of 20 ms | batches/s | ratio to no worker |", "| --- | --- | --- |"]
    for name in loaders:
        of_name = ratio(figures, name, "multitask_model")
        lines.append(f"| {name} | {median(figures[name]):.1f} | {of_name:.2f} |")
    return lines


def evaluation_table() -> List[str]:
    """Instances per second of a BiLSTM, in the order of the files and in buckets."""
    loader = make_loaders(1)[BUCKETS]
    assert isinstance(loader, MultiTaskDataLoader)
    embedding, encoder = (
        torch.nn.Embedding(1100, 64),
        torch.nn.LSTM(64, 128, bidirectional=True, batch_first=True),
    )

    def evaluate() -> float:
        start = time.perf_counter()
        with torch.no_grad():
            for batch in loader:
                text: Any = batch["text"]
                encoder(embedding(text["tokens"]["tokens"]))
        return SENTENCES / (time.perf_counter() - start)

    figures: Figures = {"order of the files": [], "buckets": []}
    for _ in range(3):
        figures["order of the files"].append(evaluate())
        with loader.any_order():
            figures["buckets"].append(evaluate())
    lines = ["| evaluation by a BiLSTM | instances/s | ratio |", "| --- | --- | --- |"]
    for name in figures:
        of_name = ratio(figures, name, "order of the files")
        lines.append(f"| {name} | {median(figures[name]):.0f} | {of_name:.2f} |")
    return lines


def peak_megabytes(tasks: int, of_each: int, lazy: Optional[int]) -> Tuple[float, float]:
    """Returns the microseconds per instance of an epoch, and the peak memory of this process."""
    names = [f"task{i}" for i in range(tasks)]
    reader = MultiTaskDatasetReader({task: GeneratedReader() for task in names})
    paths = dict.fromkeys(names, str(of_each))
    options: Dict[str, Any] = {"batch_size": BATCH_SIZE, "max_instances_in_memory": lazy}
    start = time.perf_counter()
    loader = MultiTaskDataLoader(reader, paths, **options)
    words = [f"w{i}" for i in range(1000)]
    loader.index_with(Vocabulary(tokens_to_add={"tokens": words, "labels": ["0", "1"]}))
    instances = sum(len(batch["label"]) for batch in loader)
    microseconds = 1e6 * (time.perf_counter() - start) / instances
    return microseconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def scale_table() -> List[str]:
    """Reading, indexing and one epoch, each in a process of its own."""
    cases: List[Tuple[int, int, Optional[int]]] = [(tasks, 500, None) for tasks in (50, 100, 200)]
    cases += [(2, of_each, 1000) for of_each in (5_000, 50_000)]
    lines = ["| datasets | microseconds per instance | peak memory |", "| --- | --- | --- |"]
    for tasks, of_each, lazy in cases:
        with ProcessPoolExecutor(1, get_context("fork")) as pool:
            microseconds, peak = pool.submit(peak_megabytes, tasks, of_each, lazy).result()
        name = f"{tasks} of {of_each:,} instances{', read lazily' if lazy else ''}"
        lines.append(f"| {name} | {microseconds:.0f} | {peak:.0f} MB |")
    return lines


TABLES: Dict[str, Callable[[], List[str]]] = {
    "one": lambda: loading_table(1),
    "twenty": lambda: loading_table(20),
    "workers": workers_table,
    "evaluation": evaluation_table,
    "scale": scale_table,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Benchmarks data loading.")
    parser.add_argument("--rows", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--write", action="store_true", help="also write benchmarks/LOADING.md")
    arguments = parser.parse_args()
    random.seed(0)
    torch.set_num_threads(1)
    tables = []
    for name in arguments.rows:
        tables.append("\n".join(TABLES[name]()))
        print(f"{tables[-1]}\n", flush=True)
    versions: List[str] = [
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}",
        f"allennlp {allennlp.version.VERSION}",
        f"multitask_model {multitask_model.__version__}",
    ]
    machine = f"Two CPU cores; {', '.join(versions)}."
    print(machine)
    if arguments.write:
        introduction = INTRODUCTION.format(rounds=ROUNDS)
        RESULTS.write_text("\n".join([introduction, *(f"{t}\n" for t in tables), machine, ""]))


if __name__ == "__main__":
    main()
