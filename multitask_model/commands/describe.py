"""The subcommand `describe`: what goes where in a model, without training it."""

import argparse
import contextlib
import dataclasses
import io
import json
import logging
import sys
from typing import Iterator

from allennlp.commands.subcommand import Subcommand
from overrides import overrides
from rich.console import Console

from multitask_model.commands.description.collecting import describe
from multitask_model.commands.description.dot import to_dot
from multitask_model.commands.description.table import print_tables


@Subcommand.register("describe", exist_ok=True)
class DescribeCommand(Subcommand):
    """
    Prints the reader and the heads of each task, where the arguments of each component come from,
    and all errors in the wiring. The exit code is 1 if there are any.
    """

    @overrides
    def add_subparser(
        self, parser: "argparse._SubParsersAction[argparse.ArgumentParser]"
    ) -> argparse.ArgumentParser:
        description = (
            "Describe what goes where in a multi-task model, without training it: the heads of "
            "each task, and where the arguments of each component come from. It reads a few "
            "instances of each task and passes them through the model. The exit code is 1 if "
            "anything is wired wrongly."
        )
        subparser = parser.add_parser(
            self.name, description=description, help="Describe what goes where in a model."
        )
        subparser.add_argument(
            "source",
            metavar="CONFIG_OR_ARCHIVE",
            help="a config, an archive (model.tar.gz) or a serialization directory",
        )
        _add_options(subparser)
        subparser.set_defaults(func=_run)
        return subparser


def _add_options(subparser: argparse.ArgumentParser) -> None:
    output = subparser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON instead of tables")
    output.add_argument(
        "--dot", action="store_true", help="print a graph of the wiring for Graphviz: | dot -Tsvg"
    )
    subparser.add_argument(
        "--instances",
        metavar="N",
        type=_at_least_0,
        default=20,
        help="the number of instances to read of each task",
    )
    subparser.add_argument(
        "--seconds",
        metavar="S",
        type=float,
        default=5.0,
        help="how long to count the instances, for shares and batches per epoch",
    )
    subparser.add_argument(
        "-o", "--overrides", default="", help="a JSON object that overrides values of the config"
    )


def _at_least_0(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, but got {text}")
    return number


def _run(args: argparse.Namespace) -> None:
    with _quiet():
        found = describe(args.source, args.overrides, args.instances, args.seconds)
    if args.json:
        print(json.dumps(dataclasses.asdict(found), indent=2, ensure_ascii=False))
    elif args.dot:
        print(to_dot(found))
        for error in found.errors:
            print("error:", " ".join(error.message.split()), file=sys.stderr)
    else:
        print_tables(found, Console())
    if found.errors:
        sys.exit(1)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides progress bars and log lines below errors: the description says what they would."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)
