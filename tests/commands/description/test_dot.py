"""The graph of a description."""

from pathlib import Path

from multitask_model.commands.description.dot import to_dot
from tests.helpers.descriptions import describe_config

EXPECTED = r"""digraph wiring {
  rankdir=LR;
  node [shape=box];
  "task ewt" [label="ewt\nLinesReader", shape=folder];
  "task tweets" [label="tweets\nLinesReader", shape=folder];
  "component backbone" [label="backbone\nTinyBackbone\n162 parameters"];
  "component polarity" [label="polarity\nExtendedHead\n21 parameters"];
  "joint loss" [label=loss, shape=ellipse];
  "task ewt" -> "component backbone" [label="text"];
  "task tweets" -> "component backbone" [label="text"];
  "component backbone" -> "component polarity" [label="encoded_text\nencoded_text_mask"];
  "task ewt" -> "component polarity" [label="genre as label"];
  "task tweets" -> "component polarity" [label="polarity as label"];
  "component polarity" -> "joint loss" [label="polarity_loss"];
}"""

HEADS = {"polarity": {"type": "tests.helpers.training_config.ExtendedHead"}}
TASKS = {"ewt": ["polarity"], "tweets": ["polarity"]}


def test_the_graph(tmp_path: Path) -> None:
    mapping = {"polarity": {"polarity": "label", "genre": "label"}}
    found = describe_config(tmp_path, heads=HEADS, task_heads=TASKS, arg_name_mapping=mapping)
    assert to_dot(found) == EXPECTED


def test_a_component_with_an_error_is_red(tmp_path: Path) -> None:
    mapping = {"polarity": {"polarity": "label"}}
    found = describe_config(tmp_path, heads=HEADS, task_heads=TASKS, arg_name_mapping=mapping)
    (line,) = (line for line in to_dot(found).splitlines() if "red" in line)
    label = r"polarity\nExtendedHead\n21 parameters\nabsent: label"
    assert line == f'  "component polarity" [label="{label}", color=red];'


def test_names_are_quoted(tmp_path: Path) -> None:
    found = describe_config(tmp_path)
    found.tasks[0].name = 'a "b"'
    assert r'  "task a \"b\"" [label="a \"b\"\nLinesReader", shape=folder];' in to_dot(found)
