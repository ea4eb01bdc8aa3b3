"""
Where the files of the repository are on the site: pages of `docs` at its root, other pages and
pictures at their own path, and files with code as pages that show the code.
"""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Iterator, List

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)")
PICTURES = (".png", ".svg")
LANGUAGES = {".py": "python", ".jsonnet": "jsonnet", ".libsonnet": "jsonnet", ".jsonl": "json"}


def outer_pages() -> List[str]:
    """The pages of the site that are not in `docs`, as paths in the repository."""
    patterns = [
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "benchmarks/*.md",
        "examples/README.md",
        "examples/*/README.md",
    ]
    found = (path for pattern in patterns for path in sorted(ROOT.glob(pattern)))
    return [path.relative_to(ROOT).as_posix() for path in found]


def site_path(path: str) -> str:
    """
    Returns where a file or folder of the repository is on the site.

        >>> site_path("docs/data.md"), site_path("CHANGELOG.md"), site_path("README.md")
        ('data.md', 'CHANGELOG.md', 'index.md')
        >>> site_path("examples/pairs/bilstm.jsonnet"), site_path("examples/balance")
        ('examples/pairs/bilstm.jsonnet.md', 'examples/balance/README.md')
    """
    if path == "README.md":
        return "index.md"
    if path.startswith("docs/"):
        return path[len("docs/") :]
    if (ROOT / path / "README.md").exists():
        return f"{path}/README.md"
    return path if path.endswith((".md", *PICTURES)) else f"{path}.md"


def targets(page: str, text: str) -> Iterator[str]:
    """The paths in the repository that the relative links of a page lead to."""
    for target in LINK.findall(text):
        yield _resolve(page, target)


def rewrite_links(page: str, text: str) -> str:
    """Returns the text of a page of the repository with the links that it has on the site."""
    folder = PurePosixPath(site_path(page)).parent

    def replace(found: "re.Match[str]") -> str:
        return os.path.relpath(site_path(_resolve(page, found.group(1))), folder)

    return LINK.sub(replace, text)


def _resolve(page: str, target: str) -> str:
    return os.path.normpath(PurePosixPath(page).parent / target)


def code_page(path: str) -> str:
    """Returns a page that shows a file."""
    file = ROOT / path
    language = LANGUAGES.get(file.suffix, "text")
    return f"# {path}\n\n````{language}\n{file.read_text(encoding='utf-8')}````\n"
