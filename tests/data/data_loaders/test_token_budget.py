"""Batches of a limited number of tokens."""

from typing import Any, Dict, Iterator, List, Optional

import pytest
import torch
from allennlp.data import DatasetReader, Instance, Token
from allennlp.data.fields import MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.samplers import DynamicSampler
from tests.helpers.loading import (
    NumbersReader,
    epoch,
    every,
    flat,
    loader_error,
    make_loader,
    messages,
)
from tests.helpers.samplers import default_sampler
from tests.helpers.schedulers import SCHEDULERS, PairScheduler, make_scheduler

SIZES = {"a": 23, "b": 8}
LENGTHS = [1, 2, 3]  # of the instances 0, 1, 2, 3, ...


def padded(batch: List[str]) -> int:
    """The number of tokens of a batch, with padding."""
    return len(batch) * max(LENGTHS[int(name[1:]) % 3] for name in batch)


def test_a_batch_has_as_many_instances_as_the_limit_allows() -> None:
    loader = make_loader({"a": 7}, batch_size=4, max_tokens=6, shuffle=False)
    # The lengths are 1 2 3 1 2 3 1: three of up to 2 tokens, two of up to 3.
    assert epoch(loader) == [["a0", "a1"], ["a2", "a3"], ["a4", "a5"], ["a6"]]
    loader = make_loader({"a": 7}, batch_size=4, max_tokens=9, shuffle=False)
    assert epoch(loader) == [["a0", "a1", "a2"], ["a3", "a4", "a5"], ["a6"]]
    loader = make_loader({"a": 7}, batch_size=4, max_tokens=99, shuffle=False)
    assert epoch(loader) == [["a0", "a1", "a2", "a3"], ["a4", "a5", "a6"]]


def test_tasks_may_have_limits_of_their_own() -> None:
    scheduler = make_scheduler("homogeneous_roundrobin", 4)
    loader = make_loader({"a": 3, "b": 3}, scheduler, max_tokens={"a": 4}, shuffle=False)
    assert epoch(loader) == [["a0", "a1"], ["b0", "b1", "b2"], ["a2"]]


def test_the_smallest_limit_holds_for_a_mixed_batch() -> None:
    scheduler = make_scheduler("roundrobin", 4)
    loader = make_loader({"a": 3, "b": 3}, scheduler, max_tokens={"a": 4, "b": 6}, shuffle=False)
    assert epoch(loader) == [["a0", "b0"], ["a1", "b1"], ["a2"], ["b2"]]


class PairsReader(DatasetReader):
    """Pairs of sentences of 1 and 9 words, or of 9 and 1."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        indexers: Any = {"tokens": SingleIdTokenIndexer()}
        for number in range(int(file_path)):
            first, second = ([Token("w1")] * length for length in ((1, 9), (9, 1))[number % 2])
            premise, hypothesis = TextField(first, indexers), TextField(second, indexers)
            fields = {"premise": premise, "hypothesis": hypothesis}
            yield Instance({**fields, "number": MetadataField(number)})


@pytest.mark.parametrize("keys", [None, ["premise", "hypothesis"]])
def test_each_field_of_a_pair_is_padded_to_its_longest(keys: Optional[List[str]]) -> None:
    options: Any = {"batch_size": 8, "max_tokens": 36, "shuffle": False, "sorting_keys": keys}
    loader = make_loader({"a": 4}, readers={"a": PairsReader()}, **options)
    # Each has 10 words. Padded, two of different kinds have 2 * (9 + 9) tokens, and not 2 * 10.
    assert epoch(loader) == [["a0", "a1"], ["a2", "a3"]]


def test_a_mixed_batch_counts_fields_for_the_instances_that_have_them() -> None:
    readers: Any = {"a": NumbersReader(tokens=[3]), "b": PairsReader()}
    scheduler = make_scheduler("roundrobin", 4)
    options: Any = {"readers": readers, "max_tokens": 24, "shuffle": False}
    loader = make_loader({"a": 2, "b": 2}, scheduler, **options)
    # 2 * 3 for `a`, and 1 + 9 or 9 + 1 for `b`.
    assert epoch(loader) == [["a0", "b0", "a1"], ["b1"]]


@settings(deadline=None, max_examples=40)
@given(
    scheduler=st.sampled_from(SCHEDULERS),
    limit=st.integers(3, 12),
    bucket=st.booleans(),
    per_epoch=st.one_of(st.none(), st.integers(1, 20)),
)
def test_epochs_are_exact_and_within_the_limit(
    scheduler: str, limit: int, bucket: bool, per_epoch: Optional[int]
) -> None:
    loader = make_loader(
        SIZES,
        make_scheduler(scheduler, 4),
        max_tokens=limit,
        sorting_keys=["text"] if bucket else None,
        sampler=default_sampler("uniform") if per_epoch else None,
        instances_per_epoch=per_epoch,
    )
    for _ in range(2):
        length = len(loader)
        batches = epoch(loader)
        assert len(batches) == length
        assert all(len(batch) <= 4 and padded(batch) <= limit for batch in batches)
        if per_epoch is None:
            assert sorted(flat(batches)) == every(SIZES)
        else:
            assert len(flat(batches)) == per_epoch
        with torch.no_grad():
            length = len(loader)
            batches = epoch(loader)
            assert len(batches) == length
            assert sorted(flat(batches)) == every(SIZES)
            assert all(padded(batch) <= limit for batch in batches)


def test_buckets_are_cut_where_the_limit_is_reached() -> None:
    readers: Any = {"a": NumbersReader(tokens=[4, 1])}
    options: Any = {"sorting_keys": ["text"], "padding_noise": 0.0, "max_tokens": 8}
    loader = make_loader({"a": 16}, readers=readers, batch_size=32, **options)
    # Eight instances of 1 token are one batch, those of 4 tokens are pairs.
    assert sorted(map(len, epoch(loader))) == [2, 2, 2, 2, 8]
    assert loader.padding_ratio == 0.0


def test_the_length_does_not_change_the_epochs() -> None:
    options: Any = {"max_tokens": 5, "sorting_keys": ["text"]}
    loader, reference = make_loader(SIZES, **options), make_loader(SIZES, **options)
    state = loader.state_dict()
    length = len(loader)
    assert loader.state_dict() == state
    first = epoch(loader)
    assert first == epoch(reference)
    assert len(first) == length
    assert epoch(loader) == epoch(reference)


def test_an_epoch_is_recovered_from_the_state_at_its_start() -> None:
    loader = make_loader(SIZES, max_tokens=5)
    epoch(loader)
    len(loader)
    batches = iter(loader)
    first = next(batches)
    state = loader.state_dict()
    remaining = [first, *batches]
    other = make_loader(SIZES, max_tokens=5, seed=9)
    len(other)
    other.load_state_dict(state)
    assert len(other) == len(remaining)
    assert [batch["number"] for batch in other] == [batch["number"] for batch in remaining]


def test_new_metrics_discard_batches_that_were_counted() -> None:
    sampler = DynamicSampler({"a": "+x", "b": "+y"}, {"a": 1.0, "b": 1.0})
    loader = make_loader(
        {"a": 9, "b": 9}, sampler=sampler, instances_per_epoch=8, max_tokens=6, batch_size=3
    )
    loader.update_from_epoch_metrics({"x": 1.0, "y": 1.0})
    len(loader)
    loader.update_from_epoch_metrics({"x": 1.0, "y": 0.0})
    length = len(loader)
    batches = epoch(loader)
    assert len(batches) == length
    assert sum(name[0] == "b" for name in flat(batches)) > 5


def test_a_longer_instance_is_a_batch_of_its_own_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loader = make_loader({"a": 6}, max_tokens=2, shuffle=False)
    for _ in range(2):
        assert epoch(loader) == [["a0"], ["a1"], ["a2"], ["a3"], ["a4"], ["a5"]]
    assert messages(caplog) == [
        "max_tokens should be at least the length of the longest instance, but got 2 for 'a', "
        "which has an instance of 3 tokens. Each of these is a batch of its own."
    ]


def test_a_scheduler_of_allennlp_is_limited_too() -> None:
    loader = make_loader({"a": 5}, PairScheduler(), max_tokens=4, shuffle=False)
    assert len(loader) == 4
    assert epoch(loader) == [["a0", "a1"], ["a2"], ["a3"], ["a4"]]


def test_lazily_read_datasets_are_limited_and_have_no_length() -> None:
    loader = make_loader({"a": 10}, batch_size=4, max_tokens=6, max_instances_in_memory=5)
    with pytest.raises(TypeError):
        len(loader)
    batches = epoch(loader)
    assert sorted(flat(batches)) == every({"a": 10})
    assert all(padded(batch) <= 6 for batch in batches)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_tokens": 0, "batch_size": 2},
            "max_tokens must be an integer of at least 1, but got 0 for 'a'. Correct it, or remove "
            "it to use the default.",
        ),
        (
            {"max_tokens": 4, "scheduler": make_scheduler("shuffled", 2, drop_last=True)},
            "max_tokens requires drop_last=False, because its batches differ in size and none is "
            "incomplete, but got drop_last=True. Remove one of the two.",
        ),
    ],
    ids=["zero", "drop_last"],
)
def test_invalid_limits_are_an_error(options: Dict[str, Any], message: str) -> None:
    arguments = [options.pop("scheduler")] if "scheduler" in options else []
    assert loader_error(*arguments, **options) == message


class WithoutTextReader(DatasetReader):
    def _read(self, file_path: Any) -> Iterator[Instance]:
        return (Instance({"number": MetadataField(i)}) for i in range(int(file_path)))


def test_a_limit_for_instances_without_tokens_is_an_error() -> None:
    options: Any = {"batch_size": 2, "readers": {"a": NumbersReader(), "b": WithoutTextReader()}}
    assert loader_error(max_tokens=4, **options) == (
        "max_tokens requires instances with a text field, or sorting_keys that name other sequence "
        "fields, but got instances of 'b' with the fields ['number', 'task']. Add sorting_keys, or "
        "remove max_tokens for 'b'."
    )
    loader = make_loader({"a": 3, "b": 2}, max_tokens={"a": 4}, **options)
    assert sorted(flat(epoch(loader))) == every({"a": 3, "b": 2})
