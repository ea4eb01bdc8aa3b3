"""
Tiny tokenizers like those of published transformers, built without a download: a `tokenizer.json`
with the same components around a vocabulary of a few words, and a `tokenizer_config.json` with the
same class and special tokens.
"""

import json
import os
from typing import Any, Callable, Dict, Iterable, List, Tuple, Union

from tokenizers import Regex, Tokenizer, normalizers, processors
from tokenizers.models import BPE, Unigram, WordPiece
from tokenizers.pre_tokenizers import (
    BertPreTokenizer,
    ByteLevel,
    Metaspace,
    Punctuation,
    WhitespaceSplit,
)
from tokenizers.pre_tokenizers import Sequence as PreTokenizers

WORDS = ["the", "cat", "dog", "sat", "ran", "on", "mat", "a", "b", "1", "2", "s", "."]
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", "T", "Z"]

BRACKETS = {
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "unk_token": "[UNK]",
    "mask_token": "[MASK]",
}
ANGLES = {
    "cls_token": "<s>",
    "pad_token": "<pad>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
    "bos_token": "<s>",
    "eos_token": "</s>",
}

Built = Tuple[Tokenizer, Dict[str, Any]]
"""The tokenizer and its config."""


def bert() -> Built:
    """Word pieces of lowercased words."""
    pieces = [*BRACKETS.values(), *WORDS, *(f"##{piece}" for piece in WORDS + LETTERS)]
    tokenizer = Tokenizer(WordPiece(number(pieces), unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = cls_and_sep(tokenizer)
    return tokenizer, {"tokenizer_class": "BertTokenizer", "do_lower_case": True, **BRACKETS}


def roberta() -> Built:
    """Byte pairs. Two separators between texts, and no second type."""
    tokenizer = byte_pairs(ANGLES.values())
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    return tokenizer, {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False, **ANGLES}


def modernbert() -> Built:
    """Byte pairs with the special tokens of BERT. The tokenizer has no class of its own."""
    tokenizer = byte_pairs(BRACKETS.values())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = cls_and_sep(tokenizer)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
    }
    return tokenizer, {**config, **BRACKETS}


def deberta_v2(split_by_punct: bool = True) -> Built:
    """Pieces with scores, separated at punctuation."""
    tokenizer = unigram([*BRACKETS.values()][:4], ["[MASK]"])
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    isolated = [Punctuation("isolated")] if split_by_punct else []
    tokenizer.pre_tokenizer = PreTokenizers([*isolated, Metaspace()])
    tokenizer.post_processor = cls_and_sep(tokenizer)
    config = {"tokenizer_class": "DebertaV2Tokenizer", "split_by_punct": split_by_punct}
    return tokenizer, {**config, "bos_token": "[CLS]", "eos_token": "[SEP]", **BRACKETS}


def deberta_v3() -> Built:
    """Pieces with scores."""
    return deberta_v2(split_by_punct=False)


def xlm_roberta() -> Built:
    """Pieces with scores. Two separators between texts, and no second type."""
    tokenizer = unigram(["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"])
    tokenizer.pre_tokenizer = PreTokenizers([WhitespaceSplit(), Metaspace()])
    tokenizer.post_processor = template(
        tokenizer, single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>"
    )
    return tokenizer, {"tokenizer_class": "XLMRobertaTokenizer", **ANGLES}


def t5() -> Built:
    """Pieces with scores. One special token, at the end."""
    extra = [f"<extra_id_{i}>" for i in range(100)]
    tokenizer = unigram(["<pad>", "</s>", "<unk>"], extra[::-1])
    tokenizer.pre_tokenizer = PreTokenizers([WhitespaceSplit(), Metaspace()])
    tokenizer.post_processor = template(tokenizer, single="$A </s>", pair="$A </s> $B </s>")
    tokens = {key: ANGLES[key] for key in ("pad_token", "eos_token", "unk_token")}
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 100}
    return tokenizer, {**config, "additional_special_tokens": extra, **tokens}


def llama() -> Built:
    """Byte pairs of pieces. One special token, at the start, and none for padding."""
    special = ["<unk>", "<s>", "</s>"]
    symbols = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *LETTERS, *"12."]
    tokenizer = Tokenizer(
        BPE(*merge(symbols, "▁"), unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = Metaspace(prepend_scheme="first", split=False)
    tokenizer.post_processor = template(
        tokenizer, single="<s>:0 $A:0", pair="<s>:0 $A:0 <s>:1 $B:1"
    )
    config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False}
    tokens = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    return tokenizer, {**config, "legacy": False, **tokens}


BUILDERS: Dict[str, Callable[[], Built]] = {
    "bert": bert,
    "roberta": roberta,
    "deberta-v2": deberta_v2,
    "deberta-v3": deberta_v3,
    "xlm-roberta": xlm_roberta,
    "modernbert": modernbert,
    "t5": t5,
    "llama": llama,
}


def make_tiny_tokenizer(name: str, directory: Union[str, "os.PathLike[str]"]) -> str:
    """Writes a tokenizer of `BUILDERS` into a new directory, the `model_name` that is returned."""
    tokenizer, config = BUILDERS[name]()
    special = [value for key, value in config.items() if key in ANGLES]
    tokenizer.add_special_tokens([*dict.fromkeys(special)])
    os.makedirs(directory, exist_ok=True)
    tokenizer.save(os.path.join(directory, "tokenizer.json"))
    model_type = "deberta-v2" if name == "deberta-v3" else name  # v3 has the classes of v2
    for file, content in (
        ("tokenizer_config.json", config),
        ("config.json", {"model_type": model_type}),
    ):
        with open(os.path.join(directory, file), "w", encoding="utf-8") as opened:
            json.dump(content, opened)
    return os.fspath(directory)


def number(pieces: Iterable[str]) -> Dict[str, int]:
    """The ids of the pieces: their positions."""
    return {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}


def merge(symbols: Iterable[str], space: str) -> Tuple[Dict[str, int], List[Tuple[str, str]]]:
    """Ids of symbols and words, with and without a space, and the merges that make the words."""
    ids, merges = number(symbols), []
    for word in [*WORDS, *(space + word for word in WORDS)]:
        for end in range(1, len(word)):
            merges.append((word[:end], word[end]))
            ids.setdefault(word[: end + 1], len(ids))
    return ids, [*dict.fromkeys(merges)]


def byte_pairs(special: Iterable[str]) -> Tokenizer:
    """A tokenizer like that of GPT-2."""
    symbols = [*special, *sorted(ByteLevel.alphabet())]
    tokenizer = Tokenizer(BPE(*merge(symbols, "Ġ")))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return tokenizer


def unigram(special: List[str], last: List[str]) -> Tokenizer:
    """A tokenizer like those that SentencePiece trains. The last of the `special` is for OOV."""
    words = [*(f"▁{word}" for word in WORDS), *WORDS, "▁", *LETTERS]
    scored = [(piece, -1.0 - index) for index, piece in enumerate(dict.fromkeys(words))]
    vocabulary = [*((s, 0.0) for s in special), *scored, *((s, 0.0) for s in last)]
    return Tokenizer(Unigram(vocabulary, unk_id=len(special) - 1))


def cls_and_sep(tokenizer: Tokenizer) -> processors.TemplateProcessing:
    """The special tokens of BERT, with the type 1 for the second text."""
    single = "[CLS]:0 $A:0 [SEP]:0"
    return template(tokenizer, single=single, pair=f"{single} $B:1 [SEP]:1")


def template(tokenizer: Tokenizer, single: str, pair: str) -> processors.TemplateProcessing:
    """The special tokens around a text and around a pair of texts."""
    names = {part.partition(":")[0] for part in pair.split()} - {"$A", "$B"}
    special = [(name, tokenizer.token_to_id(name)) for name in sorted(names)]
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=special)
