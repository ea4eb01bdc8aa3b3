"""
Measures the cost of routing: the time of a forward and backward pass of
`multitask_model.MultiTaskModel` and of AllenNLP's class, relative to a loop in plain PyTorch that
calls the same backbone and heads.

    make bench
    python benchmarks/routing.py --write light    # only the rows with "light" in their name

Each round runs all three on one thread, starting with a different one each time. The result is the
median over the rounds of the ratio to the plain loop in the same round. With `--write`, the rows
are also written to `benchmarks/RESULTS.md`; rows that were not measured are kept.
"""

import argparse
import gc
import statistics
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.models.multitask import MultiTaskModel as AllenNLPModel
from allennlp.modules import Backbone
from results import RESULTS, machine, prepare, write_section  # type: ignore[import-not-found]

from multitask_model import MultiTaskModel

INTRODUCTION = """
The time of a forward and backward pass of each class, relative to a loop in plain PyTorch that
calls the same backbone and heads: the median of the ratios within each round. Command:
`python benchmarks/routing.py --write` (`make bench` only prints the table).
"""
CLASSES = 5
WORDS = 1000


class EmbeddingBackbone(Backbone):
    """Word embeddings only, so that the backbone takes little time."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(WORDS, dim)

    def forward(  # type: ignore[override]
        self, text: Dict[str, Dict[str, torch.Tensor]]
    ) -> Dict[str, torch.Tensor]:
        tokens = text["tokens"]["tokens"]  # Shape: (B, T)
        return {"encoded_text": self.embedding(tokens), "encoded_text_mask": tokens != 0}


class MeanHead(Head):
    """A linear classifier on the mean of the encoded tokens, without metrics."""

    def __init__(self, vocab: Vocabulary, dim: int) -> None:
        super().__init__(vocab)
        self.linear = torch.nn.Linear(dim, CLASSES)

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        label: torch.Tensor,
    ) -> Dict[str, torch.Tensor]:
        mask = encoded_text_mask.unsqueeze(-1)  # Shape: (B, T, 1)
        mean = (encoded_text * mask).sum(1) / mask.sum(1)  # Shape: (B, D)
        logits = self.linear(mean)  # Shape: (B, C)
        return {"logits": logits, "loss": torch.nn.functional.cross_entropy(logits, label)}


class Case(NamedTuple):
    name: str
    target: float
    heads: int
    shape: List[int]  # B, T, D
    tasks: List[int]  # the index of each instance's task
    rounds: int


def round_robin(batch_size: int, tasks: int) -> List[int]:
    return [i % tasks for i in range(batch_size)]


CASES = [
    Case("one task, light, 8 heads", 1.10, 8, [16, 16, 32], [3] * 16, 3000),
    Case("one task, light, 1000 heads", 1.12, 1000, [16, 16, 32], [3] * 16, 3000),
    Case("one task, wide", 1.02, 8, [64, 128, 256], [3] * 64, 400),
    Case("round robin of 4 tasks, wide", 1.02, 8, [64, 128, 256], round_robin(64, 4), 200),
    Case("4 tasks grouped, wide", 1.02, 8, [64, 128, 256], sorted(round_robin(64, 4)), 200),
    Case("round robin of 16 tasks, light", 1.15, 16, [64, 16, 32], round_robin(64, 16), 500),
]


def plain_loop(
    backbone: Backbone, heads: Dict[str, Head], rows: Dict[str, Optional[torch.Tensor]]
) -> Callable[[Dict[str, Any]], torch.Tensor]:
    """The loss in plain PyTorch. `rows` has an index for each head, or `None` for all rows."""

    def loss_of(batch: Dict[str, Any]) -> torch.Tensor:
        encoded = backbone(batch["text"])
        losses = []
        for name, index in rows.items():
            text, mask = encoded["encoded_text"], encoded["encoded_text_mask"]
            label = batch["label"]
            if index is not None:
                text, mask = text.index_select(0, index), mask.index_select(0, index)
                label = label.index_select(0, index)
            losses.append(heads[name](text, mask, label)["loss"])
        return sum(losses[1:], losses[0])

    return loss_of


def loss_functions(case: Case) -> Dict[str, Callable[[Dict[str, Any]], torch.Tensor]]:
    vocab = Vocabulary()
    backbone = EmbeddingBackbone(case.shape[2])
    heads: Dict[str, Head] = {f"head{i}": MeanHead(vocab, case.shape[2]) for i in range(case.heads)}
    numbers = sorted(set(case.tasks))
    rows: Dict[str, Optional[torch.Tensor]] = {f"head{n}": None for n in numbers}
    if len(numbers) > 1:
        for n in numbers:
            rows[f"head{n}"] = torch.tensor([i for i, task in enumerate(case.tasks) if task == n])
    ours = MultiTaskModel(vocab, backbone, heads)
    theirs = AllenNLPModel(vocab, backbone, heads)
    return {
        "plain": plain_loop(backbone, heads, rows),
        "ours": lambda batch: ours(**batch)["loss"],
        "AllenNLP": lambda batch: theirs(**batch)["loss"],
    }


def make_batch(case: Case) -> Dict[str, Any]:
    batch_size, tokens, _ = case.shape
    # Created for each call, because AllenNLP's class changes the batch.
    return {
        "text": {"tokens": {"tokens": torch.randint(1, WORDS, (batch_size, tokens))}},
        "label": torch.randint(CLASSES, (batch_size,)),
        "task": [f"head{n}" for n in case.tasks],
    }


def measure(case: Case) -> Dict[str, float]:
    """The milliseconds of the plain loop, and the median ratio of each class to it."""
    torch.manual_seed(0)
    losses_of = loss_functions(case)
    seconds: Dict[str, List[float]] = {name: [] for name in losses_of}
    for round_number in range(case.rounds + 20):
        names = list(losses_of)
        for name in names[round_number % 3 :] + names[: round_number % 3]:
            batch = make_batch(case)
            start = time.perf_counter()
            losses_of[name](batch).backward()
            seconds[name].append(time.perf_counter() - start)
    seconds = {name: values[20:] for name, values in seconds.items()}
    result = {"plain": 1000 * statistics.median(seconds["plain"])}
    for name in ("ours", "AllenNLP"):
        result[name] = statistics.median(
            other / plain for other, plain in zip(seconds[name], seconds["plain"])
        )
    return result


def row(case: Case, result: Dict[str, float]) -> str:
    return (
        f"| {case.name} | {result['plain']:.3f} | {result['AllenNLP']:.3f} | "
        f"{result['ours']:.3f} | <= {case.target:.2f} |"
    )


def table(rows: List[str]) -> str:
    lines = [
        "| batch | plain loop (ms) | AllenNLP | multitask_model | target |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    return "\n".join(lines)


def rows_of_cases(measured: Dict[str, str]) -> List[str]:
    """The measured rows, and those of the other cases as they were written before."""
    written = RESULTS.read_text().splitlines()
    return [
        measured.get(case.name)
        or next(line for line in written if line.startswith(f"| {case.name} |"))
        for case in CASES
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the cost of routing.")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    parser.add_argument(
        "names", nargs="*", default=[""], help="parts of the names of rows (default: all rows)"
    )
    arguments = parser.parse_args()
    prepare()
    rows = {}
    for case in CASES:
        if any(name in case.name for name in arguments.names):
            rows[case.name] = row(case, measure(case))
            gc.collect()
            print(rows[case.name], flush=True)
    print(f"\n{table(list(rows.values()))}\n\n{machine()}")
    if arguments.write:
        text = f"{INTRODUCTION}\n{table(rows_of_cases(rows))}\n\n{machine()}."
        write_section("Cost of routing", text)


if __name__ == "__main__":
    main()
