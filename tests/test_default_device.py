"""Building and running a model on another default device than that of its batches."""

from typing import Any, Dict, List

import pytest
import torch

from multitask_model import MultiTaskModel
from tests.helpers.models import FixedHead, TinyBackbone, TinyHead, make_batch, make_vocab

TASKS = ["a", "b", "a", "b"]

pytestmark = pytest.mark.skipif(
    not hasattr(torch, "set_default_device"), reason="default devices came with torch 2"
)


class LossHead(TinyHead):
    """A head with a loss and no metrics: AllenNLP's metrics do not run on the device `meta`."""

    def forward(self, encoded_text: Any, label: Any) -> Dict[str, Any]:  # type: ignore[override]
        logits = self.linear(encoded_text.sum(1))
        return {"logits": logits, "loss": torch.nn.functional.cross_entropy(logits, label)}


def make_model() -> MultiTaskModel:
    vocab = make_vocab()
    return MultiTaskModel(vocab, TinyBackbone(), {"a": LossHead(vocab), "b": LossHead(vocab)})


def test_a_model_is_built_and_run_on_the_meta_device() -> None:
    with torch.device("meta"):
        model = make_model()
    assert {value.device.type for value in model.parameters()} == {"meta"}
    batch = make_batch(TASKS)
    tokens = {"text": {"tokens": {"tokens": batch["text"]["tokens"]["tokens"].to("meta")}}}
    batch = {**batch, **tokens, "label": batch["label"].to("meta")}
    for context in (torch.device("meta"), torch.device("cpu")):
        with context:
            outputs = model(**batch)
        assert {value.device.type for value in outputs.values()} == {"meta"}
        assert list(outputs["a_logits"].shape) == [2, 3]
        assert list(outputs["loss"].shape) == []


@pytest.mark.parametrize("tasks", [TASKS, ["a", "a", "b"], ["a"]])
def test_a_default_device_changes_no_output(tasks: List[str]) -> None:
    model, batch = make_model(), make_batch(tasks)
    expected = model(**batch)
    with torch.device("meta"):
        found = model(**batch)
        found["loss"].backward()
    assert found.keys() == expected.keys()
    for name in expected:
        assert torch.equal(found[name], expected[name]), name


def test_a_loss_that_is_a_number_is_not_on_the_default_device() -> None:
    head = FixedHead(loss=1.5)
    model = MultiTaskModel(head.vocab, TinyBackbone(), {"a": head})
    with torch.device("meta"):
        loss = model(**make_batch(["a"]))["loss"]
    assert loss.item() == 1.5
