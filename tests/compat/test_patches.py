"""
Each mend at work on AllenNLP's own classes. On the stack where a mend is not needed, its test says
that the class does there what it always did.
"""

import copy
import json
import math
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import numpy
import pytest
import torch
from allennlp.common import Params, cached_transformers
from allennlp.common.tqdm import Tqdm
from allennlp.data import Instance, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader, SimpleDataLoader
from allennlp.data.dataset_readers import TextClassificationJsonReader
from allennlp.data.tokenizers import Tokenizer, WhitespaceTokenizer
from allennlp.models import BasicClassifier, Model
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding
from allennlp.nn.module import Module
from allennlp.training import Checkpointer, GradientDescentTrainer
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

import multitask_model  # noqa: F401  (importing it applies the mends)
from multitask_model import compat
from tests.helpers.commands import run_python
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

SENTENCES = ["the cat sat", "the dog ran on", "a good cat", "not a bad dog", "the mat"]
SAFE_GLOBALS = hasattr(torch.serialization, "add_safe_globals")


@pytest.fixture(name="tiny_bert", scope="module")
def _tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_tiny_bert(tmp_path_factory.mktemp("tiny_bert"))


@pytest.fixture(name="data_path")
def _data_path(tmp_path: Path) -> Path:
    path = tmp_path / "sentences.jsonl"
    rows = [{"text": text, "label": str(i % 2)} for i, text in enumerate(SENTENCES)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _run(code: str, path: Path) -> "subprocess.CompletedProcess[str]":
    """Runs code in a new interpreter that finds modules in `path` before all others."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); {code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)


class TestRequireAllenNLP:
    install = "pip install --no-deps allennlp==2.10.1 fairscale==0.4.6"

    @pytest.mark.parametrize("missing", ["allennlp", "fairscale"])
    def test_importing_the_package_names_the_install_line(
        self, missing: str, tmp_path: Path
    ) -> None:
        result = _run(f"sys.modules[{missing!r}] = None; import multitask_model", tmp_path)
        assert result.returncode == 1
        assert "ImportError: multitask_model needs AllenNLP 2.10.1" in result.stderr
        assert f"but {missing!r} is not installed" in result.stderr
        assert result.stderr.splitlines()[-1] == self.install

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("import a_missing_module", "No module named 'a_missing_module'"),
            ("import allennlp.a_missing_module", "No module named 'allennlp.a_missing_module'"),
            ("from json import a_missing_name", "cannot import name 'a_missing_name'"),
        ],
    )
    def test_other_import_errors_stay_what_they_are(
        self, content: str, message: str, tmp_path: Path
    ) -> None:
        (tmp_path / "allennlp").mkdir()
        (tmp_path / "allennlp" / "__init__.py").write_text(content)
        result = _run("import multitask_model", tmp_path)
        assert result.returncode == 1
        assert message in result.stderr.splitlines()[-1]
        assert self.install not in result.stderr


def test_applying_again_changes_nothing() -> None:
    def state() -> List[Any]:
        scheduler = LearningRateScheduler.by_name("reduce_on_plateau")
        return [
            MultiProcessDataLoader._start_batch_workers,
            MultiProcessDataLoader._start_instance_workers,
            Module._post_load_state_dict,
            cached_transformers.get_tokenizer,
            scheduler.__init__,
            torch.serialization.get_safe_globals() if SAFE_GLOBALS else None,
        ]

    compat.apply()
    before = state()
    compat.apply()
    assert state() == before


class TestReduceOnPlateau:
    @staticmethod
    def _scheduler(**params: Any) -> Tuple[LearningRateScheduler, torch.optim.Optimizer]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        config = Params({"type": "reduce_on_plateau", **params})
        return LearningRateScheduler.from_params(config, optimizer=optimizer), optimizer

    @pytest.mark.parametrize("extra", [{}, {"verbose": False}, {"verbose": True}])
    def test_it_is_built_and_reduces(self, extra: Dict[str, bool]) -> None:
        scheduler, optimizer = self._scheduler(mode="max", factor=0.5, patience=1, **extra)
        rates = []
        for accuracy in [0.5, 0.6, 0.6, 0.6, 0.6, 0.6]:  # two epochs without progress: halve
            scheduler.step(accuracy)
            rates.append(optimizer.param_groups[0]["lr"])
        assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]

    def test_every_setting_arrives(self) -> None:
        settings = {
            **{"mode": "max", "factor": 0.2, "patience": 5, "threshold": 5e-3},
            **{"threshold_mode": "abs", "cooldown": 2, "eps": 1e-10},
        }
        scheduler, _ = self._scheduler(min_lr=1e-12, **settings)
        inner = scheduler.lr_scheduler  # type: ignore[attr-defined]
        assert {name: getattr(inner, name) for name in settings} == settings
        assert list(inner.min_lrs) == [1e-12]

    def test_an_unknown_setting_is_still_refused(self) -> None:
        with pytest.raises(Exception, match="Extra parameters.*patiense"):
            self._scheduler(patiense=3)


class TestTokenizer:
    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            ({}, "[CLS] the cat ##s sat . [SEP]"),
            ({"add_special_tokens": True}, "[CLS] the cat ##s sat . [SEP]"),
            ({"add_special_tokens": False}, "the cat ##s sat ."),
            ({"max_length": 4}, "[CLS] the cat [SEP]"),
            ({"max_length": 4, "add_special_tokens": False}, "the cat ##s sat"),
            ({"tokenizer_kwargs": {"use_fast": False}}, "[CLS] the cat ##s sat . [SEP]"),
        ],
    )
    def test_tokens(self, params: Dict[str, Any], expected: str, tiny_bert: str) -> None:
        config = Params({"type": "pretrained_transformer", "model_name": tiny_bert, **params})
        tokens = Tokenizer.from_params(config).tokenize("The cats sat.")
        assert [token.text for token in tokens] == expected.split()

    def test_ids_and_offsets(self, tiny_bert: str) -> None:
        config = Params({"type": "pretrained_transformer", "model_name": tiny_bert})
        tokens = Tokenizer.from_params(config).tokenize("The cats")
        assert [(token.text_id, token.idx, token.idx_end) for token in tokens] == [
            *[(2, None, None), (5, 0, 3), (6, 4, 7), (19, 7, 8), (3, None, None)]
        ]


class TestRecover:
    @staticmethod
    def _trained(
        data_path: Path, directory: Path, num_epochs: int, seed: int
    ) -> GradientDescentTrainer:
        """A trainer that has trained, from the checkpoint in `directory` if there is one."""
        torch.manual_seed(seed)
        reader = TextClassificationJsonReader(tokenizer=WhitespaceTokenizer())
        instances = list(reader.read(data_path))
        for instance in instances:
            reader.apply_token_indexers(instance)
        vocab = Vocabulary.from_instances(instances)
        embedding = Embedding(HIDDEN_SIZE, vocab.get_vocab_size())
        embedder = BasicTextFieldEmbedder({"tokens": embedding})
        model = BasicClassifier(vocab, embedder, BagOfEmbeddingsEncoder(HIDDEN_SIZE))
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

    def test_a_run_with_the_cosine_scheduler_goes_on_where_it_stopped(
        self, data_path: Path, tmp_path: Path
    ) -> None:
        stopped = self._trained(data_path, tmp_path / "resumed", num_epochs=2, seed=0)
        resumed = self._trained(data_path, tmp_path / "resumed", num_epochs=4, seed=1)
        unbroken = self._trained(data_path, tmp_path / "unbroken", num_epochs=4, seed=0)

        # AllenNLP's cosine after n epochs, from its formula: (1 + cos(pi * n / t_initial)) / 2.
        for trainer, n in [(stopped, 2), (resumed, 4), (unbroken, 4)]:
            (group,) = trainer.optimizer.param_groups
            assert group["lr"] == pytest.approx((1 + math.cos(math.pi * n / 5)) / 2)
        expected = unbroken.model.state_dict()
        for name, value in resumed.model.state_dict().items():
            assert torch.equal(value, expected[name]), name

    @pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
    def test_numbers_that_any_numpy_wrote_are_loaded(self, module: str, tmp_path: Path) -> None:
        values = [numpy.dtype(code).type(1) for code in "?bhilqBHILQefdgFDG"]
        ours = values[0].__reduce__()[0].__module__
        if module != ours and not SAFE_GLOBALS:
            pytest.skip("torch.load imports by name here, so a numpy loads what it wrote itself")
        original, renamed = tmp_path / "original.th", tmp_path / "renamed.th"
        torch.save(values, original)
        with zipfile.ZipFile(original) as source, zipfile.ZipFile(renamed, "w") as target:
            for name in source.namelist():
                content = source.read(name).replace(ours.encode(), module.encode())
                target.writestr(name, content)
        loaded = torch.load(renamed)
        assert loaded == values
        assert [value.dtype for value in loaded] == [value.dtype for value in values]

    @pytest.mark.skipif(not SAFE_GLOBALS, reason="torch.load takes anything here")
    @pytest.mark.parametrize("value", [numpy.array([print], dtype=object), Path("x"), print])
    def test_anything_else_is_still_refused(self, value: Any, tmp_path: Path) -> None:
        torch.save({"lr": value}, tmp_path / "saved.th")
        with pytest.raises(Exception, match="Weights only load failed"):
            torch.load(tmp_path / "saved.th")


class LockingReader(TextClassificationJsonReader):
    """Takes the lock that workers share for their progress bars, as a reader with one does."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        with Tqdm.get_lock():
            yield from super()._read(file_path)


@pytest.fixture(name="time_limit")
def _time_limit() -> Iterator[None]:
    """A worker that dies at the lock leaves its loader waiting for ever."""

    def stop(*_: Any) -> None:
        raise TimeoutError("The loader still waits for its worker.")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.usefixtures("time_limit")
class TestWorkers:
    # With `max_instances_in_memory` workers make batches, and without it instances.
    @pytest.mark.parametrize("max_instances_in_memory", [None, 4])
    @pytest.mark.parametrize("start_method", ["spawn", "fork"])
    def test_batches_of_a_worker(
        self, start_method: str, max_instances_in_memory: Any, data_path: Path
    ) -> None:
        vocab = Vocabulary.empty()
        for token in sorted(set(" ".join(SENTENCES).split())):
            vocab.add_token_to_namespace(token)
        vocab.add_token_to_namespace("0", "labels")
        vocab.add_token_to_namespace("1", "labels")
        loader = MultiProcessDataLoader(
            LockingReader(tokenizer=WhitespaceTokenizer()),
            data_path,
            batch_size=2,
            num_workers=1,
            start_method=start_method,
            max_instances_in_memory=max_instances_in_memory,
        )
        loader.index_with(vocab)
        batches: List[Dict[str, Any]] = list(loader)
        texts = [
            " ".join(vocab.get_token_from_index(int(i)) for i in row if i != 0)
            for batch in batches
            for row in batch["tokens"]["tokens"]["tokens"]
        ]
        assert texts == SENTENCES
        assert [batch["label"].tolist() for batch in batches] == [[0, 1], [0, 1], [0]]


class TestPositionIds:
    key = "_text_field_embedder.token_embedder_tokens.transformer_model.embeddings.position_ids"

    @pytest.fixture(name="archive")
    def _archive(self, tiny_bert: str, tmp_path: Path) -> Tuple[Params, Path]:
        """Config and directory of a model that was saved with `position_ids`, as of old."""
        embedder = {"type": "pretrained_transformer", "model_name": tiny_bert}
        config = {
            "type": "basic_classifier",
            "text_field_embedder": {"token_embedders": {"tokens": embedder}},
            "seq2vec_encoder": {"type": "bag_of_embeddings", "embedding_dim": HIDDEN_SIZE},
            "num_labels": 2,
        }
        vocab = Vocabulary.empty()
        vocab.save_to_files(str(tmp_path / "vocabulary"))
        model = Model.from_params(Params(copy.deepcopy(config)), vocab=vocab)
        torch.nn.init.constant_(model.get_parameter("_classification_layer.bias"), 7.0)
        state = {**model.state_dict(), self.key: torch.arange(32).expand(1, -1)}
        torch.save(state, tmp_path / "best.th")
        return Params({"model": config}), tmp_path

    def test_an_old_archive_is_loaded(self, archive: Tuple[Params, Path]) -> None:
        config, directory = archive
        model = Model.load(config, directory)
        saved = torch.load(directory / "best.th")
        for name, value in model.state_dict().items():
            assert torch.equal(value, saved[name]), name
        assert model.get_parameter("_classification_layer.bias").tolist() == [7.0, 7.0]

    @pytest.mark.parametrize(
        "key",
        [
            "position_ids",  # the model itself has no such buffer
            "_classification_layer.position_ids",
            "_nowhere.position_ids",
            "_classification_layer.scale",
        ],
    )
    def test_a_key_of_nothing_is_refused(self, key: str, archive: Tuple[Params, Path]) -> None:
        config, directory = archive
        state = torch.load(directory / "best.th")
        torch.save({**state, key: torch.zeros(1)}, directory / "best.th")
        with pytest.raises(RuntimeError, match=rf"Unexpected keys: \['{key}'\]"):
            Model.load(config, directory)

    def test_a_key_of_another_buffer_that_is_not_saved_is_refused(self) -> None:
        module = Module()
        module.register_buffer("mask", torch.zeros(1), persistent=False)
        with pytest.raises(RuntimeError, match='Unexpected key.*"mask"'):
            module.load_state_dict({"mask": torch.zeros(1)})


@pytest.mark.slow
def test_importing_the_package_logs_nothing_about_registered_names(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import logging\n"
        "logging.basicConfig(filename='log.txt', level=logging.INFO)\n"
        "import multitask_model\n"
        "import allennlp.models\n"
        "assert allennlp.models.Model.by_name('multitask') is multitask_model.MultiTaskModel\n"
    )
    run_python(script, directory=tmp_path)
    assert "already been registered" not in (tmp_path / "log.txt").read_text()
