"""The checks of the components of a model."""

from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.nn.regularizers import L2Regularizer, RegularizerApplicator

from multitask_model.routing.checks import (
    add_module,
    check_components,
    make_module_dict,
    may_have_penalty,
)
from tests.helpers.messages import exactly
from tests.helpers.models import FixedBackbone, FixedHead, TinyHead, make_vocab
from tests.helpers.multitask import fixed_model, tiny_model


def test_there_must_be_heads() -> None:
    message = "heads must have at least one head, but got an empty mapping. Add a head."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_module_dict({})


# PyTorch's reasons differ between its releases.
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("backbone", "it is the name of the backbone"),
        ("reg", "its loss would be 'reg_loss', which the trainer uses for the regularization .*"),
        ("batch", "its loss would be 'batch_loss', which the trainer uses for the loss of a batch"),
        ("batch_reg", "its loss would be 'batch_reg_loss', which the trainer uses for the reg.*"),
        ("a.b", "module name can't contain .*"),
        ("keys", "attribute 'keys' already exists"),
        ("", "module name can't be empty string .*"),
    ],
)
def test_an_invalid_name_of_a_head_is_an_error(name: str, reason: str) -> None:
    expected = (
        rf"^The name of a head must be a valid name of a module, but got '{name}': {reason}\. "
        r"Choose another name for this head\.$"
    )
    with pytest.raises(ConfigurationError, match=expected):
        make_module_dict({name: FixedHead()})


def test_heads_with_the_same_name_are_an_error() -> None:
    modules = make_module_dict({"a": FixedHead()})
    message = (
        "The name of a head must be a valid name of a module, but got 'a': another head has this "
        "name. Choose another name for this head."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        add_module(modules, "a", FixedHead())


def test_heads_keep_their_order() -> None:
    modules = make_module_dict({"b": FixedHead(), "a": FixedHead()})
    add_module(modules, "0", FixedHead())
    assert list(modules) == ["b", "a", "0"]


def test_an_unknown_component_is_an_error() -> None:
    message = (
        "loss_weights must name 'backbone' or a head, but got 'polarty'. Did you mean 'polarity'? "
        "Known names: ['backbone', 'polarity']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_components(["backbone", "polarity"], arg_name_mapping={}, loss_weights={"polarty": 1})


class Penalized(TinyHead):
    def get_regularization_penalty(self) -> Any:
        return torch.tensor(5.0)


def test_a_regularizer_or_a_penalty_method_may_give_a_penalty() -> None:
    vocab, regularizer = make_vocab(), RegularizerApplicator([(".*", L2Regularizer(0.1))])
    assert may_have_penalty(TinyHead(vocab, regularizer=regularizer))
    assert may_have_penalty(Penalized(vocab))
    assert may_have_penalty(tiny_model(regularizer=regularizer))


def test_modules_without_regularizers_have_no_penalty() -> None:
    assert not may_have_penalty(TinyHead(make_vocab()))
    assert not may_have_penalty(FixedBackbone())
    assert not may_have_penalty(fixed_model())
