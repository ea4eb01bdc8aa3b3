"""
The patches when AllenNLP is imported first, in new processes. The commands run in the environment
of the tests, where `multitask_model_startup.pth` is installed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import transformers

import multitask_model  # noqa: F401  (applies the patches)
from tests.helpers.commands import ROOT, run_forked, run_python
from tests.helpers.tiny_bert import make_tiny_bert

pytestmark = pytest.mark.slow

needs_patches = pytest.mark.skipif(
    hasattr(transformers.optimization, "AdamW"), reason="transformers has all names"
)
starts = pytest.mark.skipif(sys.version_info < (3, 11), reason="nothing is done on Python 3.10")
LINE_FILE = ROOT / "multitask_model_startup" / "startup.pth"


def run_code(code: str, *options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs code in a new process that has this checkout on its path."""
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return subprocess.run(
        [sys.executable, *options, "-W", "ignore", "-c", path + code],
        env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


# --- importing AllenNLP first


def test_the_command_of_allennlp_has_the_patches(tmp_path: Path) -> None:
    run_python("-m", "allennlp", "--help", directory=tmp_path)


def test_importing_transformers_and_allennlp_does_not_register_this_package() -> None:
    """An installed package changes nothing for who does not import it, or before it is imported."""
    result = run_code(
        "import transformers; transformers.BertModel\n"
        "import allennlp.models, allennlp.training.optimizers\n"
        "print('multitask_model' in sys.modules, allennlp.models.Model.by_name('multitask'))\n"
        "import multitask_model; print(allennlp.models.Model.by_name('multitask'))"
    )
    assert result.stdout == (
        "False <class 'allennlp.models.multitask.MultiTaskModel'>\n"
        "<class 'multitask_model.model.MultiTaskModel'>\n"
    ), result.stderr


SPAWN = """
import multiprocessing

from allennlp.data import Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers import TextClassificationJsonReader
from allennlp.data.token_indexers import PretrainedTransformerIndexer
from allennlp.data.tokenizers import PretrainedTransformerTokenizer

if __name__ == "__main__":
    import multitask_model  # the workers do not execute this line

    multiprocessing.set_executable("{python}")

    reader = TextClassificationJsonReader(
        token_indexers={{"tokens": PretrainedTransformerIndexer("{model}", max_length=4)}},
        tokenizer=PretrainedTransformerTokenizer("{model}"),
    )
    loader = MultiProcessDataLoader(
        reader, "texts.jsonl", batch_size=1, num_workers=1, start_method="spawn"
    )
    loader.index_with(Vocabulary.from_instances(loader.iter_instances()))
    (batch,) = list(loader)
    # [CLS] the cat [SEP] [CLS] sat [SEP]
    assert batch["tokens"]["tokens"]["token_ids"].tolist() == [[2, 5, 6, 3, 2, 8, 3]]
"""


def test_a_spawned_worker_of_allennlp_has_the_patches(tmp_path: Path) -> None:
    """The worker gets a reader of AllenNLP and does not import the package."""
    (tmp_path / "texts.jsonl").write_text('{"text": "the cat sat", "label": "1"}\n')
    script = SPAWN.format(model=make_tiny_bert(tmp_path / "bert"), python=sys.executable)
    (tmp_path / "script.py").write_text(script)
    run_forked("script.py", directory=tmp_path)


# --- switching it off, and environments without the package


@needs_patches
def test_without_the_patches_allennlp_cannot_be_imported() -> None:
    result = run_code("import allennlp.training.optimizers", MULTITASK_MODEL_STARTUP="0")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(("ImportError: ", "AttributeError: "))


def test_importing_the_package_first_needs_no_start_up_file() -> None:
    result = run_code("import multitask_model, allennlp.training", MULTITASK_MODEL_STARTUP="0")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.fixture(name="site_directory")
def _site_directory(tmp_path: Path) -> str:
    """A directory like site-packages, with the file that the wheel installs."""
    shutil.copy(LINE_FILE, tmp_path / "multitask_model_startup.pth")
    return str(tmp_path)


def test_the_line_does_nothing_if_the_package_is_not_installed(
    site_directory: str, tmp_path: Path
) -> None:
    (tmp_path / "allennlp").mkdir()
    (tmp_path / "allennlp" / "__init__.py").touch()
    (tmp_path / "allennlp" / "common.py").write_text("print('imported')")
    code = f"sys.path.remove({str(ROOT)!r}); import site; site.addsitedir({site_directory!r})\n"
    result = run_code(code + "import allennlp.common", "-S", "-I")
    assert (result.returncode, result.stdout, result.stderr) == (0, "imported\n", "")


@starts
@pytest.mark.parametrize(
    ("value", "added"), [("1", "1"), ("", "1"), ("0", "0")], ids=["on", "empty", "off"]
)
def test_the_line_adds_one_finder_unless_it_is_switched_off(
    value: str, added: str, site_directory: str
) -> None:
    code = f"import site; site.addsitedir({site_directory!r}); print(len(sys.meta_path) - 3)"
    result = run_code(code, "-S", MULTITASK_MODEL_STARTUP=value)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{added}\n", "")


@starts
def test_starting_imports_no_module(site_directory: str) -> None:
    code = "import site; before = set(sys.modules); "
    code += f"site.addsitedir({site_directory!r}); print(set(sys.modules) - before)"
    assert run_code(code, "-S").stdout == "set()\n"


@starts
def test_the_finder_is_removed_when_allennlp_is_imported(site_directory: str) -> None:
    result = run_code(
        "import os, site; os.environ.pop('MULTITASK_MODEL_STARTUP')\n"
        f"site.addsitedir({site_directory!r})\n"
        "def count(): return sum('BeforeAllennlp' in repr(finder) for finder in sys.meta_path)\n"
        "import json.tool; before = count(); import allennlp.common; print(before, count())",
        MULTITASK_MODEL_STARTUP="0",
    )
    assert (result.stdout, result.stderr) == ("1 0\n", "")


def test_the_line_is_the_code_of_the_finder() -> None:
    """After a change of the code, write the line that this test expects."""
    source = LINE_FILE.with_name("finder.py").read_text()
    line = f"import sys; exec({source!r}, {{'__name__': 'multitask_model_startup'}})\n"
    assert LINE_FILE.read_text() == line
