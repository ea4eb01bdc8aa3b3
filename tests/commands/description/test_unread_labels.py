"""Labels for heads whose data cannot be read."""

from allennlp.data import Vocabulary

from multitask_model.commands.description.unread_labels import add_unread_labels
from multitask_model.routing.fit_checks import labels_in


def test_namespaces_of_heads_without_labels_get_one() -> None:
    vocab = Vocabulary(tokens_to_add={"stars_labels": ["1", "2"]})
    heads = {
        "given": {"type": "classifier", "label_namespace": "polarity_labels"},
        "default": {"type": "classifier"},
        "known": {"type": "classifier", "label_namespace": "stars_labels"},
    }
    assert add_unread_labels(vocab, heads) == ["labels", "polarity_labels"]
    assert labels_in(vocab, "polarity_labels") == ["O"]
    assert labels_in(vocab, "stars_labels") == ["1", "2"]


def test_heads_of_unknown_type_are_left_out() -> None:
    assert add_unread_labels(Vocabulary(), {"a": {"type": "classifer"}, "b": "unknown"}) == []
