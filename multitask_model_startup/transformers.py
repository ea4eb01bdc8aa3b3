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

        type(transformers).AdamW = AdamW  # type: ignore[attr-defined]


def provide_tokenizer_methods() -> None:
    """
    transformers 5 removed `encode_plus`, which AllenNLP's `pretrained_transformer` tokenizer calls,
    and from most tokenizers `build_inputs_with_special_tokens`, which AllenNLP's token indexer
    calls for each segment of a sequence that is longer than `max_length`.
    """
    from transformers import PreTrainedTokenizerBase

    for method in (encode_plus, build_inputs_with_special_tokens):
        if not hasattr(PreTrainedTokenizerBase, method.__name__):
            setattr(PreTrainedTokenizerBase, method.__name__, method)


def encode_plus(
    self: "PreTrainedTokenizerBase", text: str, text_pair: Optional[str] = None, **kwargs: Any
) -> "BatchEncoding":
    """The ids of a text or of a pair of texts. Calling the tokenizer does the same."""
    return self(text, text_pair, **kwargs)


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
