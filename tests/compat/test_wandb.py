"""
The patch for wandb: the ids of runs. `tests/training/callbacks/test_wandb.py` tests it on a
training.
"""

import random
import re

import numpy
import torch

from multitask_model.compat.wandb import generate_id


def test_an_id_has_the_format_of_wandb() -> None:
    assert re.fullmatch("[a-z0-9]{8}", generate_id())


def test_runs_with_the_same_seed_have_different_ids() -> None:
    ids = set()
    for _ in range(3):
        random.seed(13370)
        numpy.random.seed(1337)
        torch.manual_seed(133)
        ids.add(generate_id())
    assert len(ids) == 3
