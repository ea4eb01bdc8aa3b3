"""The comments of CoNLL-U files: labels of sentences, and the names of columns."""

import re
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.data import ConlluReader
from tests.helpers.sentences import GENRE, A, B, labels_of, sentences_of, write_conllu


def test_a_label_applies_up_to_the_next_one_or_the_next_document(tmp_path: Path) -> None:
    word = "1 a a DET DT _ 0 root _ _\n"
    path = write_conllu(
        tmp_path,
        word,
        f"#  newdoc id = letter1 \n# mood = glad\n{word}",
        word,
        f"# mood = sad\n# my mood = none\n{word}",
        # The order of the comments of a sentence does not matter.
        f"# mood = calm\n# newdoc id = 12\n{word}",
        f"# newdocument = no\n{word}",
        f"# newdoc\n{word}",
    )
    reader = ConlluReader(sentence_labels={**GENRE, "mood": "^mood = (.*)"})
    assert [(labels_of(i, "genre"), labels_of(i, "mood")) for i in reader.read(path)] == [
        (None, None),
        ("letter", "glad"),
        ("letter", "glad"),
        ("letter", "sad"),
        (None, "calm"),
        (None, "calm"),
        (None, None),
    ]


def test_an_empty_label_is_an_error(tmp_path: Path) -> None:
    path = write_conllu(tmp_path, f"{A}\n{B}", f"# x\n# mood =\n{A}\n{B}", f"{A}\n{B}")
    message = (
        f"{path}, line 5: The group of the regular expression for 'mood' must match at least one "
        "character, but got '' in the comment 'mood ='. Correct the comment, or the reader's "
        "sentence_labels."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(ConlluReader(sentence_labels={"mood": "mood =(.*)"}).read(path))


@pytest.mark.parametrize("name", ["text", "task", "heads", "lemmas"])
def test_the_name_of_another_field_is_an_error(name: str) -> None:
    message = (
        f"sentence_labels must not use the name of another field, but got {name!r}. Choose a name "
        "that is not in ['text', 'task', 'heads', 'upos_tags', 'xpos_tags', 'feats', "
        "'head_indices', 'head_tags', 'lemmas']."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        ConlluReader(fields=[], sentence_labels={name: "(x)"})


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("newdoc", "0 groups"),
        ("(a)(b)", "2 groups"),
        ("(a", "invalid: missing ), unterminated subpattern at position 0"),
    ],
)
def test_an_invalid_regular_expression_is_an_error(pattern: str, problem: str) -> None:
    message = (
        "sentence_labels must be regular expressions with exactly 1 group, which matches the "
        f"label, but got {pattern!r} for 'genre' ({problem}). Correct it, and write a group that "
        "is not the label as (?:...)."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        ConlluReader(sentence_labels={"genre": pattern})


def test_the_standard_columns_may_be_declared(tmp_path: Path) -> None:
    comment = "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC\n"
    path = write_conllu(tmp_path, f"{comment}{A}\n{B}")
    assert sentences_of(list(ConlluReader().read(path))) == ["a b"]


def test_other_columns_are_an_error(tmp_path: Path) -> None:
    declared = f"# x\n# global.columns = ID FORM UPOS\n{A}\n{B}"
    path = write_conllu(tmp_path, f"{A}\n{B}", declared, f"{A}\n{B}")
    message = (
        f"{path}, line 5: The columns must be ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC, "
        "but got 'global.columns = ID FORM UPOS'. Convert the file from CoNLL-U Plus to CoNLL-U."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(ConlluReader(sentence_labels={"mood": "mood =(.*)"}).read(path))
