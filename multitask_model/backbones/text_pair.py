"""The `text_pair` backbone: one encoder for both texts of a pair."""

from typing import Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.modules import Seq2SeqEncoder, Seq2VecEncoder, TextFieldEmbedder
from allennlp.modules.backbones.backbone import Backbone
from allennlp.modules.token_embedders import PretrainedTransformerEmbedder

from multitask_model.backbones.text import TextBackbone
from multitask_model.compat.allennlp_internals import max_length, token_embedders
from multitask_model.errors import format_names
from multitask_model.modules.sequence_pairs import SequencePairJoiner


@Backbone.register("text_pair")
class TextPairBackbone(Backbone):
    """
    Encodes the `TextField`s `text` and `text_pair`, in one of two ways:

    - Siamese: the same embedder and encoder encode each text, and `seq2vec_encoder` pools each to a
      vector, u and v. The encoding of the pair is one position with the vector
      [u; v; |u - v|; u * v] of size 4D. A head of type `classifier` or `regression` takes it with
      `seq2vec_encoder: {"type": "boe", "embedding_dim": 4D, "averaged": true}`.
    - Joint: the tokens of both texts are one sequence, in the form that the pretrained transformer
      has for a pair, such as `[CLS] text [SEP] text_pair [SEP]`. Its encoding is that of the
      backbone `text`. Use the tokenizer and the indexer `pretrained_transformer` in the reader, and
      set the tokenizer's `max_length` to at most half of the length that the transformer allows.

    A batch without `text_pair` is encoded as the backbone `text` does, so that the model can have
    tasks with single texts. In a batch, all instances or none must have a `text_pair`: use the
    scheduler `homogeneous_roundrobin` for such a model.

    Registered as a `Backbone` with name "text_pair". Shapes: B batch, T tokens, D the output size
    of the `seq2vec_encoder`.

    # Parameters

    vocab : `Vocabulary`
        Not used. Accepted because AllenNLP passes it to every module that it builds.
    text_field_embedder : `TextFieldEmbedder`
        Embeds the indexed tokens.
    seq2vec_encoder : `Seq2VecEncoder`, optional (default = `None`)
        Pools the encoded tokens of a text to a vector. Required if the backbone is siamese, invalid
        if it is joint.
    encoder : `Seq2SeqEncoder`, optional (default = `None`)
        Encodes the embedded tokens.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of the embeddings and of the output of the encoder.
    joint : `bool`, optional
        (default = `True` if the only embedder is a `pretrained_transformer`, otherwise `False`)
        Whether the texts are encoded as one sequence.

    # Raises

    `ConfigurationError`
        If `joint` does not fit the embedder or the `seq2vec_encoder`, or an input size is not the
        output size of the module before it.

    # Examples

        >>> from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
        >>> from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
        >>> from allennlp.modules.token_embedders import Embedding
        >>> embedding = Embedding(1, 6, weight=torch.arange(6.0).unsqueeze(-1))
        >>> embedder = BasicTextFieldEmbedder({"tokens": embedding})
        >>> backbone = TextPairBackbone(Vocabulary(), embedder, BagOfEmbeddingsEncoder(1))
        >>> text = {"tokens": {"tokens": torch.tensor([[3]])}}
        >>> text_pair = {"tokens": {"tokens": torch.tensor([[5]])}}
        >>> backbone(text, text_pair)["encoded_text"]  # 3, 5, |3 - 5|, 3 * 5
        tensor([[[ 3.,  5.,  2., 15.]]]...)
    """

    def __init__(
        self,
        vocab: Vocabulary,
        text_field_embedder: TextFieldEmbedder,
        seq2vec_encoder: Optional[Seq2VecEncoder] = None,
        encoder: Optional[Seq2SeqEncoder] = None,
        dropout: Optional[float] = None,
        joint: Optional[bool] = None,
    ) -> None:
        super().__init__()
        self._text_backbone = TextBackbone(vocab, text_field_embedder, encoder, dropout)
        transformer = _find_transformer(text_field_embedder)
        joint = transformer is not None if joint is None else joint
        self._joiner = _make_joiner(text_field_embedder, transformer) if joint else None
        self._num_positions = _num_positions(transformer)
        input_dim = (encoder or text_field_embedder).get_output_dim()
        _check_seq2vec_encoder(seq2vec_encoder, joint, input_dim)
        self._seq2vec_encoder = seq2vec_encoder

    def forward(  # type: ignore[override]
        self, text: TextFieldTensors, text_pair: Optional[TextFieldTensors] = None
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        text : `TextFieldTensors`
            A batched `TextField`, with any number of token indexers.
        text_pair : `TextFieldTensors`, optional (default = `None`)
            The second texts, with the same token indexers. `None` for a batch of single texts.

        # Returns

        `Dict[str, torch.Tensor]`
            - encoded_text : (B, 1, 4D) for pairs if the backbone is siamese. Otherwise
              (B, T, output size of the encoder), with the tokens of both texts if there are pairs.
            - encoded_text_mask : (B, 1) or (B, T), `True` for that vector and for tokens.

        # Raises

        `ConfigurationError`
            If the token indexers of the texts differ, or are not `pretrained_transformer` for a
            joint backbone.
        `ValueError`
            If the pair has more tokens than the transformer has positions.
        """
        if text_pair is None:
            return self._encode(text)
        _check_indexers(text, text_pair)
        if self._joiner is not None:
            return self._encode_joined(text, text_pair, self._joiner)
        first, second = self._pool(text), self._pool(text_pair)  # (B, D)
        features = torch.cat([first, second, (first - second).abs(), first * second], dim=-1)
        mask = features.new_ones((len(features), 1), dtype=torch.bool)
        return {"encoded_text": features.unsqueeze(1), "encoded_text_mask": mask}

    def _encode(self, text: TextFieldTensors) -> Dict[str, torch.Tensor]:
        outputs: Dict[str, torch.Tensor] = self._text_backbone(text)
        return outputs

    def _encode_joined(
        self, text: TextFieldTensors, text_pair: TextFieldTensors, joiner: SequencePairJoiner
    ) -> Dict[str, torch.Tensor]:
        joined = {name: joiner(text[name], text_pair[name]) for name in text}
        length = max(tensors["token_ids"].size(1) for tensors in joined.values())
        try:
            return self._encode(joined)
        except (IndexError, RuntimeError) as error:
            limit = min(joiner.max_length, self._num_positions or joiner.max_length)
            if length <= limit:
                raise
            raise ValueError(
                "A pair of texts must have no more tokens than the transformer has positions, "
                f"{limit}, but got {length}. Set the max_length of the dataset "
                "reader's tokenizer to at most half of it."
            ) from error

    def _pool(self, text: TextFieldTensors) -> torch.Tensor:
        assert self._seq2vec_encoder is not None
        encoded = self._encode(text)
        pooled: torch.Tensor = self._seq2vec_encoder(
            encoded["encoded_text"], encoded["encoded_text_mask"]
        )
        return pooled


def _find_transformer(embedder: TextFieldEmbedder) -> Optional[PretrainedTransformerEmbedder]:
    """The pretrained transformer, if it is the only token embedder."""
    embedders = token_embedders(embedder).values()
    transformers = [e for e in embedders if isinstance(e, PretrainedTransformerEmbedder)]
    return transformers[0] if len(transformers) == len(embedders) == 1 else None


def _num_positions(transformer: Optional[PretrainedTransformerEmbedder]) -> Optional[int]:
    """The number of positions that a transformer has embeddings for, if its config says it."""
    found = getattr(transformer and transformer.config, "max_position_embeddings", None)
    return found if isinstance(found, int) and found > 0 else None


def _check_indexers(text: TextFieldTensors, text_pair: TextFieldTensors) -> None:
    if text.keys() != text_pair.keys():
        raise ConfigurationError(
            "text and text_pair must have the same token indexers, but got "
            f"{format_names(text)} and {format_names(text_pair)}. Correct the dataset reader."
        )


def _make_joiner(
    embedder: TextFieldEmbedder, transformer: Optional[PretrainedTransformerEmbedder]
) -> SequencePairJoiner:
    if transformer is None:
        names = [type(inner).__name__ for inner in token_embedders(embedder).values()]
        raise ConfigurationError(
            "A joint text_pair backbone must have one embedder of type pretrained_transformer, but "
            f"got {format_names(names)}. Change the embedder, or remove joint and set a "
            "seq2vec_encoder."
        )
    if max_length(transformer) is not None:
        raise ConfigurationError(
            "A joint text_pair backbone must have an embedder that does not fold long sequences, "
            f"but got max_length={max_length(transformer)}. Remove the max_length of the embedder "
            "and of the token indexer, and set that of the tokenizer."
        )
    return SequencePairJoiner(str(transformer.config.name_or_path))


def _check_seq2vec_encoder(
    seq2vec_encoder: Optional[Seq2VecEncoder], joint: bool, input_dim: int
) -> None:
    if joint and seq2vec_encoder is not None:
        raise ConfigurationError(
            "A joint text_pair backbone must have no seq2vec_encoder, because its heads pool the "
            f"tokens, but got {type(seq2vec_encoder).__name__}. Move it to the heads, or set joint "
            "to false."
        )
    if joint:
        return
    if seq2vec_encoder is None:
        raise ConfigurationError(
            "A text_pair backbone that is not joint must have a seq2vec_encoder, but got None. Set "
            f"one with input size {input_dim}."
        )
    if seq2vec_encoder.get_input_dim() != input_dim:
        raise ConfigurationError(
            "The seq2vec_encoder of a text_pair backbone must accept the vectors of its tokens, "
            f"which have size {input_dim}, but got one with input size "
            f"{seq2vec_encoder.get_input_dim()}. Set its input size to {input_dim}."
        )
