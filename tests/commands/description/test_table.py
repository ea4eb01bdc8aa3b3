"""The tables of a description, in a terminal of 80 columns."""

import io
from pathlib import Path

from rich.console import Console

from multitask_model.commands.description.data import Component, Description
from multitask_model.commands.description.table import print_tables
from tests.helpers.descriptions import describe_config
from tests.helpers.training_config import HEADS


def printed(found: Description) -> str:
    out = io.StringIO()
    print_tables(found, Console(file=out, width=80))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


EXPECTED = """\
config.json (config)
225 parameters, 225 of them trainable

task    heads        reader       instances  share  per epoch
ewt     genre, mood  LinesReader          4  40.0%          4
tweets  polarity     LinesReader          6  60.0%          6
Batches per epoch: 3 (RoundRobinScheduler)

backbone TinyBackbone, 162 parameters
argument            from        shape
text      required  field text  tokens.tokens (B, *)
returns encoded_text (B, 2, 6), encoded_text_mask (B, 2)

genre ExtendedHead, 21 parameters
argument                     from                        shape
encoded_text       required  backbone encoded_text       (B, 2, 6)
encoded_text_mask  required  backbone encoded_text_mask  (B, 2)
label              optional  field genre, renamed        (B)
returns logits (B, 3), loss ()

mood ExtendedHead, 21 parameters
argument                     from                             shape
encoded_text       required  backbone encoded_text            (B, 2, 6)
encoded_text_mask  required  backbone encoded_text_mask       (B, 2)
label              optional  field mood, renamed (in 2 of 4)  (B)
returns logits (B, 3), loss ()

polarity ExtendedHead, 21 parameters
argument                     from                        shape
encoded_text       required  backbone encoded_text       (B, 1, 6)
encoded_text_mask  required  backbone encoded_text_mask  (B, 1)
label              optional  field polarity, renamed     (B)
returns logits (B, 3), loss ()
"""


def test_the_tables(tmp_path: Path) -> None:
    found = describe_config(tmp_path)
    found.source = "config.json"
    assert printed(found) == EXPECTED


def test_a_head_with_and_without_a_label_says_for_which_tasks(tmp_path: Path) -> None:
    tasks = {"tweets": ["polarity"], "ewt": ["genre", "mood", "polarity"]}
    text = printed(describe_config(tmp_path, task_heads=tasks))
    assert (
        """
label              optional  field polarity, renamed       (B)        tweets
                             absent: no polarity or label             ewt
returns logits (B, 3), loss ()
"""
        in text
    )


def test_an_error_is_one_line(tmp_path: Path) -> None:
    mapping = {name: {name: "label"} for name in HEADS[:2]}
    text = printed(describe_config(tmp_path, arg_name_mapping=mapping, loss_weights={"x": 1.0}))
    last = text.split("\nErrors\n")[1].splitlines()
    assert last[0] == (
        "- loss_weights must name 'backbone' or a head, but got 'x'. Known names: ['backbone', "
        "'genre', 'mood', 'polarity']."
    )
    assert len(last) == 2


def test_names_in_brackets_are_not_markup() -> None:
    component = Component("[bold]", "Head[int]", [], 0, 0, [])
    text = printed(Description("[red]", "config", components=[component], notes=["[x]"]))
    assert (
        text
        == """\
[red] (config)

task  heads  reader  instances  share  per epoch

[bold] Head[int], 0 parameters
argument    from  shape

Notes
- [x]
"""
    )
