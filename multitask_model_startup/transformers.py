"""Names that AllenNLP imports or calls and that transformers 4.50 and 5 removed."""

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, List, Optional

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase


def provide_adamw() -> None:
    """
    transformers 4.50 removed `transformers.AdamW`, from which AllenNLP derives the optimizer
    `huggingface_adamw` when it is imported. The class is set on the class of the module, because
    transformers replaces the module itself while its submodules are imported.
    """
    import transformers

    if not hasattr(transformers, "AdamW"):
        from multitask_model_startup.adamw import AdamW

        module_class: Any = type(transformers)
        module_class.AdamW = AdamW


def provide_encode_plus() -> None:
    """
    transformers 5 removed the method `encode_plus` of tokenizers, which AllenNLP calls to tokenize.
    """
    from transformers import PreTrainedTokenizerBase

    if not hasattr(PreTrainedTokenizerBase, "encode_plus"):
        tokenizer_class: Any = PreTrainedTokenizerBase
        tokenizer_class.encode_plus = encode_plus


def provide_build_inputs_with_special_tokens() -> None:
    """
    AllenNLP's token indexer calls `build_inputs_with_special_tokens` for each segment of a sequence
    that is longer than `max_length`. transformers 5 removed the method. Up to 4.57 a fast tokenizer
    without a class of its own, such as that of ModernBERT, has it but adds no special tokens, which
    AllenNLP reports as an `AssertionError`.
    """
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

    name = "build_inputs_with_special_tokens"
    if getattr(PreTrainedTokenizerFast, name, None) is getattr(PreTrainedTokenizerBase, name, None):
        setattr(PreTrainedTokenizerFast, name, build_inputs_with_special_tokens)


def encode_plus(
    self: "PreTrainedTokenizerBase", text: str, text_pair: Optional[str] = None, **kwargs: Any
) -> "BatchEncoding":
    """The ids of a text or of a pair of texts. Calling the tokenizer does the same."""
    encoded: BatchEncoding = self(text, text_pair, **kwargs)
    return encoded


def build_inputs_with_special_tokens(
    self: "PreTrainedTokenizerBase",
    token_ids_0: List[int],
    token_ids_1: Optional[List[int]] = None,
) -> List[int]:
    """Adds the special tokens to ids without them, at the places that they have around a text."""
    texts = ("a",) if token_ids_1 is None else ("a", "a")
    template = self(*texts)
    ids: List[int] = []
    # Special tokens belong to the sequence `None`, those of the texts to the sequences 0 and 1.
    for sequence, tokens in groupby(
        zip(template.sequence_ids(), template["input_ids"]), key=itemgetter(0)
    ):
        if sequence is None:
            ids.extend(token_id for _, token_id in tokens)
        else:
            ids.extend([token_ids_0, token_ids_1 or []][sequence])
    return ids
