"""
Outputs, loss, gradients and metrics are equal to those of AllenNLP's own `MultiTaskModel` to the
last digit, for random tasks, weights and labels.
"""

import copy
from typing import Any, Dict, List, Tuple

import pytest
import torch
from allennlp.models.heads import Head
from allennlp.models.multitask import MultiTaskModel as AllenNLPModel
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model import MultiTaskModel
from tests.helpers.models import TinyBackbone, TinyHead, make_batch, make_vocab

HEADS = ["a", "b", "ab", "d_"]

task_lists = st.lists(st.sampled_from(HEADS), min_size=1, max_size=9)
weights = st.fixed_dictionaries({name: st.sampled_from([0.0, 0.3, 1.0, 2.5]) for name in HEADS})


def both_models(**kwargs: Any) -> Tuple[MultiTaskModel, AllenNLPModel]:
    torch.manual_seed(1)
    vocab = make_vocab()
    heads: Dict[str, Head] = {name: TinyHead(vocab) for name in HEADS}
    theirs = AllenNLPModel(vocab, TinyBackbone(), heads, **copy.deepcopy(kwargs))
    ours = MultiTaskModel(vocab, TinyBackbone(), {n: TinyHead(vocab) for n in HEADS}, **kwargs)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def run(model: Any, batch: Dict[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    outputs = model(**copy.deepcopy(batch))
    if "loss" in outputs:
        outputs["loss"].backward()
    return outputs, {name: parameter.grad for name, parameter in model.named_parameters()}


def assert_same(ours: Dict[str, Any], theirs: Dict[str, Any]) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert (value is None) == (ours[name] is None), name
        assert value is None or torch.equal(value, ours[name]), name


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(tasks=task_lists, loss_weights=weights, seed=st.integers(0, 5), labels=st.booleans())
def test_outputs_loss_and_gradients_are_equal(
    tasks: List[str], loss_weights: Dict[str, float], seed: int, labels: bool
) -> None:
    ours, theirs = both_models(loss_weights=loss_weights)
    batch = make_batch(tasks, seed, labels=labels)
    found, gradients = run(ours, batch)
    expected, expected_gradients = run(theirs, batch)
    assert_same(found, expected)
    assert_same(gradients, expected_gradients)


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(batches=st.lists(task_lists, min_size=1, max_size=4), reset=st.booleans())
def test_metrics_are_equal(batches: List[List[str]], reset: bool) -> None:
    ours, theirs = both_models()
    for seed, tasks in enumerate(batches):
        for model in (ours, theirs):
            run(model, make_batch(tasks, seed))
    expected = {
        # Our model keeps a hidden metric hidden.
        (f"_{name[:-8]}_hidden" if name.endswith("__hidden") else name): value
        for name, value in theirs.get_metrics(reset).items()
    }
    found = ours.get_metrics(reset)
    losses = {f"{head}_loss" for tasks in batches for head in tasks}
    assert {name: value for name, value in found.items() if name not in losses} == expected
    assert losses <= found.keys()


@settings(deadline=None, max_examples=30)
@given(tasks=task_lists)
def test_mapped_and_allowed_arguments_are_equal(tasks: List[str]) -> None:
    names = {"encoded_text", "encoded_text_mask", "label"}
    options = {
        "arg_name_mapping": {"backbone": {"question": "text"}, "b": {"topic": "label"}},
        "allowed_arguments": {
            "backbone": {"text"},
            **{name: names for name in HEADS if name != "a"},
            "a": names - {"label"},
        },
    }
    ours, theirs = both_models(**options)
    batch = make_batch(tasks)
    batch["question"] = batch.pop("text")
    batch["topic"] = batch.pop("label")
    for head in HEADS:
        if head != "b":
            options["arg_name_mapping"][head] = {}  # type: ignore[index]
    found, gradients = run(ours, batch)
    expected, expected_gradients = run(theirs, batch)
    assert_same(found, expected)
    assert_same(gradients, expected_gradients)


def test_readable_outputs_are_equal() -> None:
    ours, theirs = both_models()
    batch = make_batch(["a", "b"], labels=False)
    found = ours.make_output_human_readable(ours(**copy.deepcopy(batch)))
    # AllenNLP calls every head, which fails for heads that did not run and where one name is the
    # prefix of another. So its model has only the two heads of this batch.
    vocab = make_vocab()
    expected_model = AllenNLPModel(vocab, TinyBackbone(), {n: TinyHead(vocab) for n in "ab"})
    expected_model.load_state_dict(theirs.state_dict(), strict=False)
    expected = expected_model.make_output_human_readable(expected_model(**copy.deepcopy(batch)))
    assert found["a_label"] == expected["a_label"]
    assert found["b_label"] == expected["b_label"]
    assert found.keys() == expected.keys()


def test_a_duplicate_argument_is_the_same_type_of_error() -> None:
    mapping = {"backbone": {"question": "text", "review": "text"}}
    batch = make_batch(["a"])
    batch["question"] = batch["review"] = batch.pop("text")
    for model in both_models(arg_name_mapping=mapping):
        with pytest.raises(ValueError, match="duplicate argument text"):
            model(**batch)


def test_each_class_loads_the_weights_of_the_other() -> None:
    ours, theirs = both_models()
    for source, target in ((ours, theirs), (theirs, ours)):
        with torch.no_grad():
            for parameter in target.parameters():
                parameter.fill_(0.0)
        result = target.load_state_dict(source.state_dict())
        assert not result.missing_keys
        assert not result.unexpected_keys
        assert_same(target.state_dict(), source.state_dict())
