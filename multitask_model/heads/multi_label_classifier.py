"""The `multi_label_classifier` head: any number of labels for a sequence."""

from typing import Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward, Seq2VecEncoder
from allennlp.training.metrics import FBetaMultiLabelMeasure
from overrides import overrides

from multitask_model.compat.allennlp_internals import has_counts
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.projection import Projection
from multitask_model.modules.readable_outputs import with_readable


@Head.register("multi_label_classifier")
class MultiLabelClassifierHead(Head):
    """
    Predicts every label of a sequence whose probability reaches the threshold. Labels are
    independent of each other: the probability of each is the sigmoid of its logit. The loss is the
    binary cross entropy, averaged over labels and sequences. Padding and OOV entries are masked
    and never predicted.

    Registered as a `Head` with name "multi_label_classifier".

    # Parameters

    vocab : `Vocabulary`
    seq2vec_encoder : `Seq2VecEncoder`
        Encodes the sequence as one vector.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last linear layer.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of that vector.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the labels.
    threshold : `float`, optional (default = `0.5`)
        The lowest probability of a predicted label, between 0 and 1.

    # Raises

    `ConfigurationError`
        If the namespace has no labels, `threshold` is not between 0 and 1, or `feedforward` does
        not fit the `seq2vec_encoder`.

    # Examples

        >>> from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
        >>> vocab = Vocabulary(tokens_to_add={"labels": ["sports", "politics"]})
        >>> head = MultiLabelClassifierHead(vocab, BagOfEmbeddingsEncoder(4))
        >>> for parameter in head.parameters():
        ...     _ = torch.nn.init.zeros_(parameter)  # all probabilities are 0.5
        >>> mask = torch.tensor([[True, True]])
        >>> outputs = head(torch.randn(1, 2, 4), mask, labels=torch.tensor([[1, 0]]))
        >>> head.make_output_human_readable(outputs)["labels"]
        [['sports', 'politics']]
    """

    label_argument = "labels"

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
                f"threshold must be a probability between 0 and 1, but got {threshold}. Set it to "
                "0.5 to predict labels that are more likely than not."
            )
        self._labels = LabelVocabulary(vocab, label_namespace)
        self._threshold = threshold
        self._seq2vec_encoder = seq2vec_encoder
        input_dim = seq2vec_encoder.get_output_dim()
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)
        self._f1 = {
            average: FBetaMultiLabelMeasure(
                average=average, labels=self._labels.indices, threshold=threshold
            )
            for average in ("micro", "macro")
        }

    @property
    def label_namespace(self) -> str:
        """The namespace of the labels."""
        return self._labels.namespace

    def get_input_dim(self) -> int:
        """The size of the encoded tokens that the head accepts."""
        return int(self._seq2vec_encoder.get_input_dim())

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
            Of shape (B, T), `True` for tokens.
        labels : `torch.Tensor`, optional (default = `None`)
            Of shape (B, C): 1 for each label of a sequence, and 0 elsewhere, as a `MultiLabelField`
            is batched.

        # Returns

        `Dict[str, torch.Tensor]`
            - logits : (B, C).
            - probs : (B, C), the probability of each label.
            - loss : [], if `labels` are given.

        # Raises

        `ConfigurationError`
            If `labels` have another size than the `label_namespace`.
        """
        encoded = self._seq2vec_encoder(encoded_text, encoded_text_mask)  # (B, D)
        logits = self._projection(encoded)  # (B, C)
        probs = self._labels.mask_reserved(logits).sigmoid()
        outputs = {"logits": logits, "probs": probs}
        if labels is not None:
            self._check_shape(labels)
            outputs["loss"] = torch.nn.functional.binary_cross_entropy_with_logits(
                self._labels.select(logits), self._labels.select(labels).to(logits.dtype)
            )
            for measure in self._f1.values():
                measure(probs, labels)
        return outputs

    def _check_shape(self, labels: torch.Tensor) -> None:
        if labels.dim() != 2 or labels.size(1) != len(self._labels):
            required = f"labels of shape (B, {len(self._labels)})"
            raise self._labels.mismatch(type(self).__name__, required, str(tuple(labels.shape)))

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        `micro_f1`, the F1 of all decisions together, and `macro_f1`, the mean of the labels' F1.
        Nothing if there were no labels.
        """
        measures = {name: measure for name, measure in self._f1.items() if has_counts(measure)}
        return {f"{name}_f1": m.get_metric(reset)["fscore"] for name, m in measures.items()}

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """Adds `labels`, the names of the predicted labels as one list per sequence."""
        if "probs" not in output_dict:
            return output_dict
        predicted = (output_dict["probs"] >= self._threshold).tolist()
        names = [[n for n, is_in in zip(self._labels.names, row) if is_in] for row in predicted]
        return with_readable(output_dict, labels=names)
