"""The best tree of larger graphs, compared with AllenNLP's function."""

from typing import Tuple

import numpy
import pytest
from allennlp.nn.chu_liu_edmonds import decode_mst as allennlp_decode_mst

from multitask_model.modules.spanning_tree import SpanningTree


def random_scores(size: int, seed: int) -> numpy.ndarray:
    return numpy.random.default_rng(seed).normal(size=(size, size))


def nested_cycles() -> numpy.ndarray:
    """1 and 2 prefer each other, as do 3 and 4; then the two pairs prefer each other."""
    scores = numpy.zeros((5, 5))
    for word, head, score in [(1, 2, 9), (2, 1, 7), (3, 4, 6), (4, 3, 9), (2, 4, 5), (3, 1, 5)]:
        scores[word, head] = score
    scores[4, 0] = 1
    return scores


def total(scores: numpy.ndarray, heads: numpy.ndarray) -> float:
    return float(scores[numpy.arange(1, len(scores)), heads[1:]].sum())


@pytest.mark.parametrize("size", [8, 20, 60])
def test_the_tree_is_that_of_allennlp(size: int) -> None:
    for seed in range(10):
        scores = random_scores(size, seed)
        expected, _ = allennlp_decode_mst(scores.T.copy(), size, has_labels=False)
        assert SpanningTree(scores).heads()[1:].tolist() == expected[1:].tolist()


def test_a_cycle_of_cycles_is_entered_where_it_costs_least() -> None:
    scores = nested_cycles()
    heads = SpanningTree(scores).heads()
    # 4 as the child of the root has a higher score than 2, but costs a score of 9 instead of 7.
    assert heads.tolist() == [0, 2, 0, 1, 3]
    assert total(scores, heads) == 9 + 0 + 5 + 9


def test_the_scores_are_not_changed() -> None:
    scores = random_scores(8, 0)
    before = scores.copy()
    SpanningTree(scores).heads()
    assert (scores == before).all()


@pytest.mark.parametrize("shape", [(1, 1), (2, 2)])
def test_a_graph_without_a_choice(shape: Tuple[int, int]) -> None:
    assert SpanningTree(numpy.zeros(shape)).heads().tolist() == [0] * shape[0]


def test_a_cycle_of_two_thousand_words_is_decoded() -> None:
    """Deeper than Python's limit of recursion: each word prefers the one before it, in a circle."""
    size = 2000
    scores = numpy.zeros((size, size))
    scores[numpy.arange(2, size), numpy.arange(1, size - 1)] = 2.0
    scores[1, size - 1] = 2.0
    scores[1000, 0] = 1.0
    heads = SpanningTree(scores).heads()
    assert heads[1000] == 0
    assert heads[1001:].tolist() == list(range(1000, size - 1))
    assert heads[1] == size - 1


def test_each_word_of_a_chain_that_is_contracted_step_by_step() -> None:
    """Contracting one pair makes the next: 1 and 2, then 3 with both, then 4 with all three ..."""
    size = 1500
    scores = numpy.full((size, size), -1e6)
    scores[1, 2] = scores[2, 1] = 0.0
    for word in range(3, size):
        scores[word, word - 1] = 0.0
        scores[1, word] = -float(word)
    scores[1:, 0] = -1e5
    heads = SpanningTree(scores).heads()
    assert (heads == 0).sum() == 2  # the root itself and one child of it
    assert total(scores, heads) == -1e5
