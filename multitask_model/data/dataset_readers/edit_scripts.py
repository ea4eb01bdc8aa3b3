"""
Edit scripts: what turns a word into its lemma, as a class that a tagger can predict.

The idea is that of Chrupała (2006, "Simple data-driven context-sensitive lemmatization"), and the
split into a casing and the edits around the longest common substring that of Straka (2018, "UDPipe
2.0 prototype at CoNLL 2018 UD shared task", section 4.4). Unlike there, the word's case is changed
before it is edited and the edits keep case, so that every lemma, of whatever characters, comes back
as it was.
"""

import re
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Callable, Dict, Tuple

_CASINGS: Dict[str, Callable[[str], str]] = {
    # Of casings that serve equally well the first is taken: so `run` and `Run` share a script.
    "lower": str.lower,
    "keep": str,
    "capital": lambda form: form[:1].upper() + form[1:].lower(),
    "upper": str.upper,
}
_WHOLE = "lemma="
_EDIT = r"(?:-([0-9]+))?(?:\+([^,]*))?"
_SCRIPT = re.compile(rf"({'|'.join(_CASINGS)})(?:,start{_EDIT})?(?:,end{_EDIT})?")
_ESCAPED = re.compile(r"\\((?:10)?[0-9a-f]{1,4}|[0-9a-f]{1,5});")  # up to what Unicode has


@lru_cache(maxsize=2**16)  # Most words of a text are ones that were there before.
def edit_script(form: str, lemma: str) -> str:
    r"""
    The script that turns a word into its lemma: what to do about its case, how many characters to
    take from its start and its end, and what to put there instead.

    | word | lemma | script |
    | --- | --- | --- |
    | `Dogs` | `dog` | `lower,end-1` |
    | `PARIS` | `Paris` | `capital` |
    | `gekauft` | `kaufen` | `lower,start-2,end-1+en` |
    | `went` | `go` | `lemma=go`, because nothing of the word is left |

    A script has no whitespace and nothing unprintable in it. Such characters, the comma and the
    backslash are written as `\HEX;`, with the number that Unicode has for them.

    # Parameters

    form : `str`
        The word as it stands in the text.
    lemma : `str`

    # Returns

    `str`
        So that `apply_edit_script(form, edit_script(form, lemma)) == lemma`, for any strings.
    """
    candidates = [_cost_and_script(name, case(form), lemma) for name, case in _CASINGS.items()]
    return min(candidates, key=lambda candidate: candidate[0])[1]


def apply_edit_script(form: str, script: str) -> str:
    """
    The lemma that a script makes of a word, such as one that a tagger predicted for it.

    # Parameters

    form : `str`
        The word as it stands in the text.
    script : `str`
        As `edit_script` writes it.

    # Returns

    `str`
        If the script would leave nothing of the word, because it was made for a longer one: the
        word with its case changed as the script says. If `script` is not a script at all, such as
        the unknown entry of a vocabulary: the word as it is. A prediction may be wrong, so neither
        is an error.
    """
    if script.startswith(_WHOLE):
        return _unescape(script[len(_WHOLE) :])
    match = _SCRIPT.fullmatch(script)
    if match is None:
        return form
    casing, cut_start, before, cut_end, after = match.groups(default="")
    cased = _CASINGS[casing](form)
    start, end = int(cut_start or 0), len(cased) - int(cut_end or 0)
    if start >= end:
        return cased
    return _unescape(before) + cased[start:end] + _unescape(after)


def _cost_and_script(casing: str, cased: str, lemma: str) -> Tuple[int, str]:
    """How many characters the script takes away or adds, and the script."""
    if cased == lemma:
        return 0, casing
    matcher = SequenceMatcher(None, cased, lemma, autojunk=False)
    in_form, in_lemma, size = matcher.find_longest_match(0, len(cased), 0, len(lemma))
    cost = len(cased) + len(lemma) - 2 * size
    if size == 0:
        return cost, _WHOLE + _escape(lemma)
    start = _edit("start", in_form, lemma[:in_lemma])
    end = _edit("end", len(cased) - in_form - size, lemma[in_lemma + size :])
    return cost, casing + start + end


def _edit(where: str, cut: int, added: str) -> str:
    if not cut and not added:
        return ""
    return f",{where}" + (f"-{cut}" if cut else "") + (f"+{_escape(added)}" if added else "")


def _escape(text: str) -> str:
    return "".join(f"\\{ord(c):x};" if _is_special(c) else c for c in text)


def _is_special(character: str) -> bool:
    return character in ",\\" or character.isspace() or not character.isprintable()


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)
