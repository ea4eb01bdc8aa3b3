"""The `crf_tagger` head, against all tag sequences one by one."""

import itertools
from typing import List, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.heads import CrfTaggerHead

TAGS = ["O", "B-x", "I-x", "I-y"]
DIM = 3


def crf_head(encoding: str = "BIO", tags: List[str] = TAGS) -> CrfTaggerHead:
    vocab = Vocabulary(tokens_to_add={"labels": tags})
    torch.manual_seed(0)
    return CrfTaggerHead(vocab, DIM, encoding).eval()


def encode(*lengths: int) -> Tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(-1)
    return 3 * torch.randn(len(lengths), max(lengths), DIM), mask


def score(head: CrfTaggerHead, logits: torch.Tensor, tags: Tuple[int, ...]) -> torch.Tensor:
    """Of one text: the scores of its tags, of each step between them, of the first and the last."""
    crf = head._crf
    steps = [crf.transitions[one, other] for one, other in zip(tags, tags[1:])]
    words = [logits[word, tag] for word, tag in enumerate(tags)]
    ends = [crf.start_transitions[tags[0]], crf.end_transitions[tags[-1]]]
    return torch.stack(words + steps + ends).sum()


def all_tags(length: int) -> List[Tuple[int, ...]]:
    return list(itertools.product(range(len(TAGS)), repeat=length))


def is_allowed(tags: Tuple[int, ...]) -> bool:
    """In BIO, what is inside comes after the beginning or the inside of the same."""
    names = ["O", *(TAGS[tag] for tag in tags)]
    return all(
        not name.startswith("I") or before[1:] == name[1:] for before, name in zip(names, names[1:])
    )


@pytest.mark.parametrize("lengths", [(1,), (3,), (4, 2), (2, 4, 1)])
def test_the_loss_is_the_mean_negative_log_likelihood(lengths: Tuple[int, ...]) -> None:
    head = crf_head()
    encoded, mask = encode(*lengths)
    tags = torch.randint(0, len(TAGS), mask.shape)
    outputs = head(encoded, mask, tags)
    expected = []
    for row, length in enumerate(lengths):
        logits, given = outputs["logits"][row], tuple(tags[row, :length].tolist())
        every = torch.stack([score(head, logits, one) for one in all_tags(length)])
        expected.append(torch.logsumexp(every, 0) - score(head, logits, given))
    torch.testing.assert_close(outputs["loss"], torch.stack(expected).mean())


@pytest.mark.parametrize("lengths", [(1,), (3,), (4, 2), (2, 4, 1)])
def test_the_prediction_is_the_best_of_those_allowed(lengths: Tuple[int, ...]) -> None:
    head = crf_head()
    encoded, mask = encode(*lengths)
    outputs = head(encoded, mask)
    for row, length in enumerate(lengths):
        allowed = filter(is_allowed, all_tags(length))
        best = max(allowed, key=lambda tags: score(head, outputs["logits"][row], tags).item())
        padding = [-1] * (max(lengths) - length)
        assert outputs["tags"][row].tolist() == [*best, *padding]


def test_what_is_not_allowed_would_have_been_predicted() -> None:
    """So that the test above has something to tell apart."""
    head = crf_head()
    encoded, mask = encode(4, 2)
    logits = head(encoded, mask)["logits"]
    best = max(all_tags(4), key=lambda tags: score(head, logits[0], tags).item())
    assert not is_allowed(best)


def test_metrics_are_of_spans() -> None:
    head = crf_head()
    encoded, mask = encode(4, 2)
    predicted = torch.tensor([[1, 2, 0, 1], [0, 1, -1, -1]])  # three spans
    tags = torch.tensor([[1, 2, 0, 0], [1, 0, 0, 0]])  # two, one of which is among those
    head._most_likely = lambda logits, mask: predicted  # type: ignore[method-assign]
    head(encoded, mask, tags)
    assert head.get_metrics() == {
        "accuracy": pytest.approx(3 / 6),
        "precision-overall": pytest.approx(1 / 3),
        "recall-overall": pytest.approx(1 / 2),
        "f1-measure-overall": pytest.approx(2 / 5),
    }


def test_readable_tags() -> None:
    outputs = {
        "logits": torch.zeros(2, 3, 4),
        "tags": torch.tensor([[1, 2, 0], [3, -1, -1]]),
    }
    readable = crf_head().make_output_human_readable(outputs)
    assert readable["tags"] == [["B-x", "I-x", "O"], ["I-y"]]
    assert [row.shape for row in readable["logits"]] == [(3, 4), (1, 4)]


def test_an_unknown_encoding() -> None:
    with pytest.raises(ConfigurationError) as error:
        crf_head("BIOLU")
    assert str(error.value) == (
        "label_encoding must name an encoding of spans, but got 'BIOLU'. Did you mean 'BIOUL'? "
        "Known names: ['BIO', 'IOB1', 'BIOUL', 'BMES']."
    )


def test_tags_of_another_encoding() -> None:
    with pytest.raises(ConfigurationError) as error:
        crf_head("BIO", ["O", "B-x", "L-x", "U-x", "Bank"])
    assert str(error.value) == (
        "Tags in the encoding BIO must be one of B, I, O, with a '-' and a label after it or "
        "nothing, but the namespace 'labels' has ['L-x', 'U-x', 'Bank']. Correct label_encoding "
        "or label_namespace."
    )


def test_tags_in_a_namespace_with_padding() -> None:
    vocab = Vocabulary(tokens_to_add={"slots": ["O", "B-x"]})
    with pytest.raises(ConfigurationError) as error:
        CrfTaggerHead(vocab, DIM, "BIO", label_namespace="slots")
    assert str(error.value) == (
        "Tags in the encoding BIO must be one of B, I, O, with a '-' and a label after it or "
        "nothing, but the namespace 'slots' has ['@@PADDING@@', '@@UNKNOWN@@']. Correct "
        "label_encoding or label_namespace, or let the name of the namespace end in 'tags' or "
        "'labels', so that it has no entries for padding and unknown tags."
    )


def test_a_text_without_tokens() -> None:
    encoded, mask = encode(2, 1)
    mask[1] = False
    with pytest.raises(ValueError, match="at least one token") as error:
        crf_head()(encoded, mask)
    assert str(error.value) == (
        "A crf_tagger needs texts of at least one token, whose mask is true from the first column "
        "on, but in this batch the first column is padding in some row. Leave texts without tokens "
        "out of the data."
    )
