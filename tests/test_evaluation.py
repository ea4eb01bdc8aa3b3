"""`evaluate`: the metrics of a model on a data loader."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.data_loaders import SimpleDataLoader
from allennlp.evaluation import SimpleEvaluator

from multitask_model import MultiTaskDataLoader, evaluate
from tests.helpers.annotators import make_config, make_model, make_reader
from tests.helpers.messages import exactly


def make_loader(config: Dict[str, Any], **options: Any) -> MultiTaskDataLoader:
    paths = config["train_data_path"]
    return MultiTaskDataLoader(make_reader(config), paths, shuffle=False, batch_size=2, **options)


def test_it_computes_what_allennlp_computes(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    loader = make_loader(config)
    found = evaluate(model, loader)
    expected = SimpleEvaluator()(model, loader)
    assert found == pytest.approx(expected, abs=1e-6)
    assert {"loss", "upos_accuracy", "parser_LAS", "topic_accuracy"} <= found.keys()
    assert found["loss"] > 0


def test_metrics_that_were_counted_before_do_not_count(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    loader = make_loader(config)
    expected = evaluate(model, loader)
    model(**next(iter(loader)))
    assert evaluate(model, loader) == expected
    assert model.get_metrics() == {}


def test_dropout_is_off_and_the_mode_is_kept(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config["model"]["backbone"]["dropout"] = 0.9
    model = make_model(config, make_reader(config)).train()
    loader = make_loader(config)
    assert evaluate(model, loader) == evaluate(model, loader)
    assert model.training
    assert evaluate(model.eval(), loader) != {}
    assert not model.training


def test_each_module_keeps_its_mode(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config)).train()
    model.backbone.eval()  # frozen
    modes = [module.training for module in model.modules()]
    evaluate(model, make_loader(config))
    assert [module.training for module in model.modules()] == modes
    assert {True, False} == set(modes)


def test_something_else_than_a_loader_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config)).train()
    message = (
        "evaluate requires a data loader, but got a dict. Make one of the reader and the files, "
        "such as MultiTaskDataLoader(reader, files, batch_size=32)."
    )
    loaders: Any = {"news": make_loader(config)}
    with pytest.raises(ConfigurationError, match=exactly(message)):
        evaluate(model, loaders)
    assert model.training


def test_a_loader_with_the_indices_of_another_vocabulary_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    loader = make_loader(config)
    names = model.vocab.get_namespaces()
    entries = {name: list(model.vocab.get_token_to_index_vocabulary(name)) for name in names}
    loader.index_with(Vocabulary(tokens_to_add={**entries, "tokens": entries["tokens"][::-1]}))
    message = (
        "The instances of a data loader are indexed with one vocabulary, but those of 'ewt' "
        "already have the indices of another, whose namespace 'tokens' differs. Make a data loader "
        "for each vocabulary."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        evaluate(model, loader)


def test_a_loader_with_the_same_indices_can_be_used_for_another_model(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    first, second = (make_model(config, make_reader(config)) for _ in range(2))
    loader = make_loader(config)
    assert evaluate(first, loader) == evaluate(second, loader)


def test_no_gradient_is_kept(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    found = evaluate(model, make_loader(config))
    assert all(type(value) is float for value in found.values())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_loader_without_batches_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config)).train()
    loader = SimpleDataLoader([], batch_size=2)
    message = (
        "evaluate requires a data loader with at least one batch, but got one without any. Check "
        "its files."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        evaluate(model, loader)
    assert model.training


def test_batches_without_labels_have_no_loss(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    (tmp_path / "texts.jsonl").write_text(json.dumps({"text": "Ann saw"}) + "\n")
    paths = {"news": str(tmp_path / "texts.jsonl")}
    with torch.no_grad():
        found = evaluate(model, MultiTaskDataLoader(make_reader(config), paths, batch_size=2))
    assert found == {}
