"""
The optimizer `transformers.AdamW`. The expected numbers were recorded with the class of
transformers 4.49.0 and PyTorch 2.14.1; from 4.50 on, the class is this project's.
"""

from typing import Any, Dict, List, Tuple

import pytest
import torch
import transformers

import multitask_model  # noqa: F401  (applies the patches)
from multitask_model_startup.adamw import AdamW

TRANSFORMERS: Any = transformers
GRADIENTS = [[0.1, -0.2, 0.0], [0.3, 0.1, 1e-6], [-0.2, 0.05, 1e-6]]

# The parameters after each of the three steps.
RECORDED: List[Tuple[Dict[str, Any], List[List[float]]]] = [
    (
        {},
        [
            [0.9000316, -1.9000158, 0.5],
            [0.8082627, -1.8733859, 0.497719],
            [0.7824745, -1.8672478, 0.494045],
        ],
    ),
    (
        {"weight_decay": 0.5},
        [
            [0.8550301, -1.8050151, 0.475],
            [0.7250981, -1.6894659, 0.449083],
            [0.6643444, -1.5991614, 0.4231386],
        ],
    ),
    (
        {"correct_bias": False},
        [
            [0.6838722, -1.6838222, 0.5],
            [0.2938917, -1.5706558, 0.4903065],
            [0.1662341, -1.540271, 0.4721197],
        ],
    ),
    (
        {"weight_decay": 0.5, "correct_bias": False, "eps": 0.001, "betas": (0.8, 0.9)},
        [
            [0.8917585, -1.8408519, 0.475],
            [0.7753289, -1.7322452, 0.451231],
            [0.7193232, -1.6461979, 0.4286353],
        ],
    ),
]


def a_parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))


@pytest.mark.filterwarnings("ignore:This implementation of AdamW is deprecated")
@pytest.mark.parametrize("optimizer_class", [AdamW, TRANSFORMERS.AdamW])
@pytest.mark.parametrize(("options", "expected"), RECORDED)
def test_steps_are_those_of_transformers_4(
    optimizer_class: Any, options: Dict[str, Any], expected: List[List[float]]
) -> None:
    parameter = a_parameter()
    optimizer = optimizer_class([parameter], lr=0.1, **options)
    for gradient, values in zip(GRADIENTS, expected):
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        torch.testing.assert_close(parameter.detach(), torch.tensor(values), rtol=0, atol=1e-7)


def test_the_state_has_the_names_of_transformers_4() -> None:
    """A training that transformers 4 began resumes."""
    parameter = a_parameter()
    parameter.grad = torch.tensor([0.1, -0.2, 0.0])
    optimizer = AdamW([parameter], betas=(0.5, 0.5))
    optimizer.step()
    state = optimizer.state_dict()["state"][0]
    assert state["step"] == 1
    assert state["exp_avg"].tolist() == pytest.approx([0.05, -0.1, 0.0])
    assert state["exp_avg_sq"].tolist() == pytest.approx([0.005, 0.02, 0.0])
    assert len(state) == 3


def test_groups_have_their_own_options_and_parameters_without_gradient_stay() -> None:
    decayed, plain, unused = a_parameter(), a_parameter(), a_parameter()
    decayed.grad = plain.grad = torch.zeros(3)
    groups = [{"params": [decayed], "weight_decay": 0.1}, {"params": [plain, unused]}]
    AdamW(groups, lr=0.5).step()
    assert decayed.tolist() == pytest.approx([0.95, -1.9, 0.475])
    assert plain.tolist() == unused.tolist() == [1.0, -2.0, 0.5]


def test_a_closure_runs_with_gradients_and_its_loss_is_returned() -> None:
    parameter = a_parameter()
    optimizer = AdamW([parameter], lr=0.1)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = parameter.sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == -0.5
    assert parameter.tolist() == pytest.approx([0.9, -2.1, 0.4], abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "lr must be at least 0, but got -1.0."),
        ({"eps": -1.0}, "eps must be at least 0, but got -1.0."),
        ({"betas": (0.9, 1.0)}, "betas must be at least 0 and less than 1, but got (0.9, 1.0)."),
    ],
)
def test_options_out_of_range_are_errors(options: Dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="but got") as error:
        AdamW([a_parameter()], **options)
    assert str(error.value) == message


def test_a_sparse_gradient_is_an_error() -> None:
    embedding = torch.nn.Embedding(3, 2, sparse=True)
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="requires dense gradients") as error:
        AdamW(embedding.parameters()).step()
    assert str(error.value) == (
        "AdamW requires dense gradients, but got a sparse gradient. Use `dense_sparse_adam` or an "
        "embedding with `sparse: false`."
    )
