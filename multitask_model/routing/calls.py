"""Calling the components of a model with the values of one batch."""

import numbers
from collections.abc import Mapping as MappingType
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.compat.torch_internals import is_compiling
from multitask_model.routing.arguments import Router
from multitask_model.routing.head_errors import raise_head_error
from multitask_model.routing.inputs import changed_in_place, copy_input, versions
from multitask_model.routing.merging import merge_outputs
from multitask_model.routing.output_names import LOSS
from multitask_model.routing.partial import Partial, Whole, has_partial
from multitask_model.routing.rows import (
    AllRows,
    check_rows,
    group_rows,
    select_all,
    select_rows,
    take_partial,
)

Result = Tuple[Mapping[str, object], int]
"""
The outputs of a component for a batch, and the number of rows that the loss among them, if there is
one, is the mean of.
"""


Routed = Tuple[
    Dict[str, object],
    Mapping[str, AllRows],
    Dict[str, object],
    Dict[str, torch.Tensor],
    Dict[str, int],
]
"""
What a batch gave: the values that heads may take, the rows of each head, the named outputs, the
losses, and the number of rows that each loss is the mean of.
"""


class HeadCall(NamedTuple):
    """
    One call of a head, for rows that have the same fields.

        >>> class Tagger(torch.nn.Module):
        ...     def forward(self, words, tags=None): ...
        >>> values = {"words": [["so"], ["good"]], "tags": Partial([["ADJ"]], rows=(1,))}
        >>> for call in _split_by_fields(Router("tagger", Tagger()), values, AllRows(2)):
        ...     print(call)
        HeadCall(positions=[0], arguments={'words': [['so']]})
        HeadCall(positions=[1], arguments={'words': [['good']], 'tags': [['ADJ']]})
    """

    positions: Sequence[int]
    """The positions of these rows among the rows of the head."""
    arguments: Dict[str, object]


def call_backbone(
    backbone: torch.nn.Module, router: Router, batch: Mapping[str, object], batch_size: int
) -> Result:
    """
    Calls the backbone for the whole batch.

    # Parameters

    backbone : `Backbone`
    router : `Router`
        The router of the backbone.
    batch : `Mapping[str, object]`
        The fields of the batch.
    batch_size : `int`

    # Raises

    `ValueError`
        If only some instances have a field that the backbone takes, or a required argument is
        missing.
    """
    try:
        arguments = select_all(batch, router.bind(tuple(batch)))
    except ValueError:
        if not has_partial(batch):
            raise
        arguments = None  # the error below names the field that only some instances have
    if arguments is None:
        fields = _fields_of_all_rows(router, batch, batch_size)
        binding = router.bind_selected(tuple(fields))
        arguments = {argument: fields[name] for argument, name in binding.items()}
    if router.copies_inputs:
        arguments = {argument: copy_input(value) for argument, value in arguments.items()}
    outputs = backbone(**arguments)
    if type(outputs) is not dict:
        check_outputs(router.component, outputs)
    return outputs, batch_size


def available_to_heads(
    batch: Mapping[str, object], encoded: Mapping[str, object]
) -> Dict[str, object]:
    """
    Returns the values that heads may take: the fields of the batch and the outputs of the backbone.

    # Raises

    `ValueError`
        If a field and an output have the same name, and are not the same object.
    """
    available = {**encoded, **batch}
    if len(available) != len(encoded) + len(batch):
        for name in encoded:
            if name in batch and batch[name] is not encoded[name]:
                raise ValueError(
                    f"The values that heads take must have different names, but got {name!r} both "
                    "as a field of the batch and as an output of the backbone. Rename the field in "
                    "the dataset reader or the output in the backbone."
                )
    return available


def call_head(
    head: torch.nn.Module, router: Router, available: Mapping[str, object], rows: AllRows
) -> Result:
    """
    Calls a head for its rows of a batch.

    A head is called once, unless only some of its rows have a field that it takes. Then it is
    called once for each set of fields: with labels for the rows that have them, and without labels
    for the others. Leaving the labels out for all rows would lose labels, and leaving out the
    unlabeled rows would lose predictions. In each call the arguments are plain tensors.

    # Parameters

    head : `Head`
    router : `Router`
        The router of the head.
    available : `Mapping[str, object]`
        The values that the head may take.
    rows : `AllRows`
        The rows of the head.

    # Returns

    `Tuple[Mapping[str, object], int]`
        The outputs, with one row for each of `rows` in that order, and the number of rows that the
        loss is the mean of.

    # Raises

    `ValueError`
        If some rows lack a required argument, or the outputs of several calls cannot be merged.
    """
    try:
        arguments = rows.select(available, router.bind(tuple(available)))
    except ValueError:
        if not has_partial(available):
            raise
        arguments = None  # fields of other rows are neither missing nor duplicate for these
    if arguments is not None:
        return call_with(head, router, arguments), len(rows)
    calls = _split_by_fields(router, available, rows)
    results = [call_with(head, router, call.arguments) for call in calls]
    if len(calls) == 1:
        return results[0], len(rows)
    with_loss = [len(c.positions) for c, r in zip(calls, results) if r.get(LOSS) is not None]
    merged = merge_outputs(router.component, [call.positions for call in calls], results)
    return merged, sum(with_loss)


def call_heads(
    heads: torch.nn.ModuleDict,
    routers: Mapping[str, Router],
    available: Mapping[str, object],
    rows: Mapping[str, AllRows],
    call: Callable[[torch.nn.Module, Router, Mapping[str, object], AllRows], Result] = call_head,
) -> Dict[str, Result]:
    """
    Calls each head for its rows, by `call`. An error of a head about sizes or labels says which
    head it was.
    """
    check_rows(available, rows)
    results: Dict[str, Result] = {}
    try:
        for name, head_rows in rows.items():
            results[name] = call(heads[name], routers[name], available, head_rows)
    except (RuntimeError, IndexError, ConfigurationError) as error:
        raise_head_error(name, heads[name], routers[name], available, head_rows, error)
    return results


def call_with(
    head: torch.nn.Module, router: Router, arguments: Dict[str, object]
) -> Mapping[str, object]:
    """
    Calls a head with its arguments.

    # Raises

    `ValueError`
        If the head changes one of them in place, or does not return a mapping.
    """
    outputs: Mapping[str, object]
    if router.copies_inputs:
        outputs = head(**{argument: copy_input(value) for argument, value in arguments.items()})
    elif is_compiling():  # the compiler knows no versions
        outputs = head(**arguments)
    else:
        before = versions(arguments)
        outputs = head(**arguments)
        if versions(arguments) != before:
            raise ValueError(changed_in_place(router.component, arguments, before))
    if type(outputs) is not dict:
        check_outputs(router.component, outputs)
    return outputs


def check_outputs(component: str, outputs: object) -> None:
    """
    # Raises

    `ValueError`
        If the outputs of a component are not a mapping.
    """
    if not isinstance(outputs, MappingType):
        raise ValueError(
            f"forward() of {component!r} must return a dictionary of outputs, but got a "
            f"{type(outputs).__name__}. Return {{NAME: VALUE}}."
        )


def _split_by_fields(
    router: Router, available: Mapping[str, object], rows: AllRows
) -> List[HeadCall]:
    """Splits the rows of a head into calls of rows that have the same fields."""
    complete = [name for name, value in available.items() if not isinstance(value, Partial)]
    rows_of = {
        name: set(value.rows)
        for name, value in available.items()
        # `heads` already decided which rows these are.
        if isinstance(value, Partial) and name != "heads" and router.takes(name)
    }
    fields_of_rows = [tuple(name for name in rows_of if i in rows_of[name]) for i in rows.indices]
    calls = []
    for names, positions in group_rows(fields_of_rows).items():
        indices = [rows.indices[position] for position in positions]
        taken = rows if len(indices) == len(rows) else select_rows(indices, rows.batch_size)
        try:
            # Fields of other rows are neither missing nor duplicate for these.
            binding = router.bind_selected((*complete, *names))
        except ValueError as error:
            raise ValueError(f"For {len(indices)} of its {len(rows)} rows, {error}") from error
        arguments = {
            argument: _take(available[name], indices, taken) for argument, name in binding.items()
        }
        calls.append(HeadCall(positions, arguments))
    return calls


def _take(value: object, indices: Sequence[int], rows: AllRows) -> object:
    if isinstance(value, Partial):
        return take_partial(value, indices)
    return value.value if isinstance(value, Whole) else rows.take(value)


def _fields_of_all_rows(
    router: Router, batch: Mapping[str, object], batch_size: int
) -> Dict[str, object]:
    fields: Dict[str, object] = {}
    for name, field in batch.items():
        if not isinstance(field, Partial):
            fields[name] = field.value if isinstance(field, Whole) else field
        elif name != "heads" and router.takes(name):
            raise ValueError(
                "The backbone encodes every instance of a batch, but for its argument "
                f"{router.argument_of(name)!r} only {len(field.rows)} of the {batch_size} "
                f"instances of this batch have the field {name!r}. Keep instances with different "
                f"inputs in "
                "separate batches (a homogeneous scheduler does), give the field the same name in "
                "all readers, or leave it out of the backbone's allowed_arguments."
            )
    return fields


def scalar_losses(
    results: Mapping[str, Result],
) -> Tuple[Dict[str, torch.Tensor], Dict[str, int]]:
    """
    Returns the loss of each component that has one, as a tensor of shape `[]`, and the number of
    rows that each is the mean of.
    """
    losses: Dict[str, torch.Tensor] = {}
    loss_rows: Dict[str, int] = {}
    for component, (outputs, rows) in results.items():
        if LOSS in outputs:
            loss = outputs[LOSS]
            if type(loss) is not torch.Tensor or loss.dim():
                loss = scalar_loss(component, outputs)
            if loss is not None:
                losses[component], loss_rows[component] = loss, rows
    return losses, loss_rows


def scalar_loss(component: str, outputs: Mapping[str, object]) -> Optional[torch.Tensor]:
    """
    Returns the loss among the outputs of a component, if there is one, as a tensor of shape `[]`.

    # Raises

    `ValueError`
        If the loss is not a single number.
    """
    loss = outputs.get(LOSS)
    if isinstance(loss, torch.Tensor):
        if not loss.dim():
            return loss
        if loss.numel() == 1:
            return loss.reshape(())
        found = f"a tensor of shape {list(loss.shape)}"
    elif loss is None:
        return None
    elif isinstance(loss, numbers.Real):
        tensors = (value for value in outputs.values() if isinstance(value, torch.Tensor))
        return torch.tensor(float(loss), device=next((t.device for t in tensors), "cpu"))
    else:
        found = repr(loss)
    raise ValueError(
        f"The loss of {component!r} must be a single number, but got {found}. Reduce it in the "
        "forward() of that component, for example with .mean()."
    )
