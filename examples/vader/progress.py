"""Shows the progress of `allennlp train` from its log."""

import re
import shutil
import time
from typing import List, Optional, TextIO

# The progress bar of a batch: the metrics, then the bar.
BAR = re.compile(
    r"^(?P<metrics>.+?) \|\|: (?P<bar>[ \d]+%\|.{10}\| *\d+/\d+) \[.*?, *(?P<speed>.+?)[],]"
)
EPOCH = re.compile(r" - Epoch (\d+)/(\d+)$")
PHASE = re.compile(r" - (Training|Validating)$")
SECONDS = 10.0


class TrainingProgress:
    """
    Prints AllenNLP's progress bar with the running loss of each head instead of all metrics. In a
    terminal there is one line for an epoch, which changes. In a file there is a line every ten
    seconds, and one at the end of an epoch.
    """

    def __init__(self, heads: List[str], out: TextIO) -> None:
        self._heads = heads
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
        losses = [self._loss(head, bar.group("metrics")) for head in self._heads]
        shown = " ".join(loss for loss in losses if loss is not None)
        return f"{self._epoch} {bar.group('bar')} {bar.group('speed')} {shown}"

    def _loss(self, head: str, metrics: str) -> Optional[str]:
        # The losses for each task have the name of the task before that of the head.
        found = re.search(rf"(?:^|, ){head}_loss: ([\d.]+)", metrics)
        return f"{head} {float(found.group(1)):.2f}" if found else None

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
