"""
What distributed training of a `MultiTaskModel` needs of AllenNLP's trainer and commands. They have
no hooks for it, so their methods are patched.
"""

import logging
from typing import Callable, Dict, Tuple

import torch
from allennlp.commands.train import TrainModel
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.models.model import Model
from allennlp.nn.parallel import DdpWrappedModel, FairScaleFsdpAccelerator, TorchDdpAccelerator

from multitask_model.compat.allennlp_internals import ddp_arguments
from multitask_model.compat.patching import patch
from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from multitask_model.distributed import alone
from multitask_model.model import MultiTaskModel

Wrapped = Tuple[Model, DdpWrappedModel]

logger = logging.getLogger(__name__)


def prepare_distributed_training() -> None:
    """Patches AllenNLP. Training of other models is unaffected."""

    @patch(TorchDdpAccelerator, "wrap_model")
    def _(
        original: Callable[..., Wrapped], accelerator: TorchDdpAccelerator, model: Model
    ) -> Wrapped:
        arguments = ddp_arguments(accelerator)
        if isinstance(model, MultiTaskModel):
            _check_backbone(model.backbone)
        if isinstance(model, MultiTaskModel) and not arguments.get("find_unused_parameters"):
            logger.info("Setting find_unused_parameters, because not every batch uses all heads.")
            arguments["find_unused_parameters"] = True
        model, wrapped = original(accelerator, model)
        if isinstance(model, MultiTaskModel):
            # The trainer looks for the names of `no_grad` and of parameter groups in the wrapper,
            # where they begin with "module.", and `^` would match nothing. `functional_call` of the
            # wrapper does not take these names, but nobody gets the wrapper.
            wrapped.model.named_parameters = model.named_parameters  # type: ignore[method-assign]
        return model, wrapped

    @patch(FairScaleFsdpAccelerator, "wrap_model")
    def _(
        original: Callable[..., Wrapped], accelerator: FairScaleFsdpAccelerator, model: Model
    ) -> Wrapped:
        if isinstance(model, MultiTaskModel):
            raise ConfigurationError(
                "Distributed training of a MultiTaskModel requires the DdpAccelerator 'torch', but "
                "got 'fairscale_fsdp', which gathers the parameters of all heads in each batch and "
                "waits for processes that run other heads. Remove ddp_accelerator from the config."
            )
        return original(accelerator, model)

    @patch(TrainModel, "finish")
    def _(
        original: Callable[..., None], train_loop: TrainModel, metrics: Dict[str, object]
    ) -> None:
        if not isinstance(train_loop.model, MultiTaskModel) or not is_distributed():
            return original(train_loop, metrics)
        # AllenNLP evaluates the test data in the first process only, which has a part of it.
        with alone():
            loader = train_loop.evaluation_data_loader
            if isinstance(loader, MultiTaskDataLoader) and train_loop.evaluate_on_test:
                train_loop.evaluation_data_loader = loader.of_this_process()
            elif train_loop.evaluate_on_test and loader is not None:
                logger.warning(
                    "evaluate_on_test requires the data loader 'multitask' in distributed "
                    "training, but got %s: only the test instances of this process are evaluated. "
                    "Evaluate them with the command `allennlp evaluate`.",
                    type(loader).__name__,
                )
            return original(train_loop, metrics)


def _check_backbone(backbone: torch.nn.Module) -> None:
    if any(isinstance(module, torch.nn.SyncBatchNorm) for module in backbone.modules()):
        raise ConfigurationError(
            "Distributed training requires a backbone that does not wait for other processes, "
            "which may have no batch in a step, but got one with SyncBatchNorm. Replace it, for "
            "example by LayerNorm."
        )
