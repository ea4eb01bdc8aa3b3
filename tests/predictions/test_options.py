"""The options of the predictor: `outputs`, `drop`, `top_k` and `format`."""

from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.models.heads import Head

from multitask_model import MultiTaskPredictor
from multitask_model.predictions.options import PredictorOptions
from tests.helpers.annotators import make_predictor
from tests.helpers.messages import exactly

NEWS = {"task": "news", "text": "Ann saw cars"}
EWT = {"task": "ewt", "text": "Ann saw cars"}
ALL_OF_NEWS = [
    "tokens",
    "ner_logits",
    "ner_tags",
    "topic_logits",
    "topic_probs",
    "topic_probs_by_label",
    "ner_spans",
    "topic_label",
]


def keys(folder: Path, line: Dict[str, Any], **options: Any) -> Any:
    return list(make_predictor(folder, **options).predict_json(line))


def test_a_prediction_has_all_outputs_by_default(tmp_path: Path) -> None:
    assert keys(tmp_path, NEWS) == ALL_OF_NEWS


def test_a_plain_name_selects_the_output_of_every_head(tmp_path: Path) -> None:
    found = keys(tmp_path, EWT, outputs=["tags"])
    assert found == ["upos_tags", "xpos_tags", "feats_tags", "lemma_tags"]


def test_a_full_name_selects_one_output(tmp_path: Path) -> None:
    assert keys(tmp_path, EWT, outputs=["xpos_tags", "tokens"]) == ["tokens", "xpos_tags"]


def test_outputs_can_be_left_out(tmp_path: Path) -> None:
    found = keys(tmp_path, NEWS, drop=["logits", "topic_probs", "tokens"])
    assert found == ["ner_tags", "topic_probs_by_label", "ner_spans", "topic_label"]


def test_names_of_heads_that_did_not_predict_yet_are_known(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path, outputs=["topic_label", "upos_tags", "head_indices"])
    assert list(predictor.predict_json(NEWS)) == ["topic_label"]
    assert list(predictor.predict_json(EWT)) == ["upos_tags", "parser_head_indices"]


@pytest.mark.parametrize("parameter", ["outputs", "drop"])
def test_an_unknown_name_is_an_error_that_lists_what_there_is(
    tmp_path: Path, parameter: str
) -> None:
    message = (
        f"{parameter} must name outputs of predictions, but got 'ner_tag'. Did you mean "
        "'ner_tags'? Known names: ['feats_logits', 'feats_tags', 'head_indices', 'head_tags', "
        "'label', 'lemma_logits', 'lemma_tags', 'logits', 'ner_logits', 'ner_spans', 'ner_tags', "
        "'parser_head_indices', 'parser_head_tags', 'probs', 'probs_by_label', 'spans', 'tags', "
        "'tokens', 'topic_label', 'topic_logits', 'and 6 more']."
    ).replace("'and 6 more'", "and 6 more")
    options: Dict[str, Any] = {parameter: ["logits", "ner_tag"]}
    predictor = make_predictor(tmp_path, **options)
    with pytest.raises(ConfigurationError, match=exactly(message)):
        predictor.predict_json(EWT)


def test_outputs_and_drop_exclude_each_other(tmp_path: Path) -> None:
    message = (
        "A predictor takes outputs (what to keep) or drop (what to leave out), but got both: "
        "['tags'] and ['logits']. Leave out one of them."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_predictor(tmp_path, outputs=["tags"], drop=["logits"])


def test_outputs_must_be_a_list(tmp_path: Path) -> None:
    message = "outputs must be a list of names of outputs, but got 'tags'. Write it as [\"tags\"]."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_predictor(tmp_path, outputs="tags")


@pytest.mark.parametrize("top_k", [0, True, 1.5])
def test_top_k_must_be_a_positive_integer(tmp_path: Path, top_k: Any) -> None:
    message = (
        f"top_k must be an integer of at least 1, but got {top_k!r}. Leave it out for the "
        "probabilities of all labels."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_predictor(tmp_path, top_k=top_k)


def test_keep_encodings_must_be_a_boolean(tmp_path: Path) -> None:
    message = "keep_encodings must be True or False, but got 'no'."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_predictor(tmp_path, keep_encodings="no")


def test_a_name_that_only_untried_heads_may_have_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Pair(Head):
        def forward(self, second: torch.Tensor) -> Dict[str, torch.Tensor]:
            return {"tagz": second}

    predictor = make_predictor(tmp_path, outputs=["tagz"])
    predictor.model.add_head("pair", Pair(predictor.model.vocab), tasks=["news"])
    predictor = MultiTaskPredictor(predictor.model, predictor.dataset_reader, outputs=["tagz"])
    assert [predictor.predict_json(EWT) for _ in range(2)] == [{}, {}]
    assert [record.getMessage() for record in caplog.records if "tagz" in record.getMessage()] == [
        "The predictor's outputs or drop has ['tagz'], which is no output so far. It may be one of "
        "the heads ['pair'], which have not predicted yet."
    ]


def test_the_format_must_be_known(tmp_path: Path) -> None:
    message = "format must be 'jsonl' or 'conllu', but got 'conll'."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_predictor(tmp_path, format="conll")


def test_conllu_has_no_selection_of_outputs(tmp_path: Path) -> None:
    message = (
        "outputs and drop select what a prediction in JSON has, but got ['tags'] with the format "
        "'conllu', whose columns are fixed. Leave it out."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_predictor(tmp_path, format="conllu", outputs=["tags"])


def test_options_of_a_config_are_checked() -> None:
    message = (
        "predictor must name options of the predictor, but got 'output'. Did you mean 'outputs'? "
        "Known names: ['keep_encodings', 'outputs', 'drop', 'top_k', 'format']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        PredictorOptions().over({"output": ["tags"]})


def test_an_option_that_is_given_replaces_that_of_the_config() -> None:
    options = PredictorOptions(top_k=3).over({"top_k": 1, "outputs": ["tags"]})
    assert options == PredictorOptions(top_k=3, outputs=["tags"])
