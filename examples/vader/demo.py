"""
Train, evaluate and predict with three heads on four collections of texts.

    python examples/vader/demo.py

runs the `allennlp` command to train `config.jsonnet`, to evaluate on the test split and to predict
the lines of `predict.jsonl`. While it trains, it shows for each epoch the progress, the batches per
second and the running loss of each head. Then it prints

- the accuracy of the classifiers, and of polarity for each task, with the accuracy of always
  predicting the most frequent label of the training split;
- the error of the intensity, with the error of always predicting the mean of the training split;
- the predictions;
- the path of the report on the training.

All files are written to the work directory.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))  # only the folder of a script is on its path

from examples.vader.progress import TrainingProgress  # noqa: E402

TASKS = ("tweets", "movie_reviews", "product_reviews", "editorials")
CLASSIFIERS = ("polarity", "source")
INPUTS = HERE / "predict.jsonl"
METRICS = "metrics.json"
PREDICTIONS = "predictions.jsonl"


def allennlp(*arguments: str) -> List[str]:
    return [sys.executable, "-m", "allennlp", *arguments, "--include-package", "multitask_model"]


def run(step: str, command: List[str], work_dir: Path) -> None:
    """
    Runs a command, writes its output to `STEP.log` and shows the progress of training. Exits if the
    command fails.
    """
    log = work_dir / f"{step}.log"
    print(f"\n$ {shlex.join(command)}\n  log: {log}", flush=True)
    # More threads hardly speed up a small model, and are slower on a busy machine.
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "DATA_DIR": str(work_dir / "data")}
    start = time.perf_counter()
    progress = TrainingProgress(sys.stdout)
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            out.write(line)
            progress.update(line)
    if process.returncode:
        end_of_log = "\n".join(log.read_text(encoding="utf-8").splitlines()[-12:])
        sys.exit(
            f"error: every step must succeed, but {step!r} exited with code {process.returncode}:\n"
            f"{end_of_log}\nSee the full log in {log}."
        )
    print(f"  took {time.perf_counter() - start:.0f} s", flush=True)


def read_jsonl(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def print_scores(work_dir: Path) -> None:
    metrics = json.loads((work_dir / METRICS).read_text(encoding="utf-8"))
    print("\nAccuracy on the test split, and of always predicting the most frequent label")
    print(f"{'head':16} {'texts':>6} {'accuracy':>9} {'baseline':>10}")
    for head in CLASSIFIERS:
        print(f"{head:16} {scores(work_dir, head, TASKS, metrics[f'{head}_accuracy'])}")
    print("\nPolarity for each task")
    print(f"{'task':16} {'texts':>6} {'accuracy':>9} {'baseline':>10}")
    for task in TASKS:
        accuracy = metrics[f"{task}_polarity_accuracy"]
        print(f"{task:16} {scores(work_dir, 'polarity', [task], accuracy)}")
    ratings = {split: labels_of(work_dir, "intensity", TASKS, split) for split in ("train", "test")}
    mean = statistics.mean(ratings["train"])
    baseline = statistics.mean(abs(rating - mean) for rating in ratings["test"])
    print("\nIntensity from -4 to 4, and the error of always predicting the training mean")
    print(f"{'head':16} {'texts':>6} {'mean absolute error':>20} {'pearson':>8} {'baseline':>18}")
    error, pearson = metrics["intensity_mae"], metrics["intensity_pearson"]
    print(
        f"{'intensity':16} {len(ratings['test']):6} {error:20.3f} {pearson:8.3f} {baseline:18.3f}"
    )


def scores(work_dir: Path, head: str, tasks: Iterable[str], accuracy: float) -> str:
    """The number of texts, the accuracy, and that of the most frequent training label."""
    tasks = list(tasks)
    labels = {split: labels_of(work_dir, head, tasks, split) for split in ("train", "test")}
    label = Counter(labels["train"]).most_common(1)[0][0]
    baseline = labels["test"].count(label) / len(labels["test"])
    return f"{len(labels['test']):6} {accuracy:9.3f} {baseline:10.3f} ({label})"


def labels_of(work_dir: Path, head: str, tasks: Iterable[str], split: str) -> List[Any]:
    return [row[head] for task in tasks for row in read_jsonl(data_file(work_dir, task, split))]


def print_predictions(work_dir: Path) -> None:
    print("\nPredictions and their probabilities")
    print(f"{'polarity':14} {'source':21} {'intensity':>9}  text")
    for given, predicted in zip(read_jsonl(INPUTS), read_jsonl(work_dir / PREDICTIONS)):
        polarity, source = (
            f"{predicted[f'{head}_label']} {max(predicted[f'{head}_probs']):.2f}"
            for head in CLASSIFIERS
        )
        intensity = predicted["intensity_prediction"]
        print(f"{polarity:14} {source:21} {intensity:9.2f}  {given['text']}")


def data_file(work_dir: Path, task: str, split: str) -> Path:
    return work_dir / "data" / f"{task}_{split}.jsonl"


def commands(work_dir: Path, overrides: str) -> Dict[str, List[str]]:
    """The command of each step, in order."""
    model = work_dir / "model"
    archive = str(model / "model.tar.gz")
    train = ["train", str(HERE / "config.jsonnet"), "--overrides", overrides]
    train += ["--serialization-dir", str(model), "--force", "--file-friendly-logging"]
    test_files = json.dumps({task: str(data_file(work_dir, task, "test")) for task in TASKS})
    evaluate = ["evaluate", archive, test_files, "--output-file", str(work_dir / METRICS)]
    predict = ["predict", archive, str(INPUTS), "--silent"]
    predict += ["--output-file", str(work_dir / PREDICTIONS)]
    return {
        "fetch": [sys.executable, str(HERE / "fetch.py"), "--work-dir", str(work_dir)],
        "train": allennlp(*train),
        "evaluate": allennlp(*evaluate),
        "predict": allennlp(*predict),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train, evaluate and predict.")
    parser.add_argument("--work-dir", type=Path, default=HERE / "work", help="the output folder")
    example = '{"trainer.num_epochs": 1}'
    parser.add_argument("--overrides", default="{}", help=f"config overrides, e.g. '{example}'")
    arguments = parser.parse_args()
    work_dir: Path = arguments.work_dir.resolve()
    work_dir.mkdir(parents=True, exist_ok=True)
    print(f"$ cd {ROOT}\n$ export DATA_DIR={work_dir / 'data'}")
    for step, command in commands(work_dir, arguments.overrides).items():
        run(step, command, work_dir)
    print_scores(work_dir)
    print_predictions(work_dir)
    print(f"\nReport on the training: {work_dir / 'model' / 'report.html'}")


if __name__ == "__main__":
    main()
