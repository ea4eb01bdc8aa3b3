"""
The heads of this package with the mathematics of each by hand: functions over the same parameters,
with the loss, the predictions and AllenNLP's metrics, as in AllenNLP's models.
"""

from typing import Any, Callable, Dict, List, NamedTuple

import torch
import torch.nn.functional as F
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import ConditionalRandomField
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from allennlp.training.metrics import (
    AttachmentScores,
    CategoricalAccuracy,
    FBetaMultiLabelMeasure,
    MeanAbsoluteError,
    PearsonCorrelation,
    Perplexity,
    SpanBasedF1Measure,
    SpearmanCorrelation,
)

from multitask_model import heads

Tensors = Dict[str, torch.Tensor]
Reference = Callable[..., torch.Tensor]
BIO = ["O"] + [f"{part}-{i}" for i in range(20) for part in "BI"]
WORDS = [f"w{i}" for i in range(2000)]


class Case(NamedTuple):
    head: Head
    reference: Reference
    labels: Tensors


def vocabulary() -> Vocabulary:
    classes = [f"c{i}" for i in range(50)]
    entries = {"labels": classes, "tags": classes, "head_tags": classes, "bio_tags": BIO}
    return Vocabulary(tokens_to_add={**entries, "words": WORDS})


def _mean(losses: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return ((losses * mask).sum(-1) / mask.sum(-1)).mean()


def _entropy(logits: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _mean(F.cross_entropy(logits.transpose(1, 2), labels, reduction="none"), mask)


def tagger(vocab: Vocabulary, mask: torch.BoolTensor, dim: int) -> Case:
    head = heads.TaggerHead(vocab, dim, label_namespace="tags")
    weight, bias = head.parameters()
    accuracy = CategoricalAccuracy()

    def reference(
        encoded: torch.Tensor, mask: torch.BoolTensor, tags: torch.Tensor
    ) -> torch.Tensor:
        logits = F.linear(encoded, weight, bias)
        logits.argmax(-1)
        accuracy(logits, tags, mask)
        return _entropy(logits, tags, mask)

    return Case(head, reference, {"tags": torch.randint(50, mask.shape)})


def crf_tagger(vocab: Vocabulary, mask: torch.BoolTensor, dim: int) -> Case:
    head = heads.CrfTaggerHead(vocab, dim, "BIO", label_namespace="bio_tags")
    crf = next(m for m in head.modules() if isinstance(m, ConditionalRandomField))
    linear = next(m for m in head.modules() if isinstance(m, torch.nn.Linear))
    accuracy, spans = CategoricalAccuracy(), SpanBasedF1Measure(vocab, "bio_tags")

    def reference(
        encoded: torch.Tensor, mask: torch.BoolTensor, tags: torch.Tensor
    ) -> torch.Tensor:
        logits = linear(encoded)
        one_hot = torch.zeros_like(logits)
        paths: List[Any] = crf.viterbi_tags(logits, mask)
        for row, (best, _) in enumerate(paths):
            one_hot[row, torch.arange(len(best)), best] = 1
        accuracy(one_hot, tags, mask)
        spans(one_hot, tags, mask)
        return -crf(logits, tags, mask) / len(logits)

    return Case(head, reference, {"tags": torch.randint(len(BIO), mask.shape)})


def dependency_parser(vocab: Vocabulary, mask: torch.BoolTensor, dim: int) -> Case:
    head = heads.DependencyParserHead(vocab, dim, arc_dim=256, tag_dim=32)
    p = dict(head.named_parameters())
    scores = AttachmentScores()

    def layer(name: str, inputs: torch.Tensor) -> torch.Tensor:
        return F.elu(F.linear(inputs, p[f"{name}.0.weight"], p[f"{name}.0.bias"]))

    def reference(
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        head_indices: torch.Tensor,
        head_tags: torch.Tensor,
    ) -> torch.Tensor:
        root = p["_root"].expand(len(encoded), 1, -1)
        encoded = torch.cat([root, encoded], 1)
        words = encoded[:, 1:]
        arcs_of_words, arcs_of_heads = layer("_arc_of_word", words), layer("_arc_of_head", encoded)
        ones = (F.pad(arcs_of_words, (0, 1), value=1.0), F.pad(arcs_of_heads, (0, 1), value=1.0))
        arcs = ones[0] @ p["_arc_affinity._weight_matrix"] @ ones[1].transpose(1, 2)
        length = mask.size(1)
        itself = torch.eye(length, length + 1).roll(1, dims=1).bool()
        possible = F.pad(mask, (1, 0), value=True).unsqueeze(1) & ~itself
        arcs = arcs.masked_fill(~possible, float("-inf"))
        of_words, of_heads = layer("_tag_of_word", words), layer("_tag_of_head", encoded)

        def tags(indices: torch.Tensor) -> torch.Tensor:
            index = indices.unsqueeze(-1).expand(-1, -1, of_heads.size(-1))
            chosen = of_heads.gather(1, index)
            return F.bilinear(of_words, chosen, p["_tag_affinity.weight"], p["_tag_affinity.bias"])

        with torch.no_grad():
            predicted = arcs.argmax(-1)
            scores(predicted, tags(predicted).argmax(-1), head_indices, head_tags, mask)
        gold = head_indices.masked_fill(~mask, 0)
        of_arcs = F.cross_entropy(arcs.transpose(1, 2), gold, reduction="none")
        return _mean(of_arcs.masked_fill(~mask, 0.0), mask) + _entropy(tags(gold), head_tags, mask)

    chain = torch.arange(mask.size(1)).expand(mask.shape)
    return Case(
        head, reference, {"head_indices": chain, "head_tags": torch.randint(50, mask.shape)}
    )


def masked_language_model(vocab: Vocabulary, mask: torch.BoolTensor, dim: int) -> Case:
    head = heads.MaskedLanguageModelHead(vocab, dim, label_namespace="words")
    weight, bias = head.parameters()
    perplexity = Perplexity()

    def reference(
        encoded: torch.Tensor, mask: torch.BoolTensor, words: torch.Tensor
    ) -> torch.Tensor:
        selected = mask & (words != 0)
        logits = F.linear(encoded[selected], weight, bias)
        logits.argmax(-1)
        losses = F.cross_entropy(logits, words[selected], reduction="none")
        perplexity(losses.mean())
        scattered = losses.new_zeros(mask.shape).masked_scatter(selected, losses)
        return _mean(scattered, selected)

    words = torch.randint(2, len(WORDS), mask.shape) * (torch.rand(mask.shape) < 0.15)
    words[:, 0] = 5
    return Case(head, reference, {"masked_tokens": words})


def multi_label_classifier(vocab: Vocabulary, mask: torch.BoolTensor, dim: int) -> Case:
    pool = BagOfEmbeddingsEncoder(dim, averaged=True)
    head = heads.MultiLabelClassifierHead(vocab, pool, label_namespace="tags")
    weight, bias = head.parameters()
    measures = [FBetaMultiLabelMeasure(average=a) for a in ("micro", "macro")]

    def reference(
        encoded: torch.Tensor, mask: torch.BoolTensor, labels: torch.Tensor
    ) -> torch.Tensor:
        logits = F.linear(pool(encoded, mask), weight, bias)
        for measure in measures:
            measure(logits.sigmoid(), labels)
        return F.binary_cross_entropy_with_logits(logits, labels.float())

    return Case(head, reference, {"labels": torch.randint(2, (len(mask), 50))})


def regression(vocab: Vocabulary, mask: torch.BoolTensor, dim: int) -> Case:
    pool = BagOfEmbeddingsEncoder(dim, averaged=True)
    head = heads.RegressionHead(vocab, pool)
    weight, bias = head.parameters()
    measures: List[Any] = [MeanAbsoluteError(), PearsonCorrelation(), SpearmanCorrelation()]

    def reference(
        encoded: torch.Tensor, mask: torch.BoolTensor, target: torch.Tensor
    ) -> torch.Tensor:
        prediction = F.linear(pool(encoded, mask), weight, bias).squeeze(-1)
        for measure in measures:
            measure(prediction, target)
        return F.mse_loss(prediction, target)

    return Case(head, reference, {"target": torch.randn(len(mask))})


CASES: Dict[str, Callable[[Vocabulary, torch.BoolTensor, int], Case]] = {
    "tagger": tagger,
    "crf_tagger": crf_tagger,
    "dependency_parser": dependency_parser,
    "masked_language_model": masked_language_model,
    "multi_label_classifier": multi_label_classifier,
    "regression": regression,
}
