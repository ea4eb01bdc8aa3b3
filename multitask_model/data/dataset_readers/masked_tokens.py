"""The `masked_tokens` reader: another reader's instances with some words masked."""

from typing import Iterator, List, Optional, cast

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput
from allennlp.data.fields import TextField
from overrides import overrides

from multitask_model.data.dataset_readers.field_names import MASKED_TOKENS, TEXT
from multitask_model.data.dataset_readers.masked_words import (
    DynamicMaskedTokensField,
    MaskedTokensField,
    WordMasker,
)
from multitask_model.data.dataset_readers.process_info import ForwardsProcessInfo
from multitask_model.errors import format_names, suggest


@DatasetReader.register("masked_tokens")
class MaskedTokensReader(ForwardsProcessInfo):
    """
    Masks words in the instances of another reader, for the head `masked_language_model`. Each
    selected word is replaced by `mask_token`. The instance gets the field `masked_tokens` with the
    original words, in the vocabulary namespace `masked_tokens`, and 0 for words that are not
    masked. Its other fields are unaffected. Devlin et al. (2019) keep or randomly replace one in
    five of the selected words instead; here all of them are masked.

    In training, the data loader `multitask` masks other words in each pass over the dataset. The
    words depend on the seed of the data loader, the number of the pass, `seed` and the sentence;
    not on the number or the kind of worker processes. A run that is recovered has the same masks as
    an uninterrupted one. Evaluations, other data loaders and `dynamic=False` use the masks with
    which an instance is read, which depend on `seed` and the sentence only.

    `text_to_instance`, which prediction uses, masks nothing. A sentence without words has no masks.

    Registered as a `DatasetReader` with name "masked_tokens".

    # Parameters

    reader : `DatasetReader`
        Reads the instances. Its tokens must be words. For a pretrained transformer, use the token
        indexer `pretrained_transformer_mismatched`.
    probability : `float`, optional (default = `0.15`)
        The proportion of words to mask in each instance, rounded to at least one word.
    mask_token : `str`, optional (default = `"[MASK]"`)
        For a pretrained transformer, its own mask token; otherwise any word.
    text_field : `str`, optional (default = `"text"`)
        The name of the field with the words.
    dynamic : `bool`, optional (default = `True`)
        Whether to mask other words in each training pass.
    seed : `int`, optional (default = `0`)
        Another seed gives other masks.
    max_instances : `int`, optional (default = `None`)
        As in `DatasetReader`.
    serialization_dir : `str`, optional (default = `None`)
        As in `DatasetReader`.

    # Raises

    `ConfigurationError`
        If `probability` is not greater than 0 and at most 1.
    `ValueError`
        While reading, if an instance has no such text field, or its tokens are word pieces.

    # Examples

    >>> from tempfile import NamedTemporaryFile
    >>> from multitask_model import LabeledJsonlReader
    >>> reader = MaskedTokensReader(LabeledJsonlReader({}), probability=1.0)
    >>> with NamedTemporaryFile("w") as file:
    ...     print('{"text": ["good", "morning"]}', file=file, flush=True)
    ...     (instance,) = reader.read(file.name)
    >>> instance["text"].tokens, instance["masked_tokens"].labels
    ([[MASK], [MASK]], ['good', 'morning'])
    """

    def __init__(
        self,
        reader: DatasetReader,
        probability: float = 0.15,
        mask_token: str = "[MASK]",
        text_field: str = TEXT,
        dynamic: bool = True,
        seed: int = 0,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
    ) -> None:
        # The inner reader does the sharding.
        super().__init__(
            max_instances=max_instances,
            manual_distributed_sharding=True,
            manual_multiprocess_sharding=True,
            serialization_dir=serialization_dir,
        )
        if not 0 < probability <= 1:
            raise ConfigurationError(
                f"probability must be greater than 0 and at most 1, but got {probability}. Leave "
                "it out for 0.15."
            )
        self.reader = reader
        self._masker = WordMasker(probability, mask_token, seed)
        self._dynamic = dynamic
        self._text_field = text_field

    @overrides
    def inner_readers(self) -> List[DatasetReader]:
        return [self.reader]

    @overrides
    def _read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        return map(self._mask, self.reader.read(file_path))

    def _mask(self, instance: Instance) -> Instance:
        tokens = self._text_of(instance).tokens
        fields, is_masked = self._masker.mask(instance.fields, self._text_field, tokens, "")
        kind = DynamicMaskedTokensField if self._dynamic else MaskedTokensField
        text = cast(TextField, fields[self._text_field])
        labels = kind(tokens, is_masked, text, MASKED_TOKENS, self._masker)
        return Instance({**fields, MASKED_TOKENS: labels})

    def _text_of(self, instance: Instance) -> TextField:
        text = instance.fields.get(self._text_field)
        if not isinstance(text, TextField):
            raise ValueError(
                f"text_field must name a text field of every instance, but got "
                f"{self._text_field!r} for the fields {format_names(instance.fields)}."
                f"{suggest(self._text_field, instance.fields)} Set text_field."
            )
        if any(getattr(token, "text_id", None) is not None for token in text.tokens):
            raise ValueError(
                "The tokens to mask must be words, but got word pieces of a pretrained "
                "transformer. Use a word tokenizer and the token indexer "
                "pretrained_transformer_mismatched."
            )
        return text

    def text_to_instance(self, *inputs: object, **named: object) -> Instance:
        """Makes the inner reader's instance, without masks."""
        return self.reader.text_to_instance(*inputs, **named)

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        self.reader.apply_token_indexers(instance)
