"""Edit scripts: every lemma is reconstructed, and similarly inflected words have one script."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multitask_model.data import apply_edit_script, edit_script

# A few letters, so that strings have substrings in common; characters with a meaning in scripts;
# characters whose case changes the length of a string; and all others, with lone surrogates.
CHARACTERS = st.one_of(
    st.sampled_from("abAB,\\+-=0 \n\tßİſΣς"), st.characters(exclude_categories=[])
)
STRINGS = st.text(CHARACTERS, max_size=12)


@pytest.mark.parametrize(
    ("form", "lemma", "script"),
    [
        # Only the case differs.
        ("the", "the", "lower"),
        ("The", "the", "lower"),
        ("THE", "the", "lower"),
        (",", ",", "lower"),
        ("Anna", "Anna", "keep"),
        ("NATO", "NATO", "keep"),
        ("PARIS", "Paris", "capital"),
        ("nato", "NATO", "upper"),
        # For one letter, capital and upper are equal. The first in order is used.
        ("i", "I", "capital"),
        # Ends. The longest common substring is kept; of several, the first.
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
        # A long word.
        pytest.param("s" + "a" * 300, "a" * 300, "lower,start-1", id="long"),
        # No common substring.
        ("went", "go", "lemma=go"),
        ("", "go", "lemma=go"),
        ("go", "", "lemma="),
        ("", "", "lower"),
        # Characters with a meaning in scripts.
        ("a", "a,b", r"lower,end+\2c;b"),
        ("a", "a b\n", r"lower,end+\20;b\a;"),
        ("x", "\\2c;", r"lemma=\5c;2c;"),
        ("a", "a-1+b", "lower,end+-1+b"),
        ("x", "\ud800", r"lemma=\d800;"),
        ("x", "\N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}", r"lemma=\a0;\200b;"),
        # The lower case is longer than the word. Its characters are counted.
        ("İs", "i", "lower,end-2"),
    ],
)
def test_a_word_has_this_script(form: str, lemma: str, script: str) -> None:
    assert edit_script(form, lemma) == script
    assert apply_edit_script(form, script) == lemma


@given(form=STRINGS, lemma=STRINGS)
def test_every_lemma_is_reconstructed_from_printable_characters(form: str, lemma: str) -> None:
    script = edit_script(form, lemma)
    assert apply_edit_script(form, script) == lemma
    assert script.isprintable()
    assert script.split() == [script]


@given(form=STRINGS, script=STRINGS)
def test_any_other_string_keeps_the_word(form: str, script: str) -> None:
    # No script starts with an upper-case letter.
    assert apply_edit_script(form, "X" + script) == form


@pytest.mark.parametrize(
    ("form", "script", "lemma"),
    [
        ("Cats", "lower,end-1", "cat"),
        ("Mies", "lower,end-3+y", "my"),
        # Scripts that remove the entire word, or more.
        ("Ies", "lower,end-3+y", "ies"),
        ("A", "lower,start-2+b", "a"),
        ("Abc", "upper,start-2,end-1", "ABC"),
        ("", "lower,end+s", ""),
        # Strings that are not scripts.
        ("Cats", "@@UNKNOWN@@", "Cats"),
        ("Cats", "", "Cats"),
        ("Cats", "lower,end-x", "Cats"),
        ("Cats", "lower,end-1,start-1", "Cats"),
        ("Cats", "lower,end-1\n", "Cats"),
        # Numbers that are not code points.
        ("Cats", r"lemma=\110000;", r"\110000;"),
        ("Cats", r"lemma=\99999999999999999999;", r"\99999999999999999999;"),
    ],
)
def test_a_script_of_another_word_is_applied_where_possible(
    form: str, script: str, lemma: str
) -> None:
    assert apply_edit_script(form, script) == lemma


@pytest.mark.slow
@pytest.mark.parametrize("letters", ["ab", "abcdefghijklmnopqrstuvwxyz", "a"])
def test_scripts_of_5000_characters_take_a_tenth_of_a_second(letters: str) -> None:
    rng = random.Random(0)
    times = []
    for _ in range(3):
        form, lemma = ("".join(rng.choices(letters, k=5000)) for _ in range(2))
        start = time.process_time()
        script = edit_script(form, f"{lemma}x")
        times.append(time.process_time() - start)
        assert apply_edit_script(form, script) == f"{lemma}x"
    assert min(times) < 0.1
