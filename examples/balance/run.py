"""
Compares methods that balance the heads of a model.

    python examples/balance/run.py --config examples/ewt/bilstm.jsonnet --sentences 2000 --epochs 4

trains the config once for each method of `methods.jsonnet` and each seed, and prints a table: the
score of every head on the validation data (the mean over the seeds and, with several, the standard
deviation), the mean relative change against the models with a single head,

    Δm = 1/H Σ_h (score_h - score of the single head h) / score of the single head h

(Maninis et al. 2019, equation 4), and the time of an epoch. Results are kept in the work directory,
so a second call trains only what is missing.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCORES = {
    "upos": "upos_accuracy",
    "xpos": "xpos_accuracy",
    "parser": "parser_LAS",
    "genre": "genre_accuracy",
}
SINGLE = "single_"


def merge(config: Dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(config.get(name), dict):
            merge(config[name], value)
        else:
            config[name] = value


def make_config(path: str, method: Mapping[str, Any], **options: Any) -> Dict[str, Any]:
    """The config with the changes of a method. `options` are the data, the epochs and the seed."""
    from allennlp.common import Params

    config: Dict[str, Any] = Params.from_file(path, ext_vars=dict(os.environ)).as_dict(quiet=True)
    changes = dict(method)
    heads = changes.pop("heads", list(SCORES))
    mix = changes.pop("mix", False)
    merge(config, changes)
    model = config["model"]
    model["heads"] = {name: model["heads"][name] for name in heads}
    model["task_heads"] = {"ewt": heads}
    mapping = model["arg_name_mapping"] = {
        name: of_head for name, of_head in model["arg_name_mapping"].items() if name in heads
    }
    if "loss_weights" in model:
        weights = model["loss_weights"]
        model["loss_weights"] = {name: weights[name] for name in heads if name in weights}
    if mix:
        model["backbone"]["layer_mixes"] = [f"{name}_text" for name in heads]
        for name in heads:
            mapping.setdefault(name, {})[f"{name}_text"] = "encoded_text"
    config["train_data_path"] = {"ewt": options["train_path"]}
    trainer = config["trainer"]
    # Every run has the same number of epochs, and is evaluated after the last one.
    trainer.pop("patience", None)
    trainer["validation_metric"] = "-loss"
    trainer["num_epochs"] = options["epochs"] or trainer["num_epochs"]
    trainer["cuda_device"] = options["cuda_device"]
    for name in ("random_seed", "numpy_seed", "pytorch_seed"):
        config[name] = options["seed"]
    return config


def train(options: Mapping[str, Any], folder: Path) -> None:
    """Trains one model in this process and writes `result.json`."""
    import multitask_model  # noqa: F401, I001  (first: it patches AllenNLP)

    from allennlp.commands.train import train_model
    from allennlp.common import Params

    config = make_config(**options)
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    train_model(Params(config), str(folder / "run"), force=True)
    seconds = time.perf_counter() - start
    epochs = sorted((folder / "run").glob("metrics_epoch_*.json"), key=lambda p: p.stat().st_mtime)
    metrics = json.loads(epochs[-1].read_text())
    hours, minutes, rest = metrics["training_duration"].split(":")
    duration = 3600 * int(hours) + 60 * int(minutes) + float(rest)
    scores = {
        head: metrics[f"validation_{name}"]
        for head, name in SCORES.items()
        if f"validation_{name}" in metrics
    }
    result = {"scores": scores, "epoch": duration / len(epochs), "seconds": seconds}
    (folder / "result.json").write_text(json.dumps(result))
    for path in [*(folder / "run").glob("*.th"), *(folder / "run").glob("*.tar.gz")]:
        path.unlink()


def take_sentences(path: Path, count: int, target: Path) -> Path:
    """Writes the first sentences of a treebank, spread over its documents."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        documents = file.read().split("# newdoc")[1:]
    sentences = [f"# newdoc{document}".strip().split("\n\n") for document in documents]
    share = count / sum(map(len, sentences))
    taken = [s for of_document in sentences for s in of_document[: round(share * len(of_document))]]
    with gzip.open(target, "wt", encoding="utf-8") as file:
        file.write("".join(f"{sentence}\n\n" for sentence in taken))
    return target


def mean_and_deviation(values: Sequence[float]) -> str:
    mean = f"{100 * statistics.mean(values):.1f}"
    return f"{mean} ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else mean


def table(results: Mapping[str, List[Dict[str, Any]]]) -> str:
    """The results of each method as Markdown."""
    single = {
        head: statistics.mean(r["scores"][head] for r in results[f"{SINGLE}{head}"])
        for head in SCORES
        if results.get(f"{SINGLE}{head}")
    }
    names = {"upos": "UPOS", "xpos": "XPOS", "parser": "LAS", "genre": "genre"}
    lines = [
        f"| method | runs | {' | '.join(names.values())} | Δm (%) | seconds per epoch |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for method, runs in results.items():
        if not runs:
            continue
        heads = [head for head in SCORES if head in runs[0]["scores"]]
        cells = [
            mean_and_deviation([run["scores"][head] for run in runs]) if head in heads else ""
            for head in SCORES
        ]
        change = ""
        if len(single) == len(SCORES) and len(heads) == len(SCORES):
            changes = [
                statistics.mean(r["scores"][h] for r in runs) / single[h] - 1 for h in SCORES
            ]
            change = f"{100 * statistics.mean(changes):+.1f}"
        seconds = statistics.mean(run["epoch"] for run in runs)
        row = [method, str(len(runs)), *cells, change, f"{seconds:.0f}"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def run_in_process(options: Mapping[str, Any], folder: Path) -> None:
    if (folder / "result.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "--one", json.dumps(options), "--work-dir", str(folder)]
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **os.environ}
    with (folder / "log").open("w") as log:
        done = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    state = "done" if done.returncode == 0 else f"failed, see {folder / 'log'}"
    print(f"{folder.name}: {state}", flush=True)


def read_methods(names: Sequence[str]) -> Dict[str, Any]:
    import multitask_model  # noqa: F401, I001  (first: it patches AllenNLP)

    from allennlp.common import Params

    methods: Dict[str, Any] = Params.from_file(str(HERE / "methods.jsonnet")).as_dict(quiet=True)
    unknown = set(names) - set(methods)
    if unknown:
        sys.exit(f"error: --methods must be among {list(methods)}, but got {sorted(unknown)}.")
    return {name: methods[name] for name in names or methods}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare methods that balance heads.")
    parser.add_argument("--config", default=str(ROOT / "examples/ewt/bilstm.jsonnet"))
    parser.add_argument("--methods", nargs="*", default=[], help="default: all")
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--sentences", type=int, help="train on a part of the treebank")
    parser.add_argument("--epochs", type=int, help="default: as in the config")
    parser.add_argument("--processes", type=int, default=1, help="runs at the same time")
    parser.add_argument("--cuda-device", type=int, default=-1)
    parser.add_argument("--work-dir", type=Path, default=HERE / "work")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        train(json.loads(arguments.one), arguments.work_dir)
        return
    arguments.work_dir.mkdir(parents=True, exist_ok=True)
    treebank = Path(os.environ["EWT_DIR"]) / "en_ewt-ud-train.conllu.gz"
    if arguments.sentences:
        part = arguments.work_dir / f"train-{arguments.sentences}.conllu.gz"
        treebank = take_sentences(treebank, arguments.sentences, part)
    methods = read_methods(arguments.methods)
    jobs = {
        (method, seed): {
            "path": arguments.config,
            "method": changes,
            "train_path": str(treebank.resolve()),
            "epochs": arguments.epochs,
            "cuda_device": arguments.cuda_device,
            "seed": seed,
        }
        for seed in arguments.seeds
        for method, changes in methods.items()
    }
    folders = {job: arguments.work_dir / f"{job[0]}-{job[1]}" for job in jobs}
    with ThreadPoolExecutor(arguments.processes) as pool:
        list(pool.map(lambda job: run_in_process(jobs[job], folders[job]), jobs))
    results: Dict[str, List[Dict[str, Any]]] = {method: [] for method in methods}
    for (method, _), folder in folders.items():
        if (folder / "result.json").exists():
            results[method].append(json.loads((folder / "result.json").read_text()))
    print(table(results))


if __name__ == "__main__":
    main()
