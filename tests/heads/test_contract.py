"""What every head has to do, whatever it predicts. `cases.py` has a row for each."""

import copy
import json
import math
import pickle
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common.util import sanitize
from allennlp.models.heads import Head

import multitask_model
from tests.helpers.head_cases import CASES, Batch, make_batch, make_head, padded, vocab

LENGTHS = [5, 1, 3, 4]
TYPES = sorted(CASES)
OURS = [name for name in TYPES if name != "classifier"]
FIRST_METRIC = {
    "classifier": "accuracy",
    "crf_tagger": "f1-measure-overall",
    "dependency_parser": "LAS",
    "masked_language_model": "perplexity",
    "multi_label_classifier": "micro_f1",
    "regression": "spearman",
    "tagger": "accuracy",
}


@pytest.fixture(params=TYPES)
def type_name(request: Any) -> str:
    return request.param


@pytest.fixture
def head(type_name: str) -> Head:
    return make_head(type_name).eval()


@pytest.fixture
def batch(type_name: str) -> Batch:
    return make_batch(type_name, LENGTHS)


def readable(head: Head, batch: Batch) -> Dict[str, Any]:
    with torch.no_grad():
        outputs = head.make_output_human_readable(head(**batch.encoded))
    return sanitize(outputs)


def assert_same(found: Any, expected: Any) -> None:
    """Numbers up to rounding, all else exactly."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_same(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    else:
        assert found == expected


def test_every_registered_head_has_a_case() -> None:
    package = multitask_model.__name__
    registered = [
        name
        for name in Head.list_available()
        if Head.by_name(name).__module__.split(".")[0] == package
    ]
    assert sorted(registered) == OURS


def test_the_loss_is_a_finite_scalar(head: Head, batch: Batch) -> None:
    loss = head(**batch.arguments)["loss"]
    assert loss.shape == ()
    assert torch.isfinite(loss)
    assert loss > 0


def test_without_labels_there_is_no_loss(head: Head, batch: Batch) -> None:
    assert "loss" not in head(**batch.encoded)


def test_metrics_do_not_need_a_batch_and_are_reset(head: Head, batch: Batch) -> None:
    before = head.get_metrics()
    head(**batch.encoded)
    assert head.get_metrics() == before  # there was nothing to compare with
    head(**batch.arguments)
    after = head.get_metrics()
    assert after != before
    assert head.get_metrics(reset=True) == after
    assert head.get_metrics() == before


def test_metrics_are_numbers_and_one_is_what_the_head_is_known_for(
    type_name: str, head: Head, batch: Batch
) -> None:
    head(**batch.arguments)
    metrics = head.get_metrics()
    assert all(type(value) is float for value in metrics.values())
    assert FIRST_METRIC[type_name] in metrics


def test_metrics_of_two_batches_are_those_of_all_their_texts(
    type_name: str, head: Head, batch: Batch
) -> None:
    head(**batch.arguments)
    whole = head.get_metrics(reset=True)
    for row in range(len(LENGTHS)):
        head(**batch.row(row).arguments)
    assert_same(head.get_metrics(), whole)


def test_the_loss_is_the_mean_of_the_losses_of_the_texts(head: Head, batch: Batch) -> None:
    losses = [head(**batch.row(row).arguments)["loss"] for row in range(len(LENGTHS))]
    torch.testing.assert_close(head(**batch.arguments)["loss"], torch.stack(losses).mean())


def test_a_gradient_reaches_every_parameter(head: Head, batch: Batch) -> None:
    batch.encoded["encoded_text"].requires_grad_()
    head(**batch.arguments)["loss"].backward()
    for name, parameter in head.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
    gradient = batch.encoded["encoded_text"].grad
    assert gradient is not None
    assert gradient[batch.encoded["encoded_text_mask"]].abs().sum() > 0


def test_no_gradient_reaches_padding(head: Head, batch: Batch) -> None:
    batch.encoded["encoded_text"].requires_grad_()
    head(**batch.arguments)["loss"].backward()
    gradient = batch.encoded["encoded_text"].grad
    assert gradient is not None
    assert gradient[~batch.encoded["encoded_text_mask"]].abs().sum() == 0


def test_more_padding_changes_nothing(head: Head, batch: Batch) -> None:
    loss, metrics = head(**batch.arguments)["loss"], head.get_metrics(reset=True)
    more = padded(batch, columns=3)
    torch.testing.assert_close(head(**more.arguments)["loss"], loss)
    assert_same(head.get_metrics(), metrics)
    assert_same(readable(head, more), readable(head, batch))


def test_a_prediction_does_not_depend_on_batch_mates(head: Head, batch: Batch) -> None:
    together = readable(head, batch)
    for row in range(len(LENGTHS)):
        alone = readable(head, batch.row(row))
        assert_same(
            {name: value[0] for name, value in alone.items()},
            {name: value[row] for name, value in together.items()},
        )


def test_every_output_has_one_item_for_each_text(head: Head, batch: Batch) -> None:
    assert {name: len(value) for name, value in readable(head, batch).items()} == {
        name: len(LENGTHS) for name in readable(head, batch)
    }


def test_readable_outputs_are_json(head: Head, batch: Batch) -> None:
    outputs = readable(head, batch)
    assert json.loads(json.dumps(outputs, allow_nan=False)) == outputs


def test_making_readable_changes_nothing_that_it_was_given(
    type_name: str, head: Head, batch: Batch
) -> None:
    if type_name == "classifier":
        pytest.skip("AllenNLP's own head writes into what it is given")
    outputs = head(**batch.encoded)
    before = copy.copy(outputs)
    head.make_output_human_readable(outputs)
    assert outputs.keys() == before.keys()
    assert all(outputs[name] is before[name] for name in before)


def test_nothing_to_make_readable(head: Head) -> None:
    assert head.make_output_human_readable({}) == {}


def test_a_batch_of_one_text_of_one_token(type_name: str, head: Head) -> None:
    batch = make_batch(type_name, [1])
    assert torch.isfinite(head(**batch.arguments)["loss"])
    assert all(math.isfinite(value) for value in head.get_metrics().values())
    json.dumps(readable(head, batch), allow_nan=False)


def test_labels_of_any_kind_of_whole_number(head: Head, batch: Batch) -> None:
    loss = head(**batch.arguments)["loss"]
    small = {
        name: value if value.is_floating_point() else value.to(torch.int16)
        for name, value in batch.labels.items()
    }
    torch.testing.assert_close(head(**batch.encoded, **small)["loss"], loss)


def test_autocast_on_the_cpu(head: Head, batch: Batch) -> None:
    loss = head(**batch.arguments)["loss"]
    with torch.autocast("cpu", torch.bfloat16):
        half = head(**batch.arguments)["loss"]
    half.backward()
    torch.testing.assert_close(half.float(), loss, rtol=0.1, atol=0.1)


def test_training_runs_too(head: Head, batch: Batch) -> None:
    head.train()
    loss = head(**batch.arguments)["loss"]
    loss.backward()
    assert torch.isfinite(loss)


def test_the_state_goes_into_another_head(type_name: str, head: Head, batch: Batch) -> None:
    other = make_head(type_name).eval()
    for parameter in other.parameters():
        torch.nn.init.zeros_(parameter)
    other.load_state_dict(head.state_dict())
    assert_same(readable(other, batch), readable(head, batch))


@pytest.mark.parametrize("how", ["pickle", "copy"])
def test_a_copy_does_the_same(how: str, head: Head, batch: Batch) -> None:
    head(**batch.arguments)
    other = copy.deepcopy(head) if how == "copy" else pickle.loads(pickle.dumps(head))
    assert_same(readable(other, batch), readable(head, batch))
    assert other.get_metrics() == head.get_metrics()


def test_it_learns_its_labels(type_name: str, batch: Batch) -> None:
    head = make_head(type_name)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    losses: List[float] = []
    torch.manual_seed(0)
    for _ in range(60):
        optimizer.zero_grad()
        loss = head(**batch.arguments)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_the_vocabulary_stays_as_it_was(type_name: str) -> None:
    head = make_head(type_name)
    assert head.vocab.get_namespaces() == vocab().get_namespaces()
