"""
Benchmarks data loading: batches per second of `multitask_model`'s data loader and of AllenNLP's,
with and without a model that takes 5 or 20 ms per batch, the padding ratio, evaluation, and time
and memory by the number of datasets and of instances.

    python benchmarks/loading.py
    python benchmarks/loading.py --rows twenty scale --write

Uses sentences whose lengths have a log-normal distribution with a median of 16 words, as in a
treebank of web text, and batches of 32. Each round has one epoch of every loader; a ratio is the
median of those of the rounds. `--rows` selects tables; `--write` also writes them to
`benchmarks/LOADING.md`, where tables that were not measured are kept.
"""

import argparse
import gc
import math
import platform
import random
import re
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

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
from results import processor, write_section  # type: ignore[import-not-found]

import multitask_model
from multitask_model import MultiTaskDataLoader, MultiTaskDatasetReader

RESULTS = Path(__file__).parent / "LOADING.md"
INTRODUCTION = """
Batches of up to 32 generated sentences of {sentences:,} in total. A figure is the median of
{rounds} rounds, or of {with_model} with a model; each round has one epoch of every loader. A ratio
is the median of the ratios to AllenNLP's loader within a round. Padding is its proportion in the
tokens of the batches. The processes of `num_workers` only read these fields. Command:
`python benchmarks/loading.py --rows {name} --write`.
"""
WORKERS = """
Loaders with and without worker processes, for a model that takes 20 ms per batch of 32; the median
of {with_model} rounds. Command: `python benchmarks/loading.py --rows workers --write`.
"""
EVALUATION = """
{sentences:,} generated sentences through an embedding and a BiLSTM, 2 × 128, in batches of 32: in
the order of the files, as by default, and with `loader.any_order()` in buckets; the median of
{with_model} rounds. Command: `python benchmarks/loading.py --rows evaluation --write`.
"""
SCALE = """
The CPU time of construction, reading, indexing and one epoch, divided by the number of instances,
and the peak memory of the process: a new one for each row, in which the libraries were loaded
before. Lazy datasets have `max_instances_in_memory` of 1,000. Command:
`python benchmarks/loading.py --rows scale --write`.
"""
BATCH_SIZE = 32
BUCKETS = "multitask_model, `sorting_keys`"
BUDGET = "multitask_model, `sorting_keys`, `max_tokens` of 640"
OURS: Dict[str, Dict[str, Any]] = {
    "multitask_model": {},
    "multitask_model, 1 worker": {"num_workers": 1},
    "multitask_model, 2 workers": {"num_workers": 2},
    BUCKETS: {"sorting_keys": ["text"]},
    BUDGET: {"sorting_keys": ["text"], "max_tokens": 640},
}
EAGER = (50, 100, 200)  # datasets of 500 instances
LAZY = (50_000, 100_000, 200_000, 500_000)  # instances of each of two datasets
Loaders = Dict[str, DataLoader]
Figures = Dict[str, List[float]]


class Sizes(NamedTuple):
    sentences: int
    rounds: int
    scale: float

    @property
    def with_model(self) -> int:
        """The rounds with a model."""
        return max(1, self.rounds // 2)


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


def make_loaders(tasks: int, sentences: int) -> Loaders:
    """Returns AllenNLP's loader and ours, all with `sentences` sentences in total."""
    names = [f"task{i}" for i in range(tasks)]
    readers: Dict[str, DatasetReader] = {task: GeneratedReader() for task in names}
    paths = {task: str(sentences // tasks) for task in names}
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


def loading_table(tasks: int, sizes: Sizes) -> List[str]:
    """The loader alone, and with a model that takes 5 ms."""
    loaders = make_loaders(tasks, sizes.sentences)
    alone = measure(loaders, 0.0, sizes.rounds)
    with_model = measure(loaders, 0.005, sizes.with_model)
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


def workers_table(sizes: Sizes) -> List[str]:
    """Workers against none, with a model that takes 20 ms."""
    made = make_loaders(1, sizes.sentences)
    loaders = {name: loader for name, loader in made.items() if name in list(OURS)[:3]}
    figures = measure(loaders, 0.02, sizes.with_model)
    lines = ["| with a model of 20 ms | batches/s | ratio to no worker |", "| --- | --- | --- |"]
    for name in loaders:
        of_name = ratio(figures, name, "multitask_model")
        lines.append(f"| {name} | {median(figures[name]):.1f} | {of_name:.2f} |")
    return lines


def evaluation_table(sizes: Sizes) -> List[str]:
    """Instances per second of a BiLSTM, in the order of the files and in buckets."""
    loader = make_loaders(1, sizes.sentences)[BUCKETS]
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
        return sizes.sentences / (time.perf_counter() - start)

    figures: Figures = {"order of the files": [], "buckets": []}
    for _ in range(sizes.with_model):
        figures["order of the files"].append(evaluate())
        with loader.any_order():
            figures["buckets"].append(evaluate())
    lines = ["| evaluation by a BiLSTM | instances/s | ratio |", "| --- | --- | --- |"]
    for name in figures:
        of_name = ratio(figures, name, "order of the files")
        lines.append(f"| {name} | {median(figures[name]):.0f} | {of_name:.2f} |")
    return lines


def megabytes(field: str) -> float:
    """
    A value of this process in `/proc`. `getrusage` has at least the memory of the process that
    started this one.
    """
    status = Path("/proc/self/status").read_text()
    (kilobytes,) = re.findall(rf"^{field}:\s+(\d+) kB$", status, re.M)
    return int(kilobytes) / 1024


def time_and_memory(tasks: int, of_each: int, lazy: Optional[int]) -> Tuple[float, float, float]:
    """
    The microseconds of CPU time per instance, the peak memory of this process in MB, and how much
    of it was not used before.
    """
    before = megabytes("VmRSS")
    names = [f"task{i}" for i in range(tasks)]
    reader = MultiTaskDatasetReader({task: GeneratedReader() for task in names})
    paths = dict.fromkeys(names, str(of_each))
    options: Dict[str, Any] = {"batch_size": BATCH_SIZE, "max_instances_in_memory": lazy}
    start = time.process_time()
    loader = MultiTaskDataLoader(reader, paths, **options)
    words = [f"w{i}" for i in range(1000)]
    loader.index_with(Vocabulary(tokens_to_add={"tokens": words, "labels": ["0", "1"]}))
    instances = sum(len(batch["label"]) for batch in loader)
    microseconds = 1e6 * (time.process_time() - start) / instances
    peak = megabytes("VmHWM")
    return microseconds, peak, peak - before


def scale_table(sizes: Sizes) -> List[str]:
    """Reading, indexing and one epoch, each in a new process."""
    cases: List[Tuple[int, int, Optional[int]]] = [(tasks, 500, None) for tasks in EAGER]
    cases += [(2, of_each, 1000) for of_each in LAZY]
    lines = [
        "| datasets | CPU time per instance (µs) | peak memory | of these for the data |",
        "| --- | --- | --- | --- |",
    ]
    for tasks, of_each, lazy in cases:
        # A fork would start with the memory of this process.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            size = max(1, round(of_each * sizes.scale))
            microseconds, *memory = pool.submit(time_and_memory, tasks, size, lazy).result()
        name = f"{tasks} of {size:,} instances{', read lazily' if lazy else ''}"
        cells = [name, f"{microseconds:.0f}", *(f"{value:.0f} MB" for value in memory)]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return lines


class Section(NamedTuple):
    title: str
    introduction: str
    table: Callable[[Sizes], List[str]]


SECTIONS = {
    "one": Section("Data loading", INTRODUCTION, lambda sizes: loading_table(1, sizes)),
    "twenty": Section(
        "Data loading, 20 datasets", INTRODUCTION, lambda sizes: loading_table(20, sizes)
    ),
    "workers": Section("Worker processes", WORKERS, workers_table),
    "evaluation": Section("Evaluation in buckets", EVALUATION, evaluation_table),
    "scale": Section("Time and memory by size", SCALE, scale_table),
}


def machine() -> str:
    return (
        f"{processor()}, two cores; Python {platform.python_version()}, torch {torch.__version__}, "
        f"allennlp {allennlp.version.VERSION}, multitask_model {multitask_model.__version__}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Benchmarks data loading.")
    parser.add_argument("--rows", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--sentences", type=int, default=4000, help="of all tables but `scale`")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="of the datasets of `scale`")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/LOADING.md")
    arguments = parser.parse_args()
    random.seed(0)
    torch.set_num_threads(1)
    sizes = Sizes(arguments.sentences, arguments.rounds, arguments.scale)
    for name in arguments.rows:
        section = SECTIONS[name]
        table = "\n".join(section.table(sizes))
        print(f"{table}\n", flush=True)
        if arguments.write:
            text = section.introduction.format(
                name=name, with_model=sizes.with_model, **sizes._asdict()
            )
            write_section(section.title, f"{text}\n{table}\n\n{machine()}", RESULTS)
    print(machine())


if __name__ == "__main__":
    main()
