"""The picture of a report."""

import importlib.util
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model import TaskReportCallback
from multitask_model.training.report.picture import draw
from multitask_model.training.report.picture_panels import draw_losses
from multitask_model.training.report.summary import summarize
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
@pytest.mark.parametrize("heads", [1, 2])
def test_the_title_fits_the_picture(tmp_path: Path, heads: int) -> None:
    image = pytest.importorskip("matplotlib.image")
    draw(make_report({f"head{i}": [0.5] for i in range(heads)}, chosen=0), tmp_path / "report.png")
    pixels = image.imread(tmp_path / "report.png")
    margins = (pixels[:, :2], pixels[:, -2:])
    assert [bool((margin == 1.0).all()) for margin in margins] == [True, True]


@pytest.mark.slow
def test_proportions_are_drawn_of_several_tasks(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    report = make_report({"a": [0.5], "b": [0.5]})
    draw(report, tmp_path / "two.png")
    report.epochs[0].instances = {"news": 10}
    draw(report, tmp_path / "one.png")
    heights = [image.imread(tmp_path / f"{name}.png").shape[0] for name in ("two", "one")]
    # In inches, at 110 dots each: 3.9 for the heads, 1.0 for the proportions and 0.28 for a task.
    assert heights == [int((3.9 + 1.0 + 2 * 0.28) * 110), 429]


@pytest.mark.parametrize(("last", "scale"), [(0.2, "linear"), (0.1999, "log")])
def test_losses_far_apart_have_a_logarithmic_axis(last: float, scale: str) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    report = make_report({"a": [0.5, 0.5]})
    report.epochs[0].training["a"]["loss"] = 2.0
    report.epochs[1].training["a"]["loss"] = last
    for record in report.epochs:
        record.validation["a"]["loss"] = 1.0
    panel = figure.subplots()
    draw_losses(panel, summarize(report)[0])
    assert panel.get_yscale() == scale


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
