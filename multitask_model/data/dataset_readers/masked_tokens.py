"""The `masked_tokens` reader: another reader's instances with some words masked."""

import random
from typing import Any, Iterator, List, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Token
from allennlp.data.dataset_readers.dataset_reader import (
    DatasetReaderInput,
    DistributedInfo,
    WorkerInfo,
)
from allennlp.data.fields import SequenceLabelField, TextField
from overrides import overrides

from multitask_model.errors import format_names, suggest

MASKED_TOKENS = "masked_tokens"
_NOT_MASKED = "@@PADDING@@"  # so that it is padding to a vocabulary too


@DatasetReader.register("masked_tokens")
class MaskedTokensReader(DatasetReader):
    """
    Masks words in the texts of another reader, for the head `masked_language_model`. Each chosen
    word of the text becomes `mask_token` (Devlin et al. 2019 leave one in five of the chosen words
    as they are or put another in their place; here all are masked), and the instance gets a field
    `masked_tokens` with the words that were there, in the vocabulary namespace `masked_tokens`. The
    other fields stay. Which words are masked is drawn when the text is read: a loader that keeps
    its instances in memory shows the same ones in every epoch.

    Texts that come through `text_to_instance`, for prediction, are not masked.

    Registered as a `DatasetReader` with name "masked_tokens".

    # Parameters

    reader : `DatasetReader`
        Its texts have to be of words. For a pretrained transformer that means the token indexer
        `pretrained_transformer_mismatched`.
    probability : `float`, optional (default = `0.15`)
        The share of the words of a text to mask, rounded, and at least one.
    mask_token : `str`, optional (default = `"[MASK]"`)
        A transformer's own for a pretrained transformer; any word for others.
    text_field : `str`, optional (default = `"text"`)
        The name of the field that has the text.
    **kwargs : `Any`
        For `DatasetReader`.

    # Raises

    `ConfigurationError`
        If `probability` is not above 0 and at most 1.
    `ValueError`
        While reading, if an instance has no such text, or one of word pieces.
    """

    def __init__(
        self,
        reader: DatasetReader,
        probability: float = 0.15,
        mask_token: str = "[MASK]",
        text_field: str = "text",
        **kwargs: Any,
    ) -> None:
        # The other reader knows best which instances are for which worker.
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )
        if not 0 < probability <= 1:
            raise ConfigurationError(
                "probability must be the share of words to mask, above 0 and at most 1, but it is "
                f"{probability}. Leave it out for 0.15."
            )
        self.reader = reader
        self._probability = probability
        self._mask_token = mask_token
        self._text_field = text_field

    @overrides
    def _set_worker_info(self, info: Optional[WorkerInfo]) -> None:
        super()._set_worker_info(info)
        self.reader._set_worker_info(info)

    @overrides
    def _set_distributed_info(self, info: Optional[DistributedInfo]) -> None:
        super()._set_distributed_info(info)
        self.reader._set_distributed_info(info)

    @overrides
    def _read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        for instance in self.reader.read(file_path):
            yield self._mask(instance)

    def _mask(self, instance: Instance) -> Instance:
        text = self._text_of(instance)
        count = max(1, round(self._probability * len(text.tokens)))
        chosen = set(random.sample(range(len(text.tokens)), count))
        words = [str(token) for token in text.tokens]
        fields = dict(instance.fields)
        shown: List[Token] = [
            Token(self._mask_token) if index in chosen else token
            for index, token in enumerate(text.tokens)
        ]
        fields[self._text_field] = masked = TextField(shown, text._token_indexers)
        labels = [word if index in chosen else _NOT_MASKED for index, word in enumerate(words)]
        fields[MASKED_TOKENS] = SequenceLabelField(labels, masked, MASKED_TOKENS)
        return Instance(fields)

    def _text_of(self, instance: Instance) -> TextField:
        text = instance.fields.get(self._text_field)
        if not isinstance(text, TextField):
            raise ValueError(
                "An instance to mask must have a text in the reader's text_field "
                f"{self._text_field!r}, but its fields are {format_names(instance.fields)}."
                f"{suggest(self._text_field, instance.fields)} Set text_field."
            )
        if any(getattr(token, "text_id", None) is not None for token in text.tokens):
            raise ValueError(
                "A text to mask must be of words, but this one is of the pieces that the "
                "tokenizer of a pretrained transformer makes. Use a tokenizer of words, and the "
                "token indexer pretrained_transformer_mismatched."
            )
        return text

    def text_to_instance(self, *args: Any, **kwargs: Any) -> Instance:
        """What the other reader makes of it: nothing is masked."""
        return self.reader.text_to_instance(*args, **kwargs)

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        self.reader.apply_token_indexers(instance)
