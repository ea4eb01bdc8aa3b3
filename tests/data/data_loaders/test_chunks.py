"""Merging the chunks of several worker processes."""

from typing import Any, Iterator, List

from multitask_model.data.data_loaders.chunks import Chunk, merge_chunks


def chunks(*arrivals: Any) -> Iterator[Chunk]:
    """Chunks of pairs of a worker and its items; an empty list makes the last chunk."""
    for worker, numbers in arrivals:
        yield Chunk(numbers, worker, is_last=not numbers)


def test_chunks_are_merged_in_the_order_of_the_file() -> None:
    # Worker 0 reads 0, 2, 4, 6, 8 and worker 1 reads 1, 3, 5, 7.
    arrivals: List[Any] = [
        [(0, [0, 2]), (0, [4, 6]), (1, [1, 3]), (0, [8]), (0, []), (1, [5, 7]), (1, [])],
        [(1, [1, 3]), (1, [5, 7]), (1, []), (0, [0, 2]), (0, [4, 6]), (0, [8]), (0, [])],
    ]
    for arrival in arrivals:
        found: List[Any] = list(merge_chunks(chunks(*arrival), 2))
        assert found == list(range(9))


def test_chunks_of_workers_with_different_counts_are_merged() -> None:
    arrival: List[Any] = [(1, []), (2, ["c1"]), (0, ["a1", "a2"]), (2, []), (0, [])]
    found: List[Any] = list(merge_chunks(chunks(*arrival), 3))
    assert found == ["a1", "c1", "a2"]
