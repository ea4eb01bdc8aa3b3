"""Encodings of spans as tags: their validation, and conversion from one to another."""

from typing import Dict, List, Tuple

from allennlp.data.dataset_readers.dataset_utils import bioul_tags_to_spans, to_bioul

from multitask_model.data.dataset_readers.dependency_trees import WordError

IOB1, BIO, BIOUL = "IOB1", "BIO", "BIOUL"
_RULES = {
    IOB1: "'O', 'B-TYPE' or 'I-TYPE'",
    BIO: "'O', 'B-TYPE', or 'I-TYPE' after 'B-TYPE' or 'I-TYPE' of the same type",
    BIOUL: "'O', 'U-TYPE', or 'B-TYPE', any number of 'I-TYPE' and 'L-TYPE', of the same type",
    "BIOES": "'O', 'S-TYPE', or 'B-TYPE', any number of 'I-TYPE' and 'E-TYPE', of the same type",
}
_SAME_AS = {"IOB2": BIO}
SPAN_ENCODINGS = [*_RULES, *_SAME_AS]
"""The names of the encodings. `IOB2` is another name for `BIO`."""

_TO_BIOUL = str.maketrans("ES", "LU")
_FROM_BIOUL = str.maketrans("LU", "ES")


def convert_tags(name: str, tags: List[str], source: str, target: str) -> List[str]:
    """
    Converts tags from one encoding of spans to another.

    # Parameters

    name : `str`
        The name of the label, for error messages.
    tags : `List[str]`
    source : `str`
        The encoding of `tags`, one of `SPAN_ENCODINGS`.
    target : `str`
        The encoding of the result. If it equals `source`, the tags are only validated.

    # Raises

    `WordError`
        If a tag is invalid in the encoding `source`.
    """
    source, target = _SAME_AS.get(source, source), _SAME_AS.get(target, target)
    _validate(name, tags, source)
    if source == target:
        return list(tags)
    if source in (IOB1, BIO):
        bioul = to_bioul(tags, source)
    elif source == BIOUL:
        bioul = tags
    else:
        bioul = [_translate(tag, _TO_BIOUL) for tag in tags]
    if target in (IOB1, BIO):
        return _encode_spans(bioul, is_iob1=target == IOB1)
    return bioul if target == BIOUL else [_translate(tag, _FROM_BIOUL) for tag in bioul]


def _translate(tag: str, letters: Dict[int, int]) -> str:
    return tag[0].translate(letters) + tag[1:]


def _encode_spans(bioul: List[str], is_iob1: bool) -> List[str]:
    tags = ["O"] * len(bioul)
    previous: Tuple[str, int] = ("", -2)
    for kind, (start, end) in bioul_tags_to_spans(bioul):
        # In IOB1, only a span that directly follows one of the same type starts with B.
        first = "I" if is_iob1 and previous != (kind, start - 1) else "B"
        suffix = f"-{kind}" if kind else ""
        tags[start : end + 1] = [first + suffix, *[f"I{suffix}"] * (end - start)]
        previous = (kind, end)
    return tags


def _validate(name: str, tags: List[str], encoding: str) -> None:
    previous = "O"
    for position, tag in enumerate(tags):
        if not _is_valid(tag, encoding) or not _may_follow(tag, previous, encoding):
            found = f"{tag!r} after {previous!r}" if position else f"{tag!r} for the first token"
            raise _error(position, name, encoding, found)
        previous = tag
    if tags and not _may_follow("O", previous, encoding):
        raise _error(len(tags) - 1, name, encoding, f"{previous!r} for the last token")


def _is_valid(tag: str, encoding: str) -> bool:
    """Whether a tag is `O`, or a letter of the encoding, alone or before a hyphen and a type."""
    if tag == "O":
        return True
    letters = encoding.replace("O", "").replace("1", "")
    return bool(tag) and tag[0] in letters and (len(tag) == 1 or (tag[1] == "-" and len(tag) > 2))


def _may_follow(tag: str, previous: str, encoding: str) -> bool:
    if encoding == IOB1:
        return True
    is_inside = previous[0] in "BI"
    if tag[0] in "ILE":
        return is_inside and tag[1:] == previous[1:]
    return not is_inside or encoding == BIO


def _error(position: int, name: str, encoding: str, found: str) -> WordError:
    return WordError(
        position,
        f"The tags {name!r} must be in the encoding {encoding}, {_RULES[encoding]}, but got "
        f"{found}. Correct it, or the reader's label_encodings.",
    )
