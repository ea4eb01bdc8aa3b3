"""The `multitask` reader: one dataset reader per task."""

import copy
from typing import Dict, Iterator, List, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader as AllenNLPMultiTaskDatasetReader
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput
from allennlp.data.fields import MetadataField
from overrides import overrides

from multitask_model.compat.allennlp_internals import MultiTaskReaderShim, register_in_place
from multitask_model.data.dataset_readers.field_names import TASK
from multitask_model.data.dataset_readers.per_task_namespaces import prefix_label_namespaces
from multitask_model.data.dataset_readers.process_info import ForwardsProcessInfo
from multitask_model.errors import check_known, format_names
from multitask_model.recorded_config import RecordsConfig


class WrappedReader(ForwardsProcessInfo, MultiTaskReaderShim):
    """
    Base class of readers that transform the instances of another reader, without modifying them.

    # Parameters

    inner : `DatasetReader`
        Reads and shards the instances.
    head : `str`
        The name of the task. AllenNLP calls it `head`.
    max_instances : `int`, optional (default = `None`)
        The number of instances to read, summed over all processes. The `max_instances` of `inner`
        applies too.
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

    def transform(self, instance: Instance) -> Instance:
        """Returns a new instance."""
        raise NotImplementedError

    @overrides
    def inner_readers(self) -> List[DatasetReader]:
        return [self.inner]

    @overrides
    def read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        # The parent class modifies the instances of the inner reader.
        return DatasetReader.read(self, file_path)

    @overrides
    def _read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        return map(self.transform, self.inner.read(file_path))

    def text_to_instance(self, *inputs: object, **named: object) -> Instance:
        return self.transform(self.inner.text_to_instance(*inputs, **named))


class TaskReader(WrappedReader):
    """
    Adds the name of the task to each instance, as the metadata field `task`.

        >>> from multitask_model import LabeledJsonlReader
        >>> reader = TaskReader(LabeledJsonlReader({}), "reviews")
        >>> reader.text_to_instance("So good")["task"].metadata
        'reviews'
    """

    @overrides
    def transform(self, instance: Instance) -> Instance:
        if TASK in instance.fields:
            raise ConfigurationError(
                f"Instances must not have a field {TASK!r}, because the multitask reader adds it "
                f"with the name of the task, but got a {type(instance.fields[TASK]).__name__} of "
                f"that name from the reader of {self.head!r} ({type(self.inner).__name__}). Rename "
                "that field."
            )
        copied = copy.copy(instance)
        copied.fields = {**instance.fields, TASK: MetadataField(self.head)}
        return copied


class PerTaskLabelsReader(WrappedReader):
    """
    Prefixes the vocabulary namespaces of labels with the name of the task. All other attributes are
    those of the inner reader, so that predictors can use this one in its place.

        >>> from multitask_model import LabeledJsonlReader
        >>> reader = PerTaskLabelsReader(LabeledJsonlReader({"tone": "class"}), "reviews")
        >>> print(reader.text_to_instance("So good", tone="nice")["tone"])
        LabelField with label: nice in namespace: 'reviews_tone_labels'.
    """

    @overrides
    def transform(self, instance: Instance) -> Instance:
        return prefix_label_namespaces(instance, self.head)

    @property
    def reader(self) -> DatasetReader:
        return self.inner

    def __getattr__(self, name: str) -> object:
        if "inner" not in self.__dict__:  # while it is being copied or unpickled
            raise AttributeError(name)
        return getattr(self.inner, name)


def _unwrap(reader: DatasetReader) -> DatasetReader:
    """Returns the reader inside one that another multitask reader made to add the field `task`."""
    while isinstance(reader, TaskReader) or type(reader) is MultiTaskReaderShim:
        reader = reader.inner
    return reader


@register_in_place(DatasetReader, "multitask")
class MultiTaskDatasetReader(RecordsConfig, ForwardsProcessInfo, AllenNLPMultiTaskDatasetReader):
    """
    Holds a dataset reader for each task. The data loader "multitask" reads with each of them. Every
    instance gets a metadata field `task` with the name of its task, which need not be the name of a
    head: see `task_heads` of `MultiTaskModel`.

    Registered as a `DatasetReader` with name "multitask".

    # Parameters

    readers : `Dict[str, DatasetReader]`
        The dataset reader of each task. They may be `readers` of another multitask reader, such as
        that of a loaded archive. They keep their prefixes of namespaces, but not the name of their
        task and its `max_instances`.
    per_task_label_namespaces : `bool`, optional (default = `False`)
        If `True`, the vocabulary namespace of every label is prefixed with its task: for the task
        `ewt`, `labels` becomes `ewt_labels`, and `upos_tags` becomes `ewt_upos_tags`. This applies
        to single-label, multi-label and sequence-label fields, including those inside a
        `ListField`. Set the `label_namespace` of each head accordingly. By default the namespaces
        of the readers are kept, so two readers that both use `labels` have the same classes.
    max_instances : `int`, optional (default = `None`)
        The number of instances to read of each task, summed over all worker and distributed
        processes.
    serialization_dir : `str`, optional (default = `None`)
        Set by the `allennlp` command.

    # Raises

    `ConfigurationError`
        While reading, if an instance already has a field `task`.

    # Examples

    >>> from tempfile import NamedTemporaryFile
    >>> from multitask_model import LabeledJsonlReader
    >>> reader = MultiTaskDatasetReader({"reviews": LabeledJsonlReader({"polarity": "class"})})
    >>> with NamedTemporaryFile("w") as file:
    ...     print('{"text": ["Nice"], "polarity": "positive"}', file=file, flush=True)
    ...     (instance,) = reader.read(file.name, force_task="reviews")
    >>> instance["task"].metadata, instance["polarity"].label
    ('reviews', 'positive')
    """

    def __init__(
        self,
        readers: Dict[str, DatasetReader],
        per_task_label_namespaces: bool = False,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
    ) -> None:
        # `__init__` of the parent class does not call that of `DatasetReader`.
        DatasetReader.__init__(
            self,
            max_instances=max_instances,
            manual_distributed_sharding=True,
            manual_multiprocess_sharding=True,
            serialization_dir=serialization_dir,
        )
        self.readers = {}
        for task, reader in readers.items():
            inner = _unwrap(reader)
            if per_task_label_namespaces:
                # The labels of a reader have one prefix, that of the task it now reads.
                while isinstance(inner, PerTaskLabelsReader):
                    inner = inner.inner
                inner = PerTaskLabelsReader(inner, task)
            self.readers[task] = TaskReader(inner, task, max_instances)

    @overrides
    def inner_readers(self) -> List[DatasetReader]:
        return list(self.readers.values())

    def read(
        self, file_paths: DatasetReaderInput, *, force_task: Optional[str] = None
    ) -> Iterator[Instance]:
        """
        # Parameters

        file_paths : `DatasetReaderInput`
            The data of the task, as its reader expects it.
        force_task : `str`
            The task to read.

        # Raises

        `RuntimeError`
            If `force_task` is `None`.
        `ConfigurationError`
            If `force_task` is not a task of this reader.
        """
        if force_task is None:
            raise RuntimeError(
                "Reading with a multitask reader requires force_task, the name of a task, but got "
                f"None. Pass one of {format_names(self.readers)}, or use the data loader "
                "'multitask', which reads all tasks."
            )
        check_known("force_task", "a task that has a reader", [force_task], self.readers)
        return self.readers[force_task].read(file_paths)

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        """
        Sets the token indexers of an instance, as the reader of its task does. An instance without
        a field `task` is left as it is.
        """
        task = getattr(instance.fields.get(TASK), "metadata", None)
        if isinstance(task, str) and task in self.readers:
            self.readers[task].apply_token_indexers(instance)
