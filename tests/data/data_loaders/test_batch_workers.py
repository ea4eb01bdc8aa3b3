"""Batches arrive unchanged from worker processes."""

import pickle
from typing import Any, List

import pytest
import torch
from allennlp.data.fields import TensorField

from multitask_model.data import collate
from multitask_model.data.data_loaders import batch_workers
from multitask_model.data.data_loaders.batch_workers import BatchCollator, InstanceStore
from multitask_model.data.data_loaders.instance_streams import InstanceRef
from multitask_model.data.data_loaders.pickling import to_bytes
from multitask_model.routing.partial import Partial
from tests.helpers.models import make_instance, make_vocab

VALUES = [
    torch.arange(6).reshape(2, 3).t(),
    torch.tensor(2.5),
    torch.zeros(0, 3),
    torch.tensor([True, False]),
    torch.tensor([1.5], dtype=torch.bfloat16),  # NumPy has no such dtype
    torch.ones(2, requires_grad=True),
    torch.eye(2).to_sparse(),
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_tensors_arrive_unchanged(value: torch.Tensor) -> None:
    batch = {"x": {"y": Partial(value, (0, 2))}, "task": ["a", "b"]}
    found: Any = pickle.loads(to_bytes(batch))
    assert found["task"] == ["a", "b"]
    assert found["x"]["y"].rows == (0, 2)
    tensor = found["x"]["y"].value
    assert (tensor.dtype, tensor.shape, tensor.layout) == (value.dtype, value.shape, value.layout)
    assert tensor.requires_grad == value.requires_grad
    assert torch.equal(tensor.to_dense(), value.to_dense())
    tensor.detach().to_dense().add_(tensor)  # the tensor is writable


@pytest.mark.slow
@pytest.mark.parametrize("max_bytes", [0, 2**20], ids=["shared memory", "pickled"])
def test_batches_arrive_unchanged(max_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # The worker is forked, so it inherits the patch.
    monkeypatch.setattr(batch_workers, "MAX_PICKLED_BYTES", max_bytes)
    instances = [make_instance("w1 w2", "a", "class1"), make_instance("w3", "a")]
    for instance in instances:
        instance.add_field("numbers", TensorField(torch.tensor([1.0, 2.0])))
        instance.index_fields(make_vocab())
    batches: List[List[InstanceRef]] = [[("a", 1), ("a", 0)], [("a", 0)]]
    store = InstanceStore({"a": instances})
    received: Any = BatchCollator(store, 1, "fork").collate(batches)
    for found, refs in zip(received, batches):
        expected: Any = collate([store[ref] for ref in refs])
        assert list(found) == list(expected)
        assert torch.equal(found["numbers"], expected["numbers"])
        assert torch.equal(found["text"]["tokens"]["tokens"], expected["text"]["tokens"]["tokens"])
        label = found["label"]
        assert getattr(label, "rows", None) == getattr(expected["label"], "rows", None)
