"""The `multitask` reader: one reader for each task."""

import copy
from os import PathLike
from typing import Any, Dict, Iterator, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader as AllenNLPMultiTaskDatasetReader
from allennlp.data.dataset_readers.dataset_reader import (
    DatasetReaderInput,
    DistributedInfo,
    WorkerInfo,
)
from allennlp.data.dataset_readers.multitask import _MultitaskDatasetReaderShim
from allennlp.data.fields import MetadataField
from overrides import overrides

from multitask_model.data.dataset_readers.per_task_namespaces import with_per_task_namespaces
from multitask_model.errors import check_known, format_names

TASK = "task"


class WrappedReader(_MultitaskDatasetReaderShim):
    """
    Reads what another reader reads, with a change to each instance, which is made to a copy.

    # Parameters

    inner : `DatasetReader`
        It is told what this one is told of worker processes and of distributed training, and it
        does the sharding.
    head : `str`
        The name of the task; so called by AllenNLP.
    max_instances : `int`, optional (default = `None`)
        In all, however many processes read. The `max_instances` of `inner` holds too.
    """

    def __init__(
        self, inner: DatasetReader, head: str, max_instances: Optional[int] = None
    ) -> None:
        super().__init__(
            inner,
            head,
            max_instances=max_instances,
            manual_distributed_sharding=True,
            manual_multiprocess_sharding=True,
        )

    def change(self, instance: Instance) -> Instance:
        """The instance as it is to be, which must be another one."""
        raise NotImplementedError

    @overrides
    def read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        return DatasetReader.read(self, file_path)

    @overrides
    def _read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        return map(self.change, self.inner.read(file_path))

    def text_to_instance(self, *inputs: Any, **named: Any) -> Instance:
        return self.change(self.inner.text_to_instance(*inputs, **named))

    @overrides
    def _set_distributed_info(self, info: Optional[DistributedInfo]) -> None:
        super()._set_distributed_info(info)
        self.inner._set_distributed_info(info)


class TaskReader(WrappedReader):
    """Puts the name of the task into each instance, as the metadata field `task`."""

    @overrides
    def change(self, instance: Instance) -> Instance:
        if TASK in instance.fields:
            raise ConfigurationError(
                f"Instances must not have a field {TASK!r} of their own, because the multitask "
                f"reader puts the name of the task there, but the reader of {self.head!r} "
                f"({type(self.inner).__name__}) makes a {type(instance.fields[TASK]).__name__} of "
                "that name. Give the field another name."
            )
        changed = copy.copy(instance)
        changed.fields = {**instance.fields, TASK: MetadataField(self.head)}
        return changed


class PerTaskLabelsReader(WrappedReader):
    """
    Puts the labels into vocabulary namespaces of the task's own. Anything else about it is as with
    the reader that it wraps, so that a predictor can take it for that.
    """

    @overrides
    def change(self, instance: Instance) -> Instance:
        return with_per_task_namespaces(instance, self.head)

    @property
    def reader(self) -> DatasetReader:
        return self.inner

    def __getattr__(self, name: str) -> Any:
        if "inner" not in self.__dict__:  # not built yet, as when it is copied or unpickled
            raise AttributeError(name)
        return getattr(self.inner, name)


@DatasetReader.register("multitask", exist_ok=True)
class MultiTaskDatasetReader(AllenNLPMultiTaskDatasetReader):
    """
    A reader for each task. The data loader "multitask" reads with each of them; what they read gets
    a metadata field `task` with the name of the task. A task need not have the name of a head: see
    `task_heads` of `MultiTaskModel`.

    Registered as a `DatasetReader` with name "multitask".

    # Parameters

    readers : `Dict[str, DatasetReader]`
        By the names of the tasks.
    per_task_label_namespaces : `bool`, optional (default = `False`)
        If `True`, the vocabulary namespace of every label is prefixed with its task: `labels` of
        the task `ewt` becomes `ewt_labels`, and `upos_tags` becomes `ewt_upos_tags`. This applies
        to single-label, multi-label and sequence-label fields, also inside a `ListField`. Set the
        `label_namespace` of each head accordingly. By default the namespaces are those of the inner
        readers, so two readers that both write to `labels` share their classes.
    max_instances : `int`, optional (default = `None`)
        Of each task, at most so many are read. In distributed training and with worker processes
        that is the number of all processes together.
    serialization_dir : `str`, optional (default = `None`)
        Set by the `allennlp` command.

    # Raises

    `ConfigurationError`
        While reading, if an instance already has a field `task`.
    """

    def __init__(
        self,
        readers: Dict[str, DatasetReader],
        per_task_label_namespaces: bool = False,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
    ) -> None:
        # Not AllenNLP's own `__init__`, which leaves out that of `DatasetReader`.
        DatasetReader.__init__(
            self,
            max_instances=max_instances,
            manual_distributed_sharding=True,
            manual_multiprocess_sharding=True,
            serialization_dir=serialization_dir,
        )
        self.readers: Dict[str, Any] = {}
        for task, reader in readers.items():
            inner = PerTaskLabelsReader(reader, task) if per_task_label_namespaces else reader
            self.readers[task] = TaskReader(inner, task, max_instances)

    def read(  # type: ignore[override]
        self,
        file_paths: Union[PathLike, str, Dict[str, Union[PathLike, str]]],
        *,
        force_task: Optional[str] = None,
    ) -> Iterator[Instance]:
        """
        # Parameters

        file_paths : `Union[PathLike, str, Dict[str, Union[PathLike, str]]]`
            What the task's reader takes.
        force_task : `str`
            The task whose reader is to read.
        """
        if force_task is None:
            raise RuntimeError(
                "Reading with a multitask reader requires force_task, the task whose reader is to "
                f"read, but it was not given. Give one of {format_names(self.readers)}, or use "
                f"the data "
                "loader 'multitask', which reads the files of all tasks."
            )
        check_known("force_task", "a task that has a reader", [force_task], self.readers)
        return self.readers[force_task].read(file_paths)

    @overrides
    def _set_worker_info(self, info: Optional[WorkerInfo]) -> None:
        super()._set_worker_info(info)
        for reader in self.readers.values():
            reader._set_worker_info(info)

    @overrides
    def _set_distributed_info(self, info: Optional[DistributedInfo]) -> None:
        super()._set_distributed_info(info)
        for reader in self.readers.values():
            reader._set_distributed_info(info)
