"""
The patches for PyTorch, tested on AllenNLP's own classes. On an older PyTorch, where nothing is
patched, the same holds.
"""

import math
import zipfile
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.data.data_loaders import SimpleDataLoader
from allennlp.data.dataset_readers import TextClassificationJsonReader
from allennlp.data.tokenizers import WhitespaceTokenizer
from allennlp.models import BasicClassifier
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding
from allennlp.training import Checkpointer, GradientDescentTrainer
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

import multitask_model  # noqa: F401  (applies the patches)
from tests.helpers.sentences_file import write_sentences

DIM = 8
SAFE_GLOBALS = hasattr(torch.serialization, "add_safe_globals")

# --- the `reduce_on_plateau` scheduler


def make_scheduler(**params: Any) -> Tuple[LearningRateScheduler, torch.optim.Optimizer]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    config = Params({"type": "reduce_on_plateau", **params})
    return LearningRateScheduler.from_params(config, optimizer=optimizer), optimizer


@pytest.mark.parametrize("extra", [{}, {"verbose": False}, {"verbose": True}])
def test_the_learning_rate_is_reduced(extra: Dict[str, bool]) -> None:
    scheduler, optimizer = make_scheduler(mode="max", factor=0.5, patience=1, **extra)
    rates = []
    for accuracy in [0.5, 0.6, 0.6, 0.6, 0.6, 0.6]:  # halved after two epochs without progress
        scheduler.step(accuracy)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_every_setting_is_passed_to_the_scheduler_of_pytorch() -> None:
    settings = {
        **{"mode": "max", "factor": 0.2, "patience": 5, "threshold": 5e-3},
        **{"threshold_mode": "abs", "cooldown": 2, "eps": 1e-10},
    }
    scheduler, _ = make_scheduler(min_lr=1e-12, **settings)
    inner = scheduler.lr_scheduler  # type: ignore[attr-defined]
    assert {name: getattr(inner, name) for name in settings} == settings
    assert list(inner.min_lrs) == [1e-12]


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(Exception, match="Extra parameters.*patiense"):
        make_scheduler(patiense=3)


# --- the state of the `cosine` scheduler


def train(data_path: Path, directory: Path, num_epochs: int, seed: int) -> GradientDescentTrainer:
    """Trains, from the checkpoint in `directory` if there is one, and returns the trainer."""
    torch.manual_seed(seed)
    reader = TextClassificationJsonReader(tokenizer=WhitespaceTokenizer())
    instances = list(reader.read(data_path))
    for instance in instances:
        reader.apply_token_indexers(instance)
    vocab = Vocabulary.from_instances(instances)
    embedding = Embedding(DIM, vocab.get_vocab_size())
    embedder = BasicTextFieldEmbedder({"tokens": embedding})
    model = BasicClassifier(vocab, embedder, BagOfEmbeddingsEncoder(DIM))
    optimizer = Optimizer.from_params(
        Params({"type": "sgd", "lr": 1.0}), model_parameters=list(model.named_parameters())
    )
    trainer = GradientDescentTrainer(
        model,
        optimizer,
        SimpleDataLoader(instances, batch_size=2, vocab=vocab),
        num_epochs=num_epochs,
        serialization_dir=str(directory),
        checkpointer=Checkpointer(str(directory)),
        learning_rate_scheduler=LearningRateScheduler.from_params(
            Params({"type": "cosine", "t_initial": 5}), optimizer=optimizer
        ),
        cuda_device=-1,
    )
    trainer.train()
    return trainer


def test_a_run_with_the_cosine_scheduler_resumes_where_it_stopped(tmp_path: Path) -> None:
    data_path = write_sentences(tmp_path)
    stopped = train(data_path, tmp_path / "resumed", num_epochs=2, seed=0)
    resumed = train(data_path, tmp_path / "resumed", num_epochs=4, seed=1)
    uninterrupted = train(data_path, tmp_path / "uninterrupted", num_epochs=4, seed=0)

    # The formula of AllenNLP's scheduler after n epochs: (1 + cos(pi * n / t_initial)) / 2.
    for trainer, n in [(stopped, 2), (resumed, 4), (uninterrupted, 4)]:
        (group,) = trainer.optimizer.param_groups
        assert group["lr"] == pytest.approx((1 + math.cos(math.pi * n / 5)) / 2)
    expected = uninterrupted.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_numbers_saved_by_any_numpy_are_loaded(module: str, tmp_path: Path) -> None:
    values = [numpy.dtype(code).type(1) for code in "?bhilqBHILQefdgFDG"]
    ours = values[0].__reduce__()[0].__module__
    if module != ours and not SAFE_GLOBALS:
        pytest.skip("this torch.load only loads what the installed numpy saved")
    original, renamed = tmp_path / "original.th", tmp_path / "renamed.th"
    torch.save(values, original)
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(renamed, "w") as target:
        for name in source.namelist():
            content = source.read(name).replace(ours.encode(), module.encode())
            target.writestr(name, content)
    loaded = torch.load(renamed)
    assert loaded == values
    assert [value.dtype for value in loaded] == [value.dtype for value in values]


@pytest.mark.skipif(not SAFE_GLOBALS, reason="this torch.load loads any type")
@pytest.mark.parametrize("value", [numpy.array([print], dtype=object), Path("x"), print])
def test_other_types_are_still_refused(value: Any, tmp_path: Path) -> None:
    torch.save({"lr": value}, tmp_path / "saved.th")
    with pytest.raises(Exception, match="Weights only load failed"):
        torch.load(tmp_path / "saved.th")
