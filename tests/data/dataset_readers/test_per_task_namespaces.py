"""The vocabulary namespaces of labels, with and without the name of the task as a prefix."""

from typing import Any, Dict

from allennlp.data import DatasetReader, Instance, Token, Vocabulary
from allennlp.data.fields import (
    LabelField,
    ListField,
    MultiLabelField,
    SequenceLabelField,
    TextField,
)

from multitask_model import MultiTaskDatasetReader
from multitask_model.compat.allennlp_internals import label_namespace
from tests.helpers.fixed_reader import FixedReader


def instance_with_all_label_fields() -> Instance:
    text = TextField([Token("w1"), Token("w2")])
    return Instance(
        {
            "text": text,
            "label": LabelField("x"),
            "tags": SequenceLabelField(["y", "z"], text, "upos_tags"),
            "topics": MultiLabelField(["t"]),
            "several": ListField([LabelField("l", "other_labels")]),
            "texts": ListField([text]),
        }
    )


def count_labels(reader: DatasetReader) -> Dict[str, Dict[str, int]]:
    counter: Dict[str, Dict[str, int]] = {
        name: dict.fromkeys("xyztl", 0)
        for prefix in ("", "a_")
        for name in (f"{prefix}labels", f"{prefix}upos_tags", f"{prefix}other_labels")
    }
    for instance in reader.read(""):
        for name, field in instance.fields.items():
            if name not in ("text", "texts"):
                field.count_vocab_items(counter)
    return {
        name: {label: n for label, n in counts.items() if n}
        for name, counts in counter.items()
        if any(counts.values())
    }


def test_by_default_the_namespaces_of_the_readers_are_kept() -> None:
    reader = MultiTaskDatasetReader({"a": FixedReader(instance_with_all_label_fields())})
    assert count_labels(reader.readers["a"]) == {
        "labels": {"x": 1, "t": 1},
        "upos_tags": {"y": 1, "z": 1},
        "other_labels": {"l": 1},
    }


def test_namespaces_can_be_prefixed_with_the_task() -> None:
    instance = instance_with_all_label_fields()
    reader = MultiTaskDatasetReader({"a": FixedReader(instance)}, True)
    assert count_labels(reader.readers["a"]) == {
        "a_labels": {"x": 1, "t": 1},
        "a_upos_tags": {"y": 1, "z": 1},
        "a_other_labels": {"l": 1},
    }
    fields: Any = reader.readers["a"].text_to_instance(0).fields
    assert fields["tags"].sequence_field is fields["text"]
    assert label_namespace(fields["label"]) == "a_labels"
    # A field without labels is the same object, because other fields may refer to it.
    assert fields["texts"] is instance.fields["texts"]


def test_tasks_with_the_same_namespace_get_separate_vocabularies() -> None:
    readers: Dict[str, DatasetReader] = {
        "a": FixedReader(Instance({"label": LabelField("x")})),
        "b": FixedReader(
            Instance({"label": LabelField("y")}), Instance({"label": LabelField("z")})
        ),
    }
    reader = MultiTaskDatasetReader(readers, per_task_label_namespaces=True)
    instances = [i for task in readers for i in reader.read("", force_task=task)]
    vocab = Vocabulary.from_instances(instances)
    assert vocab.get_index_to_token_vocabulary("a_labels") == {0: "x"}
    assert vocab.get_index_to_token_vocabulary("b_labels") == {0: "y", 1: "z"}
    assert vocab.get_vocab_size("labels") == 0
