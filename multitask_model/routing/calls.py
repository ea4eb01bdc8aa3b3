"""Calling the components of a model with what one batch has for them."""

from typing import Any, Dict, Mapping, Tuple

from multitask_model.routing.arguments import Router
from multitask_model.routing.outputs import LOSS
from multitask_model.routing.partial import Partial, merge_outputs, split_by_fields
from multitask_model.routing.rows import AllRows


def fields_of_all_rows(router: Router, batch: Mapping[str, Any]) -> Dict[str, Any]:
    """
    The fields of the batch that every instance has.

    # Raises

    `ValueError`
        If only some of the instances have a field that leads to an argument of the backbone.
    """
    for name, argument in router.named_arguments(batch).items():
        if isinstance(batch[name], Partial):
            raise ValueError(
                "The backbone encodes every instance of a batch, but for its argument "
                f"{argument!r} only {len(batch[name].rows)} of the {len(batch['task'])} instances "
                f"of this batch have the field {name!r}. Keep instances with unlike inputs in "
                "separate batches (a homogeneous scheduler does), or give the field the same name "
                "in all readers."
            )
    return {name: value for name, value in batch.items() if not isinstance(value, Partial)}


def call_in_parts(
    name: str,
    head: Any,
    router: Router,
    available: Mapping[str, Any],
    rows: AllRows,
    batch_size: int,
) -> Tuple[Mapping[str, Any], int]:
    """
    Calls a head for its rows of a batch with fields that only some instances have.

    If the head's rows only partly have such a field, it is called once for each kind of its rows:
    with labels for those that have them and without for the others. The alternatives would be to
    leave the labels out for all, which drops labels, or to leave the unlabelled rows out, which
    drops predictions. The head sees plain tensors either way.

    # Parameters

    name : `str`
    head : `Head`
    router : `Router`
        That of the head.
    available : `Mapping[str, Any]`
        The fields of the batch and the outputs of the backbone.
    rows : `AllRows`
        The rows of the head.
    batch_size : `int`

    # Returns

    `Tuple[Mapping[str, Any], int]`
        What the head returned, in the order of `rows`, and how many of them its loss is for.

    # Raises

    `ValueError`
        If some rows lack a required argument, or the outputs cannot be put together.
    """
    parts = split_by_fields(router, available, rows, batch_size)
    outputs = [head(**part.arguments) for part in parts]
    labelled = [len(p.positions) for p, o in zip(parts, outputs) if o.get(LOSS) is not None]
    return merge_outputs(name, parts, outputs), sum(labelled)
