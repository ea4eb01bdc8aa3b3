"""
Edit scripts: how to turn a word into its lemma, as a class that a tagger can predict.

The idea is from Chrupała (2006, "Simple data-driven context-sensitive lemmatization"). The split
into a casing and edits around the longest common substring is from Straka (2018, "UDPipe 2.0
prototype at CoNLL 2018 UD shared task", section 4.4). In contrast to Straka, the case of the word
is changed before the edits, and the edits are case-sensitive, so every lemma can be reconstructed
exactly.
"""

import re
from functools import lru_cache
from typing import Callable, Dict, Tuple

from multitask_model.data.dataset_readers.substrings import SuffixAutomaton

_CASINGS: Dict[str, Callable[[str], str]] = {
    # The first of several equally good casings is used, so that `run` and `Run` have one script.
    "lower": str.lower,
    "keep": str,
    "capital": lambda form: form[:1].upper() + form[1:].lower(),
    "upper": str.upper,
}
_REPLACE = "lemma="
_EDIT = r"(?:-([0-9]+))?(?:\+([^,]*))?"
_SCRIPT = re.compile(rf"({'|'.join(_CASINGS)})(?:,start{_EDIT})?(?:,end{_EDIT})?")
_ESCAPED = re.compile(r"\\((?:10)?[0-9a-f]{1,4}|[0-9a-f]{1,5});")  # up to U+10FFFF


@lru_cache(maxsize=2**16)  # Most words of a corpus are repeated.
def edit_script(form: str, lemma: str) -> str:
    r"""
    Returns the script that turns a word into its lemma: how to change its case, how many characters
    to remove from its start and its end, and what to add there.

    | word | lemma | script |
    | --- | --- | --- |
    | `Dogs` | `dog` | `lower,end-1` |
    | `PARIS` | `Paris` | `capital` |
    | `gekauft` | `kaufen` | `lower,start-2,end-1+en` |
    | `went` | `go` | `lemma=go`, because they have no characters in common |

    A script has no whitespace and only printable characters. Whitespace, unprintable characters,
    commas and backslashes are written as `\HEX;`, where `HEX` is the code point.

    # Parameters

    form : `str`
        The word as it appears in the text.
    lemma : `str`

    # Returns

    `str`
        A script with `apply_edit_script(form, edit_script(form, lemma)) == lemma`. This holds for
        any two strings.

    # Examples

    >>> edit_script("Cities", "city")
    'lower,end-3+y'
    """
    for name, case in _CASINGS.items():
        if case(form) == lemma:
            return name
    automaton = SuffixAutomaton(lemma)
    candidates = [_cost_and_script(name, case(form), automaton) for name, case in _CASINGS.items()]
    return min(candidates, key=lambda candidate: candidate[0])[1]


def apply_edit_script(form: str, script: str) -> str:
    """
    Returns the lemma of a word according to a script, which may be a tagger's prediction. A wrong
    prediction is not an error.

    # Parameters

    form : `str`
        The word as it appears in the text.
    script : `str`
        A script in the format of `edit_script`.

    # Returns

    `str`
        If the script removes all characters of the word, the word with the script's casing. If
        `script` is not a script, such as the OOV entry of a vocabulary, the word itself.

    # Examples

    >>> apply_edit_script("Parties", "lower,end-3+y")
    'party'
    """
    if script.startswith(_REPLACE):
        return _unescape(script[len(_REPLACE) :])
    match = _SCRIPT.fullmatch(script)
    if match is None:
        return form
    casing, cut_start, prefix, cut_end, suffix = match.groups(default="")
    cased = _CASINGS[casing](form)
    start, end = int(cut_start or 0), len(cased) - int(cut_end or 0)
    if start >= end:
        return cased
    return _unescape(prefix) + cased[start:end] + _unescape(suffix)


def _cost_and_script(casing: str, cased: str, automaton: SuffixAutomaton) -> Tuple[int, str]:
    """Returns the number of characters that the script removes or adds, and the script."""
    lemma = automaton.text
    in_form, in_lemma, size = automaton.longest_common_substring(cased)
    cost = len(cased) + len(lemma) - 2 * size
    if size == 0:
        return cost, _REPLACE + _escape(lemma)
    start = _format_edit("start", in_form, lemma[:in_lemma])
    end = _format_edit("end", len(cased) - in_form - size, lemma[in_lemma + size :])
    return cost, casing + start + end


def _format_edit(place: str, removed: int, added: str) -> str:
    if not removed and not added:
        return ""
    removal = f"-{removed}" if removed else ""
    addition = f"+{_escape(added)}" if added else ""
    return f",{place}{removal}{addition}"


def _escape(text: str) -> str:
    return "".join(f"\\{ord(c):x};" if _is_special(c) else c for c in text)


def _is_special(character: str) -> bool:
    return character in ",\\" or character.isspace() or not character.isprintable()


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)
