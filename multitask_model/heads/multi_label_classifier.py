"""The `multi_label_classifier` head: any number of labels for a text."""

from typing import Any, Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward, Seq2VecEncoder
from allennlp.training.metrics import FBetaMultiLabelMeasure
from overrides import overrides

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.projection import Projection


@Head.register("multi_label_classifier")
class MultiLabelClassifierHead(Head):
    """
    Gives a text each of the labels whose probability reaches the threshold. The loss is the binary
    cross entropy, its mean over the labels and the texts.

    Registered as a `Head` with name "multi_label_classifier".

    # Parameters

    vocab : `Vocabulary`
    seq2vec_encoder : `Seq2VecEncoder`
        Makes one vector of the encoded text.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last one.
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of that vector.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the labels.
    threshold : `float`, optional (default = `0.5`)
        The least probability, between 0 and 1, with which a label is predicted.

    # Raises

    `ConfigurationError`
        If there are no labels in the namespace, `threshold` is not between 0 and 1, or
        `feedforward` does not fit the `seq2vec_encoder`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        seq2vec_encoder: Seq2VecEncoder,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
        label_namespace: str = "labels",
        threshold: float = 0.5,
    ) -> None:
        super().__init__(vocab)
        if not 0 < threshold < 1:
            raise ConfigurationError(
                f"threshold must be a probability between 0 and 1, but it is {threshold}. Choose "
                "0.5 to predict what is more likely than not."
            )
        self._labels = LabelVocabulary(vocab, label_namespace)
        self._threshold = threshold
        self._seq2vec_encoder = seq2vec_encoder
        input_dim = seq2vec_encoder.get_output_dim()
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)
        self._f1 = {
            average: FBetaMultiLabelMeasure(
                average=average, labels=self._labels.real, threshold=threshold
            )
            for average in ("micro", "macro")
        }

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        labels: Optional[torch.Tensor] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        encoded_text : `torch.Tensor`
            Of shape (B, T, D).
        encoded_text_mask : `torch.Tensor`
            Of shape (B, T), `True` where there is a token.
        labels : `torch.Tensor`, optional (default = `None`)
            Of shape (B, C), one for each label that a text has and zero elsewhere: what a
            `MultiLabelField` becomes.

        # Returns

        `Dict[str, torch.Tensor]`
            - logits : (B, C).
            - probs : (B, C), the probability of each label for itself.
            - loss : [], if `labels` were given.
        """
        encoded = self._seq2vec_encoder(encoded_text, encoded_text_mask)  # (B, D)
        logits = self._projection(encoded)  # (B, C)
        probs = self._labels.mask_reserved(logits).sigmoid()
        outputs = {"logits": logits, "probs": probs}
        if labels is not None:
            real = self._labels.real
            outputs["loss"] = torch.nn.functional.binary_cross_entropy_with_logits(
                logits[:, real], labels[:, real].to(logits.dtype)
            )
            for measure in self._f1.values():
                measure(probs, labels)
        return outputs

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        `micro_f1`, over all decisions together, and `macro_f1`, the mean of the F1 of each label;
        nothing before there were labels.
        """
        # AllenNLP's measure refuses to be asked before it was called, after a reset too.
        measures = {n: m for n, m in self._f1.items() if m._true_positive_sum is not None}
        return {f"{name}_f1": m.get_metric(reset)["fscore"] for name, m in measures.items()}

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """`labels`, the names of the predicted ones, a list for each text."""
        if "probs" not in output_dict:
            return output_dict
        predicted = (output_dict["probs"] >= self._threshold).tolist()
        names = [[n for n, is_in in zip(self._labels.names, row) if is_in] for row in predicted]
        readable: Dict[str, Any] = {**output_dict, "labels": names}
        return readable
