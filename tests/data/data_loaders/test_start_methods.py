"""How worker processes are started."""

from pathlib import Path
from typing import Any

import pytest

from multitask_model.data.data_loaders.start_methods import get_context


@pytest.mark.slow
def test_a_process_of_the_server_has_the_package_from_the_beginning(tmp_path: Path) -> None:
    found = tmp_path / "found.txt"
    context: Any = get_context("forkserver")
    code = f"import sys; open({str(found)!r}, 'w').write(str('multitask_model' in sys.modules))"
    process = context.Process(target=exec, args=(code,))
    process.start()
    process.join()
    assert found.read_text() == "True"
