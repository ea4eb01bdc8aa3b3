"""The Viterbi algorithm, compared with AllenNLP's."""

from typing import List, Tuple, cast

import pytest
import torch
from allennlp.modules import ConditionalRandomField

from multitask_model.modules.viterbi import decode_viterbi


@pytest.mark.parametrize("seed", range(5))
def test_tags_equal_those_of_allennlp(seed: int) -> None:
    torch.manual_seed(seed)
    classes, lengths = 1 + seed, torch.tensor([6, 1, 4, 6, 2])
    crf = ConditionalRandomField(classes)
    mask = torch.arange(6) < lengths.unsqueeze(-1)
    logits = torch.randn(5, 6, classes)
    found = decode_viterbi(
        logits, mask, crf.transitions, crf.start_transitions, crf.end_transitions
    )
    assert not found.requires_grad
    expected = crf.viterbi_tags(logits, cast(torch.BoolTensor, mask))
    for row, (tags, _) in enumerate(cast(List[Tuple[List[int], float]], expected)):
        padding = [-1] * (6 - len(tags))
        assert found[row].tolist() == [*map(int, tags), *padding]


def test_transitions_are_from_rows_to_columns() -> None:
    logits, zeros = torch.zeros(1, 3, 3), torch.zeros(3)
    transitions = torch.tensor([[0.0, 5.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    assert decode_viterbi(logits, mask, transitions, zeros, zeros).tolist() == [[0, 1, 2]]


def test_the_end_is_after_the_last_token_and_not_after_the_padding() -> None:
    logits, zeros = torch.zeros(2, 2, 2), torch.zeros(2)
    mask = torch.tensor([[True, True], [True, False]])
    transitions = torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    found = decode_viterbi(logits, mask, transitions, zeros, torch.tensor([0.0, 1.0]))
    assert found.tolist() == [[1, 1], [1, -1]]
