"""The `text` backbone: a text field embedder and an optional sequence encoder."""

from typing import Dict, Iterable, List, Optional, cast

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.modules import ScalarMix, Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.backbones.backbone import Backbone
from allennlp.nn.util import get_text_field_mask

from multitask_model.errors import check_known
from multitask_model.modules.encoder_layers import (
    check_output_layers,
    find_transformer,
    flatten_encoder,
)
from multitask_model.modules.layer_mixes import check_layer_mixes, mix_layers
from multitask_model.modules.padded_lstm import encode_sequences


@Backbone.register("text")
class TextBackbone(Backbone):
    """
    Encodes a `TextField` with a `TextFieldEmbedder` and, optionally, a `Seq2SeqEncoder`.

    Registered as a `Backbone` with name "text". Shapes: B batch, T tokens, D hidden.

    # Parameters

    vocab : `Vocabulary`
        Not used. Accepted because AllenNLP passes it to every module that it builds.
    text_field_embedder : `TextFieldEmbedder`
        Embeds the indexed tokens.
    encoder : `Seq2SeqEncoder`, optional (default = `None`)
        Encodes the embedded tokens. If not given, the output is the embeddings.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of the embeddings and of the output of every
        encoder. `None` means no dropout.
    output_layers : `Dict[str, int]`, optional (default = `{"encoded_text": -1}`)
        The layers to return: names of outputs and indices of layers. Layer 0 is the embeddings. If
        the only embedder is a `pretrained_transformer` or `pretrained_transformer_mismatched`,
        layer 0 is its input embeddings, and the layers of the transformer follow. The last layer is
        the `encoder`; the encoders inside one of type `compose` are one layer each. Negative
        indices count from the end. A head selects a layer through `arg_name_mapping`: with
        `{"low": 4, "high": -1}`,
        `{"upos": {"low": "encoded_text"}, "parser": {"high": "encoded_text"}}`.
    layer_mixes : `List[str]`, optional (default = `[]`)
        Names of further outputs, each a learned mix of all layers: their sum, weighted by a softmax
        of one parameter per layer, times a parameter (Peters et al. 2018, equation 1). With a mix
        for each head, heads need not share the last layer (Kondratyuk and Straka 2019). All layers
        must have the same size. With `["tags", "trees"]` and no `output_layers`, these are the only
        outputs: `{"upos": {"tags": "encoded_text"}, "parser": {"trees": "encoded_text"}}`.

    # Raises

    `ConfigurationError`
        If the input size of the `encoder` is not the output size of the embedder, a layer does not
        exist, layers that are mixed have different sizes, or an output has the name of the mask or
        of another output. With `output_layers` or `layer_mixes`, also if the embedder of a
        transformer is of a class with a `forward` of its own.

    # Examples

        >>> from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
        >>> from allennlp.modules.token_embedders import Embedding
        >>> embedding = Embedding(embedding_dim=4, num_embeddings=10)
        >>> backbone = TextBackbone(Vocabulary(), BasicTextFieldEmbedder({"tokens": embedding}))
        >>> token_ids = torch.tensor([[2, 3, 4], [5, 0, 0]])  # 0 is padding
        >>> outputs = backbone(text={"tokens": {"tokens": token_ids}})
        >>> outputs["encoded_text"].shape
        torch.Size([2, 3, 4])
        >>> outputs["encoded_text_mask"].tolist()
        [[True, True, True], [True, False, False]]
        >>> backbone.get_output_dim()
        4
    """

    def __init__(
        self,
        vocab: Vocabulary,
        text_field_embedder: TextFieldEmbedder,
        encoder: Optional[Seq2SeqEncoder] = None,
        dropout: Optional[float] = None,
        output_layers: Optional[Dict[str, int]] = None,
        layer_mixes: Optional[List[str]] = None,
    ) -> None:
        super().__init__()
        _check_encoder(text_field_embedder, encoder)
        self._text_field_embedder = text_field_embedder
        self._encoder = encoder
        self._dropout = torch.nn.Dropout(dropout or 0.0)
        # Otherwise the transformer does not have to keep its hidden states.
        needs_layers = bool(output_layers or layer_mixes)
        self._transformer = find_transformer(text_field_embedder) if needs_layers else None
        self._output_layers = output_layers or ({} if layer_mixes else {"encoded_text": -1})
        dims = self._layer_dims()
        check_output_layers(self._output_layers, len(dims))
        check_layer_mixes(layer_mixes or [], self._output_layers, dims)
        # A list, since a `ModuleDict` cannot hold every name.
        self._mix_names = list(layer_mixes or [])
        self._mixes = torch.nn.ModuleList(ScalarMix(len(dims)) for _ in self._mix_names)

    def _layer_dims(self) -> List[int]:
        """The size of each layer."""
        embedder_layers = 1 if self._transformer is None else self._transformer.num_layers
        dims = [self._text_field_embedder.get_output_dim()] * embedder_layers
        return dims + [encoder.get_output_dim() for encoder in flatten_encoder(self._encoder)]

    def get_output_dim(self, name: str = "encoded_text") -> int:
        """
        The size of the vectors of an output.

        # Parameters

        name : `str`, optional (default = `"encoded_text"`)
            One of the `output_layers` or `layer_mixes`.

        # Raises

        `ConfigurationError`
            If the backbone has no such output.
        """
        known = [*self._output_layers, *self._mix_names]
        check_known("name", "one of the outputs", [name], known)
        return int(self._layer_dims()[self._output_layers.get(name, -1)])

    def forward(self, text: TextFieldTensors) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        """
        # Parameters

        text : `TextFieldTensors`
            A batched `TextField`, with any number of token indexers.

        # Returns

        `Dict[str, torch.Tensor]`
            - encoded_text : (B, T, D), where D is the output size of the encoder, or of the
              embedder if there is no encoder. With `output_layers` or `layer_mixes`, one such
              output per name instead.
            - encoded_text_mask : (B, T), `True` for tokens.
        """
        mask = get_text_field_mask(text)  # (B, T)
        embedder, transformer = self._text_field_embedder, self._transformer
        stages = [embedder(text)] if transformer is None else transformer.embed(embedder, text)
        layers = [self._dropout(stage) for stage in stages]  # each of shape (B, T, D)
        for encoder in flatten_encoder(self._encoder):
            layers.append(self._dropout(encode_sequences(encoder, layers[-1], mask)))
        outputs = {name: layers[index] for name, index in self._output_layers.items()}
        mixes = cast(Iterable[ScalarMix], self._mixes)
        mixed = dict(zip(self._mix_names, mix_layers(mixes, layers)))
        return {**outputs, **mixed, "encoded_text_mask": mask}


def _check_encoder(embedder: TextFieldEmbedder, encoder: Optional[Seq2SeqEncoder]) -> None:
    if encoder is not None and encoder.get_input_dim() != embedder.get_output_dim():
        raise ConfigurationError(
            "The encoder of a text backbone must accept the vectors of its text_field_embedder, "
            f"which have size {embedder.get_output_dim()}, but got an encoder with input size "
            f"{encoder.get_input_dim()}. Set the encoder's input size to "
            f"{embedder.get_output_dim()}."
        )
