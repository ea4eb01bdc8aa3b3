"""
The time of predictions from JSON with four heads, relative to AllenNLP's own `multitask` predictor.
`startup.py` measures `allennlp predict` for one input.

    python benchmarks/prediction.py EWT_DIR

EWT_DIR is the folder of the treebank. With `--write`, the table is also written to
`benchmarks/RESULTS.md`.
"""

import argparse
import itertools
import logging
from typing import Dict, List, Tuple, cast

from allennlp.common import JsonDict
from allennlp.data import Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader as AllenNLPReader
from allennlp.data.fields import TextField
from allennlp.predictors import Predictor
from allennlp.predictors.multitask import MultiTaskPredictor as AllenNLPPredictor
from ewt_models import (  # type: ignore[import-not-found]
    HEADS,
    config_of,
    make_experiment,
    make_reader,
)
from results import (  # type: ignore[import-not-found]
    interleaved,
    machine,
    median_ratio,
    prepare,
    write_section,
)

from multitask_model import MultiTaskDatasetReader, MultiTaskModel, MultiTaskPredictor

INTRODUCTION = """
Predictions with the BiLSTM of `examples/ewt`, not trained, from JSON objects with the text of
sentences of UD English EWT, in batches of 32. CPU time: median of the ratios within each round.

- one annotation each: the objects have the tasks UPOS, XPOS, dependency tree and genre in turn.
- four annotations each: this package predicts them for one task with four heads, AllenNLP's classes
  for four tasks.

Command: `python benchmarks/prediction.py "$EWT_DIR" --write`.
"""
BATCH = 32


@Predictor.register("benchmark_text")
class TextPredictor(Predictor):
    """What AllenNLP's predictor needs for each head: how to make an instance of a JSON object."""

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        return self._dataset_reader.text_to_instance(json_dict["text"])


def make_predictors(
    variables: Dict[str, str],
) -> Tuple[MultiTaskPredictor, AllenNLPPredictor, List[str]]:
    """Predictors with the same parameters, and texts."""
    made = make_experiment("bilstm", variables, sentences=2 * BATCH, buckets=False)
    params = config_of("bilstm", variables)
    tasks = {**{head: [head] for head in HEADS}, "ewt": list(HEADS)}
    heads = {head: made.ours.head(head) for head in HEADS}
    ours = MultiTaskModel(made.ours.vocab, made.ours.backbone, heads, task_heads=tasks)
    our_readers = {task: make_reader(params, None) for task in tasks}
    for name, module in made.theirs.named_modules():
        if name in {f"_heads.{head}" for head in HEADS}:
            setattr(module, "default_predictor", "benchmark_text")  # noqa: B010
    their_readers = {head: make_reader(params, None) for head in HEADS}
    theirs = AllenNLPPredictor(made.theirs.eval(), AllenNLPReader(their_readers))
    texts = [
        " ".join(str(token) for token in cast(TextField, instance["text"]).tokens)
        for instance in made.our_loader.iter_instances()
    ]
    return MultiTaskPredictor(ours.eval(), MultiTaskDatasetReader(our_readers)), theirs, texts


def predict_all(predictor: Predictor, inputs: List[JsonDict]) -> List[JsonDict]:
    # Copies, because AllenNLP's predictor removes the task.
    batches = [inputs[i : i + BATCH] for i in range(0, len(inputs), BATCH)]
    return [
        prediction
        for batch in batches
        for prediction in predictor.predict_batch_json([dict(item) for item in batch])
    ]


def measure_predictions(folder: str, rounds: int) -> Dict[str, float]:
    """The ratios of AllenNLP's time to that of this package."""
    ours, theirs, texts = make_predictors({"EWT_DIR": folder})
    mixed = [{"task": h, "text": t} for t, h in zip(texts, itertools.cycle(HEADS))]
    alone = [{"task": "ewt", "text": text} for text in texts]
    repeated = [{"task": head, "text": text} for text in texts for head in HEADS]
    seconds = interleaved(
        {
            "ours, one": lambda: predict_all(ours, mixed),
            "theirs, one": lambda: predict_all(theirs, mixed),
            "ours, four": lambda: predict_all(ours, alone),
            "theirs, four": lambda: predict_all(theirs, repeated),
        },
        rounds,
    )
    return {
        "one annotation each": median_ratio(seconds["theirs, one"], seconds["ours, one"]),
        "four annotations each": median_ratio(seconds["theirs, four"], seconds["ours, four"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure predictions.")
    parser.add_argument("folder", help="the folder of the treebank")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    prepare()
    lines = ["| what | ratio | target |", "| --- | --- | --- |"]
    for name, ratio in measure_predictions(arguments.folder, arguments.rounds).items():
        lines.append(f"| AllenNLP / ours, {name} | {ratio:.2f} | >= 3 |")
        print(lines[-1], flush=True)
    table = "\n".join(lines)
    print(f"\n{table}\n\n{machine()}")
    if arguments.write:
        write_section("Time of predictions", f"{INTRODUCTION}\n{table}\n\n{machine()}.")


if __name__ == "__main__":
    main()
