"""
Measures the cost of routing: the time of a forward and backward pass of
`multitask_model.MultiTaskModel` and of AllenNLP's class, relative to a loop in plain PyTorch that
calls the same backbone and heads.

    make bench
    python benchmarks/routing.py --write light    # only the rows with "light" in their name

Each round runs all three on one thread, starting with a different one each time. The result is the
median over the rounds of the ratio to the plain loop in the same round. With `--write`, the rows
are also written to `benchmarks/RESULTS.md`; rows that were not measured are kept. `--memory`
measures the peak memory of the pass instead.
"""

import argparse
import gc
import multiprocessing
import shutil
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Dict, List, Optional

import torch
from results import (  # type: ignore[import-not-found]
    machine,
    median_ratio,
    peak_memory,
    prepare,
    rows_in_order,
    write_section,
)
from routing_models import (  # type: ignore[import-not-found]
    OURS,
    PLAIN,
    THEIRS,
    Case,
    TransformerBackbone,
    loss_functions,
    make_batch,
    round_robin,
)

INTRODUCTION = """
The time of a forward and backward pass of each class, relative to a loop in plain PyTorch that
calls the same backbone and heads: the median of the ratios within each round, in light rows of the
rounds of five processes. The transformer has two layers of dimension 128 and no dropout. In
compiled rows, the two classes and the loop are compiled by `torch.compile`; in rows with bf16, they
run in `torch.autocast("cpu", torch.bfloat16)`.

Command: `python benchmarks/routing.py --write` (`make bench` only prints the table).
"""
MEMORY_INTRODUCTION = """
The peak of what the forward and backward pass allocates, relative to the plain loop, for the same
batches as above. Gradients of parameters were allocated before.

Command: `python benchmarks/routing.py --memory --write`.
"""
WARMUP = 20
PROCESSES = 5
# Names, tasks and targets of the rows with a transformer. The batch is the same in all modes.
MIXED = "round robin of 4 tasks, transformer"
TRANSFORMER = [
    ("one task, transformer", [3] * 32, 1.01, "eager"),
    ("one task, transformer, compiled", [3] * 32, None, "compiled"),
    (f"{MIXED}, compiled", round_robin(32, 4), None, "compiled"),
    ("one task, transformer, bf16", [3] * 32, None, "bf16"),
    (f"{MIXED}, bf16", round_robin(32, 4), None, "bf16"),
]
CASES = [
    Case("one task, light, 8 heads", 1.10, 8, [16, 16, 32], [3] * 16, 2000),
    Case("one task, light, 1000 heads", 1.12, 1000, [16, 16, 32], [3] * 16, 2000),
    Case("one task, wide", 1.00, 8, [64, 128, 256], [3] * 64, 400),
    Case("round robin of 4 tasks, wide", 0.85, 8, [64, 128, 256], round_robin(64, 4), 200),
    Case("4 tasks grouped, wide", 1.00, 8, [64, 128, 256], sorted(round_robin(64, 4)), 200),
    Case("round robin of 16 tasks, light", 1.12, 16, [64, 16, 32], round_robin(64, 16), 500),
    *(
        Case(
            name,
            target,
            8,
            [32, 32, 128],
            tasks,
            200 if mode == "eager" else 100,
            TransformerBackbone,
            mode,
        )
        for name, tasks, target, mode in TRANSFORMER
    ),
]


def why_not(mode: str) -> Optional[str]:
    """Why this machine cannot run the mode, or `None`."""
    if mode != "compiled":
        return None
    if not hasattr(torch, "compile"):
        return f"torch {torch.__version__} has no torch.compile"
    compilers = ["c++", "g++", "clang++"]
    return None if any(map(shutil.which, compilers)) else "no C++ compiler is installed"


def measure(case: Case, rounds: Optional[int] = None) -> Dict[str, List[float]]:
    """The seconds of each class and of the plain loop in each round."""
    torch.manual_seed(0)
    losses_of = loss_functions(case)
    names = list(losses_of)
    seconds: Dict[str, List[float]] = {name: [] for name in names}
    for round_number in range((rounds or case.rounds) + WARMUP):
        for name in names[round_number % 3 :] + names[: round_number % 3]:
            batch = make_batch(case)
            start = time.perf_counter()
            losses_of[name](batch).backward()
            seconds[name].append(time.perf_counter() - start)
    return {name: values[WARMUP:] for name, values in seconds.items()}


def measure_in_new_process(case: Case, rounds: Optional[int]) -> Dict[str, List[float]]:
    prepare()
    return measure(case, rounds)


def measure_in_processes(case: Case, rounds: Optional[int]) -> Dict[str, List[float]]:
    """
    The seconds in `PROCESSES` new processes, one after another. What a step of a light model costs
    depends on where a process has its objects in memory: the ratio differs by up to 0.02.
    """
    seconds: Dict[str, List[float]] = {}
    for _ in range(PROCESSES):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
            found = pool.submit(measure_in_new_process, case, rounds).result()
        for name, values in found.items():
            seconds.setdefault(name, []).extend(values)
    return seconds


def row(case: Case, rounds: Optional[int]) -> str:
    reason = why_not(case.mode)
    if reason is None:
        is_light = "light" in case.name
        seconds = (measure_in_processes if is_light else measure)(case, rounds)
        milliseconds = f"{1000 * statistics.median(seconds[PLAIN]):.3f}"
        ratios = [f"{median_ratio(seconds[name], seconds[PLAIN]):.3f}" for name in (THEIRS, OURS)]
        cells = [case.name, milliseconds, *ratios]
    else:
        cells = [f"{case.name} (not measured: {reason})", "-", "-", "-"]
    target = "-" if case.target is None else f"<= {case.target:.2f}"
    return f"| {' | '.join([*cells, target])} |"


def memory_row(case: Case) -> str:
    torch.manual_seed(0)
    peaks = {
        name: peak_memory(lambda loss_of=loss_of: loss_of(make_batch(case)).backward())
        for name, loss_of in loss_functions(case).items()
    }
    ratios = [f"{peaks[name] / peaks[PLAIN]:.2f}" for name in (THEIRS, OURS)]
    return f"| {case.name} | {peaks[PLAIN] / 1e6:.1f} | {' | '.join(ratios)} | <= 1.00 |"


def write_memory(write: bool) -> None:
    lines = [
        "| batch | plain loop (MB) | AllenNLP | multitask_model | target |",
        "| --- | --- | --- | --- | --- |",
    ]
    for case in CASES:
        if "wide" in case.name or case.name == "one task, transformer":
            lines.append(memory_row(case))
            print(lines[-1], flush=True)
    if write:
        text = "\n".join([MEMORY_INTRODUCTION, *lines, "", f"{machine()}."])
        write_section("Memory of routing", text)


def table(rows: List[str]) -> str:
    lines = [
        "| batch | plain loop (ms) | AllenNLP | multitask_model | target |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    return "\n".join(lines)


def start(case: Case) -> str:
    return f"| {case.name} "


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the cost of routing.")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--rounds", type=int, help="instead of the number of rounds of each row")
    parser.add_argument(
        "names", nargs="*", default=[""], help="parts of the names of rows (default: all rows)"
    )
    arguments = parser.parse_args()
    prepare()
    if arguments.memory:
        write_memory(arguments.write)
        return
    rows = {}
    for case in CASES:
        if any(name in case.name for name in arguments.names):
            rows[start(case)] = row(case, arguments.rounds)
            gc.collect()
            print(rows[start(case)], flush=True)
    print(f"\n{table(list(rows.values()))}\n\n{machine()}")
    if arguments.write:
        written = table(rows_in_order([start(case) for case in CASES], rows))
        text = f"{INTRODUCTION}\n{written}\n\n{machine()}."
        write_section("Cost of routing", text)


if __name__ == "__main__":
    main()
