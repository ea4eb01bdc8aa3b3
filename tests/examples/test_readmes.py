"""The pages of the examples have the same parts, and name files that exist."""

import re
import struct
from pathlib import Path
from typing import Dict

import pytest

from tests.helpers.commands import ROOT

EXAMPLES = ROOT / "examples"
PAGES = [EXAMPLES / name / "README.md" for name in ("ewt", "pairs", "snips", "vader")]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.parent.name))


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_overview_links_the_page_of_every_folder() -> None:
    linked = re.findall(r"^\| \[(\w+)\]\((\w+)/README\.md\) \|", read(EXAMPLES / "README.md"), re.M)
    folders = [path.parent.name for path in EXAMPLES.glob("*/*.jsonnet")]
    assert sorted(linked) == sorted((folder, folder) for folder in set(folders))


@each_page
def test_a_page_is_short_and_ends_with_a_suggestion(page: Path) -> None:
    text = read(page)
    assert len(text.splitlines()) <= 60
    assert re.findall(r"^## (.*)$", text, re.M)[-2:] == ["Results", "Try next"]


@each_page
def test_a_page_has_one_picture_with_a_description(page: Path) -> None:
    ((description, name),) = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", read(page))
    assert len(description) > 80
    picture = (page.parent / name).read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    (width,) = struct.unpack(">I", picture[16:20])
    assert 600 <= width <= 1500
    assert len(picture) < 150_000


@each_page
def test_commands_name_files_that_exist(page: Path) -> None:
    named = re.findall(r"examples/\w+/\w+\.(?:py|jsonnet)", read(page))
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_no_sentence_is_on_two_pages() -> None:
    seen: Dict[str, Path] = {}
    for page in [EXAMPLES / "README.md", *PAGES]:
        # Without commands, tables and targets of links.
        text = re.sub(r"^(\||    ).*$|(?<=\])\(.*?\)", "\n", read(page), flags=re.M)
        for sentence in re.split(r"(?<=[.:])\s+|\n\n", text):
            words = " ".join(sentence.split())
            if len(words) > 50:
                assert seen.setdefault(words, page) == page
