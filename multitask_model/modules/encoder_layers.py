"""The layers that a `text` backbone consists of, and how to get at those of a transformer."""

from typing import Any, Dict, List, Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.seq2seq_encoders import ComposeEncoder
from allennlp.modules.token_embedders import (
    PretrainedTransformerEmbedder,
    PretrainedTransformerMismatchedEmbedder,
)

from multitask_model.errors import format_names


class TransformerLayers:
    """
    Makes a `PretrainedTransformerEmbedder` return all layers of its transformer instead of the last
    one, as one long vector for each token. So whatever comes after it, such as the pooling of word
    pieces, is done to every layer alike, and in one go.

    # Parameters

    embedder : `PretrainedTransformerEmbedder`

    # Raises

    `ConfigurationError`
        If the embedder has a `max_length`, which folds texts, or a `last_layer_only` of `False`.
    """

    def __init__(self, embedder: PretrainedTransformerEmbedder) -> None:
        if embedder._max_length is not None or embedder._scalar_mix is not None:
            found = "max_length" if embedder._max_length is not None else "last_layer_only"
            raise ConfigurationError(
                "For output_layers the embedder must return the last layer of a transformer, of "
                f"the text as it is, but it has a {found}. Leave that out of the embedder, or "
                "leave out output_layers."
            )
        embedder.config.output_hidden_states = True
        self.number: int = embedder.config.num_hidden_layers + 1
        """How many layers there are, the embeddings among them."""
        self._layers: List[torch.Tensor] = []
        embedder.transformer_model.register_forward_hook(self._keep)
        embedder.register_forward_hook(self._replace)

    def _keep(self, module: Any, arguments: Any, output: Any) -> None:
        self._layers = list(output.hidden_states)

    def _replace(self, module: Any, arguments: Any, output: torch.Tensor) -> torch.Tensor:
        layers, self._layers = self._layers, []  # they must not outlive the batch
        return torch.cat(layers, dim=-1)

    def split(self, embedded: torch.Tensor) -> Sequence[torch.Tensor]:
        """The layers, each of shape (B, T, D), of the long vectors."""
        return embedded.chunk(self.number, dim=-1)


def transformer_of(embedder: TextFieldEmbedder) -> Optional[TransformerLayers]:
    """
    The layers of the pretrained transformer that is all there is in the embedder, or `None`.
    """
    embedders = list(getattr(embedder, "_token_embedders", {}).values())
    if len(embedders) != 1:
        return None
    only = embedders[0]
    if isinstance(only, PretrainedTransformerMismatchedEmbedder):
        only = only._matched_embedder
    return TransformerLayers(only) if isinstance(only, PretrainedTransformerEmbedder) else None


def encoders_of(encoder: Optional[Seq2SeqEncoder]) -> List[Seq2SeqEncoder]:
    """Those that run one after the other."""
    if isinstance(encoder, ComposeEncoder):
        return [inner for outer in encoder.encoders for inner in encoders_of(outer)]
    return [] if encoder is None else [encoder]


def check_layers(output_layers: Dict[str, int], number: int) -> None:
    """
    # Raises

    `ConfigurationError`
        If one of the layers is not there, or has the name of the mask.
    """
    for name, layer in output_layers.items():
        if not -number <= layer < number:
            raise ConfigurationError(
                f"output_layers must hold numbers of layers, and this backbone has {number}, from "
                f"0 to {number - 1}, but {name!r} is {layer}. Correct it; the layers of a "
                "transformer count if it is the only embedder."
            )
    if "encoded_text_mask" in output_layers:
        raise ConfigurationError(
            "output_layers must give layers names of their own, but it has 'encoded_text_mask', "
            f"which is the mask, among {format_names(output_layers)}. Rename that layer."
        )
