"""Shows the progress of `allennlp train` from its log."""

import re
import shutil
import time
from typing import TextIO

# The progress bar of a batch. The callback `task_report` wrote the losses before the bar.
BAR = re.compile(r"^(?P<losses>.+?): (?P<bar>[ \d]+%\|.{10}\| *\d+/\d+) \[.*?, *(?P<speed>.+?)[],]")
EPOCH = re.compile(r" - Epoch (\d+)/(\d+)$")
PHASE = re.compile(r" - (Training|Validating)$")
SECONDS = 10.0


class TrainingProgress:
    """
    Prints the progress bars of training. In a terminal there is one line for an epoch, which
    changes. In a file there is a line every ten seconds, and one at the end of an epoch.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._epoch = ""
        self._is_training = False
        self._is_new = True
        self._has_header = False
        self._printed = time.monotonic()

    def update(self, line: str) -> None:
        """Takes a line of the log."""
        line = line.rstrip()
        epoch, phase, bar = EPOCH.search(line), PHASE.search(line), BAR.search(line)
        if epoch:
            self._epoch = f"{int(epoch.group(1)) + 1}/{int(epoch.group(2)) + 1}"
            self._is_new = True
        elif phase:
            self._is_training = phase.group(1) == "Training"
        elif bar and self._is_training and self._is_new:
            # The last bar of an epoch is printed twice.
            self._is_new = not bar.group("bar").startswith("100%")
            self._print(self._format(bar), is_end=not self._is_new)

    def _format(self, bar: "re.Match[str]") -> str:
        return f"{self._epoch} {bar.group('bar')} {bar.group('speed')} {bar.group('losses')}"

    def _print(self, text: str, is_end: bool) -> None:
        if not self._has_header:
            self._has_header = True
            self._out.write("  epoch, batches, speed and the running loss of each head:\n")
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r{text[:width]:{width}}" + ("\n" if is_end else ""))
        elif is_end or time.monotonic() - self._printed >= SECONDS:
            self._printed = time.monotonic()
            self._out.write(f"{text}\n")
        self._out.flush()
