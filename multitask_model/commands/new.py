"""The subcommand `new`: a starter project."""

import argparse
import shutil
from pathlib import Path

from allennlp.commands.subcommand import Subcommand
from allennlp.common.checks import ConfigurationError
from overrides import overrides

from multitask_model.errors import format_names

STARTER = Path(__file__).parent / "starter"
"""The files of the project."""


@Subcommand.register("new", exist_ok=True)
class NewCommand(Subcommand):
    """Writes a small project that trains in a minute: config, data, a head and a test."""

    @overrides
    def add_subparser(
        self, parser: "argparse._SubParsersAction[argparse.ArgumentParser]"
    ) -> argparse.ArgumentParser:
        description = (
            "Write a small project that trains in a minute: a config, ten lines of data for each "
            "of two tasks, a head of your own and a test. Comments explain each of them."
        )
        subparser = parser.add_parser(
            self.name, description=description, help="Write a small project to start from."
        )
        subparser.add_argument(
            "directory", metavar="DIRECTORY", help="where to write it: a new or empty directory"
        )
        subparser.set_defaults(func=_run)
        return subparser


def _run(args: argparse.Namespace) -> None:
    number = write_starter(Path(args.directory))
    print(
        f"Wrote {number} files to {args.directory}. Next:\n\n"
        f"    cd {args.directory}\n"
        "    multitask-model describe experiment.jsonnet\n"
        "    multitask-model train experiment.jsonnet -s run"
    )


def write_starter(directory: Path) -> int:
    """
    Writes the files of the starter project.

    # Parameters

    directory : `Path`
        A directory that is empty or does not exist.

    # Returns

    `int`
        The number of files.

    # Raises

    `ConfigurationError`
        If `directory` is a file, or has files.
    """
    if directory.exists():
        found = [path.name for path in sorted(directory.iterdir())] if directory.is_dir() else None
        if found is None or found:
            what = "a file" if found is None else f"one with {format_names(found)}"
            raise ConfigurationError(
                f"new requires a new or empty directory, but {str(directory)!r} is {what}. Choose "
                "another directory."
            )
    # Installers compile the Python files of a package.
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        STARTER, directory, copy_function=shutil.copyfile, ignore=ignore, dirs_exist_ok=True
    )
    return sum(path.is_file() for path in directory.rglob("*"))
