"""The joint loss: `LossWeighting`, and one file per weighting."""

from multitask_model.weighting.joint_loss import JointLoss
from multitask_model.weighting.loss_weighting import LossWeighting
from multitask_model.weighting.sum import SumWeighting

__all__ = ["JointLoss", "LossWeighting", "SumWeighting"]
