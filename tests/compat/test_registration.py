"""Registering types under AllenNLP's names."""

from pathlib import Path

import pytest

from tests.helpers.commands import run_forked


@pytest.mark.slow
def test_importing_the_package_logs_nothing_about_registered_names(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import logging\n"
        "logging.basicConfig(filename='log.txt', level=logging.INFO)\n"
        "import multitask_model\n"
        "import allennlp.models\n"
        "assert allennlp.models.Model.by_name('multitask') is multitask_model.MultiTaskModel\n"
    )
    run_forked(script, directory=tmp_path)
    assert "already been registered" not in (tmp_path / "log.txt").read_text()
