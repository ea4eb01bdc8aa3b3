"""Inputs that name heads of any tasks instead of a task."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.predictors import Predictor

from multitask_model.predictions.shared_inputs import choose_tasks
from multitask_model.routing.tasks import TaskHeads
from tests.helpers.annotators import make_config, make_predictor
from tests.helpers.messages import exactly
from tests.helpers.multitask import record_calls


def without_logits(prediction: Dict[str, Any]) -> Dict[str, Any]:
    return {n: value for n, value in prediction.items() if "logits" not in n and "probs" not in n}


def test_heads_of_several_tasks_predict_from_one_encoding(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path)
    calls = record_calls(predictor.model.backbone)
    found = predictor.predict_json({"text": "Ann saw cars!", "heads": ["ner", "upos"]})
    assert len(calls) == 1
    assert list(without_logits(found)) == ["tokens", "upos_tags", "ner_tags", "ner_spans"]


def test_they_predict_what_they_predict_for_their_tasks(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path)
    text = {"text": "Ann saw cars!"}
    found = predictor.predict_json({**text, "heads": ["topic", "ner", "upos"]})
    tagged = predictor.predict_json({**text, "task": "ewt", "heads": ["upos"]})
    classified = predictor.predict_json({**text, "task": "news"})
    assert without_logits(found) == {**without_logits(tagged), **without_logits(classified)}


def test_heads_of_one_task_need_no_task(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path)
    found = predictor.predict_json({"text": ["Ann", "saw"], "heads": ["upos", "parser"]})
    expected = predictor.predict_json(
        {"task": "ewt", "text": ["Ann", "saw"], "heads": ["upos", "parser"]}
    )
    assert found == expected


def test_inputs_with_and_without_a_task_are_predicted_in_one_batch(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path)
    calls = record_calls(predictor.model.backbone)
    lines: List[Dict[str, Any]] = [
        {"task": "news", "text": "Ann"},
        {"text": "Ann saw", "heads": ["ner", "xpos"]},
    ]
    found = predictor.predict_batch_json(lines)
    assert len(calls) == 1
    assert [list(without_logits(prediction)) for prediction in found] == [
        ["tokens", "ner_tags", "ner_spans", "topic_label"],
        ["tokens", "xpos_tags", "ner_tags", "ner_spans"],
    ]


DISAGREEMENT = (
    "Heads of the tasks ['ewt', 'news'] can predict one input only if the readers of these tasks "
    "make the same inputs of it, but the argument 'text' of 'backbone' is {}. Give the readers "
    "the same tokenizer and token_indexers, write the text as a list of tokens, or predict each "
    "task on a line of its own."
)


def test_other_tokens_are_an_error_that_shows_them(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config["dataset_reader"]["readers"]["news"]["tokenizer"] = "whitespace"
    predictor = make_predictor(tmp_path, config)
    line = {"text": "So good!", "heads": ["upos", "ner"]}
    found = "['So', 'good', '!'] for 'ewt' and ['So', 'good!'] for 'news'"
    with pytest.raises(ValueError, match=exactly(DISAGREEMENT.format(found))):
        predictor.predict_json(line)
    assert "ner_tags" in predictor.predict_json({**line, "text": ["So", "good!"]})


def test_other_indices_of_the_same_tokens_are_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    indexer = {"type": "single_id", "lowercase_tokens": True}
    config["dataset_reader"]["readers"]["news"]["token_indexers"] = {"tokens": indexer}
    predictor = make_predictor(tmp_path, config)
    found = "['He', '!'] for 'ewt' and ['He', '!'] for 'news', with different indices"
    with pytest.raises(ValueError, match=exactly(DISAGREEMENT.format(found))):
        predictor.predict_json({"text": "He!", "heads": ["upos", "ner"]})


def config_of_two_readers(folder: Path) -> Dict[str, Any]:
    """The reader of the news makes a field `tokens`, the other one a field `text`."""
    config: Dict[str, Any] = make_config(folder)
    news = {"type": "text_classification_json", "tokenizer": "punctuation"}
    config["dataset_reader"]["readers"]["news"] = news
    config["model"]["heads"] = {name: config["model"]["heads"][name] for name in ("upos", "topic")}
    config["model"]["heads"]["topic"]["num_labels"] = 2
    config["model"]["task_heads"] = {"ewt": ["upos"], "news": ["topic"]}
    (folder / "news.jsonl").write_text('{"text": "Ann", "label": "a"}\n')
    return config


def test_an_input_that_only_some_readers_make_is_an_error(tmp_path: Path) -> None:
    config = config_of_two_readers(tmp_path)
    config["model"]["arg_name_mapping"] = {"upos": {"upos_tags": "tags"}}
    predictor = make_predictor(tmp_path, config)
    with pytest.raises(ValueError, match=exactly(DISAGREEMENT.format("absent for 'news'"))):
        predictor.predict_json({"text": "He!", "heads": ["upos", "topic"]})


def test_fields_of_other_names_agree_if_they_are_one_argument(tmp_path: Path) -> None:
    config = config_of_two_readers(tmp_path)
    mapping = {"upos": {"upos_tags": "tags"}, "backbone": {"tokens": "text"}}
    config["model"]["arg_name_mapping"] = mapping
    found = make_predictor(tmp_path, config).predict_json(
        {"text": "He!", "heads": ["topic", "upos"]}
    )
    assert found["tokens"] == ["He", "!"]
    assert {"upos_tags", "topic_label"} <= found.keys()


def test_an_unknown_head_is_an_error(tmp_path: Path) -> None:
    message = (
        "An instance without a task must have the field 'heads' with a list of heads of the "
        "model, but got 'uposs'. Did you mean 'upos'? The heads are ['upos', 'xpos', 'feats', "
        "'lemma', 'parser', 'ner', 'topic']."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor(tmp_path).predict_json({"text": "He", "heads": ["ner", "uposs"]})


def test_labeling_requires_a_task(tmp_path: Path) -> None:
    predictor: Predictor = make_predictor(tmp_path)
    with pytest.raises(
        ValueError, match=r"The task must be one of \['ewt', 'news'\], but got None"
    ):
        predictor.json_to_labeled_instances({"text": "He", "heads": ["ner", "upos"]})


def test_few_tasks_are_chosen() -> None:
    served = {"a": ["x"], "b": ["y", "z"], "c": ["x", "y"]}
    tasks = TaskHeads(["x", "y", "z"], served)
    assert choose_tasks(tasks, ["x", "y", "z"], ["a", "b", "c"]) == ["b", "a"]


def test_a_head_without_a_readable_task_is_an_error() -> None:
    message = (
        "An input without a task requires heads that serve a task with a reader, but got 'y', "
        "which serves ['b']. The tasks with a reader are ['a']. Add a reader for it, or leave it "
        "out."
    )
    tasks = TaskHeads(["x", "y"], {"a": ["x"], "b": ["y"]})
    with pytest.raises(ValueError, match=exactly(message)):
        choose_tasks(tasks, ["x", "y"], ["a"])
