"""Selection of words to mask, and the field with the words that are masked."""

import random
from typing import Dict, List, NamedTuple, Sequence, Tuple, cast

from allennlp.data import Token, Vocabulary
from allennlp.data.fields import SequenceLabelField, TextField
from overrides import overrides

from multitask_model.compat.allennlp_internals import label_namespace, token_indexers
from multitask_model.data.pass_fields import (
    AnyField,
    ChangesEachPass,
    Fields,
    follow_sequence,
    sequence_candidates,
)

NOT_MASKED = "@@PADDING@@"
"""Stands for a word that is not masked. Its index is 0, whatever the padding token."""


class WordMasker(NamedTuple):
    """
    Masks words.

        >>> tokens = [Token("what"), Token("a"), Token("nice"), Token("day")]
        >>> masker = WordMasker(probability=0.5, mask_token="[MASK]", seed=0)
        >>> fields, is_masked = masker.mask({"text": TextField(tokens)}, "text", tokens, label="")
        >>> fields["text"].tokens, is_masked
        ([[MASK], a, nice, [MASK]], [True, False, False, True])

    # Parameters

    probability : `float`
        The proportion of words to mask, rounded to at least one word.
    mask_token : `str`
        Replaces each masked word.
    seed : `int`
    """

    probability: float
    mask_token: str
    seed: int

    def select(self, tokens: Sequence[Token], label: str) -> List[bool]:
        """
        Returns whether each word is masked: a function of the seed, the label and the words. Other
        data, such as the order in which instances are read, and in which process, has no effect.
        """
        if not tokens:
            return []
        words = "\n".join(map(str, tokens))
        count = max(1, round(self.probability * len(tokens)))
        rng = random.Random(f"{self.seed}/{label}/{words}")
        selected = set(rng.sample(range(len(tokens)), count))
        return [index in selected for index in range(len(tokens))]

    def mask(
        self, fields: Fields, text_field: str, tokens: List[Token], label: str
    ) -> Tuple[Dict[str, AnyField], List[bool]]:
        """
        Returns the fields of an instance with masked words in its text, and which words are masked.
        Fields that label the words refer to the new text.

        # Parameters

        fields : `Mapping[str, Field]`
        text_field : `str`
            The name of the text, which may be masked already.
        tokens : `List[Token]`
            The tokens of the text before masking.
        label : `str`
            Texts have different masks for different labels.
        """
        text = cast(TextField, fields[text_field])
        is_masked = self.select(tokens, label)
        replaced = [Token(self.mask_token) if m else token for token, m in zip(tokens, is_masked)]
        masked = TextField(replaced, token_indexers(text))
        others = {name: follow_sequence(field, text, masked) for name, field in fields.items()}
        return {**others, text_field: masked}, is_masked


class MaskedTokensField(SequenceLabelField):
    """
    The words of a sequence that are masked. Other words have the index 0.

        >>> tokens, text = [Token("nice"), Token("day")], TextField([Token("[MASK]"), Token("day")])
        >>> masker = WordMasker(probability=0.5, mask_token="[MASK]", seed=0)
        >>> field = MaskedTokensField(tokens, [True, False], text, "masked_tokens", masker)
        >>> field.masked_tokens, field.labels
        ([nice], ['nice', '@@PADDING@@'])

    # Parameters

    tokens : `List[Token]`
        The tokens before masking.
    is_masked : `List[bool]`
    sequence_field : `TextField`
        The text after masking.
    namespace : `str`
        The vocabulary namespace of the words.
    masker : `WordMasker`
    """

    __slots__ = ["is_masked", "masker", "tokens"]

    def __init__(
        self,
        tokens: List[Token],
        is_masked: List[bool],
        sequence_field: TextField,
        namespace: str,
        masker: WordMasker,
    ) -> None:
        labels = [str(token) if m else NOT_MASKED for token, m in zip(tokens, is_masked)]
        super().__init__(labels, sequence_field, namespace)
        self.tokens = tokens
        self.is_masked = is_masked
        self.masker = masker

    @property
    def namespace(self) -> str:
        """The vocabulary namespace, which the multitask reader may have prefixed."""
        namespace = label_namespace(self)
        assert namespace is not None
        return namespace

    @property
    def masked_tokens(self) -> List[Token]:
        """The tokens that are masked."""
        return [token for token, is_masked in zip(self.tokens, self.is_masked) if is_masked]

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        for token in self.masked_tokens:
            counter[self.namespace][str(token)] += 1

    @overrides
    def index(self, vocab: Vocabulary) -> None:
        namespace = self.namespace
        self._indexed_labels = [
            vocab.get_token_index(label, namespace) if is_masked else 0
            for label, is_masked in zip(cast(List[str], self.labels), self.is_masked)
        ]


class DynamicMaskedTokensField(MaskedTokensField, ChangesEachPass):
    """
    A `MaskedTokensField` with other masked words in each training pass.

        >>> tokens, text = [Token("nice"), Token("day")], TextField([Token("[MASK]"), Token("day")])
        >>> masker = WordMasker(probability=0.5, mask_token="[MASK]", seed=0)
        >>> field = DynamicMaskedTokensField(tokens, [True, False], text, "masked_tokens", masker)
        >>> fields = {"text": text, "masked_tokens": field}
        >>> [field.at_pass(fields, label)["text"].tokens for label in ("7/0", "7/1")]
        [[nice, [MASK]], [[MASK], day]]
    """

    __slots__ = ()

    @overrides
    def at_pass(self, fields: Fields, label: str) -> Dict[str, AnyField]:
        texts = sequence_candidates(self, fields)
        if not texts:
            return dict(fields)  # another reader has removed the text
        (name,) = (key for key, field in fields.items() if field is self)
        masked, is_masked = self.masker.mask(fields, texts[0], self.tokens, label)
        text = cast(TextField, masked[texts[0]])
        labels = type(self)(self.tokens, is_masked, text, self.namespace, self.masker)
        return {**masked, name: labels}

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        """Counts all words, because each will be masked, and unmasked, in some pass."""
        for token in self.tokens:
            counter[self.namespace][str(token)] += 1
        indexers = token_indexers(self.sequence_field)
        if indexers is not None:
            TextField(self.masked_tokens, indexers).count_vocab_items(counter)
