"""The table and the plot of a comparison."""

import statistics
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from comparisons import SINGLE, Comparison  # type: ignore[import-not-found]

Results = Mapping[str, List[Dict[str, Any]]]  # the runs of each method


def relative_changes(results: Results, heads: Sequence[str]) -> Dict[str, List[float]]:
    """
    The mean relative change of each method against the models with a single head, one per run,

        Δm = 1/H Σ_h (score_h - score of the single head h) / score of the single head h

    (Maninis et al. 2019, equation 4). Methods that lack a head, and all methods if a single head is
    missing, have none.
    """
    runs = {head: results.get(f"{SINGLE}{head}") for head in heads}
    if not all(runs.values()):
        return {}
    single = {
        head: statistics.mean(run["scores"][head] for run in of_head or [])
        for head, of_head in runs.items()
    }
    return {
        method: [
            statistics.mean(run["scores"][head] / single[head] - 1 for head in heads)
            for run in of_method
        ]
        for method, of_method in results.items()
        if of_method and all(head in of_method[0]["scores"] for head in heads)
    }


def mean_and_deviation(values: Sequence[float], sign: str = "") -> str:
    """In percent. The deviation needs several values."""
    mean = f"{100 * statistics.mean(values):{sign}.1f}"
    return f"{mean} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else mean


def make_table(results: Results, comparison: Comparison) -> str:
    """The results of each method as Markdown."""
    heads = list(comparison.scores)
    titles = ["method", "runs", *map(comparison.titles.get, heads), "Δm (%)", "seconds per epoch"]
    rows = [titles, ["---"] * len(titles)]
    changes = relative_changes(results, heads)
    for method, runs in results.items():
        if runs:
            scores = [
                mean_and_deviation([run["scores"][head] for run in runs])
                if head in runs[0]["scores"]
                else ""
                for head in heads
            ]
            change = mean_and_deviation(changes[method], "+") if method in changes else ""
            seconds = f"{statistics.mean(run['epoch'] for run in runs):.1f}"
            rows.append([method, str(len(runs)), *scores, change, seconds])
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def replace_table(text: str, name: str, table: str) -> str:
    """Puts a table between the comments `<!-- NAME -->` and `<!-- end of NAME -->`."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if start not in text or end not in text:
        raise SystemExit(f"error: the README must have the lines {start!r} and {end!r}. Add them.")
    before, rest = text.split(start, 1)
    return f"{before}{start}\n\n{table}\n\n{end}{rest.split(end, 1)[1]}"


def plot(results: Results, comparison: Comparison, path: Path) -> Optional[str]:
    """
    Draws the relative change of every head and their mean, for each method, as an SVG. Returns why
    it did not.
    """
    heads = list(comparison.scores)
    changes = relative_changes(results, heads)
    if not changes:
        return "no plot: a model with a single head has no result"
    try:
        from matplotlib import rcParams
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return "no plot: matplotlib is not installed (pip install matplotlib)"
    rcParams["svg.hashsalt"] = path.stem  # the same results give the same file
    methods = sorted(changes, key=lambda method: statistics.mean(changes[method]))
    figure = Figure(figsize=(7.5, 1.2 + 0.3 * len(methods)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="0.5", linewidth=1)
    for head, marker in zip(heads, "osD^"):
        single = statistics.mean(r["scores"][head] for r in results[f"{SINGLE}{head}"])
        means = [statistics.mean(r["scores"][head] for r in results[m]) for m in methods]
        values = [100 * (mean / single - 1) for mean in means]
        label = comparison.titles[head]
        axes.plot(values, methods, marker, label=label, markersize=5, alpha=0.8)
    means = [100 * statistics.mean(changes[method]) for method in methods]
    errors = [100 * statistics.stdev(changes[m]) if len(changes[m]) > 1 else 0.0 for m in methods]
    axes.errorbar(means, methods, xerr=errors, fmt="k|", markersize=12, label="mean (Δm)")
    axes.set_xlabel("change against the model with one head (%)")
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})
    return None
