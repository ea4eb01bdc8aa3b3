"""
Compares methods that balance the heads of a model.

    python examples/balance/run.py annotations

trains a config once for each method of `methods.jsonnet` and each seed, and prints a table: the
score of every head on the development data (the mean over the seeds and, with several, the standard
deviation), the mean relative change against the models with a single head, and the time of an
epoch. Results are kept in the work directory, so a second call trains only what is missing.
`--write` puts the table into the README and draws a plot beside it.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from comparisons import (  # type: ignore[import-not-found]  # noqa: E402
    COMPARISONS,
    make_config,
    read_methods,
    write_parts,
)
from tables import (  # type: ignore[import-not-found]  # noqa: E402
    make_table,
    plot,
    replace_table,
)


class Job(NamedTuple):
    """One training: a method of a comparison with a seed."""

    comparison: str
    method: Mapping[str, Any]
    folder: Path
    options: Mapping[str, Any]
    """The `epochs`, the `cuda_device` and the `seed`."""


def train(job: Job) -> None:
    """Trains one model in this process and writes `result.json`."""
    import multitask_model  # noqa: F401, I001  (first: it patches AllenNLP)
    from allennlp.commands.train import train_model
    from allennlp.common import Params

    comparison = COMPARISONS[job.comparison]
    config = make_config(str(comparison.config), job.method, **job.options)
    start, start_cpu = time.perf_counter(), time.process_time()
    train_model(Params(config), str(job.folder / "run"), force=True)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    epochs = sorted((job.folder / "run").glob("metrics_epoch_*.json"), key=os.path.getmtime)
    metrics = json.loads(epochs[-1].read_text())
    hours, minutes, rest = metrics["training_duration"].split(":")
    duration = 3600 * int(hours) + 60 * int(minutes) + float(rest)
    scores = {
        head: metrics[f"validation_{name}"]
        for head, name in comparison.scores.items()
        if f"validation_{name}" in metrics
    }
    if job.options["cuda_device"] < 0:
        # In one thread, CPU time is that of an idle machine, also if several models are trained.
        duration *= cpu_seconds / seconds
    result = {"scores": scores, "epoch": duration / len(epochs), "seconds": seconds}
    (job.folder / "result.json").write_text(json.dumps(result))
    for path in [*(job.folder / "run").glob("*.th"), *(job.folder / "run").glob("*.tar.gz")]:
        path.unlink()


def run(job: Job) -> None:
    """Trains a model in a process of its own, which writes to a log. Failures are printed."""
    job.folder.mkdir(parents=True, exist_ok=True)
    output = os.dup(1)
    with (job.folder / "log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            train(job)
            state = "done"
        except Exception:
            traceback.print_exc()
            state = f"failed, see {job.folder / 'log'}"
        sys.stdout.flush()
    os.write(output, f"{job.folder.name}: {state}\n".encode())


def run_all(jobs: List[Job], processes: int) -> None:
    """Trains the models that have no result yet."""
    missing = [job for job in jobs if not (job.folder / "result.json").exists()]
    # Forks a process for each, so that AllenNLP is imported once.
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, maxtasksperchild=1) as pool:
        pool.map(run, missing, chunksize=1)


def collect(jobs: Mapping[Any, Job]) -> Dict[str, List[Dict[str, Any]]]:
    """The results of each method, one for each seed that has one."""
    results: Dict[str, List[Dict[str, Any]]] = {method: [] for method, _ in jobs}
    for (method, _), job in jobs.items():
        if (job.folder / "result.json").exists():
            results[method].append(json.loads((job.folder / "result.json").read_text()))
    return results


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare methods that balance heads.")
    parser.add_argument("comparison", choices=COMPARISONS)
    parser.add_argument(
        "--methods", nargs="*", default=[], help="names, joined by '+' for several changes at once"
    )
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, help="default: as in the config")
    parser.add_argument("--processes", type=int, default=1, help="runs at the same time")
    parser.add_argument("--cuda-device", type=int, default=-1)
    parser.add_argument("--work-dir", type=Path, default=HERE / "work")
    parser.add_argument("--write", action="store_true", help="write the README and the plot")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    import multitask_model  # noqa: F401, I001  (first: it patches AllenNLP)

    import torch

    torch.set_num_threads(1)
    name, folder = arguments.comparison, arguments.work_dir
    os.environ["PARTS_DIR"] = str((folder / "parts").resolve())
    write_parts(folder / "parts", name)
    options = {"epochs": arguments.epochs, "cuda_device": arguments.cuda_device}
    methods = read_methods(name, arguments.methods)
    jobs = {
        (method, seed): Job(
            name, changes, folder / name / f"{method}-{seed}", {**options, "seed": seed}
        )
        for seed in arguments.seeds
        for method, changes in methods.items()
    }
    run_all(list(jobs.values()), arguments.processes)
    results = collect(jobs)
    table = make_table(results, COMPARISONS[name])
    print(table)
    if arguments.write:
        readme = HERE / "README.md"
        readme.write_text(replace_table(readme.read_text(), name, table))
        print(plot(results, COMPARISONS[name], HERE / f"{name}.svg") or f"{name}.svg is written")


if __name__ == "__main__":
    main()
