"""
Measures distributed training on one machine: instances per second with one and two processes of one
thread each, what the processes exchange, and the cost of `get_metrics(reset=True)`.

    python benchmarks/distributed.py [--write]

With `--write`, the tables are also written to `benchmarks/DISTRIBUTED.md`.
"""

import argparse
import json
import pickle
import platform
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, cast

import torch
from allennlp.data import Vocabulary
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.models.heads import Head
from allennlp.modules.seq2seq_encoders import LstmSeq2SeqEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding
from allennlp.training.metrics import CategoricalAccuracy, Metric

from multitask_model import (
    LabeledJsonlReader,
    MultiTaskDataLoader,
    MultiTaskModel,
    TaggerHead,
    TextBackbone,
)
from multitask_model.data.data_loaders.start_methods import get_context
from multitask_model.training.metrics.local_metrics import make_local
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.metric_exchange import exchange_metrics

RESULTS = Path(__file__).parent / "DISTRIBUTED.md"
TASKS, SENTENCES, BATCH, DIM, ROUNDS = 4, 400, 16, 200, 3
EVALUATED = [1_000, 10_000, 100_000, 1_000_000]
CALL = 1000  # instances


class Recorded(CategoricalAccuracy):
    """An accuracy that is not known to be a sum."""


class OneMetric(Head):
    def __init__(self, metric: Metric) -> None:
        super().__init__(Vocabulary())
        self.metric = metric


def write_data(folder: Path) -> None:
    rng = random.Random(0)
    for task in range(TASKS):
        lines = []
        for _ in range(SENTENCES):
            words = [f"w{rng.randrange(2000)}" for _ in range(rng.randrange(5, 35))]
            lines.append(json.dumps({"text": words, "tags": [f"t{len(w)}" for w in words]}))
        (folder / f"task{task}").write_text("\n".join(lines))


def make_training(folder: Path) -> Any:
    tasks = [f"task{i}" for i in range(TASKS)]
    reader = MultiTaskDatasetReader({task: LabeledJsonlReader({"tags": "tags"}) for task in tasks})
    random.seed(0)
    paths = {task: str(folder / task) for task in tasks}
    loader = MultiTaskDataLoader(reader, paths, batch_size=BATCH, sorting_keys=["text"])
    words, labels = [f"w{i}" for i in range(2000)], [f"t{i}" for i in range(2, 6)]
    vocab = Vocabulary(tokens_to_add={"tokens": words, "tags_labels": labels})
    loader.index_with(vocab)
    torch.manual_seed(0)
    embedder = BasicTextFieldEmbedder({"tokens": Embedding(DIM, vocab=vocab)})
    encoder = LstmSeq2SeqEncoder(DIM, DIM, num_layers=1, bidirectional=True)
    heads: Dict[str, Head] = {
        task: TaggerHead(vocab, 2 * DIM, label_namespace="tags_labels") for task in tasks
    }
    backbone = TextBackbone(vocab, embedder, encoder)
    return MultiTaskModel(vocab, backbone, heads), loader


def train(model: Any, loader: MultiTaskDataLoader) -> float:
    """Trains for an epoch and returns the seconds."""
    optimizer = torch.optim.Adam(model.parameters())
    start = time.perf_counter()
    for batch in loader:
        optimizer.zero_grad()
        model(**batch)["loss"].backward()
        optimizer.step()
    return time.perf_counter() - start


class Traffic:
    """Counts the bytes that this process gives to collective operations of Python code."""

    def __init__(self) -> None:
        self.bytes = 0
        reduce, gather = torch.distributed.all_reduce, torch.distributed.all_gather_object
        functions = cast(Dict[str, Callable[..., Any]], vars(torch.distributed))

        def all_reduce(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            self.bytes += tensor.numel() * tensor.element_size()
            return reduce(tensor, *args, **kwargs)

        def all_gather_object(values: List[Any], value: Any, *args: Any) -> None:
            self.bytes += len(pickle.dumps(value))
            gather(values, value, *args)

        functions.update(all_reduce=all_reduce, all_gather_object=all_gather_object)


def seconds_of_exchange(metric: Metric, instances: int) -> float:
    """The time of the exchange after this number of instances in each process."""
    make_local(metric)
    scores, labels = torch.randn(CALL, 10), torch.randint(10, (CALL,))
    for _ in range(instances // CALL):
        metric(scores, labels, None)
    start = time.perf_counter()
    exchange_metrics({"head": OneMetric(metric)}, {"head"}, MeanLosses())
    return time.perf_counter() - start


def run_process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    model, loader = make_training(Path(folder))
    wrapped = torch.nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)
    seconds = [train(wrapped, loader) for _ in range(ROUNDS + 1)][1:]
    model.get_metrics(reset=True)
    traffic = Traffic()
    train(wrapped, loader)
    per_step = traffic.bytes / len(loader)
    traffic.bytes = 0
    model.get_metrics(reset=True)
    per_epoch = traffic.bytes
    costs = {
        str(n): [seconds_of_exchange(CategoricalAccuracy(), n), seconds_of_exchange(Recorded(), n)]
        for n in EVALUATED
    }
    found = {"seconds": seconds, "step": per_step, "epoch": per_epoch, "costs": costs}
    (Path(folder) / f"found{rank}").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


def report(alone: List[float], found: Dict[str, Any]) -> str:
    instances = TASKS * SENTENCES
    one, two = (instances / statistics.median(s) for s in (alone, found["seconds"]))
    rows = [
        f"| {int(n):,} | {1000 * summed:.1f} | {1000 * repeated:.1f} |"
        for n, (summed, repeated) in found["costs"].items()
    ]
    return "\n".join(
        [
            f"| | 1 process | 2 processes |\n| --- | --- | --- |\n"
            f"| training, instances per second | {one:.0f} | {two:.0f} ({two / one:.2f} times) |\n"
            f"| bytes per step and process, apart from PyTorch's | 0 | {found['step']:.0f} |\n"
            f"| bytes per epoch and process, for the metrics | 0 | {found['epoch']:.0f} |\n",
            "| instances in each process | a metric that is a sum (ms) | any other (ms) |\n"
            "| --- | --- | --- |",
            *rows,
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure distributed training.")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/DISTRIBUTED.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder)
        model, loader = make_training(folder)
        alone = [train(model, loader) for _ in range(ROUNDS + 1)][1:]
        get_context("forkserver")
        torch.multiprocessing.start_processes(
            run_process, (name,), nprocs=2, start_method="forkserver"
        )
        found = json.loads((folder / "found0").read_text())
    table = report(alone, found)
    machine = (
        f"Python {platform.python_version()}, torch {torch.__version__}, gloo, one thread each"
    )
    print(f"{table}\n\n{machine}")
    if arguments.write:
        title = (
            "# Distributed training\n\nFour taggers on a BiLSTM, 2 × 200, batches of 16, on one "
            "machine; and the time of\n`get_metrics(reset=True)` in two processes. "
            "Command: `python benchmarks/distributed.py --write`.\n\n"
        )
        RESULTS.write_text(f"{title}{table}\n\n{machine}.\n")


if __name__ == "__main__":
    main()
