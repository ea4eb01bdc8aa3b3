"""
AllenNLP's tokens, ids, offsets, type ids, masks and embeddings with transformers: the same in all
supported releases.

The expected values are in `transformer_outputs.json`. They were recorded with transformers 4.49.0:
`python -m tests.helpers.transformer_outputs tests/compat/transformer_outputs.json`. The tokenizers
and the weights are made on the spot and are the same in every release.
"""

import json
from pathlib import Path
from typing import Any, Dict

import pytest
import transformers

from tests.helpers.tiny_models import MODELS, make_tiny_model
from tests.helpers.tiny_tokenizers import BUILDERS, make_tiny_tokenizer
from tests.helpers.transformer_outputs import EMBEDDER_OUTPUTS, TOKENIZER_OUTPUTS, has_outputs

EXPECTED: Dict[str, Any] = json.loads(
    Path(__file__).with_name("transformer_outputs.json").read_text(encoding="utf-8")
)


def skip_if_missing(name: str) -> Any:
    """A parameter that is skipped if this release of transformers does not have the model."""
    missing = not hasattr(transformers, f"{MODELS[name][0]}Model")
    if name == "deberta-v3" and transformers.__version__ == "4.20.1":
        missing = True  # its buckets of positions need numpy 1.23
    reason = f"transformers {transformers.__version__} cannot run {name}"
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason=reason))


@pytest.fixture(name="tokenizers", scope="module")
def _tokenizers(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    directory = tmp_path_factory.mktemp("tokenizers")
    return {name: make_tiny_tokenizer(name, directory / name) for name in BUILDERS}


@pytest.mark.parametrize("output", TOKENIZER_OUTPUTS)
@pytest.mark.parametrize("name", [n for n in BUILDERS if n != "llama"] + [skip_if_missing("llama")])
def test_tokens_and_indices_are_the_recorded_ones(
    name: str, output: str, tokenizers: Dict[str, str]
) -> None:
    outputs = json.loads(json.dumps(TOKENIZER_OUTPUTS[output](tokenizers[name])))
    assert outputs == EXPECTED[name][output]


@pytest.mark.parametrize("name", [skip_if_missing(name) for name in MODELS])
def test_embeddings_are_the_recorded_ones(name: str, tmp_path: Path) -> None:
    make_tiny_model(name, tmp_path)
    for output, get in EMBEDDER_OUTPUTS.items():
        if has_outputs(name, output):
            for row, expected in zip(get(str(tmp_path)), EXPECTED[name][output]):
                assert row == pytest.approx(expected, abs=2e-4), output


def test_values_are_recorded_for_all_models() -> None:
    assert set(EXPECTED) == set(MODELS) == set(BUILDERS)
    for name, outputs in EXPECTED.items():
        embeddings = {output for output in EMBEDDER_OUTPUTS if has_outputs(name, output)}
        assert set(outputs) == set(TOKENIZER_OUTPUTS) | embeddings
