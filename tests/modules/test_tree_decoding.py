"""Decoding of trees, compared with an exhaustive search."""

from typing import List

import pytest
import torch

from multitask_model.modules.tree_decoding import decode_mst, find_cycle
from tests.helpers.trees import best_tree, is_tree


def random_scores(length: int, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    scores = 3 * torch.randn(length, length + 1)
    scores[range(length), range(1, length + 1)] = float("-inf")
    return scores


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_the_decoded_tree_is_the_best_of_all_trees(length: int) -> None:
    mask = torch.ones(1, length, dtype=torch.bool)
    for seed in range(30):
        scores = random_scores(length, seed)
        found = decode_mst(scores.unsqueeze(0), mask)[0].tolist()
        assert tuple(found) == best_tree(scores)


def test_the_best_heads_of_words_are_often_no_tree() -> None:
    """The scores above include all the cases that differ from a greedy choice."""
    found = [tuple(random_scores(4, seed).argmax(-1).tolist()) for seed in range(30)]
    assert any(not is_tree(heads) and heads.count(0) == 1 for heads in found)  # cycles
    assert any(heads.count(0) == 0 for heads in found)
    assert any(heads.count(0) > 1 for heads in found)


INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    "scores",
    [
        [[2.0, -INF, -INF], [2.0, -INF, -INF]],
        [[-INF] * 3] * 2,
        [[NAN] * 3] * 2,
        [[INF] * 3] * 2,
        [[1e20] * 4] * 3,
    ],
    ids=["only arcs from the root", "none", "NaN", "infinite", "large"],
)
def test_exactly_one_word_is_the_child_of_the_root(scores: List[List[float]]) -> None:
    mask = torch.ones(1, len(scores), dtype=torch.bool)
    found = decode_mst(torch.tensor([scores], dtype=torch.float64), mask)[0].tolist()
    assert found.count(0) == 1
    assert not find_cycle(found)


def test_a_tree_without_impossible_arcs_is_preferred_to_any_other() -> None:
    scores = torch.tensor(
        [
            [1, 0, -INF, -INF, 2, -INF],
            [-INF, -INF, -INF, -INF, 0, 0],
            [1, -INF, -INF, 0, 2, 1],
            [-INF, 0, -INF, 0, 1, -INF],
            [2, 1, 1, -INF, -INF, 2],
        ]
    )
    found = decode_mst(scores.unsqueeze(0), torch.ones(1, 5, dtype=torch.bool))[0].tolist()
    assert is_tree(tuple(found))
    assert sum(scores[word, head].item() for word, head in enumerate(found)) == 5


def test_padding_is_not_decoded() -> None:
    scores, mask = torch.full((2, 4, 5), 7.0), torch.ones(2, 4, dtype=torch.bool)
    scores[0] = random_scores(4, 0)
    scores[1, :2, :3] = random_scores(2, 1)
    scores[1, :2, 3:] = float("-inf")
    mask[1, 2:] = False
    assert decode_mst(scores, mask).tolist() == [
        list(best_tree(scores[0])),
        [*best_tree(scores[1, :2, :3]), 0, 0],
    ]


def test_a_word_is_never_its_own_head() -> None:
    scores = random_scores(3, 0)
    expected = best_tree(scores)
    scores[range(3), range(1, 4)] = 100.0
    found = decode_mst(scores.unsqueeze(0), torch.ones(1, 3, dtype=torch.bool))
    assert tuple(found[0].tolist()) == expected


def test_a_sentence_without_words_has_an_empty_tree() -> None:
    scores, mask = torch.zeros(1, 0, 1), torch.zeros(1, 0, dtype=torch.bool)
    assert decode_mst(scores, mask).shape == (1, 0)


def test_find_cycle_returns_the_words_of_a_cycle() -> None:
    assert find_cycle([2, 3, 1, 0]) == [1, 2, 3]
    assert find_cycle([0, 1, 4, 5, 4]) == [4, 5]


def test_find_cycle_includes_a_word_that_is_its_own_head() -> None:
    assert find_cycle([0, 2]) == [2]


def test_find_cycle_returns_nothing_for_trees() -> None:
    assert find_cycle([2, 0, 2]) == []
    assert find_cycle([]) == []
