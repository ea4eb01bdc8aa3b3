"""The base class of loss weightings."""

import logging
from typing import Dict, List, Sequence

import torch
from allennlp.common import Registrable

from multitask_model.errors import format_names
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.weighting.head_values import HeadValues

logger = logging.getLogger(__name__)


class LossWeighting(torch.nn.Module, Registrable):
    """
    Combines the losses of the heads that ran into one.

    A weighting of your own implements `forward` and is registered by
    `@LossWeighting.register("name")`. Its parameters are trained with those of the model, and its
    buffers are saved with them. A value per head is kept by `HeadValues`.

        >>> import torch
        >>> class MaxWeighting(LossWeighting):
        ...     def forward(self, losses):
        ...         return torch.stack(list(losses.values())).max()
        >>> MaxWeighting()({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(3.)
    """

    default_implementation = "sum"

    compares_heads = False
    """
    Whether the weights come from a comparison of the losses in one batch. Such a weighting has no
    effect on a batch in which a single head ran.
    """

    def __init__(self) -> None:
        super().__init__()
        self.head_names: List[str] = []
        self._mean_weights = MeanLosses()
        self._warned = False

    def set_heads(self, names: Sequence[str]) -> None:
        """
        Called by the model at construction, and again when a head is added. Attributes of the type
        `HeadValues` get numbers for new heads.

        # Parameters

        names : `Sequence[str]`
            All heads of the model, in their order.
        """
        self.head_names = list(names)
        for child in self.children():
            if isinstance(child, HeadValues):
                child.set_heads(names)

    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        """
        # Parameters

        losses : `Dict[str, torch.Tensor]`
            At least one loss of shape `[]`, by the name of its head: the losses of the heads that
            ran on this batch, in the order of the heads. They are already multiplied by
            `loss_weights` and scaled by `loss_reduction`.

        # Returns

        `torch.Tensor`
            The combined loss, of shape `[]`.
        """
        raise NotImplementedError

    def record_weights(self, losses: Dict[str, torch.Tensor], weights: torch.Tensor) -> None:
        """
        Called by `forward` to report the weights as metrics.

        # Parameters

        losses : `Dict[str, torch.Tensor]`
            The losses that `forward` got.
        weights : `torch.Tensor`
            The derivative of the combined loss by each of them, of shape `(H,)`.
        """
        self._mean_weights.add_all(dict(zip(losses, weights.detach())), dict.fromkeys(losses, 1))
        if self.compares_heads and self.training and len(losses) < len(self.head_names):
            self._warn_of_missing_heads(losses)

    def _warn_of_missing_heads(self, losses: Dict[str, torch.Tensor]) -> None:
        if not self._warned:
            logger.warning(
                "The loss weighting %s compares the losses of the heads in one batch, but a batch "
                "has losses of %s only. Such batches are weighted by these heads alone. Use a "
                "scheduler that mixes tasks, or another loss weighting.",
                type(self).__name__,
                format_names(losses),
            )
        self._warned = True

    def get_weights(self, reset: bool = False) -> Dict[str, float]:
        """
        Returns the mean weight of each head over the batches that it ran on since the last reset,
        which the model reports as the metric `HEAD_weight`.
        """
        return self._mean_weights.get(reset)

    def exchange_weights(self) -> None:
        """Gives every process of distributed training the mean weights of all processes."""
        self._mean_weights.exchange()

    def finish_epoch(self) -> None:
        """Called by the model at the end of each training epoch, on all processes."""
