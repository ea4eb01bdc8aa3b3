"""Masked words that change from pass to pass over a dataset."""

import json
import random
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.data.data_loaders.multitask_scheduler import RoundRobinScheduler
from allennlp.data.tokenizers import WhitespaceTokenizer

from multitask_model import LabeledJsonlReader, MaskedTokensReader, MultiTaskDataLoader
from multitask_model.data import MultiTaskDatasetReader
from tests.helpers.samplers import make_sampler

SIZES = {"a": 9, "b": 5}


class InstanceScheduler(RoundRobinScheduler):
    """A scheduler that is given the instances, as any that was not written for this package."""


@pytest.fixture(name="data_path")
def _data_path(tmp_path: Path) -> Dict[str, str]:
    """Sentences of different lengths; some of them have tags."""
    paths = {}
    for task, size in SIZES.items():
        rows: List[Dict[str, Any]] = []
        for row in range(size):
            words = [f"{task}{row}w{index}" for index in range(3 + row)]
            rows.append({"text": " ".join(words)})
            if row % 2:
                rows[-1]["upos"] = ["X"] * len(words)
        path = tmp_path / f"{task}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        paths[task] = str(path)
    return paths


def make(
    data_path: Dict[str, str], *args: Any, seed: int = 1, dynamic: bool = True, **options: Any
) -> MultiTaskDataLoader:
    if not args:
        options.setdefault("batch_size", 3)
    readers: Any = {}
    for task in SIZES:
        inner = LabeledJsonlReader({"upos": "tags"}, WhitespaceTokenizer())
        readers[task] = MaskedTokensReader(inner, 0.3, dynamic=dynamic)
    random.seed(seed)
    loader = MultiTaskDataLoader(MultiTaskDatasetReader(readers), data_path, *args, **options)
    loader.index_with(Vocabulary.from_instances(loader.iter_instances()))
    return loader


def masks(loader: MultiTaskDataLoader) -> List[Any]:
    """What is masked in each batch of an epoch. The sizes of the tensors are checked."""
    found = []
    for batch in loader:
        tokens, hidden = batch["text"]["tokens"]["tokens"], batch["masked_tokens"]
        upos = batch.get("upos")
        assert hidden.shape == tokens.shape
        assert upos is None or getattr(upos, "value", upos).shape[1] == tokens.shape[1]
        found.append((batch["task"], tokens.tolist(), hidden.tolist()))
    return found


def evaluated(loader: MultiTaskDataLoader) -> List[Any]:
    with torch.no_grad():
        return masks(loader)


def sentences(epoch: List[Any]) -> List[Any]:
    """The masked words of each sentence, in any order of the sentences."""
    return sorted([index for index in row if index] for _, _, hidden in epoch for row in hidden)


def test_each_pass_masks_other_words(data_path: Dict[str, str]) -> None:
    loader = make(data_path)
    epochs = [sentences(masks(loader)) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert [len(row) for row in epochs[0]] != [0] * 14


def test_evaluations_mask_the_same_words(data_path: Dict[str, str]) -> None:
    loader, other = make(data_path), make(data_path, seed=5)
    expected = evaluated(loader)
    trained = masks(loader)
    assert sentences(trained) != sentences(expected)
    assert evaluated(loader) == expected
    assert sentences(evaluated(other)) == sentences(expected)


def test_masks_that_are_not_dynamic_stay(data_path: Dict[str, str]) -> None:
    loader = make(data_path, dynamic=False)
    assert sentences(masks(loader)) == sentences(masks(loader)) == sentences(evaluated(loader))


@pytest.mark.parametrize("lazy", [None, 4])
def test_a_loader_that_resumes_masks_the_same_words(lazy: Any, data_path: Dict[str, str]) -> None:
    options: Any = {"instances_per_epoch": 8, "max_instances_in_memory": lazy}
    loader = make(data_path, sampler=make_sampler("uniform"), **options)
    masks(loader)
    state = loader.state_dict()
    expected = [masks(loader) for _ in range(3)]
    resumed = make(data_path, sampler=make_sampler("uniform"), seed=5, **options)
    resumed.load_state_dict(state)
    assert [masks(resumed) for _ in range(3)] == expected


def test_lazily_read_instances_have_the_same_masks(data_path: Dict[str, str]) -> None:
    loader, lazy = make(data_path), make(data_path, max_instances_in_memory=3)
    for _ in range(2):
        assert sentences(masks(lazy)) == sentences(masks(loader))


def test_a_scheduler_of_instances_gets_each_pass(data_path: Dict[str, str]) -> None:
    data_path = {"a": data_path["a"]}
    options: Any = {"instances_per_epoch": 18, "shuffle": False}
    loader = make(data_path, InstanceScheduler(9), sampler=make_sampler("uniform"), **options)
    first, second = masks(loader)
    reference = make(data_path, batch_size=9, shuffle=False)
    assert [first, second] == [*masks(reference), *masks(reference)]


def test_label_namespaces_of_tasks_keep_the_masks(data_path: Dict[str, str]) -> None:
    reader = MultiTaskDatasetReader(
        {"a": MaskedTokensReader(LabeledJsonlReader({}, WhitespaceTokenizer()))},
        per_task_label_namespaces=True,
    )
    loader = MultiTaskDataLoader(reader, {"a": data_path["a"]}, batch_size=4)
    vocab = Vocabulary.from_instances(loader.iter_instances())
    assert vocab.get_vocab_size("a_masked_tokens") == sum(3 + row for row in range(9)) + 2
    loader.index_with(vocab)
    assert sentences(masks(loader)) != sentences(masks(loader))


@pytest.mark.slow
@pytest.mark.parametrize("lazy", [None, 3])
def test_masks_do_not_depend_on_the_worker_processes(lazy: Any, data_path: Dict[str, str]) -> None:
    def found(**options: Any) -> List[Any]:
        loader = make(data_path, max_instances_in_memory=lazy, **options)
        return [masks(loader), masks(loader), evaluated(loader)]

    expected = found()
    assert found(num_workers=1) == expected
    assert found(num_workers=2, start_method="fork") == expected
    assert found(num_workers=2, start_method="forkserver") == expected
    assert found(num_workers={"a": 1}, start_method="spawn") == expected
