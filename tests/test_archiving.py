"""`save_archive`: archives that `load_archive` and the real `allennlp predict` take."""

import json
import tarfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models import Model, load_archive
from allennlp.models.heads import Head
from allennlp.predictors import Predictor

from multitask_model import (
    LabeledJsonlReader,
    MultiTaskDatasetReader,
    MultiTaskModel,
    MultiTaskPredictor,
    TaggerHead,
    save_archive,
)
from tests.helpers.annotators import DIM, make_config, make_model, make_reader
from tests.helpers.commands import PACKAGE, run_allennlp
from tests.helpers.messages import exactly

LINES: List[Dict[str, Any]] = [
    {"task": "news", "text": "Ann saw New York!"},
    {"task": "ewt", "text": ["He", "'s", "bought", "cars"]},
    {"text": "Any cars?", "heads": ["ner", "upos"]},
]


def save(folder: Path, given: Optional[Dict[str, Any]] = None) -> MultiTaskPredictor:
    """Saves a model and returns a predictor of it, as it was before."""
    config = make_config(folder)
    reader = make_reader(config)
    model = make_model(config, reader)
    save_archive(model, reader, folder / "model.tar.gz", config=given)
    return MultiTaskPredictor(model, reader)


def test_a_loaded_archive_predicts_the_same(tmp_path: Path) -> None:
    expected = save(tmp_path).predict_batch_json(LINES)
    predictor = Predictor.from_path(tmp_path / "model.tar.gz")
    assert predictor.predict_batch_json(LINES) == expected


@pytest.mark.slow
def test_the_allennlp_command_predicts_the_same(tmp_path: Path) -> None:
    expected = save(tmp_path)
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    command = ["predict", "model.tar.gz", "lines.jsonl", "--output-file", "out.jsonl", *PACKAGE]
    run_allennlp(*command, directory=tmp_path)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for line, prediction in zip(LINES, found):
        alone = expected.predict_json(line)
        assert prediction.keys() == alone.keys()
        for name, value in alone.items():
            if "tags" in name or "label" in name and "probs" not in name:
                assert prediction[name] == value


def test_a_loaded_archive_can_be_saved_again(tmp_path: Path) -> None:
    expected = save(tmp_path).predict_batch_json(LINES)
    archive = load_archive(tmp_path / "model.tar.gz", overrides={"predictor": {"top_k": 1}})
    path = tmp_path / "new" / "again.tar.gz"
    assert save_archive(archive.model, archive.dataset_reader, path) == str(path)
    again = load_archive(path)
    assert set(again.model.state_dict()) == set(archive.model.state_dict())
    predictor = Predictor.from_archive(again)
    assert isinstance(predictor, MultiTaskPredictor)
    found = predictor.predict_batch_json(LINES)
    assert len(found[0].pop("topic_probs_by_label")) == 1
    del expected[0]["topic_probs_by_label"]
    assert found == expected


def test_a_folder_as_path_has_the_archive_in_it(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    path = save_archive(make_model(config, reader), reader, tmp_path)
    assert path == str(tmp_path / "model.tar.gz")
    assert Path(path).exists()


def test_a_save_that_fails_leaves_the_earlier_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    path = tmp_path / "archives" / "model.tar.gz"
    save_archive(model, reader, path)
    before = path.read_bytes()
    add = tarfile.TarFile.add

    def interrupt(self: tarfile.TarFile, name: str, *args: Any, **kwargs: Any) -> None:
        add(self, name, *args, **kwargs)
        if "vocabulary" in str(name):
            raise KeyboardInterrupt

    monkeypatch.setattr(tarfile.TarFile, "add", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_archive(model, reader, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("namespace", "module", "sizes"),
    [
        ("tokens", "_backbone._text_field_embedder.token_embedder_tokens", (15, 16)),
        ("upos_tags", "_heads.upos._labels", (7, 8)),
    ],
)
def test_a_vocabulary_that_has_outgrown_the_model_is_an_error(
    tmp_path: Path, namespace: str, module: str, sizes: Tuple[int, int]
) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    model.vocab.add_token_to_namespace("new", namespace)
    message = (
        f"An archive requires a model that fits its vocabulary, but got {sizes[0]} entries in "
        f"{module!r} and {sizes[1]} in the namespace {namespace!r}. After words were added, call "
        "model.extend_embedder_vocab(); after labels were added, build the head again."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(model, reader, tmp_path / "model.tar.gz")


def test_a_vocabulary_that_was_extended_with_its_model_is_saved(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    model.vocab.add_token_to_namespace("new", "tokens")
    model.extend_embedder_vocab()
    save_archive(model, reader, tmp_path / "model.tar.gz")
    expected = MultiTaskPredictor(model, reader).predict_batch_json(LINES)
    found = Predictor.from_path(tmp_path / "model.tar.gz").predict_batch_json(LINES)
    assert found == expected


@pytest.mark.parametrize("given", ["multitask", ["top_k"]])
def test_options_of_the_predictor_must_be_a_dictionary(tmp_path: Path, given: object) -> None:
    save(tmp_path)
    message = (
        f"The predictor of a config must be a dictionary of options, but got {given!r}. Write it "
        'as {"top_k": 3}.'
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        load_archive(tmp_path / "model.tar.gz", overrides={"predictor": given})


def test_the_archive_has_a_version(tmp_path: Path) -> None:
    save(tmp_path)
    meta = load_archive(tmp_path / "model.tar.gz").meta
    assert meta is not None
    assert meta.version == "2.10.1"


def test_the_options_of_the_vocabulary_are_kept(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    words = {"tokens": ["Ann"], "ner_labels": ["O"]}
    vocab = Vocabulary(tokens_to_add=words, padding_token="[PAD]", oov_token="[UNK]")
    params = config["model"]
    params["heads"] = {"ner": {"type": "tagger", "input_dim": DIM, "label_namespace": "ner_labels"}}
    params["task_heads"] = {"news": ["ner"]}
    params["arg_name_mapping"] = {}
    model: Any = Model.from_params(Params(params), vocab=vocab)
    save_archive(model, reader, tmp_path / "model.tar.gz")
    loaded = load_archive(tmp_path / "model.tar.gz").model.vocab
    assert loaded.get_index_to_token_vocabulary("tokens") == {0: "[PAD]", 1: "[UNK]", 2: "Ann"}


def test_the_default_task_heads_are_left_out_for_allennlps_own_class(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    params = config["model"]
    params["heads"] = {"news": {**params["heads"]["topic"]}}
    params["arg_name_mapping"] = {"news": {"topic": "label"}}
    del params["task_heads"]
    config["train_data_path"] = {"news": config["train_data_path"]["news"]}
    reader = make_reader(config)
    save_archive(make_model(config, reader), reader, tmp_path / "model.tar.gz")
    saved = load_archive(tmp_path / "model.tar.gz").config["model"]
    assert saved.as_dict(quiet=True) == {"type": "multitask", **params}


def add_head(model: MultiTaskModel) -> None:
    head = TaggerHead(model.vocab, DIM, label_namespace="xpos_tags")
    model.add_head("xpos2", head, tasks=["news"], arg_name_mapping={"xpos_tags": "tags"})


def test_an_added_head_is_saved_with_its_config(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    add_head(model)
    head = {"type": "tagger", "input_dim": DIM, "label_namespace": "xpos_tags"}
    path = tmp_path / "model.tar.gz"
    save_archive(model, reader, path, config={"model": {"heads": {"xpos2": head}}})
    loaded: Any = load_archive(path).model
    assert set(loaded.heads) == set(model.heads)  # a config that is loaded has sorted keys
    assert set(loaded.tasks.heads_of("news")) == {"ner", "topic", "xpos2"}
    assert loaded.router("xpos2").name_mapping == {"xpos_tags": "tags"}
    state = loaded.state_dict()
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


def test_an_added_head_without_its_config_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    add_head(model)
    message = (
        "save_archive requires the config of each head, but got none for ['xpos2']. Give it: "
        "save_archive(model, reader, path, config={'model': {'heads': {'xpos2': ...}}})."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(model, reader, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()


def test_a_head_that_the_model_does_not_have_is_an_error(tmp_path: Path) -> None:
    message = (
        "The heads of the config must be those of the model, ['upos', 'xpos', 'feats', 'lemma', "
        "'parser', 'ner', 'topic'], but got ['xpos2'] too. Remove them from the config."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save(tmp_path, {"model": {"heads": {"xpos2": {}}}})


def rebuilt(model: MultiTaskModel) -> MultiTaskModel:
    """The same model, built by the constructor."""
    heads: Dict[str, Head] = dict(model.heads.items())  # type: ignore[arg-type]
    tasks = {task: model.tasks.heads_of(task) for task in model.tasks.names}
    mapping = {name: dict(model.router(name).name_mapping) for name in heads}
    return MultiTaskModel(
        model.vocab, model.backbone, heads, task_heads=tasks, arg_name_mapping=mapping
    ).eval()


BUILT = (
    "save_archive requires the config of each object, but got a {} that was built by its "
    "constructor, which keeps none. Build it from a config, or give its part of one: "
    "save_archive(model, reader, path, config={{'{}': ...}})."
)


def test_a_model_built_by_its_constructor_needs_a_config(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = rebuilt(make_model(config, reader))
    path = tmp_path / "model.tar.gz"
    with pytest.raises(ConfigurationError, match=exactly(BUILT.format("MultiTaskModel", "model"))):
        save_archive(model, reader, path)
    save_archive(model, reader, path, config={"model": config["model"]})
    expected = MultiTaskPredictor(model, reader).predict_batch_json(LINES)
    assert Predictor.from_path(path).predict_batch_json(LINES) == expected


def test_a_reader_built_by_its_constructor_needs_a_config(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    reader = MultiTaskDatasetReader({"news": LabeledJsonlReader({"ner": "tags"})})
    path = tmp_path / "model.tar.gz"
    message = BUILT.format("MultiTaskDatasetReader", "dataset_reader")
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(model, reader, path)
    readers = {"news": {"type": "labeled_jsonl", "labels": {"ner": "tags"}}}
    save_archive(model, reader, path, config={"dataset_reader": {"readers": readers}})
    assert Predictor.from_path(path).predict_json(LINES[0]).keys() >= {"ner_tags", "topic_label"}


def test_another_class_of_model_is_an_error(tmp_path: Path) -> None:
    message = (
        "save_archive requires a MultiTaskModel, but got a Head. Archive other models by "
        "archive_model of allennlp.models, from the folder of their training."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(Head(Vocabulary()), LabeledJsonlReader({}), tmp_path / "model.tar.gz")


def test_another_class_of_reader_needs_a_config(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    message = BUILT.format("LabeledJsonlReader", "dataset_reader")
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(model, LabeledJsonlReader({}), tmp_path / "model.tar.gz")


def test_the_config_that_is_given_is_not_changed(tmp_path: Path) -> None:
    given = {"model": {"loss_weights": {"ner": 0.5}}}
    save(tmp_path, given)
    assert given == {"model": {"loss_weights": {"ner": 0.5}}}
    archive = load_archive(tmp_path / "model.tar.gz")
    assert archive.config["model"]["loss_weights"].as_dict() == {"ner": 0.5}
