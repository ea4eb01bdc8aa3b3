"""Access to the layers of a `text` backbone: those of a transformer, and its encoders."""

from typing import Dict, List, Optional, Sequence, Union

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
    Keeps all layers of the pretrained transformer of an embedder while a text is embedded. For a
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
        >>> layers, tokens = TransformerLayers("bert", embedder), torch.ones(1, 3, dtype=torch.long)
        >>> _ = embedder(tokens, tokens.bool())
        >>> [tuple(layer.shape) for layer in layers.take({"bert": {"token_ids": tokens}})]
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
        self._layers: List[torch.Tensor] = []
        embedder.transformer_model.register_forward_hook(self._store)

    def _store(self, module: torch.nn.Module, inputs: object, output: BaseModelOutput) -> None:
        self._layers = list(output.hidden_states or ())

    def take(self, text: TextFieldTensors) -> Sequence[torch.Tensor]:
        """
        Returns the layers, each of shape (B, T, D), of the text that was embedded last, and forgets
        them.
        """
        layers, self._layers = self._layers, []  # frees them with the batch
        if self._pooling is None:
            return layers
        offsets = text[self._name]["offsets"]
        return pool_word_pieces(layers, offsets, self._pooling)


def find_transformer(embedder: TextFieldEmbedder) -> Optional[TransformerLayers]:
    """
    The layers of the embedder's pretrained transformer; `None` if it embeds anything else, or in a
    way of its own.
    """
    if type(embedder) is not BasicTextFieldEmbedder:
        return None
    embedders = token_embedders(embedder)
    if len(embedders) != 1:
        return None
    ((name, only),) = embedders.items()
    of_words, of_pieces = PretrainedTransformerMismatchedEmbedder, PretrainedTransformerEmbedder
    # A subclass may pool in another way.
    if isinstance(only, of_words) and type(only) is not of_words:
        return None
    return TransformerLayers(name, only) if isinstance(only, (of_words, of_pieces)) else None


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
