"""
The time of `get_metrics` after every batch of 32, over 128,000 instances of a `regression` head, as
AllenNLP's trainer asks for them.

    python benchmarks/regression_metrics.py
"""

import time

import torch
from allennlp.data import Vocabulary
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

from multitask_model import RegressionHead

INSTANCES, BATCH_SIZE = 128_000, 32


def seconds(instances: int) -> float:
    head = RegressionHead(Vocabulary(), BagOfEmbeddingsEncoder(4)).eval()
    encoded, mask = torch.randn(BATCH_SIZE, 1, 4), torch.ones(BATCH_SIZE, 1, dtype=torch.bool)
    start = time.perf_counter()
    with torch.no_grad():
        for _ in range(instances // BATCH_SIZE):
            head(encoded, mask, torch.randn(BATCH_SIZE))
            head.get_metrics()
    head.get_metrics(reset=True)
    return time.perf_counter() - start


def main() -> None:
    torch.set_num_threads(1)
    for instances in (INSTANCES // 4, INSTANCES):
        print(f"{instances} instances: {seconds(instances):.1f} s", flush=True)


if __name__ == "__main__":
    main()
