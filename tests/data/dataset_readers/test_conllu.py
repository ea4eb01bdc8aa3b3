"""The `conllu` reader: the fields, namespaces and tensors of sentences, and its parameters."""

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

from multitask_model.compat.allennlp_internals import set_worker_info
from multitask_model.data import ConlluReader, apply_edit_script
from tests.helpers.loading import messages
from tests.helpers.sentences import (
    FIELDS,
    FIRST,
    GENRE,
    SECOND,
    labels_of,
    sentences_of,
    write_conllu,
)


@pytest.fixture
def instances(tmp_path: Path) -> List[Instance]:
    return list(ConlluReader(sentence_labels=GENRE).read(write_conllu(tmp_path, FIRST, SECOND)))


def test_tokens_are_words_without_ranges_and_empty_nodes(instances: List[Instance]) -> None:
    assert sentences_of(instances) == ["He 's bought cars", "Any _ with out"]


def test_words_and_sentences_have_labels(instances: List[Instance]) -> None:
    first, second = ({name: labels_of(i, name) for name in [*FIELDS, "genre"]} for i in instances)
    assert first == {
        "upos_tags": ["PRON", "AUX", "VERB", "NOUN"],
        "xpos_tags": ["PRP", "VBZ", "VBN", "NNS"],
        "feats": ["Case=Nom|Number=Sing", "_", "VerbForm=Part", "Number=Plur"],
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


def test_edit_scripts_reproduce_the_lemmas(instances: List[Instance]) -> None:
    forms, scripts = sentences_of(instances)[0].split(), labels_of(instances[0], "lemmas")
    lemmas = [apply_edit_script(form, script) for form, script in zip(forms, scripts)]
    assert lemmas == ["he", "have", "buy", "car"]


def test_each_field_has_a_namespace_and_tags_have_no_oov_entry(instances: List[Instance]) -> None:
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
        *("Case=Nom|Number=Sing", "VerbForm=Part", "Number=Plur", "Typo=Yes"),
    }


def test_fields_become_padded_tensors(tmp_path: Path) -> None:
    short = "1 Go go VERB VB _ 0 root _ _\n2 on on ADV RB _ 1 advmod _ _\n"
    path = write_conllu(tmp_path, FIRST, short)
    instances = list(ConlluReader(sentence_labels=GENRE).read(path))
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


def test_only_the_selected_fields_are_read(tmp_path: Path) -> None:
    reader = ConlluReader(fields=["lemmas", "upos_tags"])
    (instance,) = reader.read(write_conllu(tmp_path, FIRST))
    assert list(instance.fields) == ["text", "upos_tags", "lemmas"]
    (instance,) = ConlluReader(fields=[], sentence_labels=GENRE).read(write_conllu(tmp_path, FIRST))
    assert list(instance.fields) == ["text", "genre"]


def test_other_columns_are_validated_by_the_library_only(tmp_path: Path) -> None:
    path = write_conllu(tmp_path, "1 a _ DET _ odd 1 _ _ _\n2 b b NOUN NN _ 9 x _ _\n")
    (instance,) = ConlluReader(fields=["upos_tags"]).read(path)
    assert labels_of(instance, "upos_tags") == ["DET", "NOUN"]


def test_columns_without_annotation_are_left_out(tmp_path: Path) -> None:
    bare = "1 so _ _ _ _ _ _ _ _\n2 _ _ _ _ _ _ _ _ _\n"
    tagged = "1 _ _ SYM _ _ _ _ _ _\n"
    instances = list(ConlluReader().read(write_conllu(tmp_path, bare, tagged, FIRST)))
    assert [list(instance.fields) for instance in instances] == [
        ["text", "feats"],
        ["text", "upos_tags", "feats"],
        ["text", *FIELDS],
    ]
    assert labels_of(instances[0], "feats") == ["_", "_"]


@pytest.mark.parametrize("worker", [0, 1])
def test_workers_shard_the_sentences_but_not_the_comments(tmp_path: Path, worker: int) -> None:
    word = "{0} a{0} a DET DT _ 0 root _ _\n"
    sentences = [word.format(1).replace("a1", f"a{i}") for i in range(5)]
    sentences[1] = f"# newdoc id = letter\n{sentences[1]}"
    reader = ConlluReader(sentence_labels=GENRE)
    set_worker_info(reader, WorkerInfo(num_workers=2, id=worker))
    instances = reader.read(write_conllu(tmp_path, *sentences))
    read = [(sentences_of([i])[0], labels_of(i, "genre")) for i in instances]
    assert (
        read
        == [
            [("a0", None), ("a2", "letter"), ("a4", "letter")],
            [("a1", "letter"), ("a3", "letter")],
        ][worker]
    )


def test_the_reader_can_be_built_from_params(tmp_path: Path) -> None:
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
    (instance,) = reader.read(write_conllu(tmp_path, FIRST, SECOND))
    assert list(instance.fields) == ["text", "upos_tags", "genre"]
    indexers = instance["text"].token_indexers  # type: ignore[attr-defined]
    assert isinstance(indexers["chars"], TokenCharactersIndexer)
    assert sentences_of([reader.text_to_instance("so-so")]) == ["so - so"]


def test_text_to_instance_takes_labels_and_does_not_modify_them() -> None:
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
    assert labels_of(instance, "lemmas") == ["lower", "lower", "lower"]
    labels_of(instance, "upos_tags").append("X")
    assert {name: list(value) for name, value in given.items()} == kept


def test_fields_of_no_sentence_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_conllu(tmp_path, "1 a a DET _ _ 0 root _ _\n")
    with caplog.at_level(logging.WARNING, logger="multitask_model"):
        list(ConlluReader(sentence_labels=GENRE).read(path))
        list(ConlluReader(fields=["upos_tags"]).read(path))
    assert messages(caplog) == [
        f"No instance read from {path} has the fields ['genre', 'xpos_tags']. If this is "
        "unexpected, look for columns that are '_' in every row, and compare the comments with the "
        "reader's sentence_labels."
    ]


TAGS = "a list of 2 tags, one for each token of the text, each an integer or a non-empty string"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("upos_tags", ["X"], f"must be {TAGS}, but got ['X'] (1 items)."),
        ("lemmas", ["x", ""], f"must be {TAGS}, but got ['x', ''] (2 items)."),
        ("genre", ["x"], "must be an integer or a non-empty string, but got ['x'] (1 items)."),
    ],
)
def test_an_invalid_label_is_an_error(name: str, value: Any, message: str) -> None:
    message = f"The label {name!r} {message} Correct it, or leave it out."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ConlluReader(sentence_labels=GENRE).text_to_instance(["a", "b"], **{name: value})


def test_an_unknown_field_is_an_error() -> None:
    message = (
        "fields must name fields that this reader can read, but got 'lemma'. Did you mean "
        "'lemmas'? Known names: ['upos_tags', 'xpos_tags', 'feats', 'head_indices', 'head_tags', "
        "'lemmas']."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        ConlluReader(fields=["lemma"])


def test_fields_that_are_not_a_list_are_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        ConlluReader(fields="upos_tags")  # type: ignore[arg-type]
    assert str(error.value) == (
        "fields must be a list of names, but got 'upos_tags'. Write ['upos_tags']."
    )
