"""
Draws the cost of routing by the number of heads and by the number of rows, as
`benchmarks/routing.svg`: the milliseconds of a forward and backward pass of `multitask_model`, of
AllenNLP's class and of a loop in plain PyTorch. Requires matplotlib.

    python benchmarks/routing_plot.py --write

With `--write`, the picture is written, and its figures as a section of `benchmarks/RESULTS.md`.
"""

import argparse
import gc
import statistics
from pathlib import Path
from typing import Any, Dict, List

from results import (  # type: ignore[import-not-found]
    machine,
    median_ratio,
    prepare,
    write_section,
)
from routing import measure  # type: ignore[import-not-found]
from routing_models import (  # type: ignore[import-not-found]
    OURS,
    PLAIN,
    THEIRS,
    Case,
    round_robin,
)

PICTURE = Path(__file__).parent / "routing.svg"
TOKENS, DIM = 16, 64
HEADS, ROWS = [1, 2, 4, 8, 16, 32], [32, 64, 128, 256, 512]
ROWS_OF_HEADS, HEADS_OF_ROWS = 64, 8
NAMES, RATIO = [PLAIN, THEIRS, OURS], "ours / loop"
INTRODUCTION = f"""
Milliseconds of a forward and backward pass of a batch whose rows are served by the heads in round
robin: the median over {{rounds}} rounds, in each of which all three run, and the median of the
ratios within a round. The backbone is an embedding, with {TOKENS} tokens of size {DIM} in each row.
Command: `python benchmarks/routing_plot.py --write`.

![Milliseconds of a step by the number of heads and of rows, as in the table](routing.svg)
"""
Figures = Dict[str, List[float]]


def measure_all(cases: List[Case]) -> Figures:
    """The milliseconds of the plain loop and of each class for each case, and our ratio to it."""
    result: Figures = {name: [] for name in [*NAMES, RATIO]}
    for case in cases:
        seconds = measure(case)
        for name in NAMES:
            result[name].append(1000 * statistics.median(seconds[name]))
        result[RATIO].append(median_ratio(seconds[OURS], seconds[PLAIN]))
        gc.collect()
        print(
            case.name, {name: round(values[-1], 3) for name, values in result.items()}, flush=True
        )
    return result


def case_of(heads: int, rows: int, rounds: int) -> Case:
    name = f"{heads} heads, {rows} rows"
    return Case(name, None, heads, [rows, TOKENS, DIM], round_robin(rows, heads), rounds)


def draw(path: Path, by_heads: Figures, by_rows: Figures) -> None:
    # Not imported above, so that the script says what it requires without matplotlib.
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = path.stem  # the same figures give the same file
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    panel(left, HEADS, by_heads, f"heads ({ROWS_OF_HEADS} rows)")
    panel(right, ROWS, by_rows, f"rows ({HEADS_OF_ROWS} heads)")
    left.set_ylabel("milliseconds per step")
    right.legend(frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})


def panel(axes: Any, sizes: List[int], milliseconds: Figures, label: str) -> None:
    for name, marker in zip(NAMES, "sD^"):
        axes.plot(sizes, milliseconds[name], f"{marker}-", label=name, markersize=5, alpha=0.8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xlabel(label)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)


def table(by_heads: Figures, by_rows: Figures) -> str:
    lines = [f"| heads | rows | {' | '.join([*NAMES, RATIO])} |", "| --- " * 6 + "|"]
    sizes = [(heads, ROWS_OF_HEADS) for heads in HEADS] + [(HEADS_OF_ROWS, rows) for rows in ROWS]
    columns = [by_heads[name] + by_rows[name] for name in [*NAMES, RATIO]]
    for (heads, rows), *values in zip(sizes, *columns):
        cells = [f"{heads}", f"{rows}", *(f"{value:.2f}" for value in values)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the cost of routing.")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--write", action="store_true", help="write the picture and its figures")
    arguments = parser.parse_args()
    prepare()
    rounds = arguments.rounds
    by_heads = measure_all([case_of(heads, ROWS_OF_HEADS, rounds) for heads in HEADS])
    by_rows = measure_all([case_of(HEADS_OF_ROWS, rows, rounds) for rows in ROWS])
    figures = table(by_heads, by_rows)
    print(f"\n{figures}\n\n{machine()}")
    if arguments.write:
        draw(PICTURE, by_heads, by_rows)
        introduction = INTRODUCTION.format(rounds=rounds)
        write_section("Cost of routing by size", f"{introduction}\n{figures}\n\n{machine()}.")


if __name__ == "__main__":
    main()
