"""The last layers of a head."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward
from allennlp.nn import Activation

from multitask_model.modules.projection import Projection, feedforward_output_dim


def feedforward(input_dim: int, output_dim: int) -> FeedForward:
    return FeedForward(input_dim, 1, output_dim, Activation.by_name("linear")())


def test_the_linear_layer_follows_the_feedforward() -> None:
    projection = Projection(2, 1, feedforward(2, 3))
    for name, parameter in projection.named_parameters():
        torch.nn.init.constant_(parameter, 0.5 if name.endswith("bias") else 2.0)
    # The feedforward gives 2 * 1 + 2 * 1 + 0.5 three times, the linear layer 3 * 2 * 4.5 + 0.5.
    assert projection(torch.ones(1, 2)).tolist() == [[27.5]]


def test_dropout_applies_to_the_input_in_training_mode_only() -> None:
    projection = Projection(100, 1, dropout=0.5)
    inputs = torch.ones(1, 100)
    torch.testing.assert_close(projection.eval()(inputs), projection(inputs))
    assert projection.train()(inputs).item() != projection.eval()(inputs).item()


def test_the_output_size_without_a_feedforward_is_the_input_size() -> None:
    assert feedforward_output_dim(None, 4) == 4
    assert feedforward_output_dim(feedforward(4, 3), 4) == 3


def test_a_feedforward_of_another_size_is_rejected() -> None:
    with pytest.raises(ConfigurationError) as error:
        Projection(4, 1, feedforward(7, 5))
    assert str(error.value) == (
        "The feedforward of a head must accept vectors of size 4, but got one with input_dim 7. "
        "Set its input_dim to 4."
    )
