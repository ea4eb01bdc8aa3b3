"""The lines that the demo shows while it trains."""

import io
from typing import List

from examples.vader.progress import TrainingProgress

LOG = "2026-01-01 10:00:00,000 - INFO - allennlp.training.gradient_descent_trainer - "
LOSSES = "loss 2.43: polarity 1.08 source 1.35"
HALF = f"{LOSSES}:  50%|#####     | 60/120 [00:02<00:02, 10.18it/s]"
END = f"{LOSSES}: 100%|##########| 120/120 [00:12<00:00,  9.50it/s]"
HEADER = "  epoch, batches, speed and the running loss of each head:\n"
SHOWN_HALF = "2/5  50%|#####     | 60/120 10.18it/s loss 2.43: polarity 1.08 source 1.35"
SHOWN_END = "2/5 100%|##########| 120/120 9.50it/s loss 2.43: polarity 1.08 source 1.35"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(lines: List[str], out: io.StringIO) -> str:
    progress = TrainingProgress(out)
    for line in [f"{LOG}Epoch 1/4\n", f"{LOG}Training\n", *lines]:
        progress.update(f"{line}\n")
    return out.getvalue()


def test_a_file_has_a_line_for_the_end_of_an_epoch() -> None:
    assert shown([HALF, END], io.StringIO()) == f"{HEADER}{SHOWN_END}\n"


def test_the_end_of_an_epoch_is_shown_once() -> None:
    assert shown([END, END], io.StringIO()) == f"{HEADER}{SHOWN_END}\n"


def test_a_terminal_has_a_line_that_changes() -> None:
    printed = shown([HALF, END], Terminal())
    header, first, last = printed.split("\r")
    assert header == HEADER
    assert first.rstrip(" ") == SHOWN_HALF
    assert last.rstrip(" \n") == SHOWN_END
    assert last.endswith("\n")


def test_the_bars_of_validation_are_left_out() -> None:
    assert shown([f"{LOG}Validating", END], io.StringIO()) == ""


def test_lines_without_a_bar_are_left_out() -> None:
    assert shown(["loading instances: 100%|#####| 5/5", f"{LOG}Metrics"], io.StringIO()) == ""
