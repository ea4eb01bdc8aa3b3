"""The `conllu` reader: what becomes of each column and comment, and of malformed files."""

import gzip
import logging
import re
from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo
from allennlp.data.token_indexers import TokenCharactersIndexer
from allennlp.data.tokenizers import LettersDigitsTokenizer, WhitespaceTokenizer

from multitask_model.data import ConlluReader, apply_edit_script
from multitask_model.data.dataset_readers import conllu

GENRE = {"genre": "newdoc id = ([a-z]+)"}
FIELDS = ["upos_tags", "xpos_tags", "feats", "head_indices", "head_tags", "lemmas"]
# Written with single spaces for the tabs. The first has a multiword token, the second empty nodes
# and a part of a split word, which has no lemma.
FIRST = """\
# newdoc id = letter-7
# text = He's bought cars
1-2 He's _ _ _ _ _ _ _ _
1 He he PRON PRP Case=Nom|Number=Sing 3 nsubj _ _
2 's have AUX VBZ _ 3 aux _ _
3 bought buy VERB VBN VerbForm=HeadCall 0 root _ _
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


def conllu_of(*sentences: str) -> str:
    return "".join(
        "\n".join(line if line.startswith("#") else line.replace(" ", "\t") for line in block)
        + "\n\n"
        for block in (sentence.splitlines() for sentence in sentences)
    )


def write(folder: Path, *sentences: str) -> Path:
    path = folder / "sentences.conllu"
    path.write_text(conllu_of(*sentences), encoding="utf-8")
    return path


def words(instances: List[Instance]) -> List[str]:
    fields: List[Any] = [instance["text"] for instance in instances]
    return [" ".join(map(str, field.tokens)) for field in fields]


def labels(instance: Instance, name: str) -> Any:
    field: Any = instance.fields.get(name)
    return None if field is None else getattr(field, "labels", getattr(field, "label", None))


@pytest.fixture
def instances(tmp_path: Path) -> List[Instance]:
    return list(ConlluReader(sentence_labels=GENRE).read(write(tmp_path, FIRST, SECOND)))


def test_the_tokens_are_words_and_neither_ranges_nor_empty_nodes(instances: List[Instance]) -> None:
    assert words(instances) == ["He 's bought cars", "Any _ with out"]


def test_the_labels_of_words_and_sentences(instances: List[Instance]) -> None:
    first, second = ({name: labels(i, name) for name in [*FIELDS, "genre"]} for i in instances)
    assert first == {
        "upos_tags": ["PRON", "AUX", "VERB", "NOUN"],
        "xpos_tags": ["PRP", "VBZ", "VBN", "NNS"],
        "feats": ["Case=Nom|Number=Sing", "_", "VerbForm=HeadCall", "Number=Plur"],
        "head_indices": [3, 3, 0, 3],
        "head_tags": ["nsubj", "aux", "root", "obj"],
        "lemmas": ["lower", "lemma=have", "lower,end-5+uy", "lower,end-1"],
        "genre": "letter",
    }
    assert second == {
        "upos_tags": ["PRON", "SYM", "ADP", "X"],
        "xpos_tags": ["DT", "SYM", "IN", "GW"],
        "feats": ["_", "_", "Typo=Yes", "_"],
        "head_indices": [0, 1, 1, 3],
        "head_tags": ["root", "dep", "case", "goeswith"],
        "lemmas": ["lower", "lower", "lower,end+out", "lemma=_"],
        "genre": "letter",
    }


def test_lemmas_come_back_from_edit_scripts(instances: List[Instance]) -> None:
    forms, scripts = words(instances)[0].split(), labels(instances[0], "lemmas")
    lemmas = [apply_edit_script(form, script) for form, script in zip(forms, scripts)]
    assert lemmas == ["he", "have", "buy", "car"]


def test_a_namespace_for_each_field_of_which_tags_are_closed(instances: List[Instance]) -> None:
    vocab = Vocabulary.from_instances(instances)
    entries = {name: vocab.get_token_to_index_vocabulary(name) for name in vocab.get_namespaces()}
    assert {name: list(entries[name])[:2] for name in entries if name != "tokens"} == {
        "upos_tags": ["PRON", "AUX"],
        "xpos_tags": ["PRP", "VBZ"],
        "feats": ["@@PADDING@@", "@@UNKNOWN@@"],
        "head_tags": ["root", "nsubj"],
        "lemmas": ["@@PADDING@@", "@@UNKNOWN@@"],
        "genre_labels": ["letter"],
    }
    assert set(entries["feats"]) == {
        *("@@PADDING@@", "@@UNKNOWN@@", "_"),
        *("Case=Nom|Number=Sing", "VerbForm=HeadCall", "Number=Plur", "Typo=Yes"),
    }


def test_the_tensors_of_a_batch(tmp_path: Path) -> None:
    short = "1 Go go VERB VB _ 0 root _ _\n2 on on ADV RB _ 1 advmod _ _\n"
    instances = list(ConlluReader(sentence_labels=GENRE).read(write(tmp_path, FIRST, short)))
    vocab = Vocabulary.from_instances(instances)
    batch = Batch(instances)
    batch.index_instances(vocab)
    tensors: Dict[str, Any] = batch.as_tensor_dict()

    def index(namespace: str, *labels: str) -> List[int]:
        return [vocab.get_token_index(label, namespace) for label in labels]

    # (B, T), padded with 0
    assert tensors["text"]["tokens"]["tokens"].tolist() == [
        index("tokens", "He", "'s", "bought", "cars"),
        [*index("tokens", "Go", "on"), 0, 0],
    ]
    assert tensors["head_indices"].tolist() == [[3, 3, 0, 3], [0, 1, 0, 0]]
    assert tensors["head_tags"].tolist() == [
        index("head_tags", "nsubj", "aux", "root", "obj"),
        [*index("head_tags", "root", "advmod"), 0, 0],
    ]
    assert tensors["feats"][1].tolist() == [*index("feats", "_", "_"), 0, 0]
    assert tensors["genre"].tolist() == [0, 0]  # (B,)


def test_only_the_fields_that_were_chosen(tmp_path: Path) -> None:
    reader = ConlluReader(fields=["lemmas", "upos_tags"])
    (instance,) = reader.read(write(tmp_path, FIRST))
    assert list(instance.fields) == ["text", "upos_tags", "lemmas"]
    (instance,) = ConlluReader(fields=[], sentence_labels=GENRE).read(write(tmp_path, FIRST))
    assert list(instance.fields) == ["text", "genre"]


def test_what_is_not_chosen_may_be_anything_the_library_parses(tmp_path: Path) -> None:
    path = write(tmp_path, "1 a _ DET _ odd 1 _ _ _\n2 b b NOUN NN _ 9 x _ _\n")
    (instance,) = ConlluReader(fields=["upos_tags"]).read(path)
    assert labels(instance, "upos_tags") == ["DET", "NOUN"]


def test_columns_that_are_not_annotated_are_left_out(tmp_path: Path) -> None:
    bare = "1 so _ _ _ _ _ _ _ _\n2 _ _ _ _ _ _ _ _ _\n"
    tagged = "1 _ _ SYM _ _ _ _ _ _\n"
    instances = list(ConlluReader().read(write(tmp_path, bare, tagged, FIRST)))
    assert [list(instance.fields) for instance in instances] == [
        ["text", "feats"],
        ["text", "upos_tags", "feats"],
        ["text", *FIELDS],
    ]
    assert labels(instances[0], "feats") == ["_", "_"]


def test_labels_last_until_another_one_or_the_next_document(tmp_path: Path) -> None:
    word = "1 a a DET DT _ 0 root _ _\n"
    path = write(
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
    assert [(labels(i, "genre"), labels(i, "mood")) for i in reader.read(path)] == [
        (None, None),
        ("letter", "glad"),
        ("letter", "glad"),
        ("letter", "sad"),
        (None, "calm"),
        (None, "calm"),
        (None, None),
    ]


@pytest.mark.parametrize("worker", [0, 1])
def test_workers_share_the_sentences_and_the_labels_of_documents(
    tmp_path: Path, worker: int
) -> None:
    word = "{0} a{0} a DET DT _ 0 root _ _\n"
    sentences = [word.format(1).replace("a1", f"a{i}") for i in range(5)]
    sentences[1] = f"# newdoc id = letter\n{sentences[1]}"
    reader = ConlluReader(sentence_labels=GENRE)
    reader._set_worker_info(WorkerInfo(num_workers=2, id=worker))
    read = [(words([i])[0], labels(i, "genre")) for i in reader.read(write(tmp_path, *sentences))]
    assert (
        read
        == [
            [("a0", None), ("a2", "letter"), ("a4", "letter")],
            [("a1", "letter"), ("a3", "letter")],
        ][worker]
    )


def test_workers_apply_no_token_indexers(tmp_path: Path) -> None:
    reader = ConlluReader()
    reader._set_worker_info(WorkerInfo(num_workers=1, id=0))
    (instance,) = reader.read(write(tmp_path, FIRST))
    with pytest.raises(ValueError, match="token_indexers have not been set"):
        instance["text"].token_indexers  # type: ignore[attr-defined]  # noqa: B018
    reader.apply_token_indexers(instance)
    assert list(instance["text"].token_indexers) == ["tokens"]  # type: ignore[attr-defined]


def test_blank_lines_foreign_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = f"\ufeff{conllu_of(FIRST)}\n \n\n\n{conllu_of(SECOND).rstrip()}"
    path = tmp_path / "sentences.conllu"
    path.write_bytes(text.replace("\n", "\r\n").replace("Any", "Any\u2028").encode())
    instances = list(ConlluReader(sentence_labels=GENRE).read(path))
    assert words(instances) == ["He 's bought cars", "Any\u2028 _ with out"]
    assert labels(instances[0], "genre") == "letter"


def test_words_with_spaces(tmp_path: Path) -> None:
    path = tmp_path / "sentences.conllu"
    path.write_text("1\t10 000\t10 000\tNUM\tCD\t_\t0\troot\t_\tNote=a b\n")
    (instance,) = ConlluReader().read(path)
    assert [str(token) for token in instance["text"]] == ["10 000"]  # type: ignore[attr-defined]
    assert labels(instance, "lemmas") == ["lower"]


def test_a_compressed_file_and_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "sentences.conllu.gz"
    path.write_bytes(gzip.compress(conllu_of(FIRST, SECOND).encode()))
    assert words(list(ConlluReader(max_instances=1).read(path))) == ["He 's bought cars"]
    path.write_bytes(gzip.compress(conllu_of(FIRST, "1 a a DET").encode()))
    with pytest.raises(ValueError, match="^" + re.escape(f"{path}, line 9: A row must have 10")):
        list(ConlluReader().read(path))


def test_from_params(tmp_path: Path) -> None:
    params = {
        "type": "conllu",
        "fields": ["upos_tags"],
        "sentence_labels": GENRE,
        "tokenizer": "letters_digits",
        "token_indexers": {"chars": {"type": "characters", "min_padding_length": 1}},
        "max_instances": 1,
    }
    reader = DatasetReader.from_params(Params(params))
    assert isinstance(reader, ConlluReader)
    (instance,) = reader.read(write(tmp_path, FIRST, SECOND))
    assert list(instance.fields) == ["text", "upos_tags", "genre"]
    indexers = instance["text"].token_indexers  # type: ignore[attr-defined]
    assert isinstance(indexers["chars"], TokenCharactersIndexer)
    assert words([reader.text_to_instance("so-so")]) == ["so - so"]


def test_the_default_tokenizer_is_spacys_and_not_made_for_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make() -> LettersDigitsTokenizer:  # stands for the one that needs a language model
        made.append("tokenizer")
        return LettersDigitsTokenizer()

    monkeypatch.setattr(conllu, "SpacyTokenizer", make)
    reader = ConlluReader()
    list(reader.read(write(tmp_path, FIRST)))
    assert words([reader.text_to_instance(["so-so"])]) == ["so-so"]
    assert made == []
    assert words([reader.text_to_instance(text=text) for text in ("so-so", "no!")]) == [
        "so - so",
        "no !",
    ]
    assert made == ["tokenizer"]


def test_an_instance_of_words_and_labels() -> None:
    given: Dict[str, Any] = {
        "text": ["What", "a", "day"],
        "upos_tags": ["PRON", "DET", "NOUN"],
        "head_indices": [0, 3, 1],
        "lemmas": ["what", "a", "day"],
        "genre": "letter",
    }
    kept = {name: list(value) for name, value in given.items()}
    reader = ConlluReader(fields=["lemmas", "upos_tags", "feats"], sentence_labels=GENRE)
    instance = reader.text_to_instance(**given, feats=None, id=7)
    assert list(instance.fields) == ["text", "upos_tags", "lemmas", "genre"]
    assert labels(instance, "lemmas") == ["lower", "lower", "lower"]
    instance["upos_tags"].labels.append("X")  # type: ignore[attr-defined]
    assert {name: list(value) for name, value in given.items()} == kept


def test_fields_that_no_sentence_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, "1 a a DET _ _ 0 root _ _\n")
    with caplog.at_level(logging.WARNING, logger="multitask_model"):
        list(ConlluReader(sentence_labels=GENRE).read(path))
        list(ConlluReader(fields=["upos_tags"]).read(path))
    assert [r.getMessage() for r in caplog.records if r.name.startswith("multitask_model")] == [
        f"No sentence read from {path} has the fields ['genre', 'xpos_tags']. If it should, look "
        "for columns that are '_' throughout and compare the comments with the reader's "
        "sentence_labels."
    ]


ROW = (
    "A row must have 10 columns with one tab between them, none of them empty or with spaces at "
    "its ends or next to each other, but this one has {}: ROW. Correct it; '_' stands for what is "
    "not there."
)
IDS = (
    "The ids of words must be 1, 2 and so on, with multiword tokens such as 1-2, which do not "
    "overlap, before word 1 and empty nodes such as 1.1 after it. Here word {} is due, but the row "
    "is ROW. Correct its id; a blank line ends a sentence."
)
PARSE = (
    "A row must be one that the conllu library can parse, but of ROW it says: Failed parsing field "
    "{}. Correct the row."
)
RANGE = (
    "A multiword token must end at a word of its sentence, of which the last is 2, but this row is "
    "ROW. Correct its id, or add what is missing."
)
NO_WORDS = (
    "A sentence must have words, but the one that starts with ROW has none. Add them or remove it; "
    "comments need no blank line after them."
)
SOME = (
    "The column {} must be there for all words of a sentence or for none, but 'b' has '_' and "
    "others do not. Complete it, or leave '{}' out of the reader's fields."
)
FEATS = (
    "The column FEATS must be '_' or features such as 'Case=Nom|Number=Sing', but of 'b' it is "
    "'Case=Nom|Sing'. Correct it, or leave 'feats' out of the reader's fields."
)
COLUMNS = (
    "The columns must be ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC, but this file has "
    "others: 'global.columns = ID FORM UPOS'. Convert it from CoNLL-U Plus to CoNLL-U."
)
MOOD = (
    "The group of a regular expression must match a label of one character or more, but that of "
    "'mood' matches '' in 'mood ='. Correct the comment, or the reader's sentence_labels."
)
A, B = "1 a a DET DT _ 2 det _ _", "2 b b NOUN NN _ 0 root _ _"
NOTHING = " _ _ _ _ _ _ _ _"


@pytest.mark.parametrize(
    ("lines", "malformed", "message"),
    [
        # Columns; ~ is a space within one.
        (["1 a a DET"], 0, ROW.format(4)),
        ([A, B + " _"], 1, ROW.format(11)),
        (["1  a DET DT _ 0 root _ _"], 0, ROW.format(10)),
        (["1 a~~b a X X _ 0 root _ _"], 0, ROW.format(10)),
        (["1 a~ a X X _ 0 root _ _"], 0, ROW.format(10)),
        (["no~row"], 0, ROW.format(1)),
        # Ids.
        (["x" + A], 0, PARSE.format("'id': 'x1' is not a valid ID")),
        (["_" + A[1:]], 0, IDS.format(1)),
        (["0" + A[1:]], 0, IDS.format(1)),
        ([B], 0, IDS.format(1)),
        ([A, A], 1, IDS.format(2)),
        ([A, B, A], 2, IDS.format(3)),
        ([A, "1-2 ab" + NOTHING, B], 1, IDS.format(2)),
        ([A, "2.1 ab" + NOTHING, B], 1, IDS.format(2)),
        ([A, "2-3 ab" + NOTHING, B], 1, RANGE),
        (["1-3 ab" + NOTHING, A, "2-2 b" + NOTHING, B], 2, IDS.format(2)),
        # Sentences without words.
        (["# a comment", "# another"], 0, NO_WORDS),
        (["0.1 a" + NOTHING], 0, NO_WORDS),
        # Columns that are there for some words only.
        (["# x", A, "2 b b _ NN _ 0 root _ _"], 2, SOME.format("UPOS", "upos_tags")),
        ([A, "2 b b NOUN _ _ 0 root _ _"], 1, SOME.format("XPOS", "xpos_tags")),
        ([A, "2 b b NOUN NN _ _ root _ _"], 1, SOME.format("HEAD", "head_indices")),
        ([A, "2 b b NOUN NN _ 0 _ _ _"], 1, SOME.format("DEPREL", "head_tags")),
        ([A, "2 b _ NOUN NN _ 0 root _ _"], 1, SOME.format("LEMMA", "lemmas")),
        # Other columns.
        ([A, "2 b b NOUN NN Case=Nom|Sing 0 root _ _"], 1, FEATS),
        (
            [A, "2 b b NOUN NN _ up root _ _"],
            1,
            PARSE.format("'head': 'up' is not a valid value for parse_int_value"),
        ),
        # Comments.
        (["# x", "# global.columns = ID FORM UPOS", A, B], 1, COLUMNS),
        (["# x", "# mood =", A, B], 1, MOOD),
    ],
)
def test_sentences_that_are_malformed(
    tmp_path: Path, lines: List[str], malformed: int, message: str
) -> None:
    text = conllu_of(f"{A}\n{B}", "\n".join(lines), f"{A}\n{B}").replace("~", " ")
    path = tmp_path / "sentences.conllu"
    path.write_text(text)
    row = text.splitlines()[3 + malformed]
    message = f"{path}, line {4 + malformed}: {message.replace('ROW', repr(row))}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(ConlluReader(sentence_labels={"mood": "mood =(.*)"}).read(path))


HEAD = "The head of a word must be 0 or another one of the 4 words, but that of word 4, 'd', is {}."
ROOT = "A tree must have exactly 1 word with the head 0, but this one has {}."
CYCLE = "The heads of a word must lead to the root, but those of {} lead back to word {}."
TREE = "Correct the heads, or leave 'head_indices' out of the reader's fields."


@pytest.mark.parametrize(
    ("heads", "word", "message"),
    [
        ([0, 1, 1, 5], 4, HEAD.format(5)),
        ([0, 1, 1, -1], 4, HEAD.format(-1)),
        ([0, 1, 1, 4], 4, HEAD.format(4)),
        ([2, 3, 4, 1], 1, ROOT.format("0: []")),
        ([2, 0, 2, 0], 4, ROOT.format("2: ['b', 'd']")),
        ([0, 1, 4, 3], 3, CYCLE.format("['c', 'd']", 3)),
        ([2, 3, 2, 0], 2, CYCLE.format("['b', 'c']", 2)),
    ],
)
def test_heads_that_are_not_a_tree(
    tmp_path: Path, heads: List[int], word: int, message: str
) -> None:
    message = re.escape(f"{message} {TREE}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        ConlluReader().text_to_instance(list("abcd"), head_indices=heads)
    # Of the line that the word is in: after a comment and a multiword token.
    rows = [f"{i} {form} x X X _ {head} x _ _" for i, form, head in zip("1234", "abcd", heads)]
    path = write(tmp_path, "\n".join(["# x", "1-2 ab" + NOTHING, *rows]))
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}, line {2 + word}: ')}{message}$"):
        list(ConlluReader().read(path))


@pytest.mark.parametrize("heads", [[0], [2, 0], [0, 1], [2, 3, 0, 3], [0, 1, 2, 3], [4, 1, 1, 0]])
def test_heads_that_are_a_tree(heads: List[int]) -> None:
    instance = ConlluReader().text_to_instance(list("abcd")[: len(heads)], head_indices=heads)
    assert labels(instance, "head_indices") == heads


def test_standard_columns_may_be_named(tmp_path: Path) -> None:
    named = "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC\n"
    assert words(list(ConlluReader().read(write(tmp_path, f"{named}{A}\n{B}")))) == ["a b"]


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "sentences.conllu"
    path.write_bytes(conllu_of(f"{A}\n{B}").encode() + b"# text = \xff\n")
    message = (
        f"{path}, line 4: A line must be in UTF-8, but this one is not ('utf-8' codec can't decode "
        "byte 0xff in position 9: invalid start byte): '# text = \ufffd'. Convert the file to "
        "UTF-8."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(ConlluReader().read(path))


TAGS = "a list of 2 tags, one for each token of the text, each a whole number or a string that is"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("upos_tags", ["X"], f"must be {TAGS} not empty, but it is ['X'] (1 items)."),
        ("lemmas", ["x", ""], f"must be {TAGS} not empty, but it is ['x', ''] (2 items)."),
        (
            "genre",
            ["x"],
            "must be a whole number or a string that is not empty, but it is ['x'] (1 items).",
        ),
        *[
            (
                "head_indices",
                heads,
                "must be a list of 2 whole numbers, one for each token of the text, but it is "
                f"{shown}.",
            )
            for heads, shown in [
                ([0], "[0] (1 items)"),
                ([0, True], "[0, True] (2 items)"),
                ("01", "'01'"),
            ]
        ],
    ],
)
def test_labels_that_do_not_fit_the_words(name: str, value: Any, message: str) -> None:
    message = f"The label {name!r} {message} Correct it, or leave it out."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ConlluReader(sentence_labels=GENRE).text_to_instance(["a", "b"], **{name: value})


@pytest.mark.parametrize("text", ["", " ", [], 3, ["a", ""], ["a", 1]])
def test_texts_without_words(text: Any) -> None:
    shown = f"{text!r} ({len(text)} items)" if isinstance(text, list) else repr(text)
    message = (
        "A text must be a string, or a list of words that are not empty, and have at least one "
        f"word, but this one is {shown}. Correct it."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ConlluReader(tokenizer=WhitespaceTokenizer()).text_to_instance(text)


def test_an_unknown_field() -> None:
    message = (
        "fields must name what a sentence can have, but got 'lemma'. Did you mean 'lemmas'? "
        "Known names: ['upos_tags', 'xpos_tags', 'feats', 'head_indices', 'head_tags', 'lemmas']."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        ConlluReader(fields=["lemma"])


@pytest.mark.parametrize("name", ["text", "task", "heads", "lemmas"])
def test_names_of_sentence_labels_that_are_taken(name: str) -> None:
    message = (
        "The name of a sentence label is that of its field, which must not be that of another "
        f"field, but sentence_labels has {name!r}. Choose one that is not in ['text', 'task', "
        "'heads', 'upos_tags', 'xpos_tags', 'feats', 'head_indices', 'head_tags', 'lemmas']."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        ConlluReader(fields=[], sentence_labels={name: "(x)"})


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("newdoc", "has 0"),
        ("(a)(b)", "has 2"),
        ("(a", "cannot be compiled (missing ), unterminated subpattern at position 0)"),
    ],
)
def test_regular_expressions_that_cannot_be_used(pattern: str, problem: str) -> None:
    message = (
        "sentence_labels must have regular expressions with exactly 1 group, which matches the "
        f"label, but {pattern!r} of 'genre' {problem}. Correct it; a group that is not the label "
        "is written (?:...)."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        ConlluReader(sentence_labels={"genre": pattern})


def test_fields_that_are_no_list() -> None:
    with pytest.raises(ConfigurationError) as error:
        ConlluReader(fields="upos_tags")  # type: ignore[arg-type]
    assert str(error.value) == (
        "fields must be a list of names, but it is 'upos_tags'. Write it as ['upos_tags']."
    )
