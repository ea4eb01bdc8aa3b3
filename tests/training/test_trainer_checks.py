"""The checks that AllenNLP's trainer makes for a `MultiTaskModel`."""

from pathlib import Path

import pytest

from tests.helpers.messages import exactly
from tests.helpers.training_config import make_config, train

pytestmark = pytest.mark.slow


def test_a_training_batch_without_a_loss_is_explained(tmp_path: Path) -> None:
    mapping = {"polarity": {"poliarity": "label"}, "genre": {"genre": "label"}}
    config = make_config(tmp_path, arg_name_mapping=mapping)
    config["data_loader"]["scheduler"] = {"type": "homogeneous_roundrobin", "batch_size": 2}
    message = (
        "At least one component must return a loss for each training batch, but got none from the "
        "backbone and the heads ['polarity'], which ran for the tasks ['tweets']. 'polarity' ran "
        "without the optional arguments ['label'], and no component takes the fields ['polarity'] "
        "of its instances. Did you mean 'polarity'? Map a field to the argument: "
        "arg_name_mapping={'polarity': {'polarity': 'label'}}."
    )
    with pytest.raises(RuntimeError, match=exactly(message)) as raised:
        train(config, tmp_path, "run")
    assert "does not contain a 'loss' key" in str(raised.value.__cause__)
