"""Predictions in CoNLL-U format: what is written, and that the rules of the format hold."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model import ConlluReader, MultiTaskPredictor
from tests.helpers.annotators import make_config, make_predictor, make_reader
from tests.helpers.conllu_rules import violations
from tests.helpers.messages import exactly
from tests.helpers.sentences import FIELDS, labels_of, sentences_of

PREDICTION: Dict[str, Any] = {
    "tokens": ["Dogs", "bark", "!"],
    "text": "Dogs bark!",
    "upos_tags": ["NOUN", "VERB", "PUNCT"],
    "xpos_tags": ["NNS", "VBP", "."],
    "feats_tags": ["Number=Plur", "_", "_"],
    "lemma_tags": ["lower,end-1", "lower", "lower"],
    "parser_head_indices": [2, 0, 2],
    "parser_head_tags": ["nsubj", "root", "punct"],
}
WRITTEN = """\
# sent_id = 1
# text = Dogs bark!
1 Dogs dog NOUN NNS Number=Plur 2 nsubj _ _
2 bark bark VERB VBP _ 0 root _ SpaceAfter=No
3 ! ! PUNCT . _ 2 punct _ _

"""
TEXTS: List[Any] = [
    "He's bought cars, with: 3.5 e-mails!",
    "a",
    ["New York", " ", "with", "\ttabs\nand  spaces "],
    ["_", "e\u0301te\u0301", "#hash", "\u00a0"],
    "Zoe\u0308 \u2013 \U0001f600 out",
]


@pytest.fixture(name="predictor", scope="module")
def _predictor(tmp_path_factory: pytest.TempPathFactory) -> MultiTaskPredictor:
    return make_predictor(tmp_path_factory.mktemp("conllu"), format="conllu")


def write(folder: Path, **changed: Any) -> str:
    """Writes a prediction as the first sentence of a file, with spaces in place of tabs."""
    predictor = make_predictor(folder, format="conllu")
    return predictor.dump_line({**PREDICTION, **changed}).replace("\t", " ")


def rows(folder: Path, column: int, **changed: Any) -> List[str]:
    lines = write(folder, **changed).splitlines()
    return [line.split(" ")[column] for line in lines if line and not line.startswith("#")]


def test_a_prediction_is_a_sentence(tmp_path: Path) -> None:
    assert write(tmp_path) == WRITTEN


def test_sentences_are_numbered(predictor: MultiTaskPredictor) -> None:
    ids = [predictor.dump_line(PREDICTION).splitlines()[0] for _ in range(2)]
    numbers = [int(line.replace("# sent_id = ", "")) for line in ids]
    assert numbers[1] == numbers[0] + 1


def test_a_list_of_tokens_has_spaces_between_all(tmp_path: Path) -> None:
    lines = write(tmp_path, text="Dogs bark !").splitlines()
    assert lines[1] == "# text = Dogs bark !"
    assert "SpaceAfter" not in "".join(lines)


def test_the_relation_of_the_root_and_only_its_is_root(tmp_path: Path) -> None:
    tags = ["root", "nsubj", "punct"]
    assert rows(tmp_path, 7, parser_head_tags=tags) == ["dep", "root", "punct"]


def test_a_lemma_is_never_empty_or_missing(tmp_path: Path) -> None:
    scripts = ["lemma=_", "lemma=", "lower"]
    tags = ["goeswith", "root", "punct"]
    found = rows(tmp_path, 2, lemma_tags=scripts, parser_head_tags=tags)
    assert found == ["_", "bark", "!"]
    found = rows(tmp_path, 2, lemma_tags=scripts)
    assert found == ["Dogs", "bark", "!"]


def test_columns_without_a_prediction_are_blank(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path, format="conllu")
    line = predictor.dump_line({n: PREDICTION[n] for n in ("tokens", "upos_tags")})
    assert line.splitlines()[2] == "1\tDogs\t_\tNOUN\t_\t_\t_\t_\t_\t_"


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_rules_of_the_format_hold(predictor: MultiTaskPredictor, text: Any) -> None:
    line = predictor.dump_line(predictor.predict_json({"task": "ewt", "text": text}))
    assert violations(line) == []


def test_the_rules_are_found_to_be_broken() -> None:
    broken = WRITTEN.replace(" 2 nsubj", " 3 nsubj").replace(" 0 root", " 1 root")
    lines = [n if n.startswith("#") else n.replace(" ", "\t") for n in broken.splitlines()]
    found = violations("\n".join([*lines[1:], ""]))
    assert [rule.split(":")[0] for rule in found] == [
        "a sentence must have one root",
        "heads must have no cycle",
        "the relation of the root, and no other, must be root",
        "heads must have no cycle",
        "heads must have no cycle",
        "sent_id must be there and unique",
    ]


def test_our_reader_reads_what_was_predicted(tmp_path: Path, predictor: MultiTaskPredictor) -> None:
    predictions = predictor.predict_batch_json([{"task": "ewt", "text": text} for text in TEXTS])
    path = tmp_path / "predicted.conllu"
    path.write_text("".join(map(predictor.dump_line, predictions)), encoding="utf-8")
    instances = list(ConlluReader().read(path))
    assert sentences_of(instances)[:3] == [
        "He ' s bought cars , with : 3 . 5 e - mails !",
        "a",
        "New York _ with tabs and spaces",
    ]
    for instance, prediction in zip(instances, predictions):
        assert set(FIELDS) <= instance.fields.keys()
        assert labels_of(instance, "upos_tags") == prediction["upos_tags"]
        assert labels_of(instance, "head_indices") == prediction["parser_head_indices"]


def test_instances_of_a_reader_are_written(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    predictor = make_predictor(tmp_path, config, format="conllu")
    instances = list(make_reader(config).read(config["train_data_path"]["ewt"], force_task="ewt"))
    found = predictor.predict_batch_instance(instances)
    assert violations("".join(map(predictor.dump_line, found))) == []


def test_heads_that_are_not_a_tree_are_an_error(tmp_path: Path) -> None:
    message = (
        "A sentence in CoNLL-U format requires heads that are a tree, but got [2, 1, 0] for "
        "['Dogs', 'bark', '!']. Call model.eval() before predicting: a dependency_parser predicts "
        "trees in evaluation mode only."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        write(tmp_path, parser_head_indices=[2, 1, 0])


def test_another_number_of_predictions_is_an_error(tmp_path: Path) -> None:
    message = (
        "The column UPOS requires one prediction for each of 3 words, but got {'upos_tags': 2}. "
        "Name one of the heads in the input, and do not truncate its text."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        write(tmp_path, upos_tags=["NOUN", "VERB"])


def test_predictions_that_are_not_a_list_are_an_error(tmp_path: Path) -> None:
    message = (
        "The column UPOS requires one prediction for each of 3 words, but got {'upos_tags': 'a "
        "str'}. Name one of the heads in the input, and do not truncate its text."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        write(tmp_path, upos_tags="abc")


def test_a_sentence_without_words_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^A sentence in CoNLL-U format requires the tokens of"):
        write(tmp_path, tokens=[], text="")


def test_an_empty_label_is_blank(tmp_path: Path) -> None:
    assert rows(tmp_path, 4, xpos_tags=["", " ", "."]) == ["_", "_", "."]


def test_half_of_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    found = write(tmp_path, tokens=["Dogs", "\ud83d", "!"], text="Dogs \ud83d!")
    assert found.encode().decode().splitlines()[1] == "# text = Dogs ?!"


def test_two_heads_of_one_column_are_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config["model"]["heads"]["upos2"] = dict(config["model"]["heads"]["upos"])
    config["model"]["task_heads"]["ewt"].append("upos2")
    config["model"]["arg_name_mapping"]["upos2"] = {"upos_tags": "tags"}
    predictor = make_predictor(tmp_path, config, format="conllu")
    line = {"task": "ewt", "text": "He"}
    message = (
        "The column UPOS requires one prediction for each of 1 words, but got {'upos_tags': 1, "
        "'upos2_tags': 1}. Name one of the heads in the input, and do not truncate its text."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        predictor.dump_line(predictor.predict_json(line))
    found = predictor.predict_json({**line, "heads": ["upos2"]})
    assert found["upos2_tags"][0] in predictor.dump_line(found)


def test_a_prediction_without_columns_is_an_error(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path, format="conllu")
    found = predictor.predict_json({"task": "news", "text": "He", "heads": ["ner"]})
    message = (
        "A sentence in CoNLL-U format requires the tokens of one text and predictions for one of "
        "the columns ['LEMMA', 'UPOS', 'XPOS', 'FEATS', 'HEAD', 'DEPREL'], but got a prediction "
        "with ['tokens', 'text', 'ner_logits', 'ner_tags', 'ner_spans']. Write predictions of this "
        "task in the format 'jsonl'."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        predictor.dump_line(found)


def test_a_model_without_columns_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = config["model"]
    model["heads"] = {"ner": model["heads"]["ner"]}
    model["task_heads"] = {"news": ["ner"]}
    model["arg_name_mapping"] = {"ner": {"ner": "tags"}}
    message = (
        "The format 'conllu' requires a head that takes one of the fields ['upos_tags', "
        "'xpos_tags', 'feats', 'head_indices', 'head_tags', 'lemmas'] as its label, but got the "
        'heads [\'ner\']. Name the field in arg_name_mapping: {"HEAD": {"upos_tags": "tags"}}.'
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_predictor(tmp_path, config, format="conllu")
