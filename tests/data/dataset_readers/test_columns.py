"""The `columns` reader: the fields and namespaces of sentences, and its parameters."""

import logging
import re
from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo
from allennlp.data.fields import LabelField, SequenceLabelField

from multitask_model import ColumnsReader
from multitask_model.compat.allennlp_internals import set_worker_info
from multitask_model.data.dataset_readers.columns import ColumnsReader as FromModule
from tests.helpers.loading import messages
from tests.helpers.sentences import labels_of, sentences_of

CONLL_2003 = """\
-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
"""
INTENTS = """\
# text: book it
# intent: booking
1\tbook\tbooking\tO
2\tit\tbooking\tB-thing

# no intent
1\tplay\tmusic\tO
"""
INTENT = {"intent": "^intent: (.*)"}


def read(folder: Path, content: str, columns: Dict[str, Any], **options: Any) -> List[Instance]:
    path = folder / "file"
    path.write_text(content, encoding="utf-8")
    return list(ColumnsReader(columns, **options).read(path))


def test_sentences_have_tokens_and_tags(tmp_path: Path) -> None:
    instances = read(tmp_path, CONLL_2003, {"text": 0, "pos": 1, "ner": -1})
    assert sentences_of(instances) == ["EU rejects German", "Peter Blackburn"]
    assert [list(instance.fields) for instance in instances] == [["text", "pos", "ner"]] * 2
    assert [labels_of(instance, "pos") for instance in instances] == [
        ["NNP", "VBZ", "JJ"],
        ["NNP", "NNP"],
    ]
    assert [labels_of(instance, "ner") for instance in instances] == [
        ["I-ORG", "O", "I-MISC"],
        ["I-PER", "I-PER"],
    ]


def test_each_label_has_a_namespace(tmp_path: Path) -> None:
    columns = {"text": 1, "domain": 2, "slots": 3}
    options: Dict[str, Any] = {"sentence_columns": ["domain"], "sentence_labels": INTENT}
    vocab = Vocabulary.from_instances(read(tmp_path, INTENTS, columns, **options))
    labels = {
        name: set(vocab.get_token_to_index_vocabulary(name))
        for name in vocab.get_namespaces()
        if name != "tokens"
    }
    assert labels == {
        "domain_labels": {"booking", "music"},
        "slots_labels": {"O", "B-thing"},
        "intent_labels": {"booking"},
    }


def test_sentences_have_labels_from_columns_and_comments(tmp_path: Path) -> None:
    first, second = read(
        tmp_path,
        INTENTS,
        {"text": 1, "domain": 2, "slots": 3},
        sentence_columns=["domain"],
        sentence_labels=INTENT,
    )
    assert isinstance(first["domain"], LabelField)
    assert isinstance(first["slots"], SequenceLabelField)
    assert [labels_of(first, name) for name in ("domain", "slots", "intent")] == [
        "booking",
        ["O", "B-thing"],
        "booking",
    ]
    # The label of a sentence is not that of the next one.
    assert [labels_of(second, name) for name in ("domain", "intent")] == ["music", None]


def test_tags_are_converted_to_another_encoding(tmp_path: Path) -> None:
    encodings = {"ner": "IOB1", "chunk": "IOB1"}
    columns = {"text": 0, "pos": 1, "chunk": 2, "ner": 3}
    options: Dict[str, Any] = {"label_encodings": encodings, "convert_to": "BIOUL"}
    first, second = read(tmp_path, CONLL_2003, columns, **options)
    assert [labels_of(second, name) for name in ("pos", "chunk", "ner")] == [
        ["NNP", "NNP"],
        ["B-NP", "L-NP"],
        ["B-PER", "L-PER"],
    ]
    assert labels_of(first, "ner") == ["U-ORG", "O", "U-MISC"]


def test_tags_that_are_not_in_their_encoding_are_an_error(tmp_path: Path) -> None:
    message = (
        f"{tmp_path / 'file'}, line 3: The tags 'ner' must be in the encoding BIO, 'O', 'B-TYPE', "
        "or 'I-TYPE' after 'B-TYPE' or 'I-TYPE' of the same type, but got 'I-ORG' for the first "
        "token. Correct it, or the reader's label_encodings."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read(tmp_path, CONLL_2003, {"text": 0, "ner": 3}, label_encodings={"ner": "BIO"})


def test_several_labels_of_a_sentence_are_an_error(tmp_path: Path) -> None:
    message = (
        f"{tmp_path / 'file'}, line 2: All rows of a sentence must have the same label 'ner', but "
        "got 'O' after 'B'. Correct it, or remove 'ner' from the reader's sentence_columns."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read(tmp_path, "a B\nb O\n", {"text": 0, "ner": 1}, sentence_columns=["ner"])


def test_the_reader_can_be_built_from_params(tmp_path: Path) -> None:
    params = {
        "type": "columns",
        "columns": {"text": "FORM", "ner": 1, "intent": 2},
        "sentence_columns": ["intent"],
        "sentence_labels": {"id": "^id = (.*)"},
        "label_encodings": {"ner": "BIO"},
        "convert_to": "BIOES",
        "separator": ";",
        "comment_prefix": "%",
        "tokenizer": "whitespace",
        "token_indexers": {"chars": {"type": "characters", "min_padding_length": 1}},
        "max_instances": 1,
    }
    reader = DatasetReader.from_params(Params(params))
    assert type(reader) is FromModule
    path = tmp_path / "file"
    path.write_text("% id = 7\nFORM;NER;INTENT\na;B-X;x\n% in between\n# b;I-X;x\n\nc;O;y\n")
    (instance,) = reader.read(path)
    assert sentences_of([instance]) == ["a # b"]
    assert list(instance["text"].token_indexers) == ["chars"]  # type: ignore[attr-defined]
    names = ["ner", "intent", "id"]
    # The comment belongs to the block of lines with the header.
    assert [labels_of(instance, name) for name in names] == [["B-X", "E-X"], "x", "7"]
    assert sentences_of([reader.text_to_instance("so-so day")]) == ["so-so day"]


def test_text_to_instance_takes_labels_as_in_a_file() -> None:
    reader = ColumnsReader(
        {"text": 0, "ner": 1, "intent": 2},
        sentence_columns=["intent"],
        label_encodings={"ner": "BIO"},
        convert_to="BIOUL",
    )
    tags = ["B-X", "I-X"]
    instance = reader.text_to_instance("a b", ner=tags, intent="x", other=1)
    assert {name: labels_of(instance, name) for name in instance.fields if name != "text"} == {
        "ner": ["B-X", "L-X"],
        "intent": "x",
    }
    assert tags == ["B-X", "I-X"]
    assert list(reader.text_to_instance("a b", ner=None).fields) == ["text"]
    message = (
        "The label 'ner' must be a list of 2 tags, one for each token of the text, each an integer "
        "or a non-empty string, but got ['O'] (1 items). Correct it, or leave it out."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        reader.text_to_instance("a b", ner=["O"])


@pytest.mark.parametrize("worker", [0, 1])
def test_workers_shard_the_sentences(tmp_path: Path, worker: int) -> None:
    path = tmp_path / "file"
    path.write_text("# head\n\n" + "".join(f"-DOCSTART- O\n\n{i} O\n\n" for i in range(5)))
    reader = ColumnsReader({"text": 0, "ner": 1})
    set_worker_info(reader, WorkerInfo(num_workers=2, id=worker))
    assert sentences_of(list(reader.read(path))) == [["0", "2", "4"], ["1", "3"]][worker]


def test_labels_of_no_comment_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="multitask_model"):
        read(tmp_path, "", {"text": 0}, sentence_labels=INTENT)
        read(tmp_path, "a O\n", {"text": 0}, sentence_labels=INTENT)
    assert messages(caplog) == [
        f"No instance read from {tmp_path / 'file'} has the fields ['intent']. If this is "
        "unexpected, compare the comments with the reader's sentence_labels."
    ]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"columns": {"words": 0, "ner": 1}},
            "columns must have the column of the tokens, with the name 'text', but got the names "
            "['words', 'ner']. Add it.",
        ),
        (
            {"columns": {"text": 0, "task": 1}},
            "columns must not use the name of another field, but got 'task'. Choose a name that is "
            "not in ['text', 'task', 'heads'].",
        ),
        (
            {"columns": {"text": 0, "ner": True}},
            "columns must map names to the position of a column, from 0, or to its name in the "
            "header of the file, but got True for 'ner'. Correct it.",
        ),
        (
            {"sentence_columns": ["nre"]},
            "sentence_columns must name labels in columns, but got 'nre'. Did you mean 'ner'? "
            "Known names: ['ner'].",
        ),
        (
            {"sentence_columns": "ner"},
            "sentence_columns must be a list of names, but got 'ner'. Write ['ner'].",
        ),
        (
            {"sentence_labels": {"ner": "(x)"}},
            "sentence_labels must not use the name of another field, but got 'ner'. Choose a name "
            "that is not in ['text', 'task', 'heads', 'ner'].",
        ),
        (
            {"label_encodings": {"ner": "BOI"}},
            "label_encodings must name an encoding of spans, but got 'BOI'. Did you mean 'BIO'? "
            "Known names: ['IOB1', 'BIO', 'BIOUL', 'BIOES', 'IOB2'].",
        ),
        (
            {"label_encodings": {"ner": "BIO"}, "sentence_columns": ["ner"]},
            "label_encodings must name tags in columns, but got 'ner'. Known names: [].",
        ),
        (
            {"convert_to": "BIOUL"},
            "convert_to requires label_encodings, the encodings in the file, but got 'BIOUL' "
            "without them. Write, for example, label_encodings: {'ner': 'BIO'}.",
        ),
        (
            {"separator": ""},
            "separator must have at least one character, but got ''. Leave it out for tabs or "
            "spaces.",
        ),
    ],
)
def test_an_invalid_parameter_is_an_error(parameters: Dict[str, Any], message: str) -> None:
    columns: Dict[str, Any] = {"columns": {"text": 0, "ner": 1}}
    with pytest.raises(ConfigurationError) as error:
        ColumnsReader(**{**columns, **parameters})
    assert str(error.value) == message
