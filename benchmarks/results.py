"""What the benchmarks share: time and memory, the machine, and the sections of `RESULTS.md`."""

import ctypes
import gc
import itertools
import platform
import re
import statistics
import time
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Sequence

import allennlp.version
import torch
from torch.profiler import ProfilerActivity, profile

import multitask_model

RESULTS = Path(__file__).parent / "RESULTS.md"
WARMUP = 3
Variants = Mapping[str, Callable[[], object]]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def keep_freed_memory() -> None:
    """
    Keeps freed memory in the process. Otherwise glibc returns large tensors to the system and
    requests them again, and the page faults take more time than the routing.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL("libc.so.6")
        for parameter in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            libc.mallopt(parameter, 1 << 30)


def prepare() -> None:
    """Makes timings in this process repeatable: one thread, no garbage collector, kept memory."""
    keep_freed_memory()
    torch.set_num_threads(1)
    gc.disable()


def cpu_seconds(function: Callable[[], object]) -> float:
    """The CPU time of a call. Unlike wall time, it excludes what other processes take."""
    start = time.process_time()
    function()
    return time.process_time() - start


def interleaved(variants: Variants, rounds: int) -> Dict[str, List[float]]:
    """The seconds of each variant in each round. Each round starts with a different one."""
    names = list(variants)
    seconds: Dict[str, List[float]] = {name: [] for name in names}
    for round_number in range(rounds + WARMUP):
        first = round_number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(cpu_seconds(variants[name]))
        if round_number % 10 == 0:
            gc.collect()
    return {name: values[WARMUP:] for name, values in seconds.items()}


def median_ratio(times: Sequence[float], reference: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(times, reference))


def peak_memory(step: Callable[[], object]) -> int:
    """The largest number of bytes that a step has allocated and not yet freed."""
    step()  # allocates the gradients of the parameters
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    assert profiler.profiler is not None
    assert profiler.profiler.kineto_results is not None
    events = profiler.profiler.kineto_results.events()
    allocations = [event for event in events if event.name() == "[memory]"]
    allocations.sort(key=lambda event: event.start_ns())
    return max(itertools.accumulate(event.nbytes() for event in allocations))


def machine() -> str:
    return (
        f"{processor()}, one thread; Python {platform.python_version()}, "
        f"torch {torch.__version__}, allennlp {allennlp.version.VERSION}, "
        f"multitask_model {multitask_model.__version__}"
    )


def rows_in_order(starts: Sequence[str], measured: Mapping[str, str]) -> List[str]:
    """
    The rows of a table of `RESULTS.md`, by what each starts with: those that were measured now, and
    the others as they were written before, if they were.
    """
    written = RESULTS.read_text().splitlines()
    rows = [
        measured.get(start) or next((line for line in written if line.startswith(start)), None)
        for start in starts
    ]
    return [row for row in rows if row is not None]


def write_section(title: str, body: str, path: Path = RESULTS) -> None:
    """Replaces the section of that title, or adds it at the end. Other sections are unchanged."""
    text = path.read_text() if path.exists() else ""
    sections = [part for part in re.split(r"(?m)^(?=# )", text) if part.strip()]
    heading, new = f"# {title}\n", f"# {title}\n\n{body.strip()}\n"
    known = any(section.startswith(heading) for section in sections)
    updated = [new if section.startswith(heading) else section for section in sections]
    updated += [] if known else [new]
    path.write_text("\n".join(section.strip() + "\n" for section in updated))
