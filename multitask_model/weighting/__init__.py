"""The joint loss: `LossWeighting`, and one file per weighting."""

from multitask_model.weighting.dynamic_average import DynamicAverageWeighting
from multitask_model.weighting.famo import FamoWeighting
from multitask_model.weighting.geometric import GeometricWeighting
from multitask_model.weighting.head_values import HeadValues
from multitask_model.weighting.imtl_l import ImtlLWeighting
from multitask_model.weighting.joint_loss import JointLoss
from multitask_model.weighting.loss_weighting import LossWeighting
from multitask_model.weighting.mean import MeanWeighting
from multitask_model.weighting.random import RandomWeighting
from multitask_model.weighting.smooth_tchebycheff import SmoothTchebycheffWeighting
from multitask_model.weighting.sum import SumWeighting
from multitask_model.weighting.uncertainty import UncertaintyWeighting

__all__ = [
    "DynamicAverageWeighting",
    "FamoWeighting",
    "GeometricWeighting",
    "HeadValues",
    "ImtlLWeighting",
    "JointLoss",
    "LossWeighting",
    "MeanWeighting",
    "RandomWeighting",
    "SmoothTchebycheffWeighting",
    "SumWeighting",
    "UncertaintyWeighting",
]
