"""The picture of a report."""

import importlib.util
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model import TaskReportCallback
from multitask_model.training.report.picture import draw
from tests.helpers.messages import exactly
from tests.helpers.reports import make_report


@pytest.mark.slow
@pytest.mark.parametrize("heads", [1, 7])
def test_the_picture_is_a_png(tmp_path: Path, heads: int) -> None:
    pytest.importorskip("matplotlib")
    values = {f"head{i}": [0.5, 0.75] for i in range(heads)}
    draw(make_report(values, chosen=1), tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
def test_names_are_no_formulas(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    report = make_report({r"$\frac$": [0.5]}, metric="$x_{$")
    report.epochs[0].instances = {"$^$": 1}
    draw(report, tmp_path / "report.png")
    assert (tmp_path / "report.png").exists()


def test_a_picture_that_was_asked_for_requires_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = (
        "The picture of the trainer callback 'task_report' requires matplotlib, but it is not "
        "installed. Run: pip install 'multitask-model[report]', or remove the option `picture`."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        TaskReportCallback("run", picture=True)
