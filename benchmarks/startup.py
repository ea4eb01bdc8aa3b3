"""
Measures what the line of `multitask_model_startup.pth` adds to the start of Python: the medians of
the times of an interpreter that runs the line and of one that does not, in turns.

    python benchmarks/startup.py
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 60
LINE = Path(__file__).parents[1] / "multitask_model_startup" / "startup.pth"


def seconds_of(code: str) -> float:
    start = time.perf_counter()
    # The interpreter of the virtual environment would run the line of the installed file as well.
    subprocess.run([str(Path(sys.base_prefix) / "bin" / "python3"), "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    line = LINE.read_text(encoding="utf-8")
    times = [(seconds_of(line), seconds_of("")) for _ in range(ROUNDS)]
    with_line, without = (1000 * statistics.median(column) for column in zip(*times))
    print(f"with the line: {with_line:.2f} ms, without: {without:.2f} ms")


if __name__ == "__main__":
    main()
