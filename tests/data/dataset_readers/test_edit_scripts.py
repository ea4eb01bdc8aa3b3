"""Edit scripts: every lemma comes back, and words that inflect alike share a script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multitask_model.data import apply_edit_script, edit_script

# Few letters, so that there is much in common; special ones of the scripts; case that changes how
# long a string is; and anything else, lone surrogates included.
CHARACTERS = st.one_of(
    st.sampled_from("abAB,\\+-=0 \n\tßİſΣς"), st.characters(exclude_categories=[])
)
STRINGS = st.text(CHARACTERS, max_size=12)


@pytest.mark.parametrize(
    ("form", "lemma", "script"),
    [
        # Nothing but case.
        ("the", "the", "lower"),
        ("The", "the", "lower"),
        ("THE", "the", "lower"),
        (",", ",", "lower"),
        ("Anna", "Anna", "keep"),
        ("NATO", "NATO", "keep"),
        ("PARIS", "Paris", "capital"),
        ("nato", "NATO", "upper"),
        # Of one letter, capital and upper are the same: the first one in order.
        ("i", "I", "capital"),
        # Ends. The letters that stay are the longest run; of equally long ones, the first.
        ("dogs", "dog", "lower,end-1"),
        ("Dogs", "dog", "lower,end-1"),
        ("Annas", "Anna", "keep,end-1"),
        ("cities", "city", "lower,end-3+y"),
        ("go", "gone", "lower,end+ne"),
        ("abcab", "ab", "lower,end-3"),
        # Starts, and both.
        ("unseen", "seen", "lower,start-2"),
        ("seen", "unseen", "lower,start+un"),
        ("gekauft", "kaufen", "lower,start-2,end-1+en"),
        # However long the word is.
        pytest.param("s" + "a" * 300, "a" * 300, "lower,start-1", id="long"),
        # Nothing that stays.
        ("went", "go", "lemma=go"),
        ("", "go", "lemma=go"),
        ("go", "", "lemma="),
        ("", "", "lower"),
        # What the scripts themselves are written with.
        ("a", "a,b", r"lower,end+\2c;b"),
        ("a", "a b\n", r"lower,end+\20;b\a;"),
        ("x", "\\2c;", r"lemma=\5c;2c;"),
        ("a", "a-1+b", "lower,end+-1+b"),
        ("x", "\ud800", r"lemma=\d800;"),
        ("x", "\N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}", r"lemma=\a0;\200b;"),
        # Lower case is longer than the word: it is counted in the characters after that.
        ("İs", "i", "lower,end-2"),
    ],
)
def test_the_script_of_a_word(form: str, lemma: str, script: str) -> None:
    assert edit_script(form, lemma) == script
    assert apply_edit_script(form, script) == lemma


@given(form=STRINGS, lemma=STRINGS)
def test_every_lemma_comes_back_from_a_script_of_printable_characters(
    form: str, lemma: str
) -> None:
    script = edit_script(form, lemma)
    assert apply_edit_script(form, script) == lemma
    assert script.isprintable()
    assert script.split() == [script]


@given(form=STRINGS, script=STRINGS)
def test_any_other_string_leaves_the_word_as_it_is(form: str, script: str) -> None:
    # Upper case is never the start of a script.
    assert apply_edit_script(form, "X" + script) == form


@pytest.mark.parametrize(
    ("form", "script", "lemma"),
    [
        ("Cats", "lower,end-1", "cat"),
        ("Mies", "lower,end-3+y", "my"),
        # As much as there is, or more.
        ("Ies", "lower,end-3+y", "ies"),
        ("A", "lower,start-2+b", "a"),
        ("Abc", "upper,start-2,end-1", "ABC"),
        ("", "lower,end+s", ""),
        # No scripts.
        ("Cats", "@@UNKNOWN@@", "Cats"),
        ("Cats", "", "Cats"),
        ("Cats", "lower,end-x", "Cats"),
        ("Cats", "lower,end-1,start-1", "Cats"),
        ("Cats", "lower,end-1\n", "Cats"),
        # No character has that number.
        ("Cats", r"lemma=\110000;", r"\110000;"),
        ("Cats", r"lemma=\99999999999999999999;", r"\99999999999999999999;"),
    ],
)
def test_scripts_that_were_made_for_other_words(form: str, script: str, lemma: str) -> None:
    assert apply_edit_script(form, script) == lemma
