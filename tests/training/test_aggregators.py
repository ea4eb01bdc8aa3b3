"""The aggregators of TorchJD: their names and options."""

import sys
from typing import Any, Dict

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.training.aggregators import AGGREGATORS, Aggregators, import_torchjd
from tests.helpers.messages import exactly

CPU = torch.device("cpu")
JACOBIAN = torch.tensor([[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]])

REQUIRED: Dict[str, Dict[str, Any]] = {
    "cagrad": {"c": 0.5},
    "constant": {"weights": {"a": 1.0, "b": 2.0}},
    "fairgrad": {"alpha": 1.0},
    "krum": {"n_byzantine": 0},
    "trimmed_mean": {"trim_number": 0},
}
"""The options that have no default."""


@pytest.fixture(name="aggregation")
def _aggregation() -> Any:
    return pytest.importorskip("torchjd.aggregation")  # not for Python 3.10 and earlier


def test_all_aggregators_of_torchjd_have_a_name(aggregation: Any) -> None:
    bases = {"Aggregator", "WeightedAggregator", "GramianWeightedAggregator"}
    classes = {
        name
        for name in set(aggregation.__all__) - bases
        if issubclass(getattr(aggregation, name), aggregation.Aggregator)
    }
    assert set(AGGREGATORS.values()) == classes


@pytest.mark.filterwarnings("ignore::UserWarning")  # nash_mtl: about its solver
@pytest.mark.parametrize("name", AGGREGATORS)
def test_every_aggregator_can_be_used(name: str, aggregation: Any) -> None:
    minimum = {"krum": ["a", "b", "c"]}.get(name, ["a", "b"])
    aggregator = Aggregators(name, REQUIRED.get(name, {}), minimum).get(minimum, CPU)
    combined = aggregator(torch.cat([JACOBIAN, JACOBIAN[:1]])[: len(minimum)])
    assert combined.shape == (3,)
    assert torch.isfinite(combined).all()


def test_the_options_are_passed_on(aggregation: Any) -> None:
    aggregators = Aggregators("cagrad", {"c": 0.3}, ["a", "b"])
    torch.testing.assert_close(
        aggregators.get(["a", "b"], CPU)(JACOBIAN), aggregation.CAGrad(c=0.3)(JACOBIAN)
    )


def test_a_number_for_each_head_is_that_of_the_heads_that_ran(aggregation: Any) -> None:
    weights = {"b": 2.0, "a": 1.0, "c": 3.0}
    aggregators = Aggregators("constant", {"weights": weights}, ["a", "b", "c"])
    expected = 1.0 * JACOBIAN[0] + 3.0 * JACOBIAN[1]
    torch.testing.assert_close(aggregators.get(["a", "c"], CPU)(JACOBIAN), expected)


def test_each_set_of_heads_keeps_its_aggregator(aggregation: Any) -> None:
    aggregators = Aggregators("gradvac", {}, ["a", "b", "c"])
    first = aggregators.get(["a", "b"], CPU)
    assert aggregators.get(["a", "c"], CPU) is not first
    assert aggregators.get(["a", "b"], CPU) is first


def test_an_unknown_aggregator_is_an_error(aggregation: Any) -> None:
    message = "aggregator must name an aggregator of TorchJD, but got 'upgrade'. Did you mean 'upgr"
    with pytest.raises(ConfigurationError, match=message):
        Aggregators("upgrade", {}, ["a", "b"])


def test_a_missing_option_is_an_error(aggregation: Any) -> None:
    message = "The options of the aggregator 'cagrad' must be among ['c', 'norm_eps'], but got []: "
    with pytest.raises(ConfigurationError) as error:
        Aggregators("cagrad", {}, ["a", "b"])
    assert str(error.value).startswith(message)


def test_an_option_for_some_heads_is_an_error(aggregation: Any) -> None:
    message = (
        "pref_vector of the aggregator 'upgrad' must have a number for each of the heads "
        "['a', 'b'], but got ['a']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Aggregators("upgrad", {"pref_vector": {"a": 1.0}}, ["a", "b"])


def test_without_torchjd_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("torchjd", "torchjd.autojac"):
        monkeypatch.setitem(sys.modules, module, None)
    message = (
        "The trainer callback 'gradient_aggregation' requires TorchJD, but got no module named "
        "'torchjd'. Install it with: pip install 'multitask-model[gradients]' (Python 3.11 or "
        "later)."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        import_torchjd("autojac")


def test_without_a_solver_the_error_says_what_to_install(
    aggregation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torchjd._mixins.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="requires a package that is not installed") as e:
        Aggregators("cagrad", {"c": 0.5}, ["a", "b"])
    assert "pip install 'multitask-model[gradients]'" in str(e.value)
