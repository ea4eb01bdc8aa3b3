"""The patches for `multiprocessing`, tested on AllenNLP's own data loader."""

import signal
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from allennlp.common.tqdm import Tqdm
from allennlp.data import Instance, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers import TextClassificationJsonReader
from allennlp.data.tokenizers import WhitespaceTokenizer

import multitask_model  # noqa: F401  (applies the patches)
from tests.helpers.sentences_file import SENTENCES, write_sentences

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_workers")]


class LockingReader(TextClassificationJsonReader):
    """Acquires the lock of the workers' progress bars, as a reader with a progress bar does."""

    def _read(self, file_path: Any) -> Iterator[Instance]:
        with Tqdm.get_lock():
            yield from super()._read(file_path)


@pytest.fixture(name="time_limit")
def _time_limit() -> Iterator[None]:
    """A loader whose worker crashes at the lock waits forever."""

    def stop(*_: Any) -> None:
        raise TimeoutError("The loader still waits for its worker.")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.usefixtures("time_limit")
# With `max_instances_in_memory` workers make batches, otherwise instances.
@pytest.mark.parametrize("max_instances_in_memory", [None, 4])
@pytest.mark.parametrize("start_method", ["spawn", "fork"])
def test_a_worker_returns_all_batches(
    start_method: str, max_instances_in_memory: Any, tmp_path: Path
) -> None:
    vocab = Vocabulary.empty()
    for token in sorted(set(" ".join(SENTENCES).split())):
        vocab.add_token_to_namespace(token)
    vocab.add_token_to_namespace("0", "labels")
    vocab.add_token_to_namespace("1", "labels")
    loader = MultiProcessDataLoader(
        LockingReader(tokenizer=WhitespaceTokenizer()),
        write_sentences(tmp_path),
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
