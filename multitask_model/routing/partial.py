"""Values that only some rows of a batch have."""

from typing import Mapping, NamedTuple, Tuple


class Partial(NamedTuple):
    """
    A field, or an output, that only some rows of a batch have. It is a named tuple because
    AllenNLP's `move_to_device`, and other functions that traverse or copy a batch, handle named
    tuples.

        >>> label = Partial([4, 7], rows=(0, 2))
        >>> label.value, label.rows
        ([4, 7], (0, 2))

    # Parameters

    value : `object`
        The value of a batch of those rows alone.
    rows : `Tuple[int, ...]`
        The rows that have the value, in ascending order.
    """

    value: object
    rows: Tuple[int, ...]


class Whole(NamedTuple):
    """
    A value that belongs to the batch and not to its rows, such as class weights or the last hidden
    state of an LSTM, of shape (layers, B, D). Heads get `value` as it is.

    A backbone returns `{"class_weights": Whole(weights)}`; a reader's own field may return one from
    `batch_tensors`. Without the mark, a value whose first dimension happens to be the batch size
    would be split into rows.

        >>> Whole([0.2, 0.8]).value
        [0.2, 0.8]

    # Parameters

    value : `object`
    """

    value: object


def has_partial(values: Mapping[str, object]) -> bool:
    """Whether only some rows have one of the values."""
    return Partial in map(type, values.values())
