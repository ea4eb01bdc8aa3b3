"""`MultiTaskPredictor` on AllenNLP's own readers, heads and predictors."""

import copy
from typing import Any, Dict, List, Optional

import numpy
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import (
    MultiTaskDatasetReader,
    ShardedDatasetReader,
    TextClassificationJsonReader,
)
from allennlp.data.tokenizers import WhitespaceTokenizer
from allennlp.models.heads import ClassifierHead, Head
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding
from allennlp.predictors import Predictor, TextClassifierPredictor

from multitask_model import MultiTaskModel, MultiTaskPredictor, TextBackbone
from tests.helpers.models import DIM, WORDS, TinyBackbone, make_vocab


class PredictedHead(ClassifierHead):
    """A head that names a predictor, as AllenNLP's own does not."""

    default_predictor = "text_classifier"


class CountingReader(TextClassificationJsonReader):
    """Takes more than one key, one of them optional."""

    def text_to_instance(  # type: ignore[override]
        self, title: str, body: str, label: Optional[str] = None
    ) -> Instance:
        return super().text_to_instance(f"{title} {body}", label)


def make_reader() -> TextClassificationJsonReader:
    return TextClassificationJsonReader(tokenizer=WhitespaceTokenizer())


def make_predictor(extra_readers: Any = (), **kwargs: Any) -> MultiTaskPredictor:
    torch.manual_seed(0)
    vocab = make_vocab()
    encoder = BagOfEmbeddingsEncoder(DIM)
    heads: Dict[str, Head] = {
        "polarity": ClassifierHead(vocab, encoder),
        "source": PredictedHead(vocab, encoder),
        "news": ClassifierHead(vocab, encoder),
    }
    mapping = {"backbone": {"tokens": "text"}}
    model = MultiTaskModel(vocab, TinyBackbone(), heads, arg_name_mapping=mapping)
    readers: Dict[str, DatasetReader] = {
        "polarity": make_reader(),
        "source": make_reader(),
        "news": CountingReader(tokenizer=WhitespaceTokenizer()),
        **dict(extra_readers),
    }
    return MultiTaskPredictor(model, MultiTaskDatasetReader(readers), **kwargs)


MIXED: List[Dict[str, Any]] = [
    {"task": "source", "sentence": "w1 w2"},
    {"task": "polarity", "text": "w3"},
    {"task": "news", "title": "w4", "body": "w5 w6"},
    {"task": "source", "sentence": "w7"},
    {"task": "polarity", "text": "w8 w9 w10"},
]


def count_passes(predictor: MultiTaskPredictor) -> List[int]:
    passes: List[int] = []
    backbone: torch.nn.Module = predictor._model._backbone
    backbone.register_forward_hook(lambda module, args, out: passes.append(1))
    return passes


def test_multitask_means_our_predictor() -> None:
    assert Predictor.by_name("multitask") is MultiTaskPredictor


def test_results_are_in_the_order_of_the_inputs() -> None:
    predictor = make_predictor()
    found = predictor.predict_batch_json(MIXED)
    assert [sorted(prediction) for prediction in found] == [
        [*(f"{line['task']}_{key}" for key in ("label", "logits", "probs")), "tokens"]
        for line in MIXED
    ]
    for line, prediction in zip(MIXED, found):
        alone = predictor.predict_json(line)
        task = line["task"]
        assert prediction.keys() == alone.keys()
        assert prediction[f"{task}_label"] == alone[f"{task}_label"]
        assert prediction[f"{task}_probs"] == pytest.approx(alone[f"{task}_probs"], abs=1e-6)


def test_any_mix_of_like_fields_is_one_pass() -> None:
    predictor = make_predictor()
    passes = count_passes(predictor)
    predictor.predict_batch_json(MIXED)
    assert len(passes) == 1


def test_labels_that_only_some_have_take_no_pass_of_their_own() -> None:
    predictor = make_predictor()
    labelled = {"task": "polarity", "text": "w3", "label": "class1"}
    passes = count_passes(predictor)
    found = predictor.predict_batch_json([labelled, *MIXED, labelled])
    assert len(passes) == 1
    for prediction in (found[0], found[-1]):
        assert prediction.keys() == found[2].keys()
        assert prediction["polarity_probs"] == pytest.approx(found[2]["polarity_probs"], abs=1e-6)


def test_the_json_is_not_changed() -> None:
    lines = copy.deepcopy(MIXED)
    make_predictor().predict_batch_json(lines)
    assert lines == MIXED


def test_encodings_are_kept_if_asked_for() -> None:
    found = make_predictor(keep_encodings=True).predict_json(MIXED[1])
    assert numpy.array(found["encoded_text"]).shape == (1, DIM)


def test_a_prediction_has_no_loss() -> None:
    line = {"task": "polarity", "text": "w3", "label": "class1"}
    assert sorted(make_predictor().predict_json(line)) == [
        "polarity_label",
        "polarity_logits",
        "polarity_probs",
        "tokens",
    ]


@pytest.mark.parametrize("task", ["polarty", ["polarity"], None])
def test_unknown_task(task: Any) -> None:
    expected = r"The task must be one of \['polarity', 'source', 'news'\], but found unknown task "
    with pytest.raises(ValueError, match=expected):
        make_predictor().predict_json({"task": task, "text": "w1"})


def test_missing_task() -> None:
    expected = (
        r"requires the key 'task', but found only the keys \['text'\]\. "
        r"Add it, with one of the tasks \['polarity', 'source', 'news'\]"
    )
    with pytest.raises(ValueError, match=expected):
        make_predictor().predict_json({"text": "w1"})


def test_missing_keys_of_the_reader() -> None:
    expected = (
        r"Task 'news' requires the keys \['body'\] \(text_to_instance of CountingReader\), but "
        r"found \['title', 'bdy'\]\. Did you mean 'bdy'\? It takes the keys "
        r"\['title', 'body', 'label'\]"
    )
    with pytest.raises(ValueError, match=expected):
        make_predictor().predict_json({"task": "news", "title": "w1", "bdy": "w2"})


def test_missing_keys_of_a_reader_inside_another() -> None:
    predictor = make_predictor({"news": ShardedDatasetReader(make_reader())})
    with pytest.raises(ValueError, match=r"requires the keys \['text'\].*but found \['txt'\]"):
        predictor.predict_json({"task": "news", "txt": "w1"})
    assert "news_label" in predictor.predict_json({"task": "news", "text": "w1"})


class Nameless(DatasetReader):
    def text_to_instance(self, *inputs: Any) -> Instance:
        raise NotImplementedError


def test_a_reader_whose_parameters_have_no_names() -> None:
    predictor = make_predictor({"news": Nameless()})
    expected = r"requires names for the parameters of text_to_instance, but that of .*Nameless has"
    with pytest.raises(ValueError, match=expected):
        predictor.predict_json({"task": "news", "text": "w1"})


def test_keys_that_the_reader_does_not_take_are_warned_of_once(caplog: Any) -> None:
    predictor = make_predictor()
    line = {"task": "polarity", "text": "w1", "id": 7}
    assert predictor.predict_batch_json([line, line])[0] == predictor.predict_json(
        {"task": "polarity", "text": "w1"}
    )
    warnings = [r.getMessage() for r in caplog.records if "ignoring the key" in r.getMessage()]
    assert warnings == ["Task 'polarity' takes the keys ['text', 'label']; ignoring the key 'id'."]


def test_a_reader_without_a_head_is_no_task_and_no_hindrance() -> None:
    predictor = make_predictor({"spare": make_reader()})
    assert "polarity_label" in predictor.predict_json(MIXED[1])
    with pytest.raises(ValueError, match="found unknown task 'spare'"):
        predictor.predict_json({"task": "spare", "text": "w1"})


def test_only_a_multitask_reader_and_model_will_do() -> None:
    predictor = make_predictor()
    expected = "MultiTaskDatasetReader, but it was given a .*TextClassificationJsonReader"
    with pytest.raises(ConfigurationError, match=expected):
        MultiTaskPredictor(predictor._model, make_reader())  # type: ignore[arg-type]
    head: Any = predictor._model._heads["news"]
    with pytest.raises(
        ConfigurationError, match="MultiTaskModel, but it was given a .*ClassifierHead"
    ):
        MultiTaskPredictor(head, MultiTaskDatasetReader({}))


def test_the_predictor_of_the_head_labels_instances() -> None:
    predictor = make_predictor()
    labelled: Any = predictor.json_to_labeled_instances(MIXED[0])[0]
    prediction = predictor.predict_json(MIXED[0])
    assert isinstance(predictor.predictors["source"], TextClassifierPredictor)
    assert labelled["label"].label == int(numpy.argmax(prediction["source_probs"]))
    assert labelled["task"].metadata == "source"


def test_labelling_needs_a_predictor_of_the_head() -> None:
    with pytest.raises(
        RuntimeError, match=r"none of the heads \{'polarity': 'ClassifierHead'\} of task 'polarity'"
    ):
        make_predictor().json_to_labeled_instances(MIXED[1])


def test_gradients_of_the_inputs() -> None:
    predictor = make_predictor()
    embedder = BasicTextFieldEmbedder({"tokens": Embedding(DIM, num_embeddings=WORDS)})
    predictor._model._backbone = TextBackbone(predictor._model.vocab, embedder)
    gradients, outputs = predictor.get_gradients(predictor.json_to_labeled_instances(MIXED[0]))
    assert numpy.array(gradients["grad_input_1"]).shape == (1, 2, DIM)
    assert numpy.abs(gradients["grad_input_1"]).sum() > 0
    assert outputs["loss"].item() > 0


def shared_predictor() -> MultiTaskPredictor:
    """One reader's instances for two heads, one of which names a predictor."""
    predictor = make_predictor()
    model = predictor._model
    task_heads = {"polarity": ["polarity", "news"], "source": ["source", "news"]}
    heads: Any = dict(model._heads.items())
    shared = MultiTaskModel(
        model.vocab,
        model._backbone,
        heads,
        task_heads=task_heads,
        arg_name_mapping={"backbone": {"tokens": "text"}},
    )
    readers: Dict[str, DatasetReader] = {task: make_reader() for task in task_heads}
    return MultiTaskPredictor(shared, MultiTaskDatasetReader(readers))


def heads_of(prediction: Dict[str, Any]) -> List[str]:
    return sorted(name[: -len("_label")] for name in prediction if name.endswith("_label"))


def test_all_heads_of_a_task_predict_from_one_pass() -> None:
    predictor = shared_predictor()
    passes = count_passes(predictor)
    lines = [{"task": "polarity", "text": "w1"}, {"task": "source", "sentence": "w2 w3"}]
    found = predictor.predict_batch_json(lines)
    assert [heads_of(prediction) for prediction in found] == [
        ["news", "polarity"],
        ["news", "source"],
    ]
    assert len(passes) == 1


def test_heads_of_the_input_narrow_those_of_the_task() -> None:
    predictor = shared_predictor()
    passes = count_passes(predictor)
    whole = {"task": "polarity", "text": "w1"}
    found = predictor.predict_batch_json([{**whole, "heads": ["news"]}, whole])
    assert [heads_of(prediction) for prediction in found] == [["news"], ["news", "polarity"]]
    assert len(passes) == 1
    with pytest.raises(ValueError, match="'source' does not serve 'polarity'"):
        predictor.predict_json({**whole, "heads": ["source"]})


def test_the_head_with_a_predictor_labels_for_all() -> None:
    predictor = shared_predictor()
    labelled: Any = predictor.json_to_labeled_instances({"task": "source", "sentence": "w2"})[0]
    prediction = predictor.predict_json({"task": "source", "sentence": "w2"})
    assert labelled["label"].label == int(numpy.argmax(prediction["source_probs"]))
    assert labelled["heads"].metadata == ["source"]


def test_labelling_needs_a_predictor_among_the_heads_of_the_input() -> None:
    line = {"task": "source", "sentence": "w2", "heads": ["news"]}
    with pytest.raises(
        RuntimeError, match=r"none of the heads \{'news': 'ClassifierHead'\} of task"
    ):
        shared_predictor().json_to_labeled_instances(line)


@pytest.mark.parametrize("heads", ["news", [], [3], 3])
def test_heads_of_the_input_that_are_no_list_of_names(heads: Any) -> None:
    line = {"task": "polarity", "text": "w1", "heads": heads}
    with pytest.raises(ValueError, match="'heads' must have a list of one or more names of heads"):
        shared_predictor().predict_json(line)


def test_a_prediction_has_the_tokens_of_its_text() -> None:
    lines = [{"task": "polarity", "text": "w3 w4 w5"}, {"task": "source", "sentence": "w1"}]
    found = make_predictor().predict_batch_json(lines)
    assert [prediction["tokens"] for prediction in found] == [["w3", "w4", "w5"], ["w1"]]
