"""The classes of `huggingface_hub` that AllenNLP imports."""

import re
from pathlib import Path

import huggingface_hub
import pytest
from allennlp.common.push_to_hf import push_to_hf

from multitask_model_startup.huggingface_hub import Removed

MESSAGE = (
    "AllenNLP's push-to-hf requires the classes HfFolder and Repository of huggingface_hub 0, but "
    f"got huggingface_hub {huggingface_hub.__version__}. Upload the directory with the command "
    "`hf upload` or with `huggingface_hub.upload_folder`."
)


@pytest.mark.parametrize("use", [Removed, Removed.get_token])
def test_using_a_removed_class_is_an_error_that_names_the_alternative(use: type) -> None:
    with pytest.raises(RuntimeError, match=f"^{re.escape(MESSAGE)}$"):
        use()


@pytest.mark.skipif(
    int(huggingface_hub.__version__.partition(".")[0]) < 1, reason="the classes exist"
)
def test_pushing_a_model_is_an_error_that_names_the_alternative(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=f"^{re.escape(MESSAGE)}$"):
        push_to_hf("name", serialization_dir=tmp_path)
