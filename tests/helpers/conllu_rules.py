"""
The rules for a CoNLL-U file that do not depend on the language: those of the levels 1 and 2 of the
validator of Universal Dependencies, for files without multiword tokens and empty nodes.
"""

import re
import unicodedata
from typing import List

import conllu

UPOS_TAGS = """
ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X
"""
FEATS = re.compile(r"_|[A-Z][A-Za-z0-9]*=[A-Z0-9][A-Za-z0-9]*(\|[A-Z]\w*=[A-Z0-9]\w*)*")
RELATION = re.compile(r"[a-z]+(:[a-z]+)*")


def violations(text: str) -> List[str]:
    """Returns the rules that a file breaks."""
    found = _of_file(text)
    sent_ids: List[str] = []
    for sentence, block in zip(conllu.parse(text), text.split("\n\n")):
        found += _of_lines(block) + _of_words(sentence) + _of_tree(sentence)
        sent_ids.append(sentence.metadata.get("sent_id", ""))
    if "" in sent_ids or len(set(sent_ids)) < len(sent_ids):
        found.append(f"sent_id must be there and unique: {sent_ids}")
    return found


def _of_file(text: str) -> List[str]:
    found = []
    if not text.endswith("\n\n") or text.endswith("\n\n\n"):
        found.append("every sentence must end with exactly one blank line")
    if text != unicodedata.normalize("NFC", text):
        found.append("the text must be in Unicode's form NFC")
    return found


def _of_lines(block: str) -> List[str]:
    found = []
    rows = [line for line in block.split("\n") if not line.startswith("#")]
    for number, row in enumerate(rows, start=1):
        cells = row.split("\t")
        if len(cells) != 10 or cells[0] != str(number):
            found.append(f"a row must have 10 columns and the next id: {row!r}")
        for index, cell in enumerate(cells):
            allows_spaces = index in (1, 2)
            has_bad_space = cell != " ".join(cell.split()) or (" " in cell and not allows_spaces)
            if not cell or has_bad_space:
                found.append(f"a cell must have no extra whitespace: {row!r}")
    return found


def _of_words(sentence: conllu.TokenList) -> List[str]:
    found, text = [], ""
    for token in sentence:
        misc = token["misc"] or {}
        text += token["form"] + ("" if misc.get("SpaceAfter") == "No" else " ")
        feats = "|".join(f"{k}={v}" for k, v in (token["feats"] or {}).items()) or "_"
        if token["upos"] not in UPOS_TAGS.split() or not FEATS.fullmatch(feats):
            found.append(f"UPOS or FEATS is unknown: {token!r}")
    if sentence.metadata.get("text") != text.rstrip(" "):
        found.append(f"text must be that of the words: {sentence.metadata}")
    return found


def _of_tree(sentence: conllu.TokenList) -> List[str]:
    heads = {token["id"]: token["head"] for token in sentence}
    found = []
    if sorted(heads.values()).count(0) != 1:
        found.append(f"a sentence must have one root: {heads}")
    for token in sentence:
        if (token["head"] == 0) != (token["deprel"] == "root"):
            found.append(f"the relation of the root, and no other, must be root: {token!r}")
        if not RELATION.fullmatch(token["deprel"]):
            found.append(f"a relation must be in lower case: {token!r}")
        seen, word = set(), token["id"]
        while word and word not in seen:
            seen.add(word)
            word = heads[word]
        if word:
            found.append(f"heads must have no cycle: {heads}")
    return found
