"""Adding up what a metric counted in several processes."""

from typing import Any, Callable, Dict, List, Tuple

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.training import metrics as allennlp
from allennlp.training.metrics import Metric

from multitask_model.compat.allennlp_metrics import SUMMED_ATTRIBUTES
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.training import metrics as ours
from multitask_model.training.metrics.metric_states import (
    set_state,
    state_of,
    sum_states,
    summed_attributes,
)

TAGS = ["O", "B-x", "I-x"]
Case = Tuple[Callable[[], Any], List[Tuple[Any, ...]]]


def _scores(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _labels(seed: int, high: int, *shape: int) -> torch.Tensor:
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


def _vocab() -> Vocabulary:
    return Vocabulary(tokens_to_add={"tags": TAGS})


def _tags() -> LabelVocabulary:
    return LabelVocabulary(_vocab(), "tags")


classes = [(_scores(i, 4, 3), _labels(i, 3, 4)) for i in range(3)]
binary = [(_labels(i, 2, 5), _labels(i + 9, 2, 5)) for i in range(3)]
several = [(_scores(i, 4, 3).sigmoid(), _labels(i, 2, 4, 3)) for i in range(3)]
numbers = [(_scores(i, 6), _scores(i + 9, 6)) for i in range(3)]
sequences = [(_labels(i, 3, 2, 1, 5), _labels(i + 9, 3, 2, 5)) for i in range(3)]
tags = [(_labels(i, 3, 2, 5), _labels(i + 9, 3, 2, 5)) for i in range(3)]
tag_scores = [(_scores(i, 2, 5, 3), _labels(i, 3, 2, 5)) for i in range(3)]
arcs = [tuple(_labels(10 * i + j, 4, 2, 5) for j in range(4)) for i in range(3)]
sentences = [(_labels(i, 5, 2, 6), _labels(i + 9, 5, 2, 6)) for i in range(3)]
one_number: List[Tuple[Any, ...]] = [(torch.tensor(1.5),), (torch.tensor(4.0),)]

CASES: Dict[type, Case] = {
    allennlp.AttachmentScores: (allennlp.AttachmentScores, arcs),
    allennlp.Average: (allennlp.Average, one_number),
    allennlp.BLEU: (allennlp.BLEU, sentences),
    allennlp.BooleanAccuracy: (allennlp.BooleanAccuracy, binary),
    allennlp.CategoricalAccuracy: (allennlp.CategoricalAccuracy, classes),
    allennlp.Entropy: (allennlp.Entropy, [(scores,) for scores, _ in classes]),
    allennlp.F1Measure: (lambda: allennlp.F1Measure(1), classes),
    allennlp.F1MultiLabelMeasure: (lambda: allennlp.F1MultiLabelMeasure(average="micro"), several),
    allennlp.FBetaMeasure: (lambda: allennlp.FBetaMeasure(average="macro"), classes),
    allennlp.FBetaMultiLabelMeasure: (
        lambda: allennlp.FBetaMultiLabelMeasure(average="macro"),
        several,
    ),
    allennlp.MeanAbsoluteError: (allennlp.MeanAbsoluteError, numbers),
    allennlp.Perplexity: (allennlp.Perplexity, one_number),
    allennlp.SequenceAccuracy: (allennlp.SequenceAccuracy, sequences),
    allennlp.SpanBasedF1Measure: (
        lambda: allennlp.SpanBasedF1Measure(_vocab(), "tags"),
        tag_scores,
    ),
    allennlp.UnigramRecall: (allennlp.UnigramRecall, sequences),
    ours.AttachmentScores: (ours.AttachmentScores, arcs),
    ours.PearsonCorrelation: (ours.PearsonCorrelation, numbers),
    ours.RunningMean: (ours.RunningMean, [(scores,) for scores, _ in numbers]),
    ours.SpanF1: (lambda: ours.SpanF1(_tags(), "BIO"), tags),
    ours.SpearmanCorrelation: (ours.SpearmanCorrelation, numbers),
    ours.TagMetrics: (lambda: ours.TagMetrics(_tags(), "BIO"), tags),
}


def test_every_class_that_can_be_summed_has_a_case() -> None:
    own = {getattr(ours, name) for name in ours.__all__}
    own = {value for value in own if issubclass(value, Metric)}
    assert own | set(SUMMED_ATTRIBUTES) == set(CASES)


@pytest.mark.parametrize("metric_class", sorted(CASES, key=str))
def test_the_sum_of_processes_is_what_one_would_count(metric_class: type) -> None:
    make, calls = CASES[metric_class]
    attributes = summed_attributes(metric_class)
    assert attributes is not None
    expected, processes = make(), [make(), make(), make()]
    for i, call in enumerate(calls):
        expected(*call)
        processes[i % 2](*call)  # the third process is not called
    total = sum_states([state_of(metric, attributes) for metric in processes])
    for metric in processes:
        set_state(metric, total)
        assert metric.get_metric() == pytest.approx(expected.get_metric(), abs=1e-6)


def test_subclasses_may_count_something_else() -> None:
    class Mine(allennlp.Average):
        pass

    assert summed_attributes(Mine) is None


def test_buffers_are_not_summed() -> None:
    class Mine(torch.nn.Module, Metric):
        summed_attributes = ("count",)

    assert summed_attributes(Mine) is None


def test_a_class_may_name_what_can_be_summed() -> None:
    class Mine(allennlp.Average):
        summed_attributes = ("_count",)

    assert summed_attributes(Mine) == ("_count",)
