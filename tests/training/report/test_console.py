"""What the terminal shows."""

import io

import pytest
from rich.console import Console
from tqdm import tqdm

from multitask_model.training.report.console_table import print_table
from multitask_model.training.report.progress_line import describe_losses
from tests.helpers.reports import make_report

NAMES = [f"a_head_with_a_long_name_{i}" for i in range(20)]


@pytest.mark.parametrize("total", [7, 120, 123456])
@pytest.mark.parametrize("seconds", [0.1, 90.0, 36000.0 * 9])
@pytest.mark.parametrize("heads", [["a", "b"], NAMES[:1], NAMES])
def test_a_progress_bar_fits_100_columns(total: int, seconds: float, heads: "list[str]") -> None:
    metrics = {f"{head}_loss": 123.456 + i for i, head in enumerate(heads)}
    text = describe_losses({"loss": 4321.0, **metrics}, heads, total)
    for done in (1, total):
        bar = tqdm.format_meter(done, total, seconds, prefix=text)
        assert len(bar) <= 100, bar


def test_all_losses_are_shown_if_they_fit() -> None:
    metrics = {"loss": 3.5, "ner_loss": 1.25, "ner_f1": 0.5, "pos_loss": 2.25}
    assert describe_losses(metrics, ["ner", "pos"], 99) == "loss 3.50: ner 1.25 pos 2.25"


def test_the_smallest_and_the_largest_loss_stand_for_many() -> None:
    heads = [f"head{i:02}" for i in range(20)]
    metrics = {"loss": 20.0, **{f"{head}_loss": float(i) for i, head in enumerate(heads)}}
    assert describe_losses(metrics, heads, 99) == "loss 20.00: head00 0.00 .. head19 19.00"


def test_names_that_do_not_fit_are_left_out() -> None:
    metrics = {"loss": 20.0, **{f"{head}_loss": float(i) for i, head in enumerate(NAMES)}}
    assert describe_losses(metrics, NAMES, 99) == "loss 20.00: max 19.00"


def test_a_batch_without_losses_has_the_joint_loss() -> None:
    assert describe_losses({"loss": 1.0}, ["a"]) == "loss 1.00"


def printed(report: object, width: int) -> "list[str]":
    out = io.StringIO()
    print_table(report, Console(file=out, width=width))  # type: ignore[arg-type]
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_table_has_a_line_for_each_head() -> None:
    report = make_report({"ner": [0.5, 0.75], "pos": [0.9, 0.8]}, chosen=1)
    assert printed(report, 80) == [
        "Epoch 1; best so far by -loss: epoch 1",
        "head train valid metric   value  best in share   s",
        "ner  1.000 1.500 accuracy 0.750 0.750  1   33% 1.5",
        "pos  1.000 1.500 accuracy 0.800 0.900  0   67% 1.5",
    ]


def test_twenty_heads_fit_80_columns() -> None:
    values = dict.fromkeys([f"{name}_and_more" for name in NAMES], [0.5])
    lines = printed(make_report(values, metric="f1-measure-overall"), 80)
    assert len(lines) == 22
    assert max(map(len, lines)) <= 80
    assert lines[2] == "a_head_with_a_long_name_0_a… 2.000 2.500 f1     0.500 0.500  0    0% 1.5"


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (60, "head train valid metric value best in"),
        (40, "head valid metric value"),
        (20, "head value"),
    ],
)
def test_a_narrow_terminal_has_fewer_columns_with_all_digits(width: int, columns: str) -> None:
    lines = printed(make_report({"a_head_with_a_long_name": [0.5, 0.75]}), width)
    assert lines[1].split() == columns.split()
    assert max(map(len, lines)) <= width
    values = {"valid": "1.500", "value": "0.750", "best": "0.750", "in": "1"}
    for name in {*values} & {*columns.split()}:
        assert values[name] in lines[2].split()


def test_names_are_printed_as_they_are() -> None:
    report = make_report({name: [0.5] for name in ("[red]a[/red]", "b\\")})
    assert [line.split()[0] for line in printed(report, 80)[2:]] == ["[red]a[/red]", "b\\"]


def test_characters_that_the_terminal_has_not_are_replaced() -> None:
    out = io.BytesIO()
    file = io.TextIOWrapper(out, encoding="latin-1")
    print_table(make_report({"größe": [0.5], "日本": [0.5]}), Console(file=file, width=80))
    names = [line.split()[0] for line in out.getvalue().decode("latin-1").splitlines()[2:]]
    assert names == ["größe", "??"]
