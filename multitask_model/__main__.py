"""
The command `multitask-model`: AllenNLP's subcommands, with this package included, and those of
`multitask_model.commands`.
"""

import logging
import re
import sys
from typing import List, Optional

from allennlp.commands import main as allennlp_main
from allennlp.commands import parse_args
from allennlp.commands.subcommand import Subcommand
from allennlp.common.checks import ConfigurationError
from allennlp.common.plugins import import_plugins
from allennlp.common.util import install_sigterm_handler
from allennlp.data.data_loaders.multiprocess_data_loader import WorkerError
from allennlp.version import VERSION as ALLENNLP_VERSION

import multitask_model
from multitask_model.errors import suggest

PROG = "multitask-model"
PACKAGE = "multitask_model"
DEBUG = "--debug"
OWN = ("describe", "new")
"""The subcommands that print for people to read, without a log."""

DESCRIPTION = (
    "AllenNLP's commands with the package multitask_model included, and two more: `new` writes a "
    "project to start from, and `describe` says what goes where in a model."
)
EPILOG = f"`{PROG} COMMAND --help` lists the options of a command."


def main(arguments: Optional[List[str]] = None) -> None:
    """
    Runs the command. An error is one line on stderr and the exit code 1, with `--debug` a
    traceback.

    # Parameters

    arguments : `List[str]`, optional (default = those of the process)
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = DEBUG in arguments
    arguments = [argument for argument in arguments if argument != DEBUG]
    try:
        if not arguments or arguments[0] in ("-h", "--help"):
            _print_help()
        elif arguments == ["--version"]:
            print(f"{PROG} {multitask_model.__version__} (AllenNLP {ALLENNLP_VERSION})")
        else:
            _run(arguments)
    except Exception as error:
        if debug:
            raise
        _log_traceback(error)
        sys.exit(f"error: {one_line(error)}")


def _run(arguments: List[str]) -> None:
    """Hands over to AllenNLP's command, with this package among those to include."""
    install_sigterm_handler()
    name = arguments[0]
    if name not in Subcommand.list_available():
        import_plugins()  # they may have more subcommands
    _check_subcommand(name)
    if name not in OWN:
        # Importing it sets the format and the level of the log, as for the command `allennlp`.
        import allennlp.__main__  # noqa: F401
    # Processes that a distributed training starts import the packages that are named here.
    if Subcommand.by_name(name).requires_plugins:  # type: ignore[attr-defined]
        arguments = [name, "--include-package", PACKAGE, *arguments[1:]]
    sys.argv[1:] = arguments  # which AllenNLP's parser reads
    allennlp_main(prog=PROG)


def _check_subcommand(name: str) -> None:
    known = sorted(Subcommand.list_available())
    if name not in known:
        raise ConfigurationError(
            f"{PROG} requires the name of a command, but got {name!r}.{suggest(name, known)} "
            f"`{PROG} --help` lists the commands."
        )


def _print_help() -> None:
    sys.argv[1:] = []
    parser, _ = parse_args(prog=PROG)
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.add_argument(DEBUG, action="store_true", help="print the traceback of an error")
    parser.print_help()


def one_line(error: Exception) -> str:
    """Returns an error as one line that says what to do."""
    text = str(error)
    if isinstance(error, WorkerError):
        text = text.partition("Traceback from worker:")[0]
    text = " ".join(text.split())
    variable = re.search(r"undefined external variable: (\w+)", text)
    if variable:
        name = variable.group(1)
        return f"The config reads the environment variable {name}, which is not set. Set it."
    if isinstance(error, ConfigurationError):
        return text
    return f"{type(error).__name__}: {text} ({DEBUG} prints the traceback)"


def _log_traceback(error: Exception) -> None:
    """Writes the traceback to the log files, of which a training has one."""
    details = (type(error), error, error.__traceback__)
    record = logging.LogRecord(
        PACKAGE, logging.CRITICAL, __file__, 0, "Uncaught exception", (), details
    )
    for handler in logging.root.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


if __name__ == "__main__":
    main()
