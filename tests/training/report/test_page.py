"""The page of a report."""

import re
from html.parser import HTMLParser
from typing import Any, Dict, List

import pytest

from multitask_model.training.report.page import make_page
from multitask_model.training.report.records import Report
from tests.helpers.reports import make_report

# The elements of HTML that have no end.
VOID = {"meta", "wbr", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """Reads the tables of a page, and checks that every element ends."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: List[List[List[str]]] = []
        self.attributes: List[str] = []
        self.names: List[str] = []
        self._open: List[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: List[Any]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: List[Any]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data


def full_report() -> Report:
    report = make_report({"ner": [0.5, 0.75], "pos_tags": [0.9, 0.8]}, chosen=1)
    last = report.epochs[-1]
    last.cosines = [("ner", "pos_tags", -0.25)]
    last.learning_rates = {"backbone": 0.001}
    last.padding = {"training": 0.125}
    last.training["ner"]["weight"] = 1.5
    last.training["ner"]["gradient_norm"] = 0.25
    last.total_seconds = 61.0
    report.labels = {
        "ner": {"pairs": [], "spans": {"city": [1, 2, 1]}},
        "pos_tags": {"pairs": [["DET", "DET", 3], ["DET", "NOUN", 1]], "spans": {}},
    }
    report.labels_epoch = 1
    return report


def tables(report: Report) -> Dict[str, List[List[str]]]:
    """The rows of each table, by the title of its first column."""
    return {rows[0][0]: rows for rows in Page(make_page(report, "run")).tables}


def test_the_page_is_complete_in_itself() -> None:
    text = make_page(full_report(), "run")
    page = Page(text)
    assert not {"link", "img", "iframe", "object", "source"} & set(page.names)
    assert not {"src", "href", "onclick"} & set(page.attributes)
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest", text)


def test_the_table_of_heads_has_the_best_and_the_chosen_epoch() -> None:
    titles, ner, pos = Page(make_page(full_report(), "run")).tables[0]
    assert titles[:5] == ["head", "best", "in epoch", "epoch 1", "gap"]
    assert ner == ["neraccuracy ↑", "0.750", "1", "0.750", "0.000", "1.000", "1.500"] + [
        *("33.3%", "1.5", "")
    ]
    assert pos[:5] == ["pos_tagsaccuracy ↑", "0.900", "0", "0.800", "0.100"]
    assert pos[-1] == "best in epoch 0"


def test_numbers_are_sorted_by_their_value() -> None:
    report = make_report({"a": [0.5], "b": [123456.0]}, chosen=0)
    text = make_page(report, "run")
    assert '<td class="num" data-sort="123456.0">1.2e+05</td>' in text


def test_tasks_have_proportions_and_seconds() -> None:
    _, ner, pos = tables(full_report())["task"]
    assert ner == ["ner_data", "10", "33.3%", "", "1.5", "50.0%", "150.0"]
    assert pos == ["pos_tags_data", "20", "66.7%", "", "1.5", "50.0%", "75.00"]


def test_the_course_has_what_was_recorded() -> None:
    page = Page(make_page(full_report(), "run"))
    course = {row[0]: row[2:4] for rows in page.tables if rows[0][0] == "" for row in rows[1:]}
    assert course == {
        "padding ratio, training": ["0.125", "0.125"],
        "instances": ["30", "30"],
        "seconds, all": ["61.00", "61.00"],
        "seconds, training steps": ["3.000", "3.000"],
        "learning rate, backbone": ["0.001", "0.001"],
        # The weights, and the norms of gradients.
        "ner": ["0.250", "0.250"],
    }


def test_conflicts_are_a_matrix() -> None:
    matrix = next(r for r in Page(make_page(full_report(), "run")).tables if r[1][0] == "1 ner")
    assert matrix == [["head", "1", "2"], ["1 ner", "", "-.25"], ["2 pos_tags", "-.25", ""]]


def test_predicted_labels_are_a_matrix() -> None:
    assert tables(full_report())["gold \\ predicted"] == [
        ["gold \\ predicted", "1", "2", "recall"],
        ["1 DET", "3", "1", "0.750"],
        ["2 NOUN", "", "", ""],
    ]


def test_spans_have_scores() -> None:
    assert tables(full_report())["label"] == [
        ["label", "F1", "precision", "recall", "gold"],
        ["city", "0.667", "0.500", "1.000", "1"],
    ]


def test_names_are_escaped() -> None:
    text = make_page(make_report({"<b>": [0.5]}), "<i>")
    assert "<b>&lt;b&gt;</b>" in text
    assert "<i>" not in text


def test_every_chart_has_a_description() -> None:
    text = make_page(make_report({"ner": [0.5, 0.75]}), "run")
    assert 'aria-label="Loss of ner: 2.500 in epoch 0, 1.500 in epoch 1"' in text
    assert text.count("<svg") == text.count('role="img" aria-label=')


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"processes": 2}, "2 processes: instances and labels are those of all of them"),
        ({"has_mixed_batches": True}, "Their seconds are split in proportion to the instances"),
        ({"instances": {}}, "Epochs 0 were trained without the report"),
        ({"validation": {}}, "There is no validation data"),
    ],
)
def test_notes_say_how_numbers_were_made(change: Dict[str, Any], note: str) -> None:
    report = make_report({"ner": [0.5]})
    for name, value in change.items():
        setattr(report if hasattr(report, name) else report.epochs[0], name, value)
    assert note in make_page(report, "run")


def test_a_report_of_one_epoch_without_numbers_is_a_page() -> None:
    report = Report({"ner": ["news"]})
    report.epochs = make_report({"ner": [0.5]}).epochs
    report.epochs[0].training, report.epochs[0].validation = {}, {}
    assert "<h3><b>ner</b><span></span></h3>" in make_page(report, "run")
