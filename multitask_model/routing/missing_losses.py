"""Reports heads that have no loss in training, and fields that reach no component."""

import difflib
import logging
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    Iterable,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

from allennlp.common.util import is_distributed

from multitask_model.compat.torch_internals import map_as_dictionary
from multitask_model.distributed import gather
from multitask_model.errors import format_names, suggest
from multitask_model.routing.arguments import Router
from multitask_model.routing.output_names import BACKBONE, LOSS
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows
from multitask_model.routing.tasks import TaskHeads

logger = logging.getLogger(__name__)

FIRST_BATCHES = 10
"""A head without a loss is reported after it ran in this number of training batches."""

_ROUTING_FIELDS = frozenset({"task", "heads"})


class _HeadRecord:
    """What a head without a loss was called with so far."""

    def __init__(self) -> None:
        self.batches = 0
        self.names: Set[str] = set()
        """The fields of its instances, and the outputs of the backbone."""
        self.untaken: Set[str] = set()
        """The fields of its instances that no component takes."""


class MissingLosses:
    """
    Logs a warning, once, for each head that never had a loss in its first `FIRST_BATCHES` training
    batches, or in its first epoch if that has fewer; and for each source in `arg_name_mapping` that
    is neither a field nor a backbone output once all tasks of the component have been seen.

        >>> import torch
        >>> class Tagger(torch.nn.Module):
        ...     def forward(self, words, tags=None): ...
        >>> modules = {"backbone": torch.nn.ReLU(), "ner": Tagger()}
        >>> routers = {name: Router(name, module) for name, module in modules.items()}
        >>> missing = MissingLosses(TaskHeads(["ner"]), routers)
        >>> print(missing.explain({"task": ["ner"], "words": [["so"]], "tag": [["O"]]}, outputs=[]))
        At least one component must return a loss ... Did you mean 'tag'? Map a field to the
        argument: arg_name_mapping={'ner': {'tag': 'tags'}}.

    # Parameters

    tasks : `TaskHeads`
    routers : `Mapping[str, Router]`
        The routers of all components.
    """

    def __init__(self, tasks: TaskHeads, routers: Mapping[str, Router]) -> None:
        self._tasks = tasks
        self._routers = routers
        self.without_loss = {head: _HeadRecord() for head in tasks.heads}
        """The heads that had no loss so far and were not reported."""
        self.unseen_sources = {name for r in routers.values() for name in r.name_mapping}
        """The sources in `arg_name_mapping` that no batch had so far and that were not reported."""
        self._unseen_tasks = set(tasks.names)
        self._names: Set[str] = set()
        self._batches = 0

    def add_head(self, head: str, tasks: Sequence[str]) -> None:
        """Adds a head that serves `tasks`."""
        self.without_loss[head] = _HeadRecord()
        self.unseen_sources |= set(self._routers[head].name_mapping) - self._names
        self._unseen_tasks.update(tasks)

    def must_record(self, rows: Collection[str]) -> bool:
        """
        Whether a training batch must be recorded: a head that ran had no loss so far, or a source
        was not seen.
        """
        if self.unseen_sources:
            return True
        # `isdisjoint` of a set and not of keys, which the compiler does not know.
        return not set(rows).isdisjoint(self.without_loss)

    def update(
        self,
        batch: Mapping[str, object],
        available: Mapping[str, object],
        rows: Mapping[str, AllRows],
        losses: Collection[str],
    ) -> None:
        """
        Records a training batch for which `must_record` is true.

        # Parameters

        batch : `Mapping[str, object]`
            The fields of the batch.
        available : `Mapping[str, object]`
            These fields and the outputs of the backbone.
        rows : `Mapping[str, AllRows]`
            The rows of each head that ran.
        losses : `Collection[str]`
            The components that had a loss.
        """
        self._record(batch, available, rows, losses)
        if self.unseen_sources:
            self.unseen_sources.difference_update(available)
            self._unseen_tasks.difference_update(batch["task"])  # type: ignore[arg-type]
            self._names.update(available)
            self._batches += 1
            if not is_distributed():  # other processes may have other fields
                self._report_sources(is_end=self._batches >= FIRST_BATCHES)

    def exchange(self, losses: Collection[str]) -> None:
        """
        Gives every process of distributed training what all processes saw in a training epoch.
        `losses` are the components that had a loss in any of them.
        """
        for head in self.without_loss.keys() & set(losses):
            del self.without_loss[head]
        for names, unseen_tasks in gather((self._names, self._unseen_tasks)):
            self._names |= names
            self._unseen_tasks &= unseen_tasks
        self.unseen_sources -= self._names

    def finish_epoch(self) -> None:
        """Reports what was seen in a training epoch, even if it had few batches."""
        for head in [head for head, record in self.without_loss.items() if record.batches]:
            self._report_head(head)
        if self._batches:
            self._report_sources(is_end=True)

    def explain(self, batch: Mapping[str, object], outputs: Collection[str]) -> str:
        """
        Returns the error message for a training batch without any loss.

        # Parameters

        batch : `Mapping[str, object]`
            The fields of the batch.
        outputs : `Collection[str]`
            The names of the backbone's outputs.
        """
        rows = self._tasks.rows(batch)
        tasks = dict.fromkeys(batch["task"])  # type: ignore[call-overload]
        reasons = [self.explain_head(head, repr(head), batch, outputs) for head in rows]
        return (
            "At least one component must return a loss for each training batch, but got none from "
            f"the backbone and the heads {format_names(rows)}, which ran for the tasks "
            f"{format_names(tasks)}. {' '.join(reasons)}"
        )

    def explain_head(
        self, head: str, subject: str, batch: Mapping[str, object], outputs: Collection[str]
    ) -> str:
        """
        Says what a head ran without, and what to do.

        # Parameters

        head : `str`
            A head that has rows in the batch and returned no loss.
        subject : `str`
            The start of the sentence, such as `"It"`.
        batch : `Mapping[str, object]`
            The fields of the batch.
        outputs : `Collection[str]`
            The names of the backbone's outputs.
        """
        rows = self._tasks.rows(batch)
        fields = _fields_of(batch, rows[head])
        untaken = self._untaken(fields, rows, rows[head])
        return _reason(subject, self._routers[head], {*fields, *outputs}, untaken)

    def untaken_fields(self, batch: Mapping[str, object]) -> Set[str]:
        """Returns the fields that neither the backbone nor any head of their instances takes."""
        rows = self._tasks.rows(batch)
        return set.union(*(self._untaken(_fields_of(batch, r), rows, r) for r in rows.values()))

    def _record(
        self,
        batch: Mapping[str, object],
        available: Mapping[str, object],
        rows: Mapping[str, AllRows],
        losses: Collection[str],
    ) -> None:
        for head in rows:
            record = self.without_loss.get(head)
            if record is None:
                continue
            if head in losses:
                del self.without_loss[head]
                continue
            fields = _fields_of(batch, rows[head])
            record.batches += 1
            record.names |= fields | (available.keys() - batch.keys())
            record.untaken |= self._untaken(fields, rows, rows[head])
            if record.batches >= FIRST_BATCHES:
                self._report_head(head)

    def _untaken(self, fields: Set[str], rows: Mapping[str, AllRows], of_head: AllRows) -> Set[str]:
        indices = set(of_head.indices)
        others = [name for name, taken in rows.items() if not indices.isdisjoint(taken.indices)]
        routers = [self._routers[name] for name in (BACKBONE, *others)]
        return {f for f in fields - _ROUTING_FIELDS if not any(r.takes(f) for r in routers)}

    def _report_head(self, head: str) -> None:
        record = self.without_loss.pop(head)
        logger.warning(
            "A head must return a loss to be trained, but got none from %r in its first %d "
            "training batches. %s",
            head,
            record.batches,
            _reason("It", self._routers[head], record.names, record.untaken),
        )

    def _report_sources(self, is_end: bool) -> None:
        """
        Reports unseen sources. Only some instances may have a field, so a source that is not close
        to a known name is reported at the end only.
        """
        for component, router in self._routers.items():
            is_backbone = component == BACKBONE
            tasks = self._tasks.names if is_backbone else self._tasks.tasks_of(component)
            if not self._unseen_tasks.isdisjoint(tasks):
                continue
            for source in sorted(self.unseen_sources.intersection(router.name_mapping)):
                if is_end or suggest(source, self._names):
                    self.unseen_sources.discard(source)
                    self._report_source(component, source)

    def _report_source(self, component: str, source: str) -> None:
        logger.warning("%s", unknown_source(component, source, "training batch", self._names))


class OutputsWithoutLoss(Dict[str, Any]):
    """
    The outputs of a model for a training batch in which no component had a loss. Whoever asks for
    the loss is told why there is none.

        >>> outputs = OutputsWithoutLoss({"ner_tags": [[0]]}, lambda: "No head had a label.")
        >>> "loss" in outputs, outputs.get("loss")
        (False, None)
        >>> outputs["loss"]
        Traceback (most recent call last):
        KeyError: 'No head had a label.'

    # Parameters

    outputs : `Union[Mapping[str, Any], Iterable[Tuple[str, Any]]]`, optional (default = `()`)
        As in `dict`, because PyTorch makes dictionaries of the class of one.
    explain : `Callable[[], str]`, optional (default = `None`)
        Returns the error message.
    """

    def __init__(
        self,
        outputs: Union[Mapping[str, Any], Iterable[Tuple[str, Any]]] = (),
        explain: Optional[Callable[[], str]] = None,
    ) -> None:
        super().__init__(outputs)
        self._explain = explain

    def __missing__(self, name: str) -> Any:
        raise KeyError(self._explain() if name == LOSS and self._explain is not None else name)

    def __reduce__(self) -> Tuple[type, Tuple[Dict[str, Any]]]:
        return dict, (dict(self),)  # copies and pickles are plain dictionaries


map_as_dictionary(OutputsWithoutLoss)


def unknown_source(component: str, source: str, of: str, names: Set[str]) -> str:
    """
    Returns the message for a name in `arg_name_mapping` that is none of the `names` of fields and
    backbone outputs that there were so far. `of` is what has them, such as `"training batch"`.
    """
    return (
        f"arg_name_mapping of {component!r} must map names of fields or backbone outputs, but got "
        f"{source!r}, which no {of} had so far.{suggest(source, names)} The names are "
        f"{format_names(sorted(names - _ROUTING_FIELDS))}."
    )


def _fields_of(batch: Mapping[str, object], rows: AllRows) -> Set[str]:
    """The fields that at least one of the rows has."""
    indices = set(rows.indices)
    return {
        name
        for name, value in batch.items()
        if not isinstance(value, Partial) or not indices.isdisjoint(value.rows)
    }


def _reason(subject: str, router: Router, names: Set[str], untaken: Set[str]) -> str:
    """Says what a head ran without, and what to do."""
    missing = sorted(router.optional_arguments - {router.name_mapping.get(n, n) for n in names})
    if not missing:
        return f"{subject} got all of its arguments: return a 'loss' from its forward()."
    if not untaken:
        return (
            f"{subject} ran without the optional arguments {format_names(missing)}, and components "
            "take all fields of its instances. Add its labels in the dataset reader."
        )
    guess = _closest(router, missing, untaken)
    field, argument = guess or ("FIELD", missing[0])
    return (
        f"{subject} ran without the optional arguments {format_names(missing)}, and no component "
        f"takes the fields {format_names(sorted(untaken))} of its instances."
        f"{f' Did you mean {field!r}?' if guess else ''} Map a field to the argument: "
        f"arg_name_mapping={{{router.component!r}: {{{field!r}: {argument!r}}}}}."
    )


def _closest(
    router: Router, missing: Sequence[str], untaken: Set[str]
) -> Optional[Tuple[str, str]]:
    """The pair of an untaken field and a missing argument that have the closest names."""
    wanted: Dict[str, str] = {s: a for s, a in router.name_mapping.items() if a in missing}
    wanted.update({argument: argument for argument in missing})
    for name, argument in wanted.items():
        matches = difflib.get_close_matches(name, sorted(untaken), n=1)
        if matches:
            return matches[0], argument
    if len(untaken) == len(missing) == 1:
        return next(iter(untaken)), missing[0]
    return None
