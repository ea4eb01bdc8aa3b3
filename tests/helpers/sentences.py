"""Sentences in CoNLL-U format, and what is in the instances that readers make of sentences."""

from pathlib import Path
from typing import Any, List

from allennlp.data import Instance

GENRE = {"genre": "newdoc id = ([a-z]+)"}
FIELDS = ["upos_tags", "xpos_tags", "feats", "head_indices", "head_tags", "lemmas"]

# In these sentences, single spaces stand for tabs. The first has a multiword token, the second
# empty nodes and a later part of a split word, which has no lemma.
FIRST = """\
# newdoc id = letter-7
# text = He's bought cars
1-2 He's _ _ _ _ _ _ _ _
1 He he PRON PRP Case=Nom|Number=Sing 3 nsubj _ _
2 's have AUX VBZ _ 3 aux _ _
3 bought buy VERB VBN VerbForm=Part 0 root _ _
4 cars car NOUN NNS Number=Plur 3 obj _ _
"""
SECOND = """\
# text = Any _ with out
0.1 _ _ _ _ _ _ _ _ _
1 Any any PRON DT _ 0 root _ _
1.1 is be AUX VBZ _ _ _ _ _
1.2 so so ADV RB _ _ _ _ _
2 _ _ SYM SYM _ 1 dep _ _
3 with without ADP IN Typo=Yes 1 case _ _
4 out _ X GW _ 3 goeswith _ _
"""
A, B = "1 a a DET DT _ 2 det _ _", "2 b b NOUN NN _ 0 root _ _"
BLANK = " _ _ _ _ _ _ _ _"
"""The columns after FORM in a row without annotation."""


def to_conllu(*sentences: str) -> str:
    """Replaces spaces by tabs, except in comments, and adds the blank lines."""
    return "".join(
        "\n".join(line if line.startswith("#") else line.replace(" ", "\t") for line in lines)
        + "\n\n"
        for lines in (sentence.splitlines() for sentence in sentences)
    )


def write_conllu(folder: Path, *sentences: str) -> Path:
    path = folder / "sentences.conllu"
    path.write_text(to_conllu(*sentences), encoding="utf-8")
    return path


def sentences_of(instances: List[Instance]) -> List[str]:
    """The tokens of each instance, joined by spaces."""
    fields: List[Any] = [instance["text"] for instance in instances]
    return [" ".join(map(str, field.tokens)) for field in fields]


def labels_of(instance: Instance, name: str) -> Any:
    """The label or labels in a field, or `None` if the instance does not have the field."""
    field: Any = instance.fields.get(name)
    return None if field is None else getattr(field, "labels", getattr(field, "label", None))
