"""Access to the layers of a `text` backbone: those of a transformer, and its encoders."""

from typing import Dict, List, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.seq2seq_encoders import ComposeEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
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
from multitask_model.modules.word_pieces import pool_word_pieces

TransformerEmbedder = Union[PretrainedTransformerEmbedder, PretrainedTransformerMismatchedEmbedder]


class TransformerLayers:
    """
    Embeds a text by all layers of the pretrained transformer of an embedder. For a
    `pretrained_transformer_mismatched`, each layer is pooled over the word pieces of a word.

        >>> from tempfile import TemporaryDirectory
        >>> from transformers import BertConfig, BertModel
        >>> sizes = {"vocab_size": 7, "hidden_size": 4, "num_attention_heads": 1}
        >>> config = BertConfig(**sizes, num_hidden_layers=2)
        >>> with TemporaryDirectory() as bert, open(f"{bert}/vocab.txt", "w") as file:
        ...     words = "[PAD] [UNK] [CLS] [SEP] [MASK] a b".split()
        ...     print(*words, sep="\\n", file=file, flush=True)
        ...     BertModel(config).save_pretrained(bert)
        ...     embedder = PretrainedTransformerEmbedder(bert)
        >>> text_embedder = BasicTextFieldEmbedder({"bert": embedder})
        >>> tokens = torch.ones(1, 3, dtype=torch.long)
        >>> text = {"bert": {"token_ids": tokens, "mask": tokens.bool()}}
        >>> layers = TransformerLayers("bert", embedder)
        >>> [tuple(layer.shape) for layer in layers.embed(text_embedder, text)]
        [(1, 3, 4), (1, 3, 4), (1, 3, 4)]

    # Parameters

    name : `str`
        The name of the indexer of the embedder.
    embedder : `Union[PretrainedTransformerEmbedder, PretrainedTransformerMismatchedEmbedder]`

    # Raises

    `ConfigurationError`
        If the embedder has a `max_length`, which folds long sequences, or a `last_layer_only` of
        `False`.
    """

    def __init__(self, name: str, embedder: TransformerEmbedder) -> None:
        self._pooling: Optional[str] = None
        if isinstance(embedder, PretrainedTransformerMismatchedEmbedder):
            self._pooling, embedder = embedder.sub_token_mode, matched_embedder(embedder)
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
        self._name = name
        # `None` unless a text is being embedded: the embedder may be part of several backbones.
        self._layers: Optional[List[torch.Tensor]] = None
        embedder.transformer_model.register_forward_hook(self._store)

    def _store(self, module: torch.nn.Module, inputs: object, output: BaseModelOutput) -> None:
        if self._layers is not None:
            self._layers = list(output.hidden_states or ())

    def embed(self, embedder: TextFieldEmbedder, text: TextFieldTensors) -> List[torch.Tensor]:
        """Returns the layers of a text, each of shape (B, T, D)."""
        self._layers = []
        try:
            last = embedder(text)
            lower = self._layers[:-1]
        finally:
            self._layers = None  # frees them with the batch
        if self._pooling is not None and lower:
            lower = pool_word_pieces(lower, text[self._name]["offsets"], self._pooling)
        # That of the embedder itself, whose hooks have an effect.
        return [*lower, last]


def find_transformer(embedder: TextFieldEmbedder) -> Optional[TransformerLayers]:
    """
    The layers of the embedder's pretrained transformer; `None` if it embeds anything else.

    # Raises

    `ConfigurationError`
        If the embedder pools the layers in a way of its own.
    """
    embedders = token_embedders(embedder)
    if len(embedders) != 1:
        return None
    ((name, only),) = embedders.items()
    if not isinstance(
        only, (PretrainedTransformerEmbedder, PretrainedTransformerMismatchedEmbedder)
    ):
        return None
    for found, known in (
        (embedder, BasicTextFieldEmbedder),
        (only, PretrainedTransformerMismatchedEmbedder),
    ):
        if isinstance(found, known) and type(found).forward is not known.forward:
            raise ConfigurationError(
                "The layers of a transformer need an embedder with the forward() of "
                f"{known.__name__}, but {type(found).__name__} has its own. Remove output_layers "
                "and layer_mixes, or use AllenNLP's embedder."
            )
    return TransformerLayers(name, only)


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
