"""The `crf_tagger` head, compared with an exhaustive search over tag sequences."""

import itertools
from typing import List, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.heads import CrfTaggerHead

TAGS = ["O", "B-x", "I-x", "I-y"]
DIM = 3


def crf_head(encoding: str = "BIO", tags: List[str] = TAGS, input_dim: int = DIM) -> CrfTaggerHead:
    vocab = Vocabulary(tokens_to_add={"labels": tags})
    torch.manual_seed(0)
    return CrfTaggerHead(vocab, input_dim, encoding).eval()


def encode(*lengths: int) -> Tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(-1)
    return 3 * torch.randn(len(lengths), max(lengths), DIM), mask


def score(head: CrfTaggerHead, logits: torch.Tensor, tags: Tuple[int, ...]) -> torch.Tensor:
    """The sum of the scores of the tags, of the transitions, of the start and of the end."""
    state = head.state_dict()
    transitions = [state["_crf.transitions"][one, other] for one, other in zip(tags, tags[1:])]
    words = [logits[word, tag] for word, tag in enumerate(tags)]
    ends = [state["_crf.start_transitions"][tags[0]], state["_crf.end_transitions"][tags[-1]]]
    return torch.stack(words + transitions + ends).sum()


def all_tags(length: int) -> List[Tuple[int, ...]]:
    return list(itertools.product(range(len(TAGS)), repeat=length))


def is_allowed(tags: Tuple[int, ...]) -> bool:
    """In BIO, an inside tag follows a begin or inside tag of the same label."""
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
        logits, gold = outputs["logits"][row], tuple(tags[row, :length].tolist())
        every = torch.stack([score(head, logits, one) for one in all_tags(length)])
        expected.append(torch.logsumexp(every, 0) - score(head, logits, gold))
    torch.testing.assert_close(outputs["loss"], torch.stack(expected).mean())


@pytest.mark.parametrize("lengths", [(1,), (3,), (4, 2), (2, 4, 1)])
def test_the_prediction_is_the_best_allowed_sequence(lengths: Tuple[int, ...]) -> None:
    head = crf_head()
    encoded, mask = encode(*lengths)
    outputs = head(encoded, mask)
    for row, length in enumerate(lengths):
        allowed = filter(is_allowed, all_tags(length))
        best = max(allowed, key=lambda tags: score(head, outputs["logits"][row], tags).item())
        padding = [-1] * (max(lengths) - length)
        assert outputs["tags"][row].tolist() == [*best, *padding]


def test_the_best_sequence_of_all_is_not_allowed() -> None:
    """The test above would fail without the constraints of the encoding."""
    head = crf_head()
    encoded, mask = encode(4, 2)
    logits = head(encoded, mask)["logits"]
    best = max(all_tags(4), key=lambda tags: score(head, logits[0], tags).item())
    assert not is_allowed(best)


def test_large_scores_do_not_outweigh_the_constraints() -> None:
    head = crf_head()
    encoded, mask = encode(4, 2)
    tags = head(1e6 * encoded, mask)["tags"]
    assert is_allowed(tuple(tags[0].tolist()))
    assert is_allowed(tuple(tags[1, :2].tolist()))


def test_a_span_of_bioes_is_completed() -> None:
    tags = ["O", "B-x", "I-x", "E-x", "S-x"]
    head = crf_head("BIOES", tags, input_dim=len(tags))
    for name, parameter in head.named_parameters():
        # The logits equal the encoded tokens, and all transitions have the score 0.
        (torch.nn.init.eye_ if name.endswith("linear.weight") else torch.nn.init.zeros_)(parameter)
    encoded = torch.nn.functional.one_hot(torch.tensor([[0, 1, 2, 2, 4]]), len(tags)).float()
    encoded[0, 3, 3] = 0.5  # `B-x I-x I-x S-x` is forbidden, `B-x I-x E-x S-x` is not
    outputs = head.make_output_human_readable(head(encoded, torch.ones(1, 5, dtype=torch.bool)))
    assert outputs["tags"] == [["O", "B-x", "I-x", "E-x", "S-x"]]
    assert outputs["spans"] == [
        [{"type": "x", "start": 1, "end": 4}, {"type": "x", "start": 4, "end": 5}]
    ]


def test_any_values_of_padding_change_no_prediction() -> None:
    head = crf_head()
    encoded, mask = encode(4, 2)
    expected = head(encoded, mask)["tags"]
    encoded[1, 2:] = float("nan")
    assert head(encoded, mask)["tags"].tolist() == expected.tolist()


def test_a_vocabulary_without_allowed_sequences_gives_tags_too() -> None:
    head = crf_head("BIOUL", ["B-x", "L-x"])  # neither ends nor begins after one token
    encoded, mask = encode(3, 1)
    tags = head(encoded, mask)["tags"]
    assert ((tags >= 0) == mask).all()


def test_metrics_are_of_tags_and_of_spans() -> None:
    head = crf_head(input_dim=len(TAGS))
    for name, parameter in head.named_parameters():
        # The logits equal the encoded tokens, and all transitions have the score 0.
        (torch.nn.init.eye_ if name.endswith("linear.weight") else torch.nn.init.zeros_)(parameter)
    predicted = torch.tensor([[1, 2, 0, 1], [0, 1, -1, -1]])  # three spans
    tags = torch.tensor([[1, 2, 0, 0], [1, 0, 0, 0]])  # two spans, one of which is predicted
    encoded = torch.nn.functional.one_hot(predicted.clamp(min=0), len(TAGS)).float()
    outputs = head(encoded, predicted >= 0, tags)
    assert outputs["tags"].tolist() == predicted.tolist()
    assert head.get_metrics() == {
        "accuracy": pytest.approx(3 / 6),
        "precision-overall": pytest.approx(1 / 3),
        "recall-overall": pytest.approx(1 / 2),
        "f1-measure-overall": pytest.approx(2 / 5),
    }


def test_readable_tags_are_names_without_padding() -> None:
    outputs = {
        "logits": torch.zeros(2, 3, 4),
        "tags": torch.tensor([[1, 2, 0], [3, -1, -1]]),
    }
    readable = crf_head().make_output_human_readable(outputs)
    assert readable["tags"] == [["B-x", "I-x", "O"], ["I-y"]]
    assert [row.shape for row in readable["logits"]] == [(3, 4), (1, 4)]


def test_an_unknown_encoding_is_rejected() -> None:
    with pytest.raises(ConfigurationError) as error:
        crf_head("BIOLU")
    assert str(error.value) == (
        "label_encoding must name a span encoding, but got 'BIOLU'. Did you mean 'BIOUL'? "
        "Known names: ['BIO', 'IOB1', 'BIOUL', 'BIOES', 'BMES', 'IOB2']."
    )


def test_tags_of_another_encoding_are_rejected() -> None:
    with pytest.raises(ConfigurationError) as error:
        crf_head("BIO", ["O", "B-x", "L-x", "U-x", "Bank"])
    assert str(error.value) == (
        "BIO tags must be one of B, I, O, alone or followed by '-' and a label, but got "
        "['L-x', 'U-x', 'Bank'] in the namespace 'labels'. Correct label_encoding or "
        "label_namespace."
    )


def test_iob2_is_a_name_of_bio() -> None:
    encoded, mask = encode(4, 2)
    tags = torch.ones(mask.shape, dtype=torch.long)
    found, expected = crf_head("IOB2"), crf_head("BIO")
    assert torch.equal(found(encoded, mask, tags)["tags"], expected(encoded, mask, tags)["tags"])
    assert found.get_metrics() == expected.get_metrics()


def test_a_namespace_with_padding_is_rejected() -> None:
    vocab = Vocabulary(tokens_to_add={"slots": ["O", "B-x"]})
    with pytest.raises(ConfigurationError) as error:
        CrfTaggerHead(vocab, DIM, "BIO", label_namespace="slots")
    assert str(error.value) == (
        "BIO tags must be one of B, I, O, alone or followed by '-' and a label, but got "
        "['@@PADDING@@', '@@UNKNOWN@@'] in the namespace 'slots'. Correct label_encoding or "
        "label_namespace; a namespace whose name ends in 'tags' or 'labels' has no padding and OOV "
        "entries."
    )


def test_a_sequence_without_tokens_is_rejected() -> None:
    encoded, mask = encode(2, 1)
    mask[1] = False
    with pytest.raises(ValueError, match="at least one token") as error:
        crf_head()(encoded, mask)
    assert str(error.value) == (
        "A crf_tagger needs sequences of at least one token, with padding after the tokens, but "
        "got a sequence whose first position is padding. Remove empty sequences from the data."
    )
