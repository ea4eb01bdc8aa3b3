"""Access to the layers of a `text` backbone: those of a transformer, and its encoders."""

from typing import Dict, List, Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.seq2seq_encoders import ComposeEncoder
from allennlp.modules.token_embedders import (
    PretrainedTransformerEmbedder,
    PretrainedTransformerMismatchedEmbedder,
)
from transformers.modeling_outputs import BaseModelOutput

from multitask_model.compat.allennlp_internals import (
    matched_embedder,
    max_length,
    mixes_layers,
    token_embedders,
)
from multitask_model.errors import format_names


class TransformerLayers:
    """
    Makes a `PretrainedTransformerEmbedder` return all layers of its transformer, concatenated along
    the last dimension. Later steps, such as the pooling of word pieces, then apply to all layers at
    once.

        >>> from tempfile import TemporaryDirectory
        >>> from transformers import BertConfig, BertModel
        >>> sizes = {"vocab_size": 7, "hidden_size": 4, "num_attention_heads": 1}
        >>> config = BertConfig(**sizes, num_hidden_layers=2)
        >>> with TemporaryDirectory() as bert, open(f"{bert}/vocab.txt", "w") as file:
        ...     words = "[PAD] [UNK] [CLS] [SEP] [MASK] a b".split()
        ...     print(*words, sep="\\n", file=file, flush=True)
        ...     BertModel(config).save_pretrained(bert)
        ...     embedder = PretrainedTransformerEmbedder(bert)
        >>> layers, tokens = TransformerLayers(embedder), torch.ones(1, 3, dtype=torch.long)
        >>> [tuple(layer.shape) for layer in layers.split(embedder(tokens, tokens.bool()))]
        [(1, 3, 4), (1, 3, 4), (1, 3, 4)]

    # Parameters

    embedder : `PretrainedTransformerEmbedder`

    # Raises

    `ConfigurationError`
        If the embedder has a `max_length`, which folds long sequences, or a `last_layer_only` of
        `False`.
    """

    def __init__(self, embedder: PretrainedTransformerEmbedder) -> None:
        if max_length(embedder) is not None or mixes_layers(embedder):
            found = "max_length" if max_length(embedder) is not None else "last_layer_only=False"
            raise ConfigurationError(
                "output_layers needs an embedder that returns the last layer of a transformer for "
                f"unfolded sequences, but got one with {found}. Remove that option of the "
                "embedder, or output_layers."
            )
        embedder.config.output_hidden_states = True
        self.num_layers: int = embedder.config.num_hidden_layers + 1
        """The number of layers, the input embeddings included."""
        self._layers: List[torch.Tensor] = []
        embedder.transformer_model.register_forward_hook(self._store)
        embedder.register_forward_hook(self._concatenate)

    def _store(self, module: torch.nn.Module, inputs: object, output: BaseModelOutput) -> None:
        self._layers = list(output.hidden_states or ())

    def _concatenate(
        self, module: torch.nn.Module, inputs: object, output: torch.Tensor
    ) -> torch.Tensor:
        layers, self._layers = self._layers, []  # frees them with the batch
        return torch.cat(layers, dim=-1)

    def split(self, embedded: torch.Tensor) -> Sequence[torch.Tensor]:
        """Splits concatenated layers into layers of shape (B, T, D)."""
        return embedded.chunk(self.num_layers, dim=-1)


def find_transformer(embedder: TextFieldEmbedder) -> Optional[TransformerLayers]:
    """The layers of the embedder's pretrained transformer; `None` if it embeds anything else."""
    embedders = token_embedders(embedder)
    if len(embedders) != 1:
        return None
    only = embedders[0]
    if isinstance(only, PretrainedTransformerMismatchedEmbedder):
        only = matched_embedder(only)
    return TransformerLayers(only) if isinstance(only, PretrainedTransformerEmbedder) else None


def flatten_encoder(encoder: Optional[Seq2SeqEncoder]) -> List[Seq2SeqEncoder]:
    """The encoders that run one after the other: those inside a `compose` encoder, or the one."""
    if isinstance(encoder, ComposeEncoder):
        return [inner for outer in encoder.encoders for inner in flatten_encoder(outer)]
    return [] if encoder is None else [encoder]


def check_output_layers(output_layers: Dict[str, int], num_layers: int) -> None:
    """
    # Raises

    `ConfigurationError`
        If a layer does not exist, or an output has the name of the mask.
    """
    for name, layer in output_layers.items():
        if not -num_layers <= layer < num_layers:
            raise ConfigurationError(
                f"output_layers must hold indices of the backbone's {num_layers} layers, from 0 to "
                f"{num_layers - 1}, but got {layer} for {name!r}. Correct the index; a "
                "transformer's layers are available only if it is the only embedder."
            )
    if "encoded_text_mask" in output_layers:
        raise ConfigurationError(
            "output_layers must not use the name of the mask, but got 'encoded_text_mask' in "
            f"{format_names(output_layers)}. Rename that output."
        )


def check_layer_mixes(names: List[str], output_layers: Dict[str, int], dims: List[int]) -> None:
    """
    # Raises

    `ConfigurationError`
        If a name is used twice or is that of the mask, or the layers have different sizes.
    """
    used = [*output_layers, *names, "encoded_text_mask"]
    repeated = sorted({name for name in names if used.count(name) > 1})
    if repeated:
        raise ConfigurationError(
            "layer_mixes must hold names that no other output of the backbone has, but got "
            f"{format_names(repeated)} more than once among {format_names(used)}. Rename it."
        )
    if names and len(set(dims)) > 1:
        raise ConfigurationError(
            f"layer_mixes needs layers of the same size, but got {dims}. Give the encoder the "
            "output size of the embedder, or use output_layers."
        )
