"""Pooling word pieces as AllenNLP's embedder of words does."""

from pathlib import Path
from typing import List

import pytest
import torch
from allennlp.modules.token_embedders import PretrainedTransformerMismatchedEmbedder

from multitask_model.modules.word_pieces import pool_word_pieces
from tests.helpers.tiny_bert import make_tiny_bert

# Words with one, three and no pieces, and padding.
OFFSETS = torch.tensor([[[1, 1], [2, 4], [-1, -1], [5, 5]], [[1, 2], [3, 3], [0, 0], [0, 0]]])
IDS = torch.tensor([[2, 5, 6, 7, 8, 9, 3], [2, 9, 8, 7, 3, 0, 0]])
WEIGHTS = torch.arange(8.0).view(2, 4, 1)


@pytest.mark.parametrize("pooling", ["avg", "first"])
def test_words_are_those_of_the_embedder(pooling: str, tmp_path: Path) -> None:
    bert = make_tiny_bert(tmp_path / "bert")
    embedder = PretrainedTransformerMismatchedEmbedder(bert, sub_token_mode=pooling).eval()
    pieces = []
    model = next(m for m in embedder.modules() if hasattr(m, "embeddings"))
    model.register_forward_hook(lambda module, inputs, output: pieces.append(output[0]))
    expected = embedder(IDS, torch.ones(2, 4).bool(), OFFSETS, IDS != 0)
    words, doubled = pool_word_pieces([pieces[0], 2 * pieces[0]], OFFSETS, pooling)
    torch.testing.assert_close(words, expected)
    torch.testing.assert_close(doubled, 2 * expected)
    assert not words[0, 2].any()  # no pieces


@pytest.mark.parametrize(
    ("pooling", "of_pieces"),
    [
        # The first word has piece 1, the second 2 to 4, the last 5. Their weights are 0, 1 and 3.
        ("avg", [0.0, 0.0, 1 / 3, 1 / 3, 1 / 3, 3.0]),
        ("first", [0.0, 0.0, 1.0, 0.0, 0.0, 3.0]),
    ],
)
def test_gradients_reach_the_pieces_of_a_word(pooling: str, of_pieces: List[float]) -> None:
    pieces = torch.zeros(2, 7, 1, requires_grad=True)
    (words,) = pool_word_pieces([pieces], OFFSETS, pooling)
    (words * WEIGHTS).sum().backward()
    assert pieces.grad is not None
    torch.testing.assert_close(pieces.grad[0, :6, 0], torch.tensor(of_pieces))


def test_an_infinite_piece_of_no_word_has_no_effect() -> None:
    pieces = torch.ones(2, 7, 1)
    pieces[0, 6] = pieces[1, 5] = float("inf")
    (words,) = pool_word_pieces([pieces], OFFSETS, "avg")
    assert words.flatten(1).tolist() == [[1.0, 1.0, 0.0, 1.0], [1.0] * 4]


def test_autocast_does_not_round_words() -> None:
    pieces = torch.full((2, 7, 1), 1.001)
    with torch.autocast("cpu", torch.bfloat16):
        (words,) = pool_word_pieces([pieces], OFFSETS, "avg")
    torch.testing.assert_close(words[0, 0], torch.tensor([1.001]))
