"""Descriptions of a small config, with some of its values replaced."""

import json
from pathlib import Path
from typing import Any, Dict, List

from multitask_model.commands.description.collecting import describe
from multitask_model.commands.description.data import Component, Description
from tests.helpers.training_config import make_config


def write_config(folder: Path, **model: Any) -> Path:
    """Writes the config and its data to `folder`, with these parameters of the model."""
    path = folder / "config.json"
    path.write_text(json.dumps(make_config(folder, **model)))
    return path


def change_config(path: Path, **values: Any) -> Path:
    """Replaces values at the top level of a config; `None` removes one."""
    config: Dict[str, Any] = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return path


def describe_config(folder: Path, **model: Any) -> Description:
    """Describes the config with these parameters of the model."""
    return describe(str(write_config(folder, **model)))


def messages(found: Description) -> List[str]:
    """The messages of all errors."""
    return [error.message for error in found.errors]


def component(found: Description, name: str) -> Component:
    """The component of this name."""
    (only,) = (c for c in found.components if c.name == name)
    return only
