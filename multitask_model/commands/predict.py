"""The subcommand `predict`: AllenNLP's, with the option `--format`."""

import argparse
import functools
import json
import sys
import tempfile
from pathlib import Path
from typing import Callable

from allennlp.commands.predict import Predict
from allennlp.commands.subcommand import Subcommand
from allennlp.common.checks import ConfigurationError
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.predictions.options import CONLLU, FORMATS, JSONL

PredictFunction = Callable[[argparse.Namespace], None]


@register_in_place(Subcommand, "predict")
class PredictCommand(Subcommand):
    """
    AllenNLP's `predict`, to which the option `--format` is added. It is an option of
    `MultiTaskPredictor`, so `--predictor-args` sets it too.
    """

    name = "predict"

    @overrides
    def add_subparser(
        self, parser: "argparse._SubParsersAction[argparse.ArgumentParser]"
    ) -> argparse.ArgumentParser:
        subparser = Predict().add_subparser(parser)
        subparser.add_argument(
            "--format",
            choices=FORMATS,
            help=f"what to write: JSON lines ({JSONL}, the default), or words with tags, trees and "
            f"lemmas ({CONLLU}), without --output-file to stdout, and nothing else there",
        )
        run = functools.partial(_run, subparser.get_default("func"))
        subparser.set_defaults(func=run)
        return subparser


def _run(predict: PredictFunction, args: argparse.Namespace) -> None:
    if args.format is not None:
        given = json.loads(args.predictor_args.strip() or "{}")
        if not isinstance(given, dict):
            raise ConfigurationError(
                f"--predictor-args must be a JSON object, but got {given!r}. Write it as "
                """'{"top_k": 3}'."""
            )
        _check_format(given.get("format", args.format), args.format)
        args.predictor_args = json.dumps({**given, "format": args.format})
    if args.format == CONLLU and not args.output_file and not args.silent:
        _print_predictions(predict, args)
    else:
        predict(args)


def _check_format(given: object, of_option: str) -> None:
    if given != of_option:
        raise ConfigurationError(
            f"predict takes one format, but got {given!r} in --predictor-args and --format "
            f"{of_option}. Leave out one of them."
        )


def _print_predictions(predict: PredictFunction, args: argparse.Namespace) -> None:
    """Prints the predictions alone. AllenNLP's command would print the inputs among them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions"
        predict(argparse.Namespace(**{**vars(args), "output_file": str(path), "silent": True}))
        with open(path) as file:  # in the encoding that AllenNLP's command writes
            sys.stdout.writelines(file)
