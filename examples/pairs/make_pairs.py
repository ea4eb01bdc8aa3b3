"""
Make pairs of English captions with an entailment label and a similarity from 1 to 5.

The form of the data is that of SICK (M. Marelli et al., "A SICK cure for the evaluation of
compositional distributional semantic models", LREC 2014), whose pairs are captions of pictures and
edited versions of them. These captions are from a grammar with about 140 words, and the labels
follow from the edits, so the task is easier than SICK: nobody rated the pairs, and nearly all
words of the test set are in the training set. No caption and no pair is in two of the files.

    python examples/pairs/make_pairs.py OUTPUT_FOLDER

writes `train.jsonl`, `validation.jsonl` and `test.jsonl`. A line is `{"text": ..., "text_pair":
..., "entailment": ..., "similarity": ...}`, where `text` entails `text_pair`, contradicts it or is
neutral to it.
"""

import argparse
import dataclasses
import json
import random
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

SIZES = {"train": 4500, "validation": 500, "test": 4900}

# A word, a synonym and a more general word.
SUBJECTS = {
    "man": ("guy", "person"),
    "woman": ("lady", "person"),
    "boy": ("lad", "child"),
    "girl": ("lass", "child"),
    "doctor": ("physician", "person"),
    "policeman": ("cop", "person"),
    "chef": ("cook", "person"),
    "teacher": ("instructor", "person"),
    "infant": ("baby", "child"),
    "athlete": ("sportsman", "person"),
    "dog": ("hound", "animal"),
    "cat": ("kitty", "animal"),
    "rabbit": ("bunny", "animal"),
    "pony": ("horse", "animal"),
    "monkey": ("ape", "animal"),
}
OBJECTS = {
    "tomato": ("", "vegetable"),
    "carrot": ("", "vegetable"),
    "onion": ("", "vegetable"),
    "potato": ("", "vegetable"),
    "apple": ("", "fruit"),
    "banana": ("", "fruit"),
    "melon": ("", "fruit"),
    "guitar": ("", "instrument"),
    "violin": ("fiddle", "instrument"),
    "piano": ("", "instrument"),
    "flute": ("", "instrument"),
    "car": ("automobile", "vehicle"),
    "bicycle": ("bike", "vehicle"),
    "motorcycle": ("motorbike", "vehicle"),
    "truck": ("lorry", "vehicle"),
    "sofa": ("couch", "furniture"),
    "chair": ("", "furniture"),
    "desk": ("", "furniture"),
    "jacket": ("coat", "garment"),
    "hat": ("cap", "garment"),
    "shirt": ("", "garment"),
    "ball": ("", "toy"),
    "doll": ("", "toy"),
    "kite": ("", "toy"),
}
# A verb, a synonym, and the kinds of objects that it takes.
VERBS = {
    "slicing": ("cutting", ("vegetable", "fruit")),
    "devouring": ("eating", ("vegetable", "fruit")),
    "rinsing": ("washing", ("vegetable", "fruit", "vehicle", "garment")),
    "playing": ("practicing", ("instrument",)),
    "fixing": ("repairing", ("instrument", "vehicle", "furniture", "toy")),
    "driving": ("steering", ("vehicle",)),
    "pushing": ("shoving", ("vehicle", "furniture", "toy")),
    "purchasing": ("buying", ("vegetable", "fruit", "instrument", "furniture", "garment", "toy")),
    "tossing": ("throwing", ("fruit", "garment", "toy")),
    "carrying": ("holding", ("instrument", "furniture", "garment", "toy", "vegetable")),
}
PARTICIPLES = {
    **{"slicing": "sliced", "cutting": "cut", "devouring": "devoured", "eating": "eaten"},
    **{"rinsing": "rinsed", "washing": "washed", "playing": "played", "practicing": "practiced"},
    **{"fixing": "fixed", "repairing": "repaired", "driving": "driven", "steering": "steered"},
    **{"pushing": "pushed", "shoving": "shoved", "purchasing": "purchased", "buying": "bought"},
    **{"tossing": "tossed", "throwing": "thrown", "carrying": "carried", "holding": "held"},
}
ANTONYMS = {"young": "old", "tall": "short", "happy": "sad", "clean": "dirty", "fat": "thin"}
ANTONYMS.update({opposite: word for word, opposite in ANTONYMS.items()})
ROOMS = ["kitchen", "garage", "office", "shop", "garden", "park", "street", "yard", "forest"]

# How a word of one caption relates to that of another. The numbers are what such a difference
# subtracts from the similarity of 5.
SAME, GENERAL, SPECIFIC, OPPOSITE, OTHER = "same", "general", "specific", "opposite", "other"
COSTS = {SAME: 0.2, GENERAL: 0.6, SPECIFIC: 0.6, OPPOSITE: 1.2, OTHER: 1.5}
NOISE = 0.3  # standard deviation, for the disagreement of people who rate such pairs
UNRELATED = 0.15  # the proportion of pairs of two independent captions
FLIPPED = {GENERAL: SPECIFIC, SPECIFIC: GENERAL}


@dataclasses.dataclass(frozen=True)
class Caption:
    """A picture of a subject that does something with an object."""

    subject: str
    verb: str
    object: str
    adjective: str = ""
    place: str = ""
    voice: str = "active"
    negation: str = ""

    def __str__(self) -> str:
        subject = f"{self.adjective} {self.subject}".strip()
        place = f" in the {self.place}" if self.place else ""
        if self.negation == "no":
            return f"There is no {subject} {self.verb} {_a(self.object)}{place}"
        negation = f" {self.negation}".rstrip()
        if self.voice == "passive":
            done = f"being {PARTICIPLES[self.verb]} by {_a(subject)}"
            return f"{_a(self.object)} is{negation} {done}{place}".capitalize()
        return f"{_a(subject)} is{negation} {self.verb} {_a(self.object)}{place}".capitalize()


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class Pair(NamedTuple):
    text: str
    text_pair: str
    entailment: str
    similarity: float


def random_caption(rng: random.Random) -> Caption:
    verb = rng.choice(list(VERBS))
    return Caption(
        subject=rng.choice(list(SUBJECTS)),
        verb=verb,
        object=rng.choice([noun for noun in OBJECTS if OBJECTS[noun][1] in VERBS[verb][1]]),
        adjective=rng.choice(["", *ANTONYMS]),
        place=rng.choice(["", *ROOMS]),
        voice=rng.choice([*["active"] * 4, "passive"]),
        negation=rng.choice([*[""] * 5, "not", "no"]),
    )


def edits(caption: Caption, rng: random.Random) -> List[Tuple[str, str]]:
    """Edits of a random caption: a field and its new value."""
    subject, object_ = SUBJECTS[caption.subject], OBJECTS[caption.object]
    siblings = [noun for noun in OBJECTS if OBJECTS[noun][1] == object_[1]]
    found = [
        *[("subject", word) for word in (*subject, rng.choice(list(SUBJECTS)))],
        *[("object", word) for word in (*object_, *rng.sample(siblings, 2)) if word],
        ("verb", VERBS[caption.verb][0]),
        ("voice", "active" if caption.voice == "passive" else "passive"),
        *[("adjective", ""), ("place", "")],
        *[("negation", "" if caption.negation else word) for word in ("not", "no")],
    ]
    if caption.adjective:
        found.append(("adjective", ANTONYMS[caption.adjective]))
    return found


def relations_between(caption: Caption, edited: Caption) -> List[str]:
    """How the event of the edited caption relates to that of the original, where they differ."""
    fields = ("subject", "verb", "object", "adjective", "place", "voice")
    values = [(field, getattr(caption, field), getattr(edited, field)) for field in fields]
    return [_relation(field, old, new) for field, old, new in values if old != new]


def _relation(field: str, old: str, new: str) -> str:
    synonym, general = {**SUBJECTS, **OBJECTS}.get(old, (VERBS.get(old, ("",))[0], ""))
    if new == ANTONYMS.get(old):
        return OPPOSITE
    if new in ("", general):
        return GENERAL
    if field == "voice" or new == synonym:
        return SAME
    return SPECIFIC if not old else OTHER


def label(relations: Sequence[str], is_negated: bool, pair_is_negated: bool) -> str:
    """The label of a text and a text_pair whose events have these relations."""
    if OTHER in relations:
        return "neutral"
    if is_negated != pair_is_negated:
        # The contradiction of an event is that it, or a more general event, does not happen.
        neutral = GENERAL if is_negated else SPECIFIC
        return "neutral" if {neutral, OPPOSITE}.intersection(relations) else "contradiction"
    if OPPOSITE in relations:
        return "neutral" if is_negated else "contradiction"
    neutral = GENERAL if is_negated else SPECIFIC
    return "neutral" if neutral in relations else "entailment"


def make_pair(rng: random.Random) -> Optional[Pair]:
    """A caption and an edited version of it, in either order. `None` if the edits cancel out."""
    caption = edited = random_caption(rng)
    if rng.random() < UNRELATED:
        edited = random_caption(rng)
    else:
        for field, value in rng.sample(edits(caption, rng), rng.choice([1, 2, 2, 3])):
            edited = dataclasses.replace(edited, **{field: value})
    relations, captions = relations_between(caption, edited), [caption, edited]
    if rng.random() < 0.5:
        captions.reverse()
        relations = [FLIPPED.get(relation, relation) for relation in relations]
    (text, is_negated), (text_pair, pair_is_negated) = (
        (str(c), c.negation != "") for c in captions
    )
    costs = sum(map(COSTS.__getitem__, relations)) + COSTS[OPPOSITE] * (
        is_negated != pair_is_negated
    )
    similarity = round(min(max(5 - costs + rng.gauss(0, NOISE), 1.0), 5.0), 1)
    pair = Pair(text, text_pair, label(relations, is_negated, pair_is_negated), similarity)
    return None if text == text_pair else pair


def make_splits(sizes: Dict[str, int], seed: int = 0) -> Dict[str, List[Pair]]:
    """Pairs of different captions: no caption is in two pairs."""
    rng = random.Random(seed)
    seen: Set[object] = set()
    splits: Dict[str, List[Pair]] = {name: [] for name in sizes}
    for name, size in sizes.items():
        while len(splits[name]) < size:
            pair = make_pair(rng)
            if pair is not None and seen.isdisjoint(pair[:2]):
                seen.update(pair[:2])
                splits[name].append(pair)
    return splits


def main() -> None:
    parser = argparse.ArgumentParser(description="Make pairs of captions with two labels.")
    parser.add_argument("output_folder", type=Path)
    folder = parser.parse_args().output_folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, pairs in make_splits(SIZES).items():
        path = folder / f"{name}.jsonl"
        lines = "".join(json.dumps(pair._asdict()) + "\n" for pair in pairs)
        path.write_text(lines, encoding="utf-8")
        print(f"{len(pairs):6} lines in {path}")


if __name__ == "__main__":
    main()
