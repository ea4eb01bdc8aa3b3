"""
Every access to a private attribute of AllenNLP 2.10.1 in this package, one function each with the
reason for it. AllenNLP is archived, so these names will not change.
"""

from typing import Any, Callable, Dict, List, Optional, Set, Tuple, Type, TypeVar, cast

import torch
from allennlp.common import JsonDict, Registrable
from allennlp.data import DataLoader, DatasetReader, Instance, TokenIndexer, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from allennlp.data.dataset_readers.multitask import _MultitaskDatasetReaderShim
from allennlp.data.fields import LabelField, SequenceLabelField, TextField
from allennlp.modules import (
    ConditionalRandomField,
    Seq2SeqEncoder,
    TextFieldEmbedder,
    TokenEmbedder,
)
from allennlp.modules.matrix_attention import BilinearMatrixAttention
from allennlp.modules.seq2seq_encoders import LstmSeq2SeqEncoder, PytorchSeq2SeqWrapper
from allennlp.modules.token_embedders import (
    PretrainedTransformerEmbedder,
    PretrainedTransformerMismatchedEmbedder,
)
from allennlp.nn.parallel import TorchDdpAccelerator
from allennlp.predictors.predictor import Predictor
from allennlp.training import GradientDescentTrainer
from allennlp.training.metrics import FBetaMultiLabelMeasure
from allennlp.training.moving_average import MovingAverage

from multitask_model.compat.torch_internals import has_hooks


def reserved_tokens(vocab: Vocabulary) -> Tuple[str, str]:
    """The padding token and the OOV token. A vocabulary has no public name for them."""
    return vocab._padding_token, vocab._oov_token


def token_indexers(field: object) -> Optional[Dict[str, TokenIndexer]]:
    """The token indexers of a text field. Its public property raises where there are none."""
    return getattr(field, "_token_indexers", None)


def indexed_tokens(field: TextField) -> Optional[Dict[str, Dict[str, List[Any]]]]:
    """What each token indexer made of the tokens of a field; `None` if it is not indexed."""
    return field._indexed_tokens


def indexed_labels(field: SequenceLabelField) -> Optional[List[int]]:
    """The labels of a sequence as integers; `None` if the field is not indexed."""
    return cast(Optional[List[int]], field._indexed_labels)


def label_id(field: LabelField) -> Optional[int]:
    """The label as an integer; `None` if the field is not indexed."""
    return field._label_id


def label_namespace(field: object) -> Optional[str]:
    """
    The vocabulary namespace of a label field or of a `ClassifierHead`, or `None` for any other
    object. AllenNLP's label fields have no common class, but all store it under this name.
    """
    namespace = getattr(field, "_label_namespace", None)
    return namespace if isinstance(namespace, str) else None


def set_label_namespace(field: object, namespace: str) -> None:
    """Writes the namespace of a label field, which can otherwise be given to `__init__` only."""
    # Not by `vars`: some label fields have slots.
    object.__setattr__(field, "_label_namespace", namespace)


def worker_info(reader: DatasetReader) -> Optional[WorkerInfo]:
    """What the data loader told a reader of its worker process. The getter is public on none."""
    return reader._worker_info


def set_worker_info(reader: DatasetReader, info: Optional[WorkerInfo]) -> None:
    """Tells an inner reader which worker process it is in, as a data loader does."""
    reader._set_worker_info(info)


def set_distributed_info(reader: DatasetReader, info: Optional[DistributedInfo]) -> None:
    """Tells an inner reader which rank it is in, as a data loader does."""
    reader._set_distributed_info(info)


def max_length(embedder: PretrainedTransformerEmbedder) -> Optional[int]:
    """The length that the embedder folds sequences to, if any. It is only stored privately."""
    return embedder._max_length


def mixes_layers(embedder: PretrainedTransformerEmbedder) -> bool:
    """Whether the embedder returns a mix of layers (`last_layer_only=False`)."""
    return embedder._scalar_mix is not None


def token_embedders(embedder: TextFieldEmbedder) -> Dict[str, TokenEmbedder]:
    """
    The token embedders of a `BasicTextFieldEmbedder` by the names of their indexers; none for an
    embedder without them.
    """
    return dict(getattr(embedder, "_token_embedders", {}))


def matched_embedder(
    embedder: PretrainedTransformerMismatchedEmbedder,
) -> PretrainedTransformerEmbedder:
    """The embedder of word pieces inside one of words."""
    return embedder._matched_embedder


def wrapped_lstm(encoder: Seq2SeqEncoder) -> Optional[torch.nn.LSTM]:
    """
    The LSTM inside an encoder of type `lstm`, if that does nothing but call it on a batch: `None`
    if the encoder is of another type or keeps its state, or either has hooks or a projection.
    """
    if type(encoder) not in (LstmSeq2SeqEncoder, PytorchSeq2SeqWrapper) or encoder.stateful:
        return None
    lstm = encoder._module
    # A subclass, such as a quantized LSTM, may compute something else.
    if type(lstm) is not torch.nn.LSTM or has_hooks(encoder) or has_hooks(lstm):
        return None
    return lstm if lstm.batch_first and lstm.proj_size == 0 else None


def freeze_bias(attention: BilinearMatrixAttention) -> None:
    """Keeps the bias at 0: it is the same for all candidates, so it cannot change a softmax."""
    attention._bias.requires_grad_(False)


def has_counts(measure: FBetaMultiLabelMeasure) -> bool:
    """Whether the measure was called since its last reset. `get_metric` raises where it was not."""
    return measure._true_positive_sum is not None


def regularizer(module: torch.nn.Module) -> object:
    """The `RegularizerApplicator` of a model, or `None`. `Model` only stores it privately."""
    return getattr(module, "_regularizer", None)


def json_to_instance(predictor: Predictor, json_dict: JsonDict) -> Instance:
    """The instance that an inner predictor makes of JSON, for a batch of several predictors."""
    return predictor._json_to_instance(json_dict)


def batches_to_skip(trainer: GradientDescentTrainer) -> int:
    """
    The number of batches of the current epoch that a recovered trainer will skip. The trainer
    counts optimizer steps, each of which takes several batches with gradient accumulation.
    """
    steps: Any = trainer._start_after_batches_in_epoch_completed
    return int(steps * trainer._num_gradient_accumulation_steps)


def batches_completed(trainer: GradientDescentTrainer) -> int:
    """The number of batches that the trainer has used of the current epoch."""
    return int(trainer._batches_in_epoch_completed * trainer._num_gradient_accumulation_steps)


def ddp_model(trainer: GradientDescentTrainer) -> torch.nn.Module:
    """The model in `DistributedDataParallel`. The trainer has a public name for the model only."""
    wrapped: torch.nn.Module = trainer._pytorch_model
    return wrapped


def ddp_arguments(accelerator: TorchDdpAccelerator) -> Dict[str, Any]:
    """The arguments of `DistributedDataParallel`, which the accelerator keeps to itself."""
    arguments: Dict[str, Any] = accelerator._ddp_kwargs
    return arguments


def batches_of_step(trainer: GradientDescentTrainer) -> int:
    """
    The number of batches that the current optimizer step accumulates gradients of. The trainer
    divides the loss by it, but tells its callbacks only the loss before that.
    """
    group = int(trainer._num_gradient_accumulation_steps)
    if group == 1:
        return 1
    try:
        remaining = len(trainer.data_loader) - batches_completed(trainer)
    except TypeError:  # the loader has no length
        return group
    return max(1, min(group, remaining))


def scales_gradients(trainer: GradientDescentTrainer) -> bool:
    """Whether the trainer has a gradient scaler, which it has for mixed precision by default."""
    return trainer._scaler is not None


MultiTaskReaderShim = _MultitaskDatasetReaderShim
"""The base class of the values of `MultiTaskDatasetReader.readers`, which has no public name."""


def is_uncalled_metric_error(error: RuntimeError) -> bool:
    """
    Whether a metric such as `FBetaMeasure` raised the error because it was read before it was
    called. AllenNLP has no class for this error.
    """
    return "have never called this metric" in str(error)


def has_pretrained_file(embedding: torch.nn.Module) -> bool:
    """Whether an `Embedding` was initialized from a file of vectors. It stores that privately."""
    return getattr(embedding, "_pretrained_file", None) is not None


def vocab_namespace(embedding: torch.nn.Module) -> Optional[str]:
    """The namespace that an `Embedding` embeds, if it knows. It stores that privately."""
    return getattr(embedding, "_vocab_namespace", None)


def crf_parameters(model: torch.nn.Module, name: str) -> Set[str]:
    """
    The names in the state dict of a model of a parameter of each `ConditionalRandomField`. What it
    allows, `_constraint_mask`, is a private parameter that follows from the labels.
    """
    return {
        f"{module_name}.{name}"
        for module_name, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, ConditionalRandomField)
    }


def validation_loader(trainer: GradientDescentTrainer) -> Optional[DataLoader]:
    """The loader of the validation data. The trainer has a public attribute for training only."""
    return trainer._validation_data_loader


def tracked_metrics(trainer: GradientDescentTrainer) -> List[str]:
    """The names in `validation_metric`, without signs. The trainer keeps its tracker private."""
    return [name for _, name in trainer._metric_tracker.tracked_metrics]


def signed_tracked_metrics(trainer: GradientDescentTrainer) -> List[str]:
    """The metrics in `validation_metric`, each with its sign, as in a config."""
    tracked = trainer._metric_tracker.tracked_metrics
    return [f"{'+' if sign > 0 else '-'}{name}" for sign, name in tracked]


_Class = TypeVar("_Class", bound=type)


def register_in_place(base: Type[Registrable], name: str) -> Callable[[_Class], _Class]:
    """
    Registers the decorated class under a name that is in use, by a class of AllenNLP or by an
    earlier import. `register(name, exist_ok=True)` does too, but logs a line for each.
    """

    def decorate(registered: _Class) -> _Class:
        Registrable._registry[base][name] = (registered, None)
        return registered

    return decorate


def averaged_parameters(average: MovingAverage) -> Dict[str, torch.Tensor]:
    """The parameters that a moving average is that of, by name."""
    return dict(average._parameters)


def set_averages(
    average: MovingAverage, shadows: Dict[str, torch.Tensor], backups: Dict[str, torch.Tensor]
) -> None:
    """Sets the averages, and the parameters that are kept while the averages replace them."""
    average._shadows, average._backups = shadows, backups
