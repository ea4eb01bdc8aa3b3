"""
Measures how long processes take to start: what the line of `multitask_model_startup.pth` adds to
the start of Python, `import multitask_model` relative to `import allennlp.models`, and
`allennlp predict` for one input, relative to AllenNLP's own model and predictor.

    python benchmarks/startup.py

Each round starts all processes, in turns. With `--write`, the table is also written to
`benchmarks/RESULTS.md`.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

import startup_model  # type: ignore[import-not-found]  # registers the backbone and the head
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models import Model, archive_model
from results import machine, median_ratio, write_section  # type: ignore[import-not-found]

FOLDER = Path(__file__).parent
LINE = FOLDER.parent / "multitask_model_startup" / "startup.pth"
HEADS, DIM = ["topic", "polarity", "source", "genre"], 64
INTRODUCTION = """
CPU time of new processes; the variants alternate. The median of the ratios of {rounds} rounds.

- import: `import multitask_model`, relative to `import allennlp.models`.
- predict: `allennlp predict` for one input, until the process has ended, with an archive of a bag
  of embeddings and four of AllenNLP's `classifier` heads. With AllenNLP's classes, the archive is
  loaded and run without importing `multitask_model`.

Command: `python benchmarks/startup.py --rounds {rounds} --write`.
"""


def cpu_seconds_of(command: List[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        cwd=folder,
        # An empty variable: the packages are compiled once, as for a user.
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_archive(folder: Path) -> Path:
    """Writes an archive that both model classes load."""
    text = {"type": "text_classification_json", "tokenizer": "whitespace"}
    head = {
        "type": "classifier_of_benchmark",
        "seq2vec_encoder": {"type": "boe", "embedding_dim": DIM, "averaged": True},
    }
    config = {
        "dataset_reader": {"type": "multitask", "readers": dict.fromkeys(HEADS, text)},
        "model": {
            "type": "multitask",
            "backbone": {"type": "embedding_of_benchmark", "dim": DIM},
            "heads": dict.fromkeys(HEADS, head),
        },
        "train_data_path": {},
        "data_loader": {"type": "multitask"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    vocab = Vocabulary(tokens_to_add={"tokens": ["good", "bad"], "labels": ["a", "b", "c"]})
    vocab.save_to_files(str(folder / "vocabulary"))
    model = Model.from_params(Params(json.loads(json.dumps(config["model"]))), vocab=vocab)
    torch.save(model.state_dict(), folder / "weights.th")
    archive_model(str(folder), "weights.th")
    return folder / "model.tar.gz"


def commands(folder: Path) -> Dict[str, List[str]]:
    """What is measured, each before what it is relative to. The commands run in the folder."""
    python = [sys.executable, "-W", "ignore"]
    # Copied: this folder on the path would hide other packages, such as `distributed`. The file
    # .allennlp_plugins of the checkout would import `multitask_model` in all processes.
    shutil.copy(startup_model.__file__, folder)
    inputs = folder / "inputs.jsonl"
    inputs.write_text(json.dumps({"task": HEADS[0], "sentence": "good , not bad"}))
    predict = [*python, "-m", "allennlp", "predict", str(write_archive(folder)), str(inputs)]
    packages = ["--include-package", "startup_model"]
    return {
        "import": [*python, "-c", "import multitask_model"],
        "import of AllenNLP": [*python, "-c", "import allennlp.models"],
        "predict": [*predict, *packages, "--include-package", "multitask_model"],
        "predict of AllenNLP": [*predict, *packages],
    }


def commands_of_line() -> Dict[str, List[str]]:
    # The interpreter of the virtual environment would run the line of the installed file as well.
    python = str(Path(sys.base_prefix) / "bin" / "python3")
    return {"line": [python, "-c", LINE.read_text(encoding="utf-8")], "no line": [python, "-c", ""]}


def measure(variants: Dict[str, List[str]], rounds: int, folder: Path) -> Dict[str, List[float]]:
    """The CPU time of each in each round. The first round is left out: it reads from the disk."""
    names = list(variants)
    seconds: Dict[str, List[float]] = {name: [] for name in names}
    for round_number in range(rounds + 1):
        first = round_number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(cpu_seconds_of(variants[name], folder))
    return {name: values[1:] for name, values in seconds.items()}


def row(title: str, seconds: List[float], reference: List[float], target: str) -> str:
    ratio = median_ratio(seconds, reference)
    return f"| {title} | {statistics.median(reference):.3f} | {ratio:.3f} | {target} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the start of processes.")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    line = measure(commands_of_line(), 10 * arguments.rounds, FOLDER)
    added = 1000 * (statistics.median(line["line"]) - statistics.median(line["no line"]))
    print(f"The line of the .pth file adds {added:.2f} ms to the start of Python.", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = measure(commands(folder), arguments.rounds, folder)
    rows = [
        "| | of AllenNLP (s) | ratio | target |\n| --- | --- | --- | --- |",
        row("import", times["import"], times["import of AllenNLP"], "<= 1.05"),
        row("predict", times["predict"], times["predict of AllenNLP"], "<= 1.00"),
    ]
    table = "\n".join(rows)
    print(f"\n{table}\n\n{machine()}")
    if arguments.write:
        introduction = INTRODUCTION.format(rounds=arguments.rounds)
        text = (
            f"{introduction}\nThe file `multitask_model_startup.pth`, which Python reads at each "
            f"start, adds {added:.2f} ms."
        )
        write_section("Time to start", f"{text}\n\n{table}\n\n{machine()}.")


if __name__ == "__main__":
    main()
