"""Models, trainers and gradients for tests of the callback `gradient_aggregation`."""

from typing import Any, Dict, List, Optional

import torch
from allennlp.training import GradientDescentTrainer

from multitask_model import MultiTaskModel
from multitask_model.data.schedulers import RoundRobinScheduler
from multitask_model.training.callbacks import GradientAggregationCallback
from tests.helpers.loading import make_loader
from tests.helpers.models import TinyBackbone, TinyHead, make_batch, make_vocab

Gradients = Dict[str, Optional[torch.Tensor]]


def tiny_model(heads: str = "ab", backbone: Optional[TinyBackbone] = None, **options: Any) -> Any:
    vocab = make_vocab()
    of_names = {name: TinyHead(vocab) for name in heads}
    return MultiTaskModel(vocab, backbone or TinyBackbone(), dict(of_names), **options)


def make_trainer(
    model: Any, callback: Optional[GradientAggregationCallback] = None, **options: Any
) -> GradientDescentTrainer:
    """Returns a trainer with 6 batches per epoch, on which the callback is started."""
    tasks = dict.fromkeys(model.tasks.names, 12)
    loader = make_loader(tasks, RoundRobinScheduler(batch_size=2 * len(tasks)))
    trainer = GradientDescentTrainer(
        model,
        torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1),
        loader,
        callbacks=[callback] if callback else [],
        cuda_device=-1,
        **options,
    )
    if callback is not None:
        callback.on_start(trainer)
    return trainer


def make_callback(aggregator: Any = "sum", **options: Any) -> GradientAggregationCallback:
    return GradientAggregationCallback("", aggregator, **options)


def gradients_of(model: torch.nn.Module) -> Gradients:
    return {name: p.grad for name, p in model.named_parameters()}


def plain_gradients(model: Any, batch: Dict[str, Any], **options: Any) -> Gradients:
    """The gradients of the plain backward pass of a trainer."""
    model.zero_grad()
    make_trainer(model, **options).batch_outputs(batch, for_training=True)["loss"].backward()
    return {name: None if g is None else g.clone() for name, g in gradients_of(model).items()}


def aggregated_gradients(
    model: Any, batch: Dict[str, Any], callback: GradientAggregationCallback
) -> Gradients:
    trainer = make_trainer(model, callback)
    model.zero_grad()
    outputs = trainer.batch_outputs(batch, for_training=True)
    assert callback.on_backward(trainer, outputs, False)
    callback.on_end(trainer)
    return gradients_of(model)


def batch_for(tasks: List[str]) -> Dict[str, Any]:
    return make_batch(tasks, seed=3)
