"""The longest common substring, compared with that of the standard library."""

from difflib import SequenceMatcher

from hypothesis import given
from hypothesis import strategies as st

from multitask_model.data.dataset_readers.substrings import SuffixAutomaton

STRINGS = st.text("abc", max_size=20)


@given(form=STRINGS, lemma=STRINGS)
def test_the_substring_is_that_of_difflib(form: str, lemma: str) -> None:
    matcher = SequenceMatcher(None, form, lemma, autojunk=False)
    expected = matcher.find_longest_match(0, len(form), 0, len(lemma))
    assert SuffixAutomaton(lemma).longest_common_substring(form) == tuple(expected)


def test_an_automaton_is_used_for_several_strings() -> None:
    automaton = SuffixAutomaton("kaufen")
    assert automaton.longest_common_substring("gekauft") == (2, 0, 4)
    assert automaton.longest_common_substring("") == (0, 0, 0)
    assert automaton.longest_common_substring("xyz") == (0, 0, 0)
    assert automaton.longest_common_substring("en") == (0, 4, 2)
