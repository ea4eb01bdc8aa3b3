"""How the instances of an epoch are split among processes."""

from typing import List

import pytest

from multitask_model.data.data_loaders.process_shares import ProcessShares


def shares_of(*lengths: object) -> ProcessShares:
    return ProcessShares([{"ewt": n} for n in lengths], rank=0)  # type: ignore[dict-item]


@pytest.mark.parametrize("lengths", [[19, 18], [1, 0, 0, 0], [5, 1, 3], [7, 0]])
@pytest.mark.parametrize("step", [1, 3, 10])
def test_every_part_is_passed_through_as_often(lengths: List[int], step: int) -> None:
    shares, total, taken = shares_of(*lengths), sum(lengths), [0] * len(lengths)
    for start in range(0, 3 * total, step):
        counts = shares.split("ewt", start, step)
        assert sum(counts) == step
        assert min(counts) >= 0
        taken = [old + new for old, new in zip(taken, counts)]
        for of_process, length in zip(taken, lengths):
            assert abs(of_process - (start + step) * length / total) <= 1.0


@pytest.mark.parametrize("passes", [1, 2])
def test_a_full_pass_is_one_over_each_part(passes: int) -> None:
    assert shares_of(4, 3, 0).split("ewt", 0, 7 * passes) == [4 * passes, 3 * passes, 0]


def test_parts_of_unknown_length_take_turns() -> None:
    shares = shares_of(None, 0, None)
    assert shares.split("ewt", 0, 3) == [2, 0, 1]
    assert shares.split("ewt", 3, 3) == [1, 0, 2]


def test_the_length_of_a_dataset_is_that_of_all_parts() -> None:
    assert shares_of(4, 3).total("ewt") == 7
    assert shares_of(4, None).total("ewt") is None


def test_one_process_takes_everything() -> None:
    assert shares_of(3).split("ewt", 2, 100) == [100]
