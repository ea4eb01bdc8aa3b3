"""The `dependency_parser` head: its scores, loss, predictions and metrics."""

import itertools
from typing import Any, Dict, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules import FeedForward
from allennlp.nn import Activation

from multitask_model.heads import DependencyParserHead
from tests.helpers.trees import best_tree, is_tree

TAGS = ["root", "subj", "punct"]
DIM = 4


def parser(**kwargs: Any) -> DependencyParserHead:
    vocab = Vocabulary(tokens_to_add={"head_tags": TAGS})
    torch.manual_seed(0)
    return DependencyParserHead(vocab, DIM, arc_dim=3, tag_dim=2, **kwargs).eval()


def encode(*lengths: int, seed: int = 1) -> Tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(-1)
    return 2 * torch.randn(len(lengths), max(lengths), DIM), mask


def apply_layer(head: DependencyParserHead, name: str, vectors: torch.Tensor) -> torch.Tensor:
    """The linear layer of this name and its ELU."""
    state = head.state_dict()
    weight, bias = state[f"{name}.0.weight"], state[f"{name}.0.bias"]
    return torch.nn.functional.elu(torch.nn.functional.linear(vectors, weight, bias))


def prepend_root(head: DependencyParserHead, encoded: torch.Tensor) -> torch.Tensor:
    root = head.state_dict()["_root"].expand(len(encoded), 1, -1)
    return torch.cat([root, encoded], dim=1)  # (B, T + 1, D)


def test_a_tree_is_predicted_in_evaluation_and_the_best_heads_in_training() -> None:
    head = parser()
    for seed in range(20):
        encoded, mask = encode(5, seed=seed)
        arcs = head.arc_scores(encoded, mask)[0]
        best = arcs.argmax(-1).tolist()
        if not is_tree(tuple(best)):
            break
    assert not is_tree(tuple(best))
    assert head.eval()(encoded, mask)["head_indices"][0].tolist() == list(best_tree(arcs))
    assert head.train()(encoded, mask)["head_indices"][0].tolist() == best


def test_arc_scores_are_biaffine() -> None:
    """Dozat and Manning 2017: with 1 appended to both vectors, s = h_word' U h_head."""
    head = parser()
    encoded, mask = encode(3)
    with_root = prepend_root(head, encoded)[0]
    weight = head.state_dict()["_arc_affinity._weight_matrix"].view(4, 4)
    arcs = head.arc_scores(encoded, mask)[0]
    for word, other in itertools.product(range(3), range(4)):
        of_word = apply_layer(head, "_arc_of_word", with_root[word + 1])
        of_head = apply_layer(head, "_arc_of_head", with_root[other])
        ones = torch.ones(1)
        expected = torch.cat([of_word, ones]) @ weight @ torch.cat([of_head, ones])
        if other == word + 1:
            expected = torch.tensor(float("-inf"))
        torch.testing.assert_close(arcs[word, other], expected)


@pytest.mark.parametrize("heads", [[[2, 0, 2], [0, 1, 0]], [[0, 1, 2], [2, 0, 0]]])
def test_the_loss_is_that_of_heads_and_of_tags_given_the_gold_heads(heads: Any) -> None:
    head = parser()
    encoded, mask = encode(3, 2)
    heads = torch.tensor(heads)
    tags = torch.tensor([[1, 0, 2], [0, 1, 0]])
    state, with_root = head.state_dict(), prepend_root(head, encoded)
    arcs = head.arc_scores(encoded, mask).log_softmax(-1)
    rows = []
    for row, length in enumerate([3, 2]):
        losses = []
        for word in range(length):
            tag_scores = torch.nn.functional.bilinear(
                apply_layer(head, "_tag_of_word", with_root[row, word + 1]),
                apply_layer(head, "_tag_of_head", with_root[row, heads[row, word]]),
                state["_tag_affinity.weight"],
                state["_tag_affinity.bias"],
            ).log_softmax(-1)
            losses.append(-arcs[row, word, heads[row, word]] - tag_scores[tags[row, word]])
        rows.append(torch.stack(losses).mean())
    loss = head(encoded, mask, heads, tags)["loss"]
    torch.testing.assert_close(loss, torch.stack(rows).mean())


def scores_of(head: DependencyParserHead) -> Dict[str, float]:
    """The metrics for gold labels that differ from the predictions in two heads and in tags."""
    encoded, mask = encode(3, 2)
    predicted = head(encoded, mask)
    heads, tags = predicted["head_indices"].clone(), predicted["head_tags"].clone()
    heads[0, 0] = 3 if heads[0, 0] == 2 else 2  # a different head
    tags[0, 1] = (tags[0, 1] + 1) % 3
    tags[1, 0] = TAGS.index("punct")
    heads[1, 0] = 2 - heads[1, 0]
    head(encoded, mask, heads.clamp(min=0), tags.clamp(min=0))
    return head.get_metrics()


def test_attachment_scores() -> None:
    metrics = scores_of(parser())
    assert metrics["UAS"] == pytest.approx(3 / 5)
    assert metrics["LAS"] == pytest.approx(2 / 5)


def test_ignored_tags_are_excluded_from_the_scores() -> None:
    found = scores_of(parser(ignore_tags=["punct"]))
    head = parser()
    encoded, mask = encode(3, 2)
    tags = head(encoded, mask)["head_tags"].clone()
    tags[0, 1] = (tags[0, 1] + 1) % 3
    tags[1, 0] = TAGS.index("punct")
    counted = (tags != TAGS.index("punct")) & mask
    assert not counted[1, 0]  # one of the two wrong heads; the other is that of word 0, 0
    correct = counted.clone()
    correct[0, 0] = False
    assert found["UAS"] == pytest.approx(int(correct.sum()) / int(counted.sum()))
    assert found["UAS"] != pytest.approx(3 / 5)  # the score with punctuation


def test_readable_trees_are_lists_without_padding() -> None:
    outputs = {
        "head_indices": torch.tensor([[2, 0, 2], [0, -1, -1]]),
        "head_tags": torch.tensor([[1, 0, 2], [0, -1, -1]]),
    }
    assert parser().make_output_human_readable(outputs) == {
        "head_indices": [[2, 0, 2], [0]],
        "head_tags": [["subj", "root", "punct"], ["root"]],
    }


@pytest.mark.parametrize("found", ["head_indices", "head_tags"])
def test_heads_without_tags_and_tags_without_heads_are_rejected(found: str) -> None:
    encoded, mask = encode(2)
    with pytest.raises(ValueError, match="needs both") as error:
        parser()(encoded, mask, **{found: torch.zeros(1, 2, dtype=torch.long)})
    assert str(error.value) == (
        "A dependency_parser needs both head_indices and head_tags for a loss, but got only "
        f"{found}. Return both from the dataset reader, or neither."
    )


def test_an_unknown_tag_to_ignore_is_rejected() -> None:
    with pytest.raises(ConfigurationError) as error:
        parser(ignore_tags=["punkt"])
    assert str(error.value) == (
        "ignore_tags must hold labels of the namespace 'head_tags', but got 'punkt'. Did you mean "
        "'punct'? Known labels: ['punct', 'root', 'subj']."
    )


def test_a_feedforward_of_another_size_is_rejected() -> None:
    feedforward = FeedForward(7, 1, 5, Activation.by_name("tanh")())
    with pytest.raises(ConfigurationError) as error:
        parser(feedforward=feedforward)
    assert str(error.value) == (
        "The feedforward of a head must accept vectors of size 4, but got one with input_dim 7. "
        "Set its input_dim to 4."
    )


def test_oov_tags_are_never_predicted_and_excluded_from_the_loss() -> None:
    vocab = Vocabulary(tokens_to_add={"relations": TAGS})
    head = DependencyParserHead(vocab, DIM, 3, 2, label_namespace="relations").eval()
    state = head.state_dict()
    state["_tag_affinity.bias"][:2] = 50.0  # padding and OOV
    head.load_state_dict(state)
    encoded, mask = encode(3)
    heads, tags = torch.tensor([[2, 0, 2]]), torch.tensor([[3, 2, 4]])
    assert head(encoded, mask)["head_tags"].min() >= 2
    before = head(encoded, mask, heads, tags)["loss"]
    unknown = head(encoded, mask, heads, torch.tensor([[1, 1, 1]]))["loss"]
    assert unknown < before - 10  # only the loss of the heads


def test_labels_of_padding_do_not_matter() -> None:
    head = parser()
    encoded, mask = encode(3, 1)
    heads, tags = torch.tensor([[2, 0, 2], [0, 0, 0]]), torch.tensor([[1, 0, 2], [0, 0, 0]])
    loss = head(encoded, mask, heads, tags)["loss"]
    heads[1, 1:], tags[1, 1:] = -1, 99
    torch.testing.assert_close(head(encoded, mask, heads, tags)["loss"], loss)


@pytest.mark.parametrize(
    ("found", "position"),
    [
        (2, 1),  # the word itself
        (3, 0),  # padding
        (4, 0),  # outside of the batch
        (99, 0),
        (-1, 0),
    ],
)
@pytest.mark.parametrize("train", [True, False])
def test_a_gold_head_that_is_no_other_word_is_rejected(
    found: int, position: int, train: bool
) -> None:
    encoded, mask = encode(3, 2)
    heads = torch.tensor([[2, 0, 2], [0, 1, 0]])
    heads[1, position] = found
    with pytest.raises(ValueError, match="^The head of a word") as error:
        parser().train(train)(encoded, mask, heads, torch.zeros(2, 3, dtype=torch.long))
    assert str(error.value) == (
        "The head of a word must be 0 for the root or another word of the sentence, counted from "
        f"1, but got {found} for word {position + 1} of row 1, which has 2 words. Rows are counted "
        "from 0. Correct head_indices in the data."
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_in_evaluation_are_an_error(value: float) -> None:
    head = parser()
    encoded, mask = encode(3, 2)
    encoded[1, 2] = value  # padding
    head(encoded, mask)
    encoded[1, 0] = value
    with pytest.raises(ValueError, match="diverged") as error:
        head(encoded, mask)
    assert str(error.value) == (
        "A dependency_parser needs finite scores of arcs, but got nan in row 1, counted from 0. "
        "The model has diverged: its parameters or the outputs of the backbone are NaN or too "
        "large. Train it with a lower learning rate or clipped gradients."
    )
    assert head.train()(encoded, mask)["head_indices"].shape == (2, 3)


def test_infinite_scores_of_tags_in_evaluation_are_an_error() -> None:
    head = parser()
    head.load_state_dict({**head.state_dict(), "_tag_affinity.bias": torch.full((3,), torch.inf)})
    with pytest.raises(ValueError, match="needs finite scores of tags, but got inf in row 0,"):
        head(*encode(2))
