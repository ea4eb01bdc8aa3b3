"""The base class of readers of texts with any number of labels."""

from typing import Any, Dict, List, Mapping, Optional, Tuple, Union, cast

from allennlp.common.checks import ConfigurationError
from allennlp.data import Field, Instance, TokenIndexer, Tokenizer
from allennlp.data.fields import MetadataField, TextField
from overrides import overrides

from multitask_model.data.dataset_readers.field_names import HEADS, TEXT, TEXT_PAIR
from multitask_model.data.dataset_readers.label_namespaces import resolve_label_namespaces
from multitask_model.data.dataset_readers.label_types import LABEL_TYPES, NUMBER
from multitask_model.data.dataset_readers.text_keys import TextKeys
from multitask_model.data.dataset_readers.text_reader import TextReader
from multitask_model.errors import check_known, format_value

_LABEL_ADVICE = "Correct it, leave it out, or change its type in the reader's labels."


class LabeledTextReader(TextReader):
    """
    Base class of readers of records: mappings that have a text, or a pair of texts, and any number
    of labels.

        >>> reader = LabeledTextReader({"polarity": "class", "stars": "number"}, text_key="review")
        >>> instance = reader.record_to_instance({"review": "So good!", "stars": 5})
        >>> instance["text"].tokens, instance["stars"].tensor
        ([So, good, !], tensor(5.))

    # Parameters

    As those of `LabeledJsonlReader`.
    """

    def __init__(
        self,
        labels: Dict[str, str],
        tokenizer: Optional[Tokenizer] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        text_key: str = TEXT,
        max_tokens: Optional[int] = None,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
        text_pair_key: Optional[str] = None,
        label_namespaces: Optional[Dict[str, str]] = None,
    ) -> None:
        super().__init__(tokenizer, token_indexers, max_instances, serialization_dir)
        for key, label_type in labels.items():
            check_known("labels", f"a label type for the key {key!r}", [label_type], LABEL_TYPES)
        self._text_keys = TextKeys(text_key, text_pair_key, labels)
        if max_tokens is not None and max_tokens < 1:
            raise ConfigurationError(
                f"max_tokens must be at least 1, but got {max_tokens}. Leave it out to keep all "
                "tokens."
            )
        self._labels = {key: LABEL_TYPES[label_type] for key, label_type in labels.items()}
        classes = [key for key, label_type in self._labels.items() if label_type is not NUMBER]
        self._namespaces = resolve_label_namespaces(classes, label_namespaces)
        self._text_key = text_key
        self._max_tokens = max_tokens

    def record_to_instance(self, record: Mapping[str, Any]) -> Instance:
        """
        Makes an instance of a record, whose keys are those of the file.

        # Raises

        `ValueError`
            If the record has no text, or a label is not of its type.
        """
        text, text_pair = self._text_keys.of_record(record)
        labels = {key: record[key] for key in self._labels if key in record}
        return self.text_to_instance(text, record.get(HEADS), text_pair, **labels)

    def text_to_instance(  # type: ignore[override]
        self,
        text: Union[str, List[str], Tuple[()]] = (),
        heads: Optional[List[str]] = None,
        text_pair: Union[str, List[str], None] = None,
        **labels: object,
    ) -> Instance:
        """
        # Parameters

        text : `Union[str, List[str]]`
            A string, or its tokens. Required unless `labels` has the `text_key`.
        heads : `List[str]`, optional (default = all heads of the task)
            The heads of the task that serve this instance.
        text_pair : `Union[str, List[str]]`
            The second text. Required if the reader has a `text_pair_key`, and otherwise ignored.
        **labels : `object`
            Labels by their keys, as in a line of a file, and texts by the reader's `text_key` and
            `text_pair_key`, which take precedence. Other keys are ignored.

        # Returns

        `Instance`
            With the field `text`, the field `text_pair` if the reader has a `text_pair_key`, and a
            field for each label that is not `None`.

        # Raises

        `ValueError`
            If there is no text, it has no tokens, or a label is not of its type.
        """
        first, second = self._text_keys.of_inputs(text, text_pair, labels)
        tokens = self.tokenize(first)
        text_field = TextField(tokens[: self._max_tokens])
        fields: Dict[str, Field[Any]] = {TEXT: text_field}
        if self._text_keys.has_pair:
            pair = self.tokenize(second, TEXT_PAIR)
            fields[TEXT_PAIR] = TextField(pair[: self._max_tokens])
        for key, label_type in self._labels.items():
            if labels.get(key) is not None:
                label = label_type.validate(key, labels[key], len(tokens), _LABEL_ADVICE)
                fields[key] = label_type.field(label, text_field, self._namespaces.get(key, ""))
        instance = Instance(fields)
        if heads is not None:
            instance.add_field(HEADS, MetadataField(_validate_heads(heads)))
        return instance

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        super().apply_token_indexers(instance)
        if TEXT_PAIR in instance.fields:
            cast(TextField, instance.fields[TEXT_PAIR]).token_indexers = self._token_indexers


def _validate_heads(heads: object) -> List[str]:
    if not isinstance(heads, list) or not all(isinstance(head, str) for head in heads):
        raise ValueError(
            f"The key {HEADS!r} must be a list of head names, but got {format_value(heads)}. "
            "Correct it, or leave it out for all heads of the task."
        )
    return heads
