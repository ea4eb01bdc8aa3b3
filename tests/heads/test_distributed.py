"""Metrics in distributed training: two processes whose batches have different shapes."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable

import pytest
import torch

from tests.helpers.head_cases import CASES, make_batch, make_head
from tests.helpers.processes import run_processes

pytestmark = pytest.mark.slow

LENGTHS = {0: [5, 1, 3], 1: [2, 4]}
OURS = [name for name in sorted(CASES) if name != "classifier"]


def metrics_of(type_name: str, ranks: Iterable[int]) -> Dict[str, float]:
    head = make_head(type_name).eval()
    for rank in ranks:
        batch = make_batch(type_name, LENGTHS[rank])
        if type_name == "masked_language_model" and rank == 1:
            batch.labels["masked_tokens"].clamp_(max=1)  # only OOV words
        head(**batch.arguments)
    return head.get_metrics(reset=True)


def run_process(rank: int, folder: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", world_size=2, rank=rank
    )
    found = {name: metrics_of(name, [rank]) for name in OURS}
    (Path(folder) / f"{rank}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("distributed")
    run_processes(run_process, str(folder))
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("type_name", OURS)
def test_both_processes_report_the_metrics_of_all_instances(type_name: str, found: Any) -> None:
    expected = metrics_of(type_name, [0, 1])
    if type_name == "regression":
        del expected["spearman"]
    assert found[0][type_name] == pytest.approx(expected)
    assert found[1][type_name] == pytest.approx(expected)
