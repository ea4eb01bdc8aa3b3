"""The `text` backbone: a text field embedder and an optional sequence encoder."""

from typing import Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.backbones.backbone import Backbone
from allennlp.nn.util import get_text_field_mask

from multitask_model.errors import check_known
from multitask_model.modules.encoder_layers import (
    check_output_layers,
    find_transformer,
    flatten_encoder,
)


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

    # Raises

    `ConfigurationError`
        If the input size of the `encoder` is not the output size of the embedder, a layer does not
        exist, or an output has the name of the mask.

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
    ) -> None:
        super().__init__()
        _check_encoder(text_field_embedder, encoder)
        self._text_field_embedder = text_field_embedder
        self._encoder = encoder
        self._dropout = torch.nn.Dropout(dropout or 0.0)
        # Without output_layers, the transformer does not have to keep its hidden states.
        self._transformer = find_transformer(text_field_embedder) if output_layers else None
        self._output_layers = output_layers or {"encoded_text": -1}
        embedder_layers = 1 if self._transformer is None else self._transformer.num_layers
        check_output_layers(self._output_layers, embedder_layers + len(flatten_encoder(encoder)))

    def get_output_dim(self, name: str = "encoded_text") -> int:
        """
        The size of the vectors of an output.

        # Parameters

        name : `str`, optional (default = `"encoded_text"`)
            One of the `output_layers`.

        # Raises

        `ConfigurationError`
            If the backbone has no such output.
        """
        check_known("name", "one of the output_layers", [name], self._output_layers)
        embedder_layers = 1 if self._transformer is None else self._transformer.num_layers
        embedder_dims = [self._text_field_embedder.get_output_dim()] * embedder_layers
        encoders = flatten_encoder(self._encoder)
        dims = embedder_dims + [encoder.get_output_dim() for encoder in encoders]
        return int(dims[self._output_layers[name]])

    def forward(self, text: TextFieldTensors) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        """
        # Parameters

        text : `TextFieldTensors`
            A batched `TextField`, with any number of token indexers.

        # Returns

        `Dict[str, torch.Tensor]`
            - encoded_text : (B, T, D), where D is the output size of the encoder, or of the
              embedder if there is no encoder. With `output_layers`, one such output per name
              instead.
            - encoded_text_mask : (B, T), `True` for tokens.
        """
        mask = get_text_field_mask(text)  # (B, T)
        embedded = self._text_field_embedder(text)  # (B, T, D), or concatenated layers
        stages = [embedded] if self._transformer is None else self._transformer.split(embedded)
        layers = [self._dropout(stage) for stage in stages]
        for encoder in flatten_encoder(self._encoder):
            layers.append(self._dropout(encoder(layers[-1], mask)))
        outputs = {name: layers[index] for name, index in self._output_layers.items()}
        return {**outputs, "encoded_text_mask": mask}


def _check_encoder(embedder: TextFieldEmbedder, encoder: Optional[Seq2SeqEncoder]) -> None:
    if encoder is not None and encoder.get_input_dim() != embedder.get_output_dim():
        raise ConfigurationError(
            "The encoder of a text backbone must accept the vectors of its text_field_embedder, "
            f"which have size {embedder.get_output_dim()}, but got an encoder with input size "
            f"{encoder.get_input_dim()}. Set the encoder's input size to "
            f"{embedder.get_output_dim()}."
        )
