"""Batches of a limited number of tokens."""

import logging
import math
from collections import Counter
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    cast,
)

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.fields import MetadataField

from multitask_model.data.data_loaders.instance_streams import InstanceRef
from multitask_model.data.data_loaders.padding_ratio import field_lengths
from multitask_model.errors import format_names

logger = logging.getLogger(__name__)


class TokenBudget:
    """
    Limits the tokens of a batch, with padding: for each field, the number of instances that have it
    times the length of the longest.

        >>> from multitask_model import LabeledJsonlReader
        >>> reader = LabeledJsonlReader({})
        >>> texts = [reader.text_to_instance(text) for text in ("So good", "Hi", "Oh no no", "Oh")]
        >>> budget = TokenBudget({"tweets": 4}, get_instance=lambda instance: instance)
        >>> [len(batch) for batch in budget.split("tweets", texts, batch_size=32)]
        [2, 1, 1]

    # Parameters

    max_tokens : `Mapping[str, int]`
        The limit of each task. Tasks without one are not limited.
    get_instance : `Callable[[InstanceRef], Instance]`
        Returns the instance of a reference.
    fields : `Sequence[str]`, optional (default = all text fields)
        The sequence fields that count.
    """

    def __init__(
        self,
        max_tokens: Mapping[str, int],
        get_instance: Callable[[InstanceRef], Instance],
        fields: Optional[Sequence[str]] = None,
    ) -> None:
        self._max_tokens = max_tokens
        self._get_instance = get_instance
        self._fields = fields
        self._has_warned = False

    def split(
        self, task: str, refs: Iterable[InstanceRef], batch_size: int
    ) -> Iterator[List[InstanceRef]]:
        """
        Yields batches of consecutive instances of a task: as many as the limit allows, up to
        `batch_size`. An instance that is longer than the limit is a batch of its own.
        """
        return self._split(((task, ref) for ref in refs), batch_size)

    def split_mixed(self, batch: Sequence[InstanceRef]) -> Iterator[List[InstanceRef]]:
        """
        Splits a batch of any tasks. The smallest limit of the tasks in a batch holds for it.
        """
        return self._split(((self._task(ref), ref) for ref in batch), len(batch))

    def _task(self, ref: InstanceRef) -> str:
        if isinstance(ref, tuple):
            return ref[0]
        return str(cast("MetadataField[Any]", ref.fields["task"]).metadata)

    def _split(
        self, refs: Iterable[Tuple[str, InstanceRef]], batch_size: int
    ) -> Iterator[List[InstanceRef]]:
        batch: List[InstanceRef] = []
        size, limit = _PaddedSize(), math.inf
        for task, ref in refs:
            lengths, limit_of_task = self._lengths(task, ref), self._max_tokens.get(task, math.inf)
            limit = min(limit, limit_of_task)
            if batch and (len(batch) == batch_size or size.add(lengths) > limit):
                yield batch
                batch, size, limit = [], _PaddedSize(), limit_of_task
            if not batch:
                size.add(lengths)
            batch.append(ref)
        if batch:
            yield batch

    def _lengths(self, task: str, ref: InstanceRef) -> Dict[str, int]:
        lengths = field_lengths(self._get_instance(ref), self._fields)
        length, limit = sum(lengths.values()), self._max_tokens.get(task, math.inf)
        if length > limit and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "max_tokens should be at least the length of the longest instance, but got %d for "
                "%r, which has an instance of %d tokens. Each of these is a batch of its own.",
                limit,
                task,
                length,
            )
        return lengths


class _PaddedSize:
    """The number of tokens of a batch, with padding."""

    def __init__(self) -> None:
        self._instances: Dict[str, int] = Counter()
        self._longest: Dict[str, int] = {}

    def add(self, lengths: Mapping[str, int]) -> int:
        """Adds an instance with these lengths of its fields, and returns the number of tokens."""
        for name, length in lengths.items():
            self._instances[name] += 1
            self._longest[name] = max(length, self._longest.get(name, 0))
        return sum(self._instances[name] * longest for name, longest in self._longest.items())


def check_has_tokens(
    max_tokens: Mapping[str, int],
    examples: Mapping[str, Optional[Instance]],
    fields: Optional[Sequence[str]],
) -> None:
    """
    Checks that the instances of each task with a limit have fields whose tokens count.

    # Parameters

    max_tokens : `Mapping[str, int]`
    examples : `Mapping[str, Optional[Instance]]`
        An instance of each task; `None` if this process has none.
    fields : `Optional[Sequence[str]]`
        As of `TokenBudget`.

    # Raises

    `ConfigurationError`
        If they have none.
    """
    for task in max_tokens:
        example = examples[task]
        if example is not None and not field_lengths(example, fields):
            raise ConfigurationError(
                "max_tokens requires instances with a text field, or sorting_keys that name other "
                f"sequence fields, but got instances of {task!r} with the fields "
                f"{format_names(example.fields)}. Add sorting_keys, or remove max_tokens for "
                f"{task!r}."
            )
