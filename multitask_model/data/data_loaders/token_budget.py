"""Batches of a limited number of tokens."""

import logging
import math
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, cast

from allennlp.data import Instance
from allennlp.data.fields import MetadataField

from multitask_model.data.data_loaders.instance_streams import InstanceRef
from multitask_model.data.data_loaders.padding_ratio import field_lengths

logger = logging.getLogger(__name__)


class TokenBudget:
    """
    Limits the tokens of a batch, with padding: the number of its instances times the length of the
    longest. The length of an instance is the number of tokens in its fields.

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
        The sequence fields whose lengths are summed.
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
        longest, limit = 0, math.inf
        for task, ref in refs:
            length, limit_of_task = self._length(task, ref), self._max_tokens.get(task, math.inf)
            longest, limit = max(longest, length), min(limit, limit_of_task)
            if len(batch) == batch_size or (batch and (len(batch) + 1) * longest > limit):
                yield batch
                batch, longest, limit = [], length, limit_of_task
            batch.append(ref)
        if batch:
            yield batch

    def _length(self, task: str, ref: InstanceRef) -> int:
        length = sum(field_lengths(self._get_instance(ref), self._fields).values())
        limit = self._max_tokens.get(task, math.inf)
        if length > limit and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "max_tokens should be at least the length of the longest instance, but got %d for "
                "%r, which has an instance of %d tokens. Each of these is a batch of its own.",
                limit,
                task,
                length,
            )
        return length
