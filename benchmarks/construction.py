"""
The time to build a `MultiTaskModel` with 1000 heads and 300 tasks, the fastest of three.

    python benchmarks/construction.py
"""

import time
from typing import Any, Dict

from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from routing_models import EmbeddingBackbone, MeanHead  # type: ignore[import-not-found]

from multitask_model import MultiTaskModel

HEADS, TASKS, DIM = 1000, 300, 8


def main() -> None:
    vocab = Vocabulary()
    heads: Dict[str, Head] = {f"head{i}": MeanHead(vocab, DIM) for i in range(HEADS)}
    names = list(heads)
    task_heads = {f"task{j}": names[j::7] for j in range(TASKS)}
    options: Dict[str, Any] = {
        "task_heads": task_heads,
        "loss_weights": dict.fromkeys(names, 1.0),
        "arg_name_mapping": {name: {"target": "label"} for name in names},
    }
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        MultiTaskModel(vocab, EmbeddingBackbone(DIM), heads, **options)
        seconds.append(time.perf_counter() - start)
    print(f"{HEADS} heads, {TASKS} tasks: {min(seconds):.3f} s")


if __name__ == "__main__":
    main()
