"""Heads without a loss in training, and fields that reach no component."""

import copy
import logging
import pickle
from typing import Any, Dict, List

import pytest
from torch.utils._pytree import tree_map

from multitask_model import MultiTaskModel
from multitask_model.data.collate import collate
from multitask_model.routing.missing_losses import FIRST_BATCHES
from tests.helpers.models import TinyBackbone, TinyHead, make_batch, make_instance, make_vocab


def make_model(heads: str = "a", **parameters: Any) -> MultiTaskModel:
    vocab = make_vocab()
    return MultiTaskModel(
        vocab, TinyBackbone(), {name: TinyHead(vocab) for name in heads}, **parameters
    )


def renamed(tasks: List[str], field: str) -> Dict[str, Any]:
    batch = make_batch(tasks)
    batch[field] = batch.pop("label")
    return batch


def warnings(caplog: pytest.LogCaptureFixture) -> List[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


NO_MAPPING = (
    "A head must return a loss to be trained, but got none from 'a' in its first 10 training "
    "batches. It ran without the optional arguments ['label'], and no component takes the fields "
    "['polarity'] of its instances. Did you mean 'polarity'? Map a field to the argument: "
    "arg_name_mapping={'a': {'polarity': 'label'}}."
)


def test_a_head_without_a_loss_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    model = make_model()
    for _ in range(FIRST_BATCHES - 1):
        model(**renamed(["a", "a"], "polarity"))
    assert warnings(caplog) == []
    for _ in range(20):
        model(**renamed(["a", "a"], "polarity"))
    assert warnings(caplog) == [NO_MAPPING]


def test_a_short_epoch_ends_with_the_report(caplog: pytest.LogCaptureFixture) -> None:
    model = make_model()
    model(**renamed(["a", "a"], "polarity"))
    model.get_metrics(reset=True)
    model.get_metrics(reset=True)
    assert warnings(caplog) == [NO_MAPPING.replace("10 training", "1 training")]


def test_evaluation_and_heads_with_a_loss_are_not_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make_model("ab")
    model(**make_batch(["a", "b"]))
    for batch in (make_batch(["a", "b"], labels=False), renamed(["a"], "polarity")) * 20:
        model(**batch)
    model.eval()
    fresh = make_model().eval()
    for _ in range(20):
        fresh(**renamed(["a"], "polarity"))
    fresh.get_metrics(reset=True)
    assert warnings(caplog) == []


def test_the_field_of_one_task_in_a_mixed_batch_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make_model("ab")
    instances = [
        make_instance("w1 w2", "a", polarity="class1"),
        make_instance("w3", "b", "class1"),
    ]
    for instance in instances:
        instance.index_fields(model.vocab)
    for _ in range(FIRST_BATCHES):
        model(**collate(instances))
    assert warnings(caplog) == [NO_MAPPING]


def test_a_misspelt_source_is_reported_when_all_tasks_have_been_seen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make_model(
        "ab", arg_name_mapping={"backbone": {"txet": "text"}, "a": {"poliarity": "label"}}
    )
    model(**renamed(["a"], "polarity"))
    known = "['encoded_text', 'encoded_text_mask', 'polarity', 'text']"
    of_a = (
        "arg_name_mapping of 'a' must map names of fields or backbone outputs, but got "
        "'poliarity', which no training batch had so far. Did you mean 'polarity'? The names are "
        f"{known}."
    )
    assert warnings(caplog) == [of_a]
    model(**make_batch(["b"]))
    assert warnings(caplog)[1:] == [
        "arg_name_mapping of 'backbone' must map names of fields or backbone outputs, but got "
        "'txet', which no training batch had so far. Did you mean 'text'? The names are "
        "['encoded_text', 'encoded_text_mask', 'label', 'polarity', 'text']."
    ]
    for _ in range(FIRST_BATCHES):
        model(**renamed(["a"], "polarity"))
    assert warnings(caplog)[2:] == [NO_MAPPING]


def test_a_source_that_only_later_batches_have_is_not_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make_model(arg_name_mapping={"a": {"genre": "label"}})
    model(**make_batch(["a"]))
    model(**renamed(["a"], "genre"))
    for _ in range(FIRST_BATCHES):
        model(**make_batch(["a"]))
    model.get_metrics(reset=True)
    assert warnings(caplog) == []


def test_a_source_that_no_batch_has_is_reported_at_the_end_of_the_epoch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = make_model(arg_name_mapping={"a": {"genre": "label"}})
    model(**make_batch(["a"]))
    model.get_metrics(reset=True)
    assert [w.split(",")[1] for w in warnings(caplog)] == [" but got 'genre'"]


def test_a_batch_without_any_loss_is_explained_by_head() -> None:
    model = make_model("ab", task_heads={"t": ["a", "b"]})
    batch = renamed(["t", "t"], "polarity")
    model(**batch)
    assert model.explain_missing_loss(batch) == (
        "At least one component must return a loss for each training batch, but got none from the "
        "backbone and the heads ['a', 'b'], which ran for the tasks ['t']. 'a' ran without the "
        "optional arguments ['label'], and no component takes the fields ['polarity'] of its "
        "instances. Did you mean 'polarity'? Map a field to the argument: "
        "arg_name_mapping={'a': {'polarity': 'label'}}. 'b' ran without the optional arguments "
        "['label'], and no component takes the fields ['polarity'] of its instances. Did you mean "
        "'polarity'? Map a field to the argument: arg_name_mapping={'b': {'polarity': 'label'}}."
    )


def test_instances_without_labels_and_heads_without_a_loss_are_explained() -> None:
    model = make_model()
    batch = make_batch(["a"], labels=False)
    model(**batch)
    assert model.explain_missing_loss(batch).endswith(
        "'a' ran without the optional arguments ['label'], and components take all fields of its "
        "instances. Add its labels in the dataset reader."
    )
    assert model.explain_missing_loss(make_batch(["a"])).endswith(
        "'a' got all of its arguments: return a 'loss' from its forward()."
    )


def test_an_added_head_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    model = make_model()
    model(**make_batch(["a"]))
    model.add_head("b", TinyHead(model.vocab))
    model(**renamed(["b"], "polarity"))
    model.get_metrics(reset=True)
    assert len(warnings(caplog)) == 1
    assert "from 'b' in its first 1 training batches" in warnings(caplog)[0]


def test_what_one_head_was_missing() -> None:
    model = make_model("ab", task_heads={"t": ["a", "b"]})
    batch = renamed(["t"], "polarity")
    assert model.explain_missing_loss(batch, "b") == (
        "'b' ran without the optional arguments ['label'], and no component takes the fields "
        "['polarity'] of its instances. Did you mean 'polarity'? Map a field to the argument: "
        "arg_name_mapping={'b': {'polarity': 'label'}}."
    )


def test_the_loss_of_a_training_batch_without_one_is_an_error_that_says_why() -> None:
    model, batch = make_model(), renamed(["a"], "polarity")
    outputs = model(**batch)
    assert "loss" not in outputs
    with pytest.raises(KeyError) as error:
        outputs["loss"]
    assert error.value.args == (model.explain_missing_loss(batch),)
    with pytest.raises(KeyError, match="^'a_lss'$"):
        outputs["a_lss"]


def test_copies_of_outputs_without_a_loss_are_plain_dictionaries() -> None:
    outputs = make_model()(**renamed(["a"], "polarity"))
    for copied in (copy.copy(outputs), pickle.loads(pickle.dumps(outputs))):
        assert type(copied) is dict
        assert list(copied) == list(outputs)


def test_a_dictionary_of_the_class_of_outputs_without_a_loss() -> None:
    outputs = make_model()(**renamed(["a"], "polarity"))
    made = type(outputs)((name, 1) for name in outputs)  # as PyTorch gathers outputs
    assert made == dict.fromkeys(outputs, 1)
    with pytest.raises(KeyError, match="^'loss'$"):
        made["loss"]


def test_nested_values_of_outputs_without_a_loss_are_mapped() -> None:
    outputs = make_model()(**renamed(["a"], "polarity"))
    mapped = tree_map(lambda tensor: tensor.detach(), outputs)
    assert list(mapped) == list(outputs)
    assert not any(value.requires_grad for value in mapped.values())


def test_outputs_of_an_evaluation_are_a_plain_dictionary() -> None:
    assert type(make_model().eval()(**renamed(["a"], "polarity"))) is dict
