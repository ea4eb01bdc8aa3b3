"""
The time of a training epoch with optimizer steps over four annotations of the same sentences of UD
English EWT, relative to AllenNLP's own `multitask` classes and to a loop in plain PyTorch.

    python benchmarks/epoch.py EWT_DIR

EWT_DIR is the folder of the treebank. With `--minilm MINILM_DIR`, the transformer of
`examples/README.md` is measured instead of the BiLSTM. With `--write`, the rows are also written to
`benchmarks/RESULTS.md`; those of the other model are kept.
"""

import argparse
import copy
import gc
import itertools
import logging
import statistics
import time
from collections import defaultdict, deque
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, NamedTuple, Optional

import torch
from ewt_models import make_experiment  # type: ignore[import-not-found]
from results import (  # type: ignore[import-not-found]
    machine,
    prepare,
    rows_in_order,
    write_section,
)

from multitask_model import MultiTaskModel

INTRODUCTION = """
The CPU time of a training epoch over four annotations (UPOS, XPOS, dependency tree, genre) of the
first sentences of UD English EWT, with the models of `examples/ewt`: loading, forward and backward
pass, and a step of Adam. The steps of the three are interleaved, and a ratio is the median of those
of the epochs.

- AllenNLP / ours: AllenNLP's `multitask` reader, loader and model, with the same embedder, encoder
  and heads. Its classes have one head for each task, so each annotation is a dataset. They have no
  buckets, so these are only in ours.
- ours / plain PyTorch: relative to a loop that calls the same backbone and heads on the same
  batches, which are prepared before the timing.

Commands: `python benchmarks/epoch.py "$EWT_DIR" --write`, and the same with
`--minilm "$MINILM_DIR"`.
"""
Batch = Dict[str, Any]
LossFunction = Callable[[Batch], torch.Tensor]
LABELS = {
    "upos": {"tags": "upos_tags"},
    "xpos": {"tags": "xpos_tags"},
    "parser": {"head_indices": "head_indices", "head_tags": "head_tags"},
    "genre": {"label": "genre"},
}


class Case(NamedTuple):
    config: str
    buckets: bool
    sentences: int
    epochs: int
    targets: List[str]

    @property
    def row_start(self) -> str:
        return f"| `{self.config}.jsonnet` | {'yes' if self.buckets else 'no'} |"


# AllenNLP's classes take most of the time: about six minutes for each of the models on one core.
CASES = [
    Case("bilstm", True, 800, 2, [">= 6", "<= 1.10"]),
    Case("bilstm", False, 800, 2, [">= 3.5", "<= 1.10"]),
    Case("minilm", True, 800, 1, [">= 6", "<= 1.10"]),
]
WARMUP = 3  # steps
HEADER = [
    "| model | buckets | sentences | epochs | AllenNLP / ours | target | ours / plain | target |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
]
PHASES = ["loading", "forward", "backward", "optimizer"]


class Contestant:
    """Trains a model, and counts the seconds of each phase of its steps."""

    def __init__(self, model: torch.nn.Module, batches: Iterable[Batch], loss: LossFunction):
        trained = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.Adam(trained, lr=1e-4)
        self._batches, self._loss = batches, loss
        self.seconds: Dict[str, float] = defaultdict(float)

    def epoch(self) -> Iterator[None]:
        """Yields after each step."""
        self.seconds = defaultdict(float)
        iterator = iter(self._batches)
        while True:
            times = [time.process_time()]
            batch = next(iterator, None)
            times.append(time.process_time())
            if batch is None:
                return
            self._optimizer.zero_grad()
            loss = self._loss(batch)
            times.append(time.process_time())
            loss.backward()
            times.append(time.process_time())
            self._optimizer.step()
            times.append(time.process_time())
            for phase, start, end in zip(PHASES, times, times[1:]):
                self.seconds[phase] += end - start
            yield


def plain_loss(model: MultiTaskModel) -> LossFunction:
    """The joint loss in plain PyTorch, for batches whose instances all have all labels."""
    heads = {name: model.head(name) for name in LABELS}

    def loss_of(batch: Batch) -> torch.Tensor:
        encoded = model.backbone(text=batch["text"])
        losses = [
            heads[name](**encoded, **{argument: batch[field] for argument, field in labels.items()})
            for name, labels in LABELS.items()
        ]
        return sum((outputs["loss"] for outputs in losses[1:]), losses[0]["loss"])

    return loss_of


class Recorded:
    """The batches of a loader, which are added to `kept`."""

    def __init__(self, loader: Iterable[Batch], kept: Deque[Batch]) -> None:
        self._loader, self._kept = loader, kept

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._loader:
            self._kept.append(batch)
            yield batch


class Taken:
    """The batches in `kept`, which are removed from it."""

    def __init__(self, kept: Deque[Batch]) -> None:
        self._kept = kept

    def __iter__(self) -> Iterator[Batch]:
        while self._kept:
            yield self._kept.popleft()


def make_contestants(case: Case, variables: Dict[str, str]) -> Dict[str, Contestant]:
    made = make_experiment(case.config, variables, case.sentences, case.buckets)
    ours, theirs, plain = made.ours, made.theirs, copy.deepcopy(made.ours)
    kept: Deque[Batch] = deque()
    return {
        "ours": Contestant(
            ours, Recorded(made.our_loader, kept), lambda batch: ours(**batch)["loss"]
        ),
        "plain": Contestant(plain, Taken(kept), plain_loss(plain)),
        "AllenNLP": Contestant(theirs, made.their_loader, lambda batch: theirs(**batch)["loss"]),
    }


def run_epoch(contestants: Dict[str, Contestant], steps: Optional[int] = None) -> Dict[str, float]:
    """
    The seconds of an epoch of each, or of its first steps. AllenNLP's classes take four steps for
    one of the others.
    """
    epochs = {name: contestant.epoch() for name, contestant in contestants.items()}
    remaining = list(epochs)
    for step in itertools.count():
        if not remaining or step == steps:
            break
        for name in list(remaining):
            for _ in range(len(LABELS) if name == "AllenNLP" else 1):
                if next(epochs[name], remaining) is remaining and name in remaining:
                    remaining.remove(name)
        gc.collect()
    return {name: sum(contestant.seconds.values()) for name, contestant in contestants.items()}


def measure(case: Case, variables: Dict[str, str]) -> str:
    """The row of the case."""
    contestants = make_contestants(case, variables)
    run_epoch(contestants, WARMUP)
    ratios = []
    for _ in range(case.epochs):
        seconds = run_epoch(contestants)
        parts = {phase: round(s, 2) for phase, s in contestants["ours"].seconds.items()}
        print({name: round(value, 2) for name, value in seconds.items()}, parts, flush=True)
        ratios.append([seconds["AllenNLP"] / seconds["ours"], seconds["ours"] / seconds["plain"]])
    theirs, plain = (f"{statistics.median(column):.2f}" for column in zip(*ratios))
    cells = [f"{case.sentences}", f"{case.epochs}"]
    cells += [theirs, case.targets[0], plain, case.targets[1]]
    return f"{case.row_start} {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the time of a training epoch.")
    parser.add_argument("folder", help="the folder of the treebank")
    parser.add_argument("--minilm", help="the folder of the transformer, to measure it instead")
    parser.add_argument("--sentences", type=int, help="instead of the number of each row")
    parser.add_argument("--epochs", type=int, help="instead of the number of each row")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    prepare()
    variables = {"EWT_DIR": arguments.folder, "MINILM_DIR": arguments.minilm or ""}
    rows = {}
    for case in CASES:
        if (case.config == "minilm") == (arguments.minilm is not None):
            sizes = {"sentences": arguments.sentences, "epochs": arguments.epochs}
            case = case._replace(**{name: size for name, size in sizes.items() if size})
            rows[case.row_start] = measure(case, variables)
            print(rows[case.row_start], flush=True)
    table = "\n".join([*HEADER, *rows.values()])
    print(f"\n{table}\n\n{machine()}")
    if arguments.write:
        known = rows_in_order([case.row_start for case in CASES], rows)
        table = "\n".join([*HEADER, *known])
        write_section("Time of an epoch", f"{INTRODUCTION}\n{table}\n\n{machine()}.")


if __name__ == "__main__":
    main()
