"""The `multi_label_classifier` head: its loss, F1 and predictions."""

import math
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

from multitask_model.heads import MultiLabelClassifierHead

MASK = torch.ones(3, 1, dtype=torch.bool)
# Each 1 gives a probability of 3/4, and each -1 of 1/4.
ENCODED = torch.tensor([[[1.0, 1.0]], [[1.0, -1.0]], [[-1.0, 1.0]]])


def classifier(namespace: str = "labels", **kwargs: Any) -> MultiLabelClassifierHead:
    vocab = Vocabulary(tokens_to_add={namespace: ["a", "b"]})
    pool = BagOfEmbeddingsEncoder(2)
    head = MultiLabelClassifierHead(vocab, pool, label_namespace=namespace, **kwargs).eval()
    classes = vocab.get_vocab_size(namespace)
    weight = torch.zeros(classes, 2)
    weight[classes - 2 :] = math.log(3.0) * torch.eye(2)
    bias = torch.full((classes,), 5.0)  # padding and OOV would be predicted if they were not masked
    bias[classes - 2 :] = 0.0
    state = {"_projection._linear.weight": weight, "_projection._linear.bias": bias}
    head.load_state_dict(state)
    return head


def test_the_loss_is_the_mean_over_labels_and_sequences() -> None:
    labels = torch.tensor([[1, 1], [0, 0], [1, 1]])
    loss = classifier()(ENCODED, MASK, labels)["loss"]
    likelihoods = [3 / 4, 3 / 4, 1 / 4, 3 / 4, 1 / 4, 3 / 4]
    assert loss.item() == pytest.approx(-sum(map(math.log, likelihoods)) / 6)


def test_micro_and_macro_f1() -> None:
    head = classifier()
    # Predicted: a and b; a; b.
    head(ENCODED, MASK, torch.tensor([[1, 0], [1, 0], [1, 0]]))
    # a: both predictions are correct, and one label is missing. b: both predictions are wrong.
    assert head.get_metrics() == {
        "micro_f1": pytest.approx(2 * 2 / (2 * 2 + 2 + 1)),
        "macro_f1": pytest.approx((2 * 2 / (2 * 2 + 1) + 0) / 2),
    }


def test_padding_and_oov_are_excluded_from_predictions_and_f1() -> None:
    head = classifier("topics")  # with padding and OOV entries
    labels = torch.tensor([[0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0]])
    outputs = head.make_output_human_readable(head(ENCODED, MASK, labels))
    assert outputs["labels"] == [["a", "b"], ["a"], ["b"]]
    assert head.get_metrics()["macro_f1"] == pytest.approx(2 / 5)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.2, [["a", "b"]] * 3), (0.5, [["a", "b"], ["a"], ["b"]]), (0.8, [[], [], []])],
)
def test_the_threshold_applies_to_predictions_and_metrics(threshold: float, expected: Any) -> None:
    head = classifier(threshold=threshold)
    labels = torch.tensor([[name in row for name in "ab"] for row in expected]).long()
    outputs = head.make_output_human_readable(head(ENCODED, MASK, labels))
    assert outputs["labels"] == expected
    assert head.get_metrics()["micro_f1"] == pytest.approx(1.0 if any(expected) else 0.0)


def test_a_threshold_that_is_no_probability_is_rejected() -> None:
    with pytest.raises(ConfigurationError) as error:
        classifier(threshold=1.0)
    assert str(error.value) == (
        "threshold must be a probability between 0 and 1, but got 1.0. Set it to 0.5 to predict "
        "labels that are more likely than not."
    )


def test_a_probability_equal_to_the_threshold_is_enough() -> None:
    outputs = classifier()(torch.zeros(1, 1, 2), MASK[:1])
    assert outputs["probs"].tolist() == [[0.5, 0.5]]
    assert classifier().make_output_human_readable(outputs)["labels"] == [["a", "b"]]


def test_padding_and_oov_are_excluded_from_the_loss() -> None:
    labels = torch.tensor([[1, 1], [0, 0], [1, 1]])
    padded = torch.cat([torch.zeros(3, 2), labels], dim=1)
    found = classifier("topics")(ENCODED, MASK, padded)["loss"]
    torch.testing.assert_close(found, classifier()(ENCODED, MASK, labels)["loss"])
