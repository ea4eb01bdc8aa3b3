"""
Adds the pages outside of `docs` to the site, with the files that pages link to, and fails if a page
would make a request to another host. `mkdocs.yml` names this file.
"""

import logging
import re
from typing import Any, List

from mkdocs.structure.files import File, Files, InclusionLevel

from scripts.docs_site.links import (
    PICTURES,
    ROOT,
    code_page,
    outer_pages,
    rewrite_links,
    site_path,
    targets,
)

# With `--strict`, a warning is an error.
LOG = logging.getLogger("mkdocs.plugins.multitask_model")
REQUEST = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*"
)


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages outside of `docs`, the pictures of all pages, and pages for linked code."""
    linked: List[str] = []
    for file in files.documentation_pages():
        linked += targets(f"docs/{file.src_uri}", file.content_string)
    for path in outer_pages():
        text = (ROOT / path).read_text(encoding="utf-8")
        linked += targets(path, text)
        files.append(File.generated(config, path, content=rewrite_links(path, text)))
    for path in sorted(set(linked)):
        # Links that lead nowhere are left to the validation of the links.
        if files.get_file_from_path(site_path(path)) is None and (ROOT / path).is_file():
            files.append(_linked_file(config, path))
    return files


def _linked_file(config: Any, path: str) -> File:
    if path.endswith(PICTURES):
        return File.generated(config, path, abs_src_path=str(ROOT / path))
    page = File.generated(config, site_path(path), content=code_page(path))
    page.inclusion = InclusionLevel.NOT_IN_NAV
    return page


def on_page_markdown(markdown: str, page: Any, **kwargs: Any) -> str:
    """Rewrites the links of a page of `docs`. Excerpts of configs are highlighted as Jsonnet."""
    if page.file.generated_by is None:
        markdown = rewrite_links(f"docs/{page.file.src_uri}", markdown)
    return markdown.replace("```jsonc\n", "```jsonnet\n")


def on_post_page(output: str, page: Any, **kwargs: Any) -> str:
    """Checks that the browser gets all parts of a page from the site."""
    for found in REQUEST.findall(output):
        LOG.warning("%s makes a request to another host: %s", page.file.src_uri, found)
    return output
