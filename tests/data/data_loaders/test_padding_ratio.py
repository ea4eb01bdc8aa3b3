"""The padding ratio of batches."""

import logging

import pytest

from multitask_model.data.data_loaders.padding_ratio import PaddingMeter
from tests.helpers.loading import make_loader, messages
from tests.helpers.models import make_instance


def test_the_ratio_is_that_of_all_batches() -> None:
    meter = PaddingMeter()
    assert meter.ratio is None
    meter.add([make_instance("w1 w2 w3 w4"), make_instance("w1"), make_instance("w1 w2 w3")])
    assert meter.ratio == pytest.approx(1 - 8 / 12)
    meter.add([make_instance("w1 w2")])
    assert meter.ratio == pytest.approx(1 - 10 / 14)


def test_only_the_given_fields_are_measured() -> None:
    batch = [make_instance("w1 w2"), make_instance("w1")]
    second = make_instance("w1 w1 w1 w1")
    batch[0].add_field("second", second["text"])  # a field of one instance only is not padded
    for names, expected in [(["text"], 1 / 4), (["second"], 0.0), (["text", "second"], 1 / 8)]:
        meter = PaddingMeter(names)
        meter.add(batch)
        assert meter.ratio == pytest.approx(expected)


def test_the_loader_reports_the_padding_ratio(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "multitask_model")
    loader = make_loader({"a": 3}, shuffle=False)  # texts of 1, 2 and 3 tokens
    list(loader)
    assert loader.padding_ratio == pytest.approx(1 / 3)
    assert messages(caplog, logging.INFO) == ["Padding ratio of the batches: 33.3%"]
