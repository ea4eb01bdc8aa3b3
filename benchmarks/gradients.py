"""
The time of a training step with the callback `gradient_aggregation`, relative to a plain step, of
the model of `examples/ewt/bilstm.jsonnet` with 2, 4 and 8 heads.

    python benchmarks/gradients.py EWT_DIR

EWT_DIR is the folder of the treebank. Trains on its development part. With `--write`, the table is
also written to `benchmarks/RESULTS.md`.
"""

import argparse
import gc
import itertools
import json
import logging
import statistics
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from allennlp.common import Params
from allennlp.data import DataLoader, DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.training import GradientDescentTrainer
from results import machine, prepare, write_section  # type: ignore[import-not-found]

from multitask_model.training.callbacks import GradientAggregationCallback

CONFIG = Path(__file__).parent.parent / "examples" / "ewt" / "bilstm.jsonnet"
HEADS = {2: ["upos", "parser"], 4: ["upos", "xpos", "parser", "genre"]}
AGGREGATOR = "upgrad"
INTRODUCTION = """
The time of a training step with the callback `gradient_aggregation` and the aggregator `upgrad`,
relative to a plain step: the median of the ratios over 40 batches of 32 sentences. The model is
that of `examples/ewt/bilstm.jsonnet` with two of its heads, with all four, and with each of these
twice. Command: `python benchmarks/gradients.py "$EWT_DIR" --write`.
"""
WARMUP = 3
VARIANTS = {"features": True, "parameters": False}


def config(folder: str, heads: int) -> Dict[str, Any]:
    """The config of the example, with some of its heads, or with all of them twice."""
    params: Dict[str, Any] = Params.from_file(CONFIG, ext_vars={"EWT_DIR": folder}).as_dict()
    params["train_data_path"] = params["validation_data_path"]
    params["vocabulary"] = {}
    model = params["model"]
    kept = HEADS[min(heads, 4)]
    names = {name: kept[i % len(kept)] for i, name in enumerate(_names(kept, heads))}
    model["heads"] = {name: dict(model["heads"][kind]) for name, kind in names.items()}
    model["arg_name_mapping"] = {
        name: dict(model["arg_name_mapping"][kind])
        for name, kind in names.items()
        if kind in model["arg_name_mapping"]
    }
    model["task_heads"] = {"ewt": list(names)}
    # AllenNLP consumes a config, so that no dictionary may be in it twice.
    copied: Dict[str, Any] = json.loads(json.dumps(params))
    return copied


def _names(kinds: List[str], count: int) -> List[str]:
    return [f"{kind}{i or ''}" for i in range(-(-count // len(kinds))) for kind in kinds][:count]


def make_trainer(folder: str, heads: int) -> GradientDescentTrainer:
    torch.manual_seed(0)
    params = Params(config(folder, heads))
    reader = DatasetReader.from_params(params["dataset_reader"])
    loader = DataLoader.from_params(
        params["data_loader"], reader=reader, data_path=params["train_data_path"]
    )
    vocab = Vocabulary.from_instances(loader.iter_instances())
    loader.index_with(vocab)
    model = Model.from_params(params["model"], vocab=vocab)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    return GradientDescentTrainer(model, optimizer, loader, grad_norm=5.0, cuda_device=-1)


def step(
    trainer: GradientDescentTrainer,
    batch: Dict[str, Any],
    callback: Optional[GradientAggregationCallback],
) -> float:
    """Makes one training step and returns the seconds that it took."""
    if callback is not None:
        callback.on_start(trainer)
    start = time.perf_counter()
    trainer.optimizer.zero_grad()
    outputs = trainer.batch_outputs(batch, for_training=True)
    if callback is None:
        outputs["loss"].backward()
    else:
        callback.on_backward(trainer, outputs, False)
    trainer.rescale_gradients()
    trainer.optimizer.step()
    seconds = time.perf_counter() - start
    if callback is not None:
        callback.on_end(trainer)
    return seconds


def measure(folder: str, heads: int, rounds: int) -> Dict[str, float]:
    """The milliseconds of a plain step, and the median ratio of the others to it."""
    trainer = make_trainer(folder, heads)
    variants: Dict[str, Optional[GradientAggregationCallback]] = {"plain": None}
    for name, features in VARIANTS.items():
        variants[name] = GradientAggregationCallback("", AGGREGATOR, features)
    seconds: Dict[str, List[float]] = {name: [] for name in variants}
    for batch in itertools.islice(trainer.data_loader, rounds + WARMUP):
        for name, callback in variants.items():
            seconds[name].append(step(trainer, batch, callback))
        gc.collect()
    timed = {name: values[WARMUP:] for name, values in seconds.items()}
    result = {"plain": 1000 * statistics.median(timed["plain"])}
    for name in VARIANTS:
        ratios = [other / plain for other, plain in zip(timed[name], timed["plain"])]
        result[name] = statistics.median(ratios)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the cost of aggregating gradients.")
    parser.add_argument("folder", help="the folder of the treebank")
    parser.add_argument("--rounds", type=int, default=40, help="the batches that are timed")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    prepare()
    lines = [
        "| heads | plain step (ms) | `features: true` | `features: false` |",
        "| --- | --- | --- | --- |",
    ]
    for heads in (2, 4, 8):
        result = measure(arguments.folder, heads, arguments.rounds)
        values = [f"{result['plain']:.0f}", *(f"{result[n]:.2f}" for n in VARIANTS)]
        lines.append(f"| {' | '.join([str(heads), *values])} |")
        print(lines[-1], flush=True)
    table = "\n".join(lines)
    print(f"\n{table}\n\n{machine()}")
    if arguments.write:
        write_section("Cost of aggregating gradients", f"{INTRODUCTION}\n{table}\n\n{machine()}.")


if __name__ == "__main__":
    main()
