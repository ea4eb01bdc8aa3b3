"""Pairs of texts in the `labeled_jsonl` reader and in prediction."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.data.data_loaders import SimpleDataLoader
from allennlp.data.fields import TextField
from allennlp.models.heads import Head
from allennlp.modules.backbones import Backbone

from multitask_model import LabeledJsonlReader, MultiTaskDatasetReader, MultiTaskModel
from multitask_model import MultiTaskPredictor as Predictor

LINES: List[Dict[str, Any]] = [
    {"premise": "A man sleeps.", "hypothesis": "A man is awake.", "entailment": "contradiction"},
    {"premise": ["So", "bad"], "hypothesis": ["Good"], "entailment": "neutral"},
]
PARAMS: Dict[str, Any] = {
    "type": "labeled_jsonl",
    "labels": {"entailment": "class"},
    "text_key": "premise",
    "text_pair_key": "hypothesis",
}


class PairBackbone(Backbone):
    """Counts the tokens of both texts."""

    def forward(  # type: ignore[override]
        self, text: Any, text_pair: Any
    ) -> Dict[str, torch.Tensor]:
        return {
            f"{name}_length": (ids["tokens"]["tokens"] != 0).sum(-1)
            for name, ids in (("text", text), ("text_pair", text_pair))
        }


class LengthsHead(Head):
    def __init__(self, vocab: Vocabulary) -> None:
        super().__init__(vocab)
        self.parameter = torch.nn.Parameter(torch.zeros(1))  # a predictor requires one

    def forward(self, text_length: Any, text_pair_length: Any) -> Dict[str, torch.Tensor]:
        return {"lengths": torch.stack([text_length, text_pair_length], dim=-1)}


def make_reader(**options: Any) -> LabeledJsonlReader:
    reader = DatasetReader.from_params(Params({**PARAMS, **options}))
    assert isinstance(reader, LabeledJsonlReader)
    return reader


def write(folder: Path, lines: List[Dict[str, Any]]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def tokens_of(field: Any) -> List[str]:
    assert isinstance(field, TextField)
    return [str(token) for token in field.tokens]


def test_an_instance_has_a_field_for_each_text(tmp_path: Path) -> None:
    first, second = make_reader().read(write(tmp_path, LINES))
    assert list(first.fields) == ["text", "text_pair", "entailment"]
    assert tokens_of(first["text"]) == ["A", "man", "sleeps", "."]
    assert tokens_of(first["text_pair"]) == ["A", "man", "is", "awake", "."]
    assert [tokens_of(second[name]) for name in ("text", "text_pair")] == [["So", "bad"], ["Good"]]


def test_both_texts_become_tensors(tmp_path: Path) -> None:
    instances = list(make_reader().read(write(tmp_path, LINES)))
    vocab = Vocabulary.from_instances(instances)
    (batch,) = SimpleDataLoader(instances, batch_size=2, vocab=vocab)
    texts: Dict[str, Any] = dict(batch)
    assert texts["text"]["tokens"]["tokens"].shape == (2, 4)
    assert texts["text_pair"]["tokens"]["tokens"].shape == (2, 5)
    assert texts["text_pair"]["tokens"]["tokens"][1].tolist() == [
        vocab.get_token_index("Good"),
        *[0] * 4,
    ]


def test_both_texts_are_truncated_and_tags_are_those_of_the_first() -> None:
    reader = make_reader(labels={"pos": "tags"}, max_tokens=1)
    instance = reader.text_to_instance(["a", "b"], text_pair=["c", "d", "e"], pos=["X", "Y"])
    assert [tokens_of(instance[name]) for name in ("text", "text_pair")] == [["a"], ["c"]]
    labels: Any = instance["pos"]
    assert labels.labels == ["X"]


def test_a_second_text_is_ignored_without_its_key() -> None:
    reader = LabeledJsonlReader({})
    assert list(reader.text_to_instance("a", text_pair="b").fields) == ["text"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            {"premise": "a", "hypotesis": "b"},
            "A line must have the key 'hypothesis', but got the keys ['premise', 'hypotesis']. Is "
            "'hypotesis' meant to be 'hypothesis'? Add it, or set the reader's text_pair_key.",
        ),
        (
            {"premise": "a", "hypothesis": None},
            "The text_pair must be a string or a list of non-empty strings, with at least one "
            "token, but got None. Correct it, or remove it from the data.",
        ),
    ],
)
def test_a_line_without_a_second_text_is_an_error(
    tmp_path: Path, line: Dict[str, Any], message: str
) -> None:
    path = write(tmp_path, [LINES[0], line])
    with pytest.raises(ValueError, match="line 2") as error:
        list(make_reader().read(path))
    assert str(error.value) == f"{path}, line 2: {message}"


@pytest.mark.parametrize("key", ["premise", "hypothesis", "text_pair"])
def test_the_key_of_a_text_is_no_label(key: str) -> None:
    with pytest.raises(ConfigurationError, match="^labels must not use the name of another field"):
        make_reader(labels={key: "class"})


def test_the_same_key_for_both_texts_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_reader(text_pair_key="premise")
    assert str(error.value) == (
        "text_pair_key must be another key than text_key, but got 'premise' for both. Correct it, "
        "or leave it out if there is one text."
    )


@pytest.mark.parametrize("pair", ["A man is awake.", None])
def test_a_pair_can_be_predicted(pair: Optional[str]) -> None:
    vocab = Vocabulary()
    model = MultiTaskModel(vocab, PairBackbone(), {"pairs": LengthsHead(vocab)})
    predictor = Predictor(model, MultiTaskDatasetReader({"pairs": make_reader()}))
    inputs = {"task": "pairs", "text": "A man sleeps."}
    if pair is None:
        with pytest.raises(
            ValueError, match=": The text_pair must be a string or a list of non-empty"
        ):
            predictor.predict_json(inputs)
        return
    assert predictor.predict_json({**inputs, "text_pair": pair}) == {
        "text_tokens": ["A", "man", "sleeps", "."],
        "text_pair_tokens": ["A", "man", "is", "awake", "."],
        "pairs_lengths": [4, 5],
    }
