"""Buckets of instances of similar length, and the padding that remains."""

import random
from typing import Dict, List, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.data_loaders.bucketing import make_buckets
from tests.helpers.loading import NumbersReader, epoch, flat, make_loader


def ewt_like(count: int) -> List[int]:
    """Log-normal sentence lengths, 16 words on average, as in English treebanks."""
    rng = random.Random(16)
    return [max(1, round(rng.lognormvariate(2.5, 0.75))) for _ in range(count)]


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 50), max_size=40),
    size=st.integers(1, 9),
    noise=st.floats(0, 0.5),
    seed=st.integers(0, 1000),
)
def test_buckets_have_every_item_once_and_depend_on_the_seed_only(
    lengths: List[int], size: int, noise: float, seed: int
) -> None:
    items = list(range(len(lengths)))
    found = make_buckets(items, lengths, size, noise, random.Random(seed))
    assert sorted(found) == items
    assert found == make_buckets(items, lengths, size, noise, random.Random(seed))


def test_buckets_without_noise_are_slices_of_the_sorted_lengths() -> None:
    lengths = [9, 1, 5, 8, 2, 6, 3, 7, 4]
    found = make_buckets(lengths, lengths, 3, 0.0, random.Random(2))
    buckets = [sorted(found[i : i + 3]) for i in range(0, 9, 3)]
    assert sorted(buckets) == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_the_order_of_the_buckets_and_of_their_items_is_random() -> None:
    lengths = list(range(1, 10))
    found = [make_buckets(lengths, lengths, 3, 0.0, random.Random(seed)) for seed in range(40)]
    assert {tuple(sorted(order[:3])) for order in found} == {(1, 2, 3), (4, 5, 6), (7, 8, 9)}
    assert len({tuple(order) for order in found}) > 30


def test_noise_mixes_buckets_of_neighboring_lengths() -> None:
    lengths = list(range(101, 201))
    found = make_buckets(lengths, lengths, 10, 0.1, random.Random(1))
    buckets = [found[i : i + 10] for i in range(0, 100, 10)]
    assert any(max(bucket) - min(bucket) > 9 for bucket in buckets)
    assert all(max(bucket) - min(bucket) < 9 + 2 * 0.1 * 200 for bucket in buckets)


def test_items_of_equal_length_are_bucketed_at_random() -> None:
    found = [make_buckets("abcdef", [5] * 6, 2, 0.0, random.Random(seed)) for seed in range(40)]
    assert len({frozenset(order[:2]) for order in found}) == 15  # all pairs of six


def test_the_remainder_is_last_and_of_random_length() -> None:
    lengths = [1, 2, 3, 4, 5, 6, 7]
    found = {make_buckets(lengths, lengths, 3, 0.0, random.Random(seed))[-1] for seed in range(40)}
    assert found == {1, 4, 7}


@pytest.mark.parametrize("lazy", [None, 700])
def test_buckets_reduce_padding(lazy: Optional[int]) -> None:
    sizes = {"long": 2000, "short": 400}
    ratios = {}
    for sorting_keys in (None, ["text"]):
        readers: Dict[str, DatasetReader] = {
            "long": NumbersReader(tokens=ewt_like(2000)),
            "short": NumbersReader(tokens=ewt_like(400)),
        }
        loader = make_loader(
            sizes,
            readers=readers,
            batch_size=32,
            sorting_keys=sorting_keys,
            max_instances_in_memory=lazy,
        )
        found = epoch(loader)
        assert len(flat(found)) == len(set(flat(found))) == 2400
        ratios["text" if sorting_keys else None] = loader.padding_ratio
    assert ratios[None] == pytest.approx(0.70, abs=0.04)
    assert ratios["text"] == pytest.approx(0.17, abs=0.04)


def test_evaluation_is_not_bucketed() -> None:
    loader = make_loader({"a": 7}, sorting_keys=["text"])
    with torch.no_grad():
        assert flat(epoch(loader)) == [f"a{i}" for i in range(7)]


def test_sorting_keys_without_a_sequence_field_are_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys=["tex", "number"])
    assert str(error.value) == (
        "sorting_keys must name at least one sequence field of the dataset 'a', but got ['tex', "
        "'number']. Did you mean 'text'? Its sequence fields: ['text']."
    )


def test_negative_noise_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys=["text"], padding_noise=-0.1)
    assert str(error.value) == (
        "padding_noise must be at least 0, but got -0.1. It is relative to the lengths: use a "
        "value such as 0.1."
    )


def test_sorting_keys_that_are_a_string_are_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys="text")
    assert str(error.value) == (
        "sorting_keys must be a list of field names, but got 'text'. Write ['text']."
    )


def test_a_sorting_key_that_no_task_has_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys=["text", "txet"])
    assert str(error.value) == (
        "sorting_keys must name fields of the instances, but got 'txet'. Did you mean 'text'? "
        "Known names: ['label', 'number', 'task', 'text']."
    )
