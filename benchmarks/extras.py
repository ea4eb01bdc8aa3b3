"""
Measures what metrics of losses, the sampler `dynamic` and the callbacks `multitask_data` and
`task_report` cost: the steps per second of AllenNLP's trainer with all of them, relative to the
same training without.

    python benchmarks/extras.py

With `--write`, the table is also written to `benchmarks/RESULTS.md`.
"""

import argparse
import contextlib
import gc
import io
import logging
import random
import statistics
import tempfile
import time
from typing import Any, Dict, Iterator, List, NamedTuple
from unittest.mock import patch

import torch
from allennlp.data import DatasetReader, Instance, Token, Vocabulary
from allennlp.data.fields import SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.models.heads import Head
from allennlp.modules.seq2seq_encoders import LstmSeq2SeqEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding
from allennlp.training import GradientDescentTrainer
from allennlp.training.callbacks import TrainerCallback
from results import machine, prepare, write_section  # type: ignore[import-not-found]

from multitask_model import (
    MultiTaskDataCallback,
    MultiTaskDataLoader,
    MultiTaskDatasetReader,
    MultiTaskModel,
    TaggerHead,
    TaskReportCallback,
    TextBackbone,
)
from multitask_model.data.samplers import DynamicSampler, UniformSampler
from multitask_model.training.metrics import MeanLosses, model_metrics

TASKS, BATCH, DIM, WORDS = [f"task{i}" for i in range(4)], 32, 200, 2000
OFF, ON = "without", "with"
INTRODUCTION = """
AllenNLP's trainer with metrics `HEAD_loss`, the sampler `dynamic`, and the callbacks
`multitask_data` and `task_report`, relative to a training without them, with the sampler `uniform`:
four datasets with the same four taggers on a BiLSTM, 2 × 200, and batches of 32 generated
sentences, so that a step costs the same whatever the sampler draws. CPU time. The median of
{rounds} epochs of {steps} steps, which alternate, and of the ratios of an epoch to the one before
or after it; the latter differs from the ratio of the medians by chance. Steps include loading and
the trainer's metrics. The end of an epoch has the validation on {validation} sentences, and with
the callbacks the report: a table, a page and a picture, once per epoch whatever its length.
Command: `python benchmarks/extras.py --rounds {rounds} --write`.
"""


class NoLosses(MeanLosses):
    """Leaves out the losses, so that the model does not report them."""

    def add_all(self, losses: Any, rows: Any) -> None:
        pass


class TaggedReader(DatasetReader):
    """Generates sentences with the lengths of words as tags. Its path is their number."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        rng = random.Random(0)
        for _ in range(int(file_path)):
            words = [f"w{rng.randrange(WORDS)}" for _ in range(rng.randrange(5, 35))]
            text = TextField([Token(word) for word in words])
            tags = SequenceLabelField([str(len(word)) for word in words], text, "tags")
            yield Instance({"text": text, "tags": tags})

    def apply_token_indexers(self, instance: Instance) -> None:
        text: Any = instance.fields["text"]
        text.token_indexers = {"tokens": SingleIdTokenIndexer()}


class Clock(TrainerCallback):
    """The CPU time at the end of each training step. It is the last of the callbacks."""

    def __init__(self) -> None:
        super().__init__("")
        self.times: List[float] = []

    def on_batch(self, trainer: GradientDescentTrainer, *args: Any, **kwargs: Any) -> None:
        if kwargs["is_training"]:
            self.times.append(time.process_time())


class Epoch(NamedTuple):
    steps_per_second: float
    end: float  # seconds after the last step


class Training:
    """Trains a model epoch by epoch, with the features that are measured or without."""

    def __init__(self, name: str, steps: int, validation: int) -> None:
        self._is_on = name == ON
        words, tags = [f"w{i}" for i in range(WORDS)], ["2", "3", "4", "5"]
        vocab = Vocabulary(tokens_to_add={"tokens": words, "tags": tags})
        metrics = {task: f"+{task}_accuracy" for task in TASKS}
        sampler = DynamicSampler(metrics) if self._is_on else UniformSampler()
        self._loader = make_loader(
            BATCH * steps, sampler=sampler, instances_per_epoch=BATCH * steps
        )
        self._validation_loader = make_loader(validation)
        for loader in (self._loader, self._validation_loader):
            loader.index_with(vocab)
        # The same seed for both trainings.
        torch.manual_seed(0)
        with (
            contextlib.nullcontext()
            if self._is_on
            else patch.object(model_metrics, "MeanLosses", NoLosses)
        ):
            self._model = make_model(vocab)
        self._optimizer = torch.optim.Adam(self._model.parameters())

    def epoch(self, folder: str) -> Epoch:
        clock = Clock()
        callbacks: List[TrainerCallback] = []
        if self._is_on:
            callbacks += [MultiTaskDataCallback(folder), TaskReportCallback(folder)]
        trainer = GradientDescentTrainer(
            self._model,
            self._optimizer,
            self._loader,
            validation_data_loader=self._validation_loader,
            num_epochs=1,
            callbacks=[*callbacks, clock],
            cuda_device=-1,
        )
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            trainer.train()
        end = time.process_time() - clock.times[-1]
        # Without the first step, which has the start of the training.
        return Epoch((len(clock.times) - 1) / (clock.times[-1] - clock.times[0]), end)


def make_loader(sentences: int, **options: Any) -> MultiTaskDataLoader:
    reader = MultiTaskDatasetReader({task: TaggedReader() for task in TASKS})
    paths = {task: str(max(1, sentences // len(TASKS))) for task in TASKS}
    return MultiTaskDataLoader(reader, paths, batch_size=BATCH, sorting_keys=["text"], **options)


def make_model(vocab: Vocabulary) -> MultiTaskModel:
    embedder = BasicTextFieldEmbedder({"tokens": Embedding(DIM, vocab=vocab)})
    encoder = LstmSeq2SeqEncoder(DIM, DIM, num_layers=1, bidirectional=True)
    heads: Dict[str, Head] = {
        task: TaggerHead(vocab, 2 * DIM, label_namespace="tags") for task in TASKS
    }
    backbone = TextBackbone(vocab, embedder, encoder)
    # All heads for each task: a batch costs the same whatever the sampler draws.
    return MultiTaskModel(vocab, backbone, heads, task_heads=dict.fromkeys(TASKS, TASKS))


def measure(steps: int, validation: int, rounds: int) -> Dict[str, List[Epoch]]:
    """The epochs of both trainings. The first of each warms up, and is left out."""
    trainings = {name: Training(name, steps, validation) for name in (OFF, ON)}
    epochs: Dict[str, List[Epoch]] = {name: [] for name in trainings}
    for round_number in range(rounds + 1):
        for name in [OFF, ON] if round_number % 2 else [ON, OFF]:
            with tempfile.TemporaryDirectory() as folder:
                epochs[name].append(trainings[name].epoch(folder))
            gc.collect()
        print({name: epochs[name][-1] for name in epochs}, flush=True)
    return {name: values[1:] for name, values in epochs.items()}


def table(epochs: Dict[str, List[Epoch]]) -> str:
    medians = {
        name: [statistics.median(column) for column in zip(*values)]
        for name, values in epochs.items()
    }
    ratio = statistics.median(
        on.steps_per_second / off.steps_per_second for on, off in zip(epochs[ON], epochs[OFF])
    )
    (off_speed, off_end), (on_speed, on_end) = medians[OFF], medians[ON]
    return "\n".join(
        [
            f"| | {OFF} | {ON} | ratio | target |\n| --- | --- | --- | --- | --- |",
            f"| steps per second | {off_speed:.2f} | {on_speed:.2f} | {ratio:.3f} | >= 0.98 |",
            f"| end of an epoch (s) | {off_end:.2f} | {on_end:.2f} | - | - |",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure metrics, sampler and callbacks.")
    parser.add_argument("--steps", type=int, default=80, help="of an epoch")
    parser.add_argument("--validation", type=int, default=400, help="sentences")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="also write benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    prepare()
    sizes = {name: vars(arguments)[name] for name in ("steps", "validation", "rounds")}
    figures = table(measure(**sizes))
    print(f"\n{figures}\n\n{machine()}")
    if arguments.write:
        introduction = INTRODUCTION.format(**sizes)
        write_section(
            "Cost of metrics, sampler and callbacks", f"{introduction}\n{figures}\n\n{machine()}."
        )


if __name__ == "__main__":
    main()
