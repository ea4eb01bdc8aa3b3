"""The base class of dataset readers that read one sentence or document per instance."""

import logging
from typing import Dict, Iterable, Iterator, List, Optional, cast

from allennlp.common.util import is_distributed
from allennlp.data import DatasetReader, Instance, Token, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from overrides import overrides

from multitask_model.data.dataset_readers.field_names import TEXT
from multitask_model.data.punctuation_tokenizer import PunctuationTokenizer
from multitask_model.errors import format_names, format_value

logger = logging.getLogger(__name__)


class TextReader(DatasetReader):
    """
    Base class of dataset readers whose instances have a `TextField` named `text`. A subclass calls
    `shard_iterable` in its `_read`.

        >>> reader = TextReader()
        >>> reader.tokenize("What a day!"), reader.tokenize(["New York", "now"])
        ([What, a, day, !], [New York, now])

    # Parameters

    tokenizer : `Tokenizer`, optional (default = `PunctuationTokenizer()`)
        Tokenizes strings. `"spacy"` requires one of spaCy's language models.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`)
    max_instances : `int`, optional (default = `None`)
        As in `DatasetReader`.
    serialization_dir : `str`, optional (default = `None`)
        As in `DatasetReader`.
    """

    def __init__(
        self,
        tokenizer: Optional[Tokenizer] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
    ) -> None:
        super().__init__(
            max_instances=max_instances,
            manual_distributed_sharding=True,
            manual_multiprocess_sharding=True,
            serialization_dir=serialization_dir,
        )
        self._tokenizer = tokenizer or PunctuationTokenizer()
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}

    def tokenize(self, text: object, name: str = TEXT) -> List[Token]:
        """
        Tokenizes a string, or takes the items of a list of strings as the tokens. `name` is for
        error messages.

        # Raises

        `ValueError`
            If `text` is neither a string nor a list of non-empty strings, or has no tokens.
        """
        tokens: List[Token] = []
        if isinstance(text, str):
            tokens = self._tokenizer.tokenize(text)
        elif isinstance(text, list) and all(isinstance(token, str) and token for token in text):
            tokens = [Token(token) for token in text]
        if not tokens:
            raise ValueError(
                f"The {name} must be a string or a list of non-empty strings, with at least one "
                f"token, but got {format_value(text)}. Correct it, or remove it from the data."
            )
        return tokens

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        cast(TextField, instance.fields[TEXT]).token_indexers = self._token_indexers


def warn_about_missing_fields(
    instances: Iterable[Instance], fields: Iterable[str], file_path: PathOrStr, advice: str
) -> Iterator[Instance]:
    """
    Yields the instances. Then logs a warning with the names in `fields` that no instance had. There
    is no warning if there were no instances, and none in distributed training, where each process
    reads a part of them.

    # Parameters

    instances : `Iterable[Instance]`
        The instances read from one file.
    fields : `Iterable[str]`
        The names of the fields that the reader was asked to read.
    file_path : `PathOrStr`
        The file, for the warning.
    advice : `str`
        What to check, as the end of a sentence.
    """
    missing, is_empty = set(fields), True
    for instance in instances:
        missing.difference_update(instance.fields)
        is_empty = False
        yield instance
    if missing and not is_empty and not is_distributed():
        logger.warning(
            "No instance read from %s has the fields %s. If this is unexpected, %s.",
            file_path,
            format_names(sorted(missing)),
            advice,
        )
