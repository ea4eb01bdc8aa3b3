"""What AllenNLP's metrics count, which they keep in attributes without a common interface."""

from typing import Dict, Tuple

from allennlp.training import metrics

_COUNTS = ("correct_count", "total_count")
_F_BETA = ("_true_positive_sum", "_true_sum", "_pred_sum", "_total_sum")
_BLEU = ("_precision_matches", "_precision_totals", "_prediction_lengths", "_reference_lengths")
_ATTACHMENT = (
    "_labeled_correct",
    "_unlabeled_correct",
    "_exact_labeled_correct",
    "_exact_unlabeled_correct",
    "_total_words",
    "_total_sentences",
)

SUMMED_ATTRIBUTES: Dict[type, Tuple[str, ...]] = {
    metrics.AttachmentScores: _ATTACHMENT,
    metrics.Average: ("_total_value", "_count"),
    metrics.BLEU: _BLEU,
    metrics.BooleanAccuracy: ("_correct_count", "_total_count"),
    metrics.CategoricalAccuracy: _COUNTS,
    metrics.Entropy: ("_entropy", "_count"),
    metrics.F1Measure: _F_BETA,
    metrics.F1MultiLabelMeasure: _F_BETA,
    metrics.FBetaMeasure: _F_BETA,
    metrics.FBetaMultiLabelMeasure: _F_BETA,
    metrics.MeanAbsoluteError: ("_absolute_error", "_total_count"),
    metrics.Perplexity: ("_total_value", "_count"),
    metrics.SequenceAccuracy: _COUNTS,
    metrics.SpanBasedF1Measure: ("_true_positives", "_false_positives", "_false_negatives"),
    metrics.UnigramRecall: _COUNTS,
}
"""The attributes of a class, but not of its subclasses, whose sums are those of all calls."""
