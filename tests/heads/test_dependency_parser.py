"""The `dependency_parser` head, and its trees against all trees one by one."""

import itertools
from typing import Any, Dict, List, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules import FeedForward
from allennlp.nn import Activation

from multitask_model.heads import DependencyParserHead
from multitask_model.modules.tree_decoding import decode_mst

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


def is_tree(heads: Tuple[int, ...]) -> bool:
    """One word at the root, and every word below it."""
    if heads.count(0) != 1:
        return False
    for word in range(1, len(heads) + 1):
        for _ in heads:
            word = heads[word - 1] if word else 0
        if word:
            return False
    return True


def best_by_trying(scores: torch.Tensor) -> Tuple[int, ...]:
    """Of scores (T, T + 1), normalize over the heads of each word."""
    length = len(scores)
    trees = filter(is_tree, itertools.product(range(length + 1), repeat=length))
    likelihoods = scores.double().log_softmax(-1)
    return max(trees, key=lambda heads: likelihoods[range(length), list(heads)].sum().item())


def random_scores(length: int, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    scores = 3 * torch.randn(length, length + 1)
    scores[range(length), range(1, length + 1)] = float("-inf")
    return scores


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_the_best_tree_is_the_best_of_all_trees(length: int) -> None:
    mask = torch.ones(1, length, dtype=torch.bool)
    for seed in range(30):
        scores = random_scores(length, seed)
        found = decode_mst(scores.unsqueeze(0), mask)[0].tolist()
        assert tuple(found) == best_by_trying(scores)


def test_the_best_tree_differs_from_the_best_heads_and_from_more_words_at_the_root() -> None:
    """So that the test above has something to tell apart."""
    found = [tuple(random_scores(4, seed).argmax(-1).tolist()) for seed in range(30)]
    assert any(not is_tree(heads) and heads.count(0) == 1 for heads in found)  # cycles
    assert any(heads.count(0) == 0 for heads in found)
    assert any(heads.count(0) > 1 for heads in found)


def test_trees_of_a_padded_batch() -> None:
    scores, mask = torch.full((2, 4, 5), 7.0), torch.ones(2, 4, dtype=torch.bool)
    scores[0] = random_scores(4, 0)
    scores[1, :2, :3] = random_scores(2, 1)
    scores[1, :2, 3:] = float("-inf")
    mask[1, 2:] = False
    assert decode_mst(scores, mask).tolist() == [
        list(best_by_trying(scores[0])),
        [*best_by_trying(scores[1, :2, :3]), 0, 0],
    ]


def test_the_tree_in_evaluation_and_the_best_heads_in_training() -> None:
    head = parser()
    for seed in range(20):
        encoded, mask = encode(5, seed=seed)
        arcs = head._arc_scores(head._with_root(encoded), mask)[0]
        best = arcs.argmax(-1).tolist()
        if not is_tree(tuple(best)):
            break
    assert not is_tree(tuple(best))
    assert head.eval()(encoded, mask)["head_indices"][0].tolist() == list(best_by_trying(arcs))
    assert head.train()(encoded, mask)["head_indices"][0].tolist() == best


def test_scores_are_the_biaffine_ones() -> None:
    """Dozat and Manning 2017: with 1 appended to both vectors, s = h_word' U h_head."""
    head = parser()
    encoded, mask = encode(3)
    with_root = torch.cat([head._root.expand(1, 1, -1), encoded], dim=1)[0]
    weight = head._arc_affinity._weight_matrix.view(4, 4)
    arcs = head._arc_scores(head._with_root(encoded), mask)[0]
    for word, other in itertools.product(range(3), range(4)):
        dependent = torch.cat([head._arc_of_word(with_root[word + 1]), torch.ones(1)])
        governor = torch.cat([head._arc_of_head(with_root[other]), torch.ones(1)])
        expected = dependent @ weight @ governor
        if other == word + 1:
            expected = torch.tensor(float("-inf"))
        torch.testing.assert_close(arcs[word, other], expected)


@pytest.mark.parametrize("heads", [[[2, 0, 2], [0, 1, 0]], [[0, 1, 2], [2, 0, 0]]])
def test_the_loss_is_that_of_heads_and_of_tags_given_the_true_heads(heads: Any) -> None:
    head = parser()
    encoded, mask = encode(3, 2)
    heads = torch.tensor(heads)
    tags = torch.tensor([[1, 0, 2], [0, 1, 0]])
    with_root = head._with_root(encoded)
    arcs = head._arc_scores(with_root, mask).log_softmax(-1)
    rows = []
    for row, length in enumerate([3, 2]):
        losses = []
        for word in range(length):
            governor = with_root[row, heads[row, word]]
            tag_scores = head._tag_affinity(
                head._tag_of_word(with_root[row, word + 1]), head._tag_of_head(governor)
            ).log_softmax(-1)
            losses.append(-arcs[row, word, heads[row, word]] - tag_scores[tags[row, word]])
        rows.append(torch.stack(losses).mean())
    loss = head(encoded, mask, heads, tags)["loss"]
    torch.testing.assert_close(loss, torch.stack(rows).mean())


def scores_of(head: DependencyParserHead) -> Dict[str, float]:
    """Of gold labels that agree with the prediction but for one head and one other tag."""
    encoded, mask = encode(3, 2)
    predicted = head(encoded, mask)
    heads, tags = predicted["head_indices"].clone(), predicted["head_tags"].clone()
    heads[0, 0] = heads[0, 0] - 1 if heads[0, 0] else 2  # another head
    tags[0, 1] = (tags[0, 1] + 1) % 3
    tags[1, 0] = TAGS.index("punct")
    heads[1, 0] = 1 - heads[1, 0].clamp(max=1)
    head(encoded, mask, heads.clamp(min=0), tags.clamp(min=0))
    return head.get_metrics()


def test_attachment_scores() -> None:
    metrics = scores_of(parser())
    assert metrics["UAS"] == pytest.approx(3 / 5)
    assert metrics["LAS"] == pytest.approx(2 / 5)


def test_ignored_tags_do_not_count() -> None:
    found = scores_of(parser(ignore_tags=["punct"]))
    head = parser()
    encoded, mask = encode(3, 2)
    tags = head(encoded, mask)["head_tags"].clone()
    tags[0, 1] = (tags[0, 1] + 1) % 3
    tags[1, 0] = TAGS.index("punct")
    counted = (tags != TAGS.index("punct")) & mask
    assert not counted[1, 0]  # one of the two wrong heads; the other is that of word 0, 0
    right = counted.clone()
    right[0, 0] = False
    assert found["UAS"] == pytest.approx(int(right.sum()) / int(counted.sum()))
    assert found["UAS"] != pytest.approx(3 / 5)  # what it is if they do count


def test_readable_trees() -> None:
    outputs = {
        "head_indices": torch.tensor([[2, 0, 2], [0, -1, -1]]),
        "head_tags": torch.tensor([[1, 0, 2], [0, -1, -1]]),
    }
    assert parser().make_output_human_readable(outputs) == {
        "head_indices": [[2, 0, 2], [0]],
        "head_tags": [["subj", "root", "punct"], ["root"]],
    }


@pytest.mark.parametrize("found", ["head_indices", "head_tags"])
def test_only_half_of_the_labels(found: str) -> None:
    encoded, mask = encode(2)
    with pytest.raises(ValueError, match="needs both") as error:
        parser()(encoded, mask, **{found: torch.zeros(1, 2, dtype=torch.long)})
    assert str(error.value) == (
        "A dependency_parser needs both head_indices and head_tags for a loss, but the batch has "
        f"only {found}. Let the reader give both, or neither."
    )


def test_an_unknown_tag_to_ignore() -> None:
    with pytest.raises(ConfigurationError) as error:
        parser(ignore_tags=["punkt"])
    assert str(error.value) == (
        "ignore_tags must hold labels of the namespace 'head_tags', but 'punkt' is not one of "
        "['punct', 'root', 'subj']. Did you mean 'punct'? Correct or remove it."
    )


def test_a_feedforward_of_another_size() -> None:
    feedforward = FeedForward(7, 1, 5, Activation.by_name("tanh")())
    with pytest.raises(ConfigurationError) as error:
        parser(feedforward=feedforward)
    assert str(error.value) == (
        "The feedforward of a head has to take the vectors that come before it, but those have 4 "
        "dimensions and feedforward takes 7. Set its input_dim to 4."
    )


def test_a_word_is_never_its_own_head() -> None:
    scores = random_scores(3, 0)
    expected = best_by_trying(scores)
    scores[range(3), range(1, 4)] = 100.0
    found = decode_mst(scores.unsqueeze(0), torch.ones(1, 3, dtype=torch.bool))
    assert tuple(found[0].tolist()) == expected


def test_tags_that_the_vocabulary_does_not_know() -> None:
    vocab = Vocabulary(tokens_to_add={"relations": TAGS})
    head = DependencyParserHead(vocab, DIM, 3, 2, label_namespace="relations").eval()
    torch.nn.init.constant_(head._tag_affinity.bias[:2], 50.0)  # those that are no tags
    encoded, mask = encode(3)
    heads, tags = torch.tensor([[2, 0, 2]]), torch.tensor([[3, 2, 4]])
    assert head(encoded, mask)["head_tags"].min() >= 2
    before = head(encoded, mask, heads, tags)["loss"]
    unknown = head(encoded, mask, heads, torch.tensor([[1, 1, 1]]))["loss"]
    assert unknown < before - 10  # only the loss of the heads


def test_what_padding_has_as_its_labels_does_not_matter() -> None:
    head = parser()
    encoded, mask = encode(3, 1)
    heads, tags = torch.tensor([[2, 0, 2], [0, 0, 0]]), torch.tensor([[1, 0, 2], [0, 0, 0]])
    loss = head(encoded, mask, heads, tags)["loss"]
    heads[1, 1:], tags[1, 1:] = -1, 99
    torch.testing.assert_close(head(encoded, mask, heads, tags)["loss"], loss)


def test_numbers_of_words_do_not_matter_to_trees_of_no_words() -> None:
    scores: List[Any] = [torch.zeros(1, 0, 1), torch.zeros(1, 0, dtype=torch.bool)]
    assert decode_mst(*scores).shape == (1, 0)
