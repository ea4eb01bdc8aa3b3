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
from allennlp.modules import Backbone
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding
from allennlp.predictors import Predictor, TextClassifierPredictor

from multitask_model import MultiTaskModel, MultiTaskPredictor, TextBackbone
from tests.helpers.messages import exactly
from tests.helpers.models import DIM, WORDS, TinyBackbone, make_vocab
from tests.helpers.multitask import record_calls


class PredictedHead(ClassifierHead):
    """A head with a `default_predictor`, which AllenNLP's head does not have."""

    default_predictor = "text_classifier"


class NewsReader(TextClassificationJsonReader):
    """Takes three keys, one of them optional."""

    def text_to_instance(  # type: ignore[override]
        self, title: str, body: str, label: Optional[str] = None
    ) -> Instance:
        return super().text_to_instance(f"{title} {body}", label)


def make_reader() -> TextClassificationJsonReader:
    return TextClassificationJsonReader(tokenizer=WhitespaceTokenizer())


def make_predictor(
    extra_readers: Any = (), backbone: Optional[Backbone] = None, **kwargs: Any
) -> MultiTaskPredictor:
    torch.manual_seed(0)
    vocab = make_vocab()
    encoder = BagOfEmbeddingsEncoder(DIM)
    heads: Dict[str, Head] = {
        "polarity": ClassifierHead(vocab, encoder),
        "source": PredictedHead(vocab, encoder),
        "news": ClassifierHead(vocab, encoder),
    }
    mapping = {"backbone": {"tokens": "text"}}
    model = MultiTaskModel(vocab, backbone or TinyBackbone(), heads, arg_name_mapping=mapping)
    readers: Dict[str, DatasetReader] = {
        "polarity": make_reader(),
        "source": make_reader(),
        "news": NewsReader(tokenizer=WhitespaceTokenizer()),
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


KEYS = ["label", "logits", "probs", "probs_by_label"]


def test_the_type_name_multitask_is_our_predictor() -> None:
    assert Predictor.by_name("multitask") is MultiTaskPredictor


def test_predictions_are_in_the_order_of_the_inputs() -> None:
    predictor = make_predictor()
    found = predictor.predict_batch_json(MIXED)
    assert [sorted(prediction) for prediction in found] == [
        [*(f"{line['task']}_{key}" for key in KEYS), "tokens"] for line in MIXED
    ]
    for line, prediction in zip(MIXED, found):
        alone = predictor.predict_json(line)
        task = line["task"]
        assert prediction.keys() == alone.keys()
        assert prediction[f"{task}_label"] == alone[f"{task}_label"]
        assert prediction[f"{task}_probs"] == pytest.approx(alone[f"{task}_probs"], abs=1e-6)


def test_any_tasks_with_the_same_inputs_are_encoded_in_one_batch() -> None:
    predictor = make_predictor()
    calls = record_calls(predictor.model.backbone)
    predictor.predict_batch_json(MIXED)
    assert len(calls) == 1


def test_labels_of_some_instances_do_not_split_the_batch() -> None:
    predictor = make_predictor()
    labeled = {"task": "polarity", "text": "w3", "label": "class1"}
    calls = record_calls(predictor.model.backbone)
    found = predictor.predict_batch_json([labeled, *MIXED, labeled])
    assert len(calls) == 1
    for prediction in (found[0], found[-1]):
        assert prediction.keys() == found[2].keys()
        assert prediction["polarity_probs"] == pytest.approx(found[2]["polarity_probs"], abs=1e-6)


def test_the_json_is_not_changed() -> None:
    lines = copy.deepcopy(MIXED)
    make_predictor().predict_batch_json(lines)
    assert lines == MIXED


def test_encodings_are_kept_on_request() -> None:
    found = make_predictor(keep_encodings=True).predict_json(MIXED[1])
    assert numpy.array(found["encoded_text"]).shape == (1, DIM)


def test_a_prediction_has_no_loss() -> None:
    line = {"task": "polarity", "text": "w3", "label": "class1"}
    assert sorted(make_predictor().predict_json(line)) == [
        "polarity_label",
        "polarity_logits",
        "polarity_probs",
        "polarity_probs_by_label",
        "tokens",
    ]


@pytest.mark.parametrize("task", ["polarty", ["polarity"], None])
def test_an_unknown_task_is_an_error(task: Any) -> None:
    suggestion = "" if task is None else " Did you mean 'polarity'?"
    message = (
        f"The task must be one of ['polarity', 'source', 'news'], but got {task!r}.{suggestion} "
        "Tasks that can be predicted have heads in the model and a reader of the same name in the "
        "dataset reader."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().predict_json({"task": task, "text": "w1"})


def test_a_missing_task_is_an_error() -> None:
    message = (
        "Each input requires the key 'task' or 'heads', but got only ['text']. Add 'task', with "
        "one of the tasks ['polarity', 'source', 'news'], or 'heads', with a list of the heads "
        "['polarity', 'source', 'news']."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().predict_json({"text": "w1"})


def test_an_instance_without_a_task_is_an_error() -> None:
    message = (
        "Each instance requires a MetadataField 'task' with one of ['polarity', 'source', 'news'], "
        "but got None. A multitask dataset reader adds it."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().predict_instance(make_reader().text_to_instance("w1"))


def test_missing_keys_of_the_reader_are_an_error() -> None:
    message = (
        "Task 'news' requires the keys ['body'] (text_to_instance of NewsReader), but got "
        "['title', 'bdy']. Is 'bdy' meant to be 'body'? The known keys are ['title', 'body', "
        "'label']: add or rename them."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().predict_json({"task": "news", "title": "w1", "bdy": "w2"})


def test_a_wrapping_reader_is_asked_with_the_keys_of_the_reader_inside() -> None:
    predictor = make_predictor({"news": ShardedDatasetReader(make_reader())})
    assert "news_label" in predictor.predict_json({"task": "news", "text": "w1"})
    with pytest.raises(ValueError, match=r"requires the keys \['text'\].*but got \['txt'\]"):
        predictor.predict_json({"task": "news", "txt": "w1"})


def test_keys_that_the_reader_does_not_take_change_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    predictor = make_predictor()
    line = {"task": "polarity", "text": "w1", "id": 7}
    expected = predictor.predict_batch_json([{"task": "polarity", "text": "w1"}] * 2)
    assert predictor.predict_batch_json([line, line]) == expected
    warnings = [message for message in caplog.messages if message.startswith("Ignoring the key")]
    assert warnings == [
        "Ignoring the key 'id', because task 'polarity' only takes the keys ['text', 'label']."
    ]


def test_a_reader_without_a_head_is_not_a_task() -> None:
    predictor = make_predictor({"spare": make_reader()})
    assert "polarity_label" in predictor.predict_json(MIXED[1])
    message = (
        "The task must be one of ['polarity', 'source', 'news'], but got 'spare'. Tasks that can "
        "be predicted have heads in the model and a reader of the same name in the dataset reader."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        predictor.predict_json({"task": "spare", "text": "w1"})


def test_another_class_of_reader_or_model_is_an_error() -> None:
    model = make_predictor().model
    readers = "allennlp.data.dataset_readers"
    message = (
        f"MultiTaskPredictor requires an instance of {readers}.multitask.MultiTaskDatasetReader, "
        f"but got one of {readers}.text_classification_json.TextClassificationJsonReader. Use "
        "another predictor for other classes."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskPredictor(model, make_reader())  # type: ignore[arg-type]
    message = (
        "MultiTaskPredictor requires an instance of multitask_model.model.MultiTaskModel, but got "
        "one of allennlp.models.heads.classifier_head.ClassifierHead. Use another predictor for "
        "other classes."
    )
    head: Any = model.head("news")
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskPredictor(head, MultiTaskDatasetReader({}))


def test_the_predictor_of_the_head_labels_instances() -> None:
    predictor = make_predictor()
    labeled: Any = predictor.json_to_labeled_instances(MIXED[0])[0]
    prediction = predictor.predict_json(MIXED[0])
    assert isinstance(predictor.predictors["source"], TextClassifierPredictor)
    assert labeled["label"].label == int(numpy.argmax(prediction["source_probs"]))
    assert labeled["task"].metadata == "source"


LABELING = (
    "Labeling an instance requires a predictor, but none of the heads {} of task {} has a "
    "default_predictor. Give the class of one of them a default_predictor that implements "
    "predictions_to_labeled_instances."
)


def test_labeling_without_a_predictor_is_an_error() -> None:
    message = LABELING.format("{'polarity': 'ClassifierHead'}", "'polarity'")
    with pytest.raises(RuntimeError, match=exactly(message)):
        make_predictor().json_to_labeled_instances(MIXED[1])


def test_inputs_have_gradients() -> None:
    embedder = BasicTextFieldEmbedder({"tokens": Embedding(DIM, num_embeddings=WORDS)})
    predictor = make_predictor(backbone=TextBackbone(make_vocab(), embedder))
    gradients, outputs = predictor.get_gradients(predictor.json_to_labeled_instances(MIXED[0]))
    assert numpy.array(gradients["grad_input_1"]).shape == (1, 2, DIM)
    assert numpy.abs(gradients["grad_input_1"]).sum() > 0
    assert outputs["loss"].item() > 0


def shared_predictor() -> MultiTaskPredictor:
    """Returns a predictor of tasks with two heads, one of which may have a predictor."""
    model = make_predictor().model
    task_heads = {"polarity": ["polarity", "news"], "source": ["source", "news"]}
    heads: Any = dict(model.heads.items())
    shared = MultiTaskModel(
        model.vocab,
        model.backbone,
        heads,
        task_heads=task_heads,
        arg_name_mapping={"backbone": {"tokens": "text"}},
    )
    readers: Dict[str, DatasetReader] = {task: make_reader() for task in task_heads}
    return MultiTaskPredictor(shared, MultiTaskDatasetReader(readers))


def heads_of(prediction: Dict[str, Any]) -> List[str]:
    return sorted(name[: -len("_probs")] for name in prediction if name.endswith("_probs"))


def test_all_heads_of_a_task_predict_from_one_encoding() -> None:
    predictor = shared_predictor()
    calls = record_calls(predictor.model.backbone)
    lines = [{"task": "polarity", "text": "w1"}, {"task": "source", "sentence": "w2 w3"}]
    found = predictor.predict_batch_json(lines)
    assert [heads_of(prediction) for prediction in found] == [
        ["news", "polarity"],
        ["news", "source"],
    ]
    assert len(calls) == 1


def test_the_key_heads_restricts_the_heads_of_the_task() -> None:
    predictor = shared_predictor()
    calls = record_calls(predictor.model.backbone)
    line = {"task": "polarity", "text": "w1"}
    found = predictor.predict_batch_json([{**line, "heads": ["news"]}, line])
    assert [heads_of(prediction) for prediction in found] == [["news"], ["news", "polarity"]]
    assert len(calls) == 1
    message = (
        "The 'heads' of an instance must serve its task, but got 'source', which does not serve "
        "'polarity'. The heads of 'polarity' are ['polarity', 'news']."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        predictor.predict_json({**line, "heads": ["source"]})


def test_the_head_with_a_predictor_labels_the_instance() -> None:
    predictor = shared_predictor()
    labeled: Any = predictor.json_to_labeled_instances({"task": "source", "sentence": "w2"})[0]
    prediction = predictor.predict_json({"task": "source", "sentence": "w2"})
    assert labeled["label"].label == int(numpy.argmax(prediction["source_probs"]))
    assert labeled["heads"].metadata == ["source"]


def test_labeling_without_a_predictor_among_the_given_heads_is_an_error() -> None:
    line = {"task": "source", "sentence": "w2", "heads": ["news"]}
    message = LABELING.format("{'news': 'ClassifierHead'}", "'source'")
    with pytest.raises(RuntimeError, match=exactly(message)):
        shared_predictor().json_to_labeled_instances(line)


@pytest.mark.parametrize("heads", ["news", [], [3], 3])
def test_the_key_heads_must_have_a_list_of_names(heads: Any) -> None:
    line = {"task": "polarity", "text": "w1", "heads": heads}
    message = (
        f"The key 'heads' must have a list of one or more names of heads, but got {heads!r}. "
        'Write it as ["NAME"], or leave it out for all heads of the task.'
    )
    with pytest.raises(ValueError, match=exactly(message)):
        shared_predictor().predict_json(line)


def test_a_prediction_has_the_tokens_of_its_text() -> None:
    lines = [{"task": "polarity", "text": "w3 w4 w5"}, {"task": "source", "sentence": "w1"}]
    found = make_predictor().predict_batch_json(lines)
    assert [prediction["tokens"] for prediction in found] == [["w3", "w4", "w5"], ["w1"]]
