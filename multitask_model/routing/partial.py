"""Values that only some rows of a batch have."""

from typing import Mapping, NamedTuple, Sequence, Tuple

from multitask_model.routing.rows import select_rows


class Partial(NamedTuple):
    """
    A field, or an output, that only some rows of a batch have. It is a named tuple because
    AllenNLP's `move_to_device`, and other functions that traverse or copy a batch, handle named
    tuples.

        >>> label = Partial([4, 7], rows=(0, 2))
        >>> label.take([2])
        [7]

    # Parameters

    value : `object`
        The value of a batch of those rows alone.
    rows : `Tuple[int, ...]`
        The rows that have the value, in ascending order.
    """

    value: object
    rows: Tuple[int, ...]

    def take(self, indices: Sequence[int]) -> object:
        """Returns the value of the rows `indices`, all of which must be among `rows`."""
        position = {row: i for i, row in enumerate(self.rows)}
        return select_rows([position[i] for i in indices], len(self.rows)).take(self.value)


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


_MARKS = frozenset({Partial, Whole})


def has_marks(values: Mapping[str, object]) -> bool:
    """Whether one of the values is `Partial` or `Whole`."""
    return not _MARKS.isdisjoint(map(type, values.values()))
