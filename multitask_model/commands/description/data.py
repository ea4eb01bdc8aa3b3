"""What `describe` finds, as plain data."""

from dataclasses import dataclass, field
from typing import Dict, List, Optional

Sizes = Dict[str, List[int]]
"""The shape of each tensor in a value, by its path in it: `""` for a value that is a tensor."""


@dataclass
class WiringError:
    """An error of the model, in its own words."""

    message: str
    component: Optional[str] = None
    """`"backbone"` or the name of a head, if the error is about one."""
    task: Optional[str] = None


@dataclass
class Source:
    """Where an argument comes from, for the instances of one task."""

    task: str
    name: str
    origin: str
    """`"field"` or `"backbone output"`."""
    renamed: bool
    instances: int
    """The number of instances that have it, of those that were read."""
    shapes: Sizes


@dataclass
class Argument:
    """An argument of the `forward` of a component."""

    name: str
    required: bool
    allowed: bool = True
    """Whether `allowed_arguments` has it."""
    accepts: List[str] = field(default_factory=list)
    """The names of fields and backbone outputs that are passed to it."""
    sources: List[Source] = field(default_factory=list)
    absent: List[str] = field(default_factory=list)
    """The tasks whose instances give no value for it."""


@dataclass
class Component:
    """The backbone or a head."""

    name: str
    type: str
    tasks: List[str]
    parameters: int
    trainable: int
    arguments: List[Argument]
    outputs: Sizes = field(default_factory=dict)
    """The outputs for the instances of one task, the one with the most outputs."""
    output_rows: int = 0
    """The number of these instances."""
    loss_for: List[str] = field(default_factory=list)
    """The tasks whose instances gave a loss."""
    label_namespace: Optional[str] = None
    labels: Optional[int] = None


@dataclass
class Task:
    """A task of the reader or of the model."""

    name: str
    reader: Optional[str]
    data_path: Optional[str]
    heads: List[str]
    read: int = 0
    """The number of instances that were read to describe the model."""
    fields: Dict[str, str] = field(default_factory=dict)
    """The type of each field."""
    unused: List[str] = field(default_factory=list)
    """The fields that no component takes."""
    instances: Optional[int] = None
    """The size of the dataset, if it was counted."""
    proportion: Optional[float] = None
    per_epoch: Optional[int] = None


@dataclass
class Epoch:
    """The first epoch of a training."""

    loader: str
    scheduler: Optional[str] = None
    sampler: Optional[str] = None
    instances: Optional[int] = None
    batches: Optional[int] = None


@dataclass
class Description:
    """A model, its data, and what is wrong with their wiring."""

    source: str
    kind: str
    """`"config"` or `"archive"`."""
    parameters: Optional[int] = None
    trainable: Optional[int] = None
    tasks: List[Task] = field(default_factory=list)
    components: List[Component] = field(default_factory=list)
    epoch: Optional[Epoch] = None
    notes: List[str] = field(default_factory=list)
    """What could not be described, and why."""
    errors: List[WiringError] = field(default_factory=list)
