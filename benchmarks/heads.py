"""
The time and the peak memory of a training step of each head of this package, relative to the same
mathematics by hand with AllenNLP's metrics.

    python benchmarks/heads.py

With `--write`, the table is also written to `benchmarks/RESULTS.md`.
"""

import argparse
from typing import Callable, Dict

import torch
from head_references import CASES, vocabulary  # type: ignore[import-not-found]
from results import (  # type: ignore[import-not-found]
    interleaved,
    machine,
    median_ratio,
    peak_memory,
    prepare,
    write_section,
)

INTRODUCTION = """
A forward and backward pass of each head in training, with metrics, relative to the same mathematics
by hand, over the same parameters: functions of PyTorch, AllenNLP's conditional random field, and
the metrics that AllenNLP's models have. CPU time for 32 sequences of up to 20 tokens of size 400:
the median of the ratios within each round. Memory: the peak of what a pass allocates, for 64
sequences of up to 128 tokens of size 512. 50 classes; 41 tags in `crf_tagger`; 2,000
words in `masked_language_model`, 15 % of which are masked.

Command: `python benchmarks/heads.py --write`.
"""
SIZES = {"time": (32, 20, 400), "memory": (64, 128, 512)}


def make_steps(
    name: str, batch: int, tokens: int, dim: int
) -> Dict[str, Callable[[], torch.Tensor]]:
    """Training steps of the head and of its reference. Both must have the same loss."""
    torch.manual_seed(0)
    lengths = torch.randint(int(0.9 * tokens), tokens + 1, (batch, 1))
    lengths[0] = tokens
    mask = torch.arange(tokens) < lengths
    head, reference, labels = CASES[name](vocabulary(), mask, dim)
    encoded = torch.randn(batch, tokens, dim, requires_grad=True)

    def run_head() -> torch.Tensor:
        loss: torch.Tensor = head(encoded, mask, **labels)["loss"]
        loss.backward()
        return loss

    def run_reference() -> torch.Tensor:
        loss = reference(encoded, mask, *labels.values())
        loss.backward()
        return loss

    return {"head": run_head, "reference": run_reference}


def memory_ratio(name: str) -> float:
    steps = make_steps(name, *SIZES["memory"])
    return peak_memory(steps["head"]) / peak_memory(steps["reference"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the heads.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--heads", nargs="*", default=list(CASES))
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    prepare()
    lines = [
        "| head | by hand (ms) | time (target <= 1.05) | memory (target <= 1.00) |",
        "| --- | --- | --- | --- |",
    ]
    for name in arguments.heads:
        steps = make_steps(name, *SIZES["time"])
        torch.testing.assert_close(steps["head"](), steps["reference"]())
        seconds = interleaved(steps, arguments.rounds)
        ratio = median_ratio(seconds["head"], seconds["reference"])
        plain = 1000 * sorted(seconds["reference"])[arguments.rounds // 2]
        lines.append(f"| `{name}` | {plain:.2f} | {ratio:.2f} | {memory_ratio(name):.2f} |")
        print(lines[-1], flush=True)
    table = "\n".join(lines)
    print(f"\n{table}\n\n{machine()}")
    if arguments.write:
        write_section("Cost of heads", f"{INTRODUCTION}\n{table}\n\n{machine()}.")


if __name__ == "__main__":
    main()
