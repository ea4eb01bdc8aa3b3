"""Instances of like length together, and how much padding is left."""

import random
from typing import Any, List

import pytest
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.data_loaders.bucketing import make_buckets
from multitask_model.data.data_loaders.padding_ratio import PaddingMeter
from tests.helpers.loading import NumbersReader, epoch, flat, make_loader
from tests.helpers.models import make_instance


def ewt_like(count: int) -> List[int]:
    """Lengths of sentences as in English treebanks: log-normal, 16 words on average."""
    rng = random.Random(16)
    return [max(1, round(rng.lognormvariate(2.5, 0.75))) for _ in range(count)]


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 50), max_size=40),
    size=st.integers(1, 9),
    noise=st.floats(0, 0.5),
    seed=st.integers(0, 1000),
)
def test_nothing_is_lost(lengths: List[int], size: int, noise: float, seed: int) -> None:
    items = list(range(len(lengths)))
    found = make_buckets(items, lengths, size, noise, random.Random(seed))
    assert sorted(found) == items
    assert found == make_buckets(items, lengths, size, noise, random.Random(seed))


def test_without_noise_the_buckets_are_cut_from_the_sorted_lengths() -> None:
    lengths = [9, 1, 5, 8, 2, 6, 3, 7, 4]
    found = make_buckets(lengths, lengths, 3, 0.0, random.Random(2))
    buckets = [sorted(found[i : i + 3]) for i in range(0, 9, 3)]
    assert sorted(buckets) == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_order_is_random_from_draw_to_draw() -> None:
    lengths = list(range(1, 10))
    found = [make_buckets(lengths, lengths, 3, 0.0, random.Random(seed)) for seed in range(40)]
    assert {tuple(sorted(order[:3])) for order in found} == {(1, 2, 3), (4, 5, 6), (7, 8, 9)}
    assert len({tuple(order) for order in found}) > 30


def test_noise_mixes_neighbours() -> None:
    lengths = list(range(101, 201))
    found = make_buckets(lengths, lengths, 10, 0.1, random.Random(1))
    buckets = [found[i : i + 10] for i in range(0, 100, 10)]
    assert any(max(bucket) - min(bucket) > 9 for bucket in buckets)
    assert all(max(bucket) - min(bucket) < 9 + 2 * 0.1 * 200 for bucket in buckets)


def test_equal_lengths_do_not_always_come_together() -> None:
    found = [make_buckets("abcdef", [5] * 6, 2, 0.0, random.Random(seed)) for seed in range(40)]
    assert len({frozenset(order[:2]) for order in found}) == 15  # all pairs of six


def test_what_does_not_fill_a_bucket_comes_last_and_is_of_any_length() -> None:
    lengths = [1, 2, 3, 4, 5, 6, 7]
    found = {make_buckets(lengths, lengths, 3, 0.0, random.Random(seed))[-1] for seed in range(40)}
    assert found == {1, 4, 7}


def test_padding_of_a_batch() -> None:
    meter = PaddingMeter()
    assert meter.share is None
    meter.add([make_instance("w1 w2 w3 w4"), make_instance("w1"), make_instance("w1 w2 w3")])
    assert meter.share == pytest.approx(1 - 8 / 12)
    meter.add([make_instance("w1 w2")])
    assert meter.share == pytest.approx(1 - 10 / 14)


def test_padding_of_chosen_fields() -> None:
    batch = [make_instance("w1 w2"), make_instance("w1")]
    second = make_instance("w1 w1 w1 w1")
    batch[0].add_field("second", second["text"])  # only one has it, so it is not padded
    for names, expected in [(["text"], 1 / 4), (["second"], 0.0), (["text", "second"], 1 / 8)]:
        meter = PaddingMeter(names)
        meter.add(batch)
        assert meter.share == pytest.approx(expected)


@pytest.mark.parametrize("lazy", [None, 700])
def test_buckets_leave_little_padding(lazy: Any) -> None:
    sizes = {"long": 2000, "short": 400}
    shares = {}
    for sorting_keys in (None, ["text"]):
        readers: Any = {
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
        shares["text" if sorting_keys else None] = loader.padding_share
    assert shares[None] == pytest.approx(0.70, abs=0.04)
    assert shares["text"] == pytest.approx(0.17, abs=0.04)


def test_evaluation_keeps_the_order_of_the_files() -> None:
    import torch

    loader = make_loader({"a": 7}, sorting_keys=["text"])
    with torch.no_grad():
        assert flat(epoch(loader)) == [f"a{i}" for i in range(7)]


def test_a_field_that_a_dataset_lacks() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys=["tex", "number"])
    assert str(error.value) == (
        "sorting_keys must name a field with a length that the instances of 'a' have, but it is "
        "['tex', 'number']. Did you mean 'text'? Their fields with a length: ['text']."
    )


def test_noise_below_zero() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys=["text"], padding_noise=-0.1)
    assert str(error.value) == (
        "padding_noise must be at least 0, but it is -0.1. It is a share of the lengths, such as "
        "0.1."
    )


def test_sorting_keys_that_are_not_a_list() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys="text")
    assert str(error.value) == (
        "sorting_keys must be a list of field names, but got 'text'. Write ['text']."
    )
