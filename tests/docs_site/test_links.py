"""Links of the pages lead to the same files on the site as in the repository."""

import doctest

from scripts.docs_site import links


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(links).failed == 0


def test_links_to_other_folders_are_rewritten() -> None:
    text = "[a](../../examples/pairs/bilstm.jsonnet) [b](../data.md#seed)"
    assert links.rewrite_links("docs/howto/text_pairs.md", text) == (
        "[a](../examples/pairs/bilstm.jsonnet.md) [b](../data.md#seed)"
    )


def test_links_from_a_page_outside_of_docs_to_the_pages_in_it() -> None:
    text = "[a](docs/data.md) [b](README.md) [c](https://pytorch.org) [d](#here)"
    assert links.rewrite_links("CONTRIBUTING.md", text) == (
        "[a](data.md) [b](index.md) [c](https://pytorch.org) [d](#here)"
    )


def test_a_link_to_a_folder_leads_to_its_readme() -> None:
    text = "[a](balance)"
    assert links.rewrite_links("examples/README.md", text) == "[a](balance/README.md)"


def test_a_picture_stays_beside_its_page() -> None:
    text = "![a](report.png)"
    assert links.rewrite_links("examples/pairs/README.md", text) == text


def test_a_page_of_code_shows_the_file() -> None:
    path = "examples/pairs/bilstm.jsonnet"
    code = (links.ROOT / path).read_text(encoding="utf-8")
    assert links.code_page(path) == f"# {path}\n\n````jsonnet\n{code}````\n"


def test_the_site_has_every_page_of_the_repository_outside_of_docs() -> None:
    assert links.outer_pages() == [
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "benchmarks/DISTRIBUTED.md",
        "benchmarks/LOADING.md",
        "benchmarks/RESULTS.md",
        "examples/README.md",
        "examples/balance/README.md",
        "examples/ewt/README.md",
        "examples/pairs/README.md",
        "examples/snips/README.md",
        "examples/vader/README.md",
    ]
