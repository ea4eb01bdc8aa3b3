"""The `text_pair` backbone: siamese and joint encodings of pairs, and single texts."""

import copy
import re
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, TextFieldTensors, TokenIndexer, Vocabulary
from allennlp.data.fields import LabelField, MetadataField, TensorField, TextField
from allennlp.data.token_indexers import PretrainedTransformerIndexer, SingleIdTokenIndexer
from allennlp.data.tokenizers import PretrainedTransformerTokenizer, Token
from allennlp.models.heads import Head
from allennlp.modules.backbones.backbone import Backbone

from multitask_model import MultiTaskModel
from multitask_model.backbones import TextBackbone, TextPairBackbone
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

EMBEDDER = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 2}}}
LSTM = {"type": "lstm", "input_size": 2, "hidden_size": 3, "bidirectional": True}
MEAN = {"type": "boe", "embedding_dim": 2, "averaged": True}
PAIR_VECTOR = {"type": "boe", "embedding_dim": 8, "averaged": True}


@pytest.fixture
def vocab() -> Vocabulary:
    words = ["a", "b", "c"]
    return Vocabulary(tokens_to_add={"tokens": words, "labels": ["yes", "no"]})


def build(vocab: Vocabulary, **params: Any) -> Backbone:
    config = {"type": "text_pair", "text_field_embedder": EMBEDDER, **params}
    # AllenNLP removes the parameters that it reads from a config.
    return Backbone.from_params(Params(copy.deepcopy(config)), vocab=vocab)


def siamese(vocab: Vocabulary, **params: Any) -> Backbone:
    return build(vocab, **{"seq2vec_encoder": MEAN, **params})


def tensors(vocab: Vocabulary, *sentences: str, indexer: Any = None) -> TextFieldTensors:
    indexers = {"tokens": indexer or SingleIdTokenIndexer()}
    fields = [TextField([Token(w) for w in text.split()], indexers) for text in sentences]
    batch = Batch([Instance({"text": field}) for field in fields])
    batch.index_instances(vocab)
    text: Any = batch.as_tensor_dict()["text"]
    return text


def test_the_features_are_both_vectors_their_difference_and_their_product(
    vocab: Vocabulary,
) -> None:
    backbone = siamese(vocab)
    # Rows: padding, OOV, a, b, c.
    weight = torch.tensor([[0.0, 0.0], [9.0, 9.0], [1.0, 2.0], [3.0, 4.0], [5.0, 0.0]])
    (parameter,) = backbone.parameters()
    parameter.data.copy_(weight)

    outputs = backbone(tensors(vocab, "a b", "c"), tensors(vocab, "c", "a b c a"))

    # The means of (a b, c) and of (c, a b c a); padding does not count.
    expected = [
        [2.0, 3.0, 5.0, 0.0, 3.0, 3.0, 10.0, 0.0],
        [5.0, 0.0, 2.5, 2.0, 2.5, 2.0, 12.5, 0.0],
    ]
    assert outputs["encoded_text"].tolist() == [[row] for row in expected]
    assert outputs["encoded_text_mask"].tolist() == [[True], [True]]
    assert outputs.keys() == {"encoded_text", "encoded_text_mask"}


@pytest.mark.parametrize("second", ["c", "a b c a b"])
def test_the_same_encoder_encodes_both_texts(vocab: Vocabulary, second: str) -> None:
    backbone = siamese(vocab, encoder=LSTM, seq2vec_encoder={**MEAN, "embedding_dim": 6}).eval()
    pair, flipped = (
        backbone(tensors(vocab, x), tensors(vocab, y))["encoded_text"].view(4, 6)
        for x, y in [("a b", second), (second, "a b")]
    )
    torch.testing.assert_close(pair[0], flipped[1])
    torch.testing.assert_close(pair[1], flipped[0])
    torch.testing.assert_close(pair[2:], flipped[2:])
    assert not torch.allclose(pair[0], pair[1])


def test_the_padding_of_one_text_does_not_change_the_features(vocab: Vocabulary) -> None:
    pool = {"type": "lstm", "input_size": 6, "hidden_size": 4}
    backbone = siamese(vocab, encoder=LSTM, seq2vec_encoder=pool).eval()
    alone = backbone(tensors(vocab, "a b"), tensors(vocab, "c"))["encoded_text"]
    padded = backbone(tensors(vocab, "a b", "c c c"), tensors(vocab, "c", "a b a b"))
    torch.testing.assert_close(padded["encoded_text"][:1], alone)
    assert padded["encoded_text"].shape == (2, 1, 16)


def test_every_parameter_gets_a_gradient(vocab: Vocabulary) -> None:
    pool = {"type": "lstm", "input_size": 6, "hidden_size": 4}
    backbone = siamese(vocab, encoder=LSTM, seq2vec_encoder=pool, dropout=0.1)
    backbone(tensors(vocab, "a b"), tensors(vocab, "c"))["encoded_text"].square().sum().backward()
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_dropout_applies_in_training_mode_only(vocab: Vocabulary) -> None:
    backbone = siamese(vocab, dropout=0.5)
    texts = tensors(vocab, "a b c " * 9), tensors(vocab, "c b " * 9)
    in_training = [backbone(*texts)["encoded_text"] for _ in range(2)]
    assert not torch.equal(*in_training)
    backbone.eval()
    assert torch.equal(*[backbone(*texts)["encoded_text"] for _ in range(2)])


def test_a_batch_of_single_texts_is_encoded_as_by_the_text_backbone(vocab: Vocabulary) -> None:
    pool = {**MEAN, "embedding_dim": 6}
    backbone = siamese(vocab, encoder=LSTM, seq2vec_encoder=pool).eval()
    config = {"type": "text", "text_field_embedder": EMBEDDER, "encoder": LSTM}
    single = Backbone.from_params(Params(copy.deepcopy(config)), vocab=vocab).eval()
    assert isinstance(single, TextBackbone)
    names = zip(single.state_dict(), backbone.state_dict().values())
    single.load_state_dict(dict(names))
    text = tensors(vocab, "a b", "c")
    torch.testing.assert_close(backbone(text), single(text))
    torch.testing.assert_close(backbone(text, None), single(text))


def pair_instance(vocab: Vocabulary, text: str, text_pair: Optional[str], task: str) -> Instance:
    indexers: Dict[str, TokenIndexer] = {"tokens": SingleIdTokenIndexer()}
    instance = Instance({"task": MetadataField(task)})
    for name, value in (("text", text), ("text_pair", text_pair)):
        if value is not None:
            field = TextField([Token(word) for word in value.split()], indexers)
            instance.add_field(name, field)
    if task == "similarity":
        instance.add_field("target", TensorField(torch.tensor(2.0)))
    else:
        instance.add_field("label", LabelField("yes"))
    return instance


def make_model(vocab: Vocabulary, backbone: Backbone, pool: Dict[str, Any]) -> MultiTaskModel:
    configs = {
        "entailment": {"type": "classifier", "seq2vec_encoder": pool},
        "similarity": {"type": "regression", "seq2vec_encoder": pool},
    }
    heads = {
        name: Head.from_params(Params(copy.deepcopy(config)), vocab=vocab)
        for name, config in configs.items()
    }
    return MultiTaskModel(vocab, backbone, heads)


def batch_of(vocab: Vocabulary, *instances: Instance) -> Dict[str, Any]:
    batch = Batch(instances)
    batch.index_instances(vocab)
    return dict(batch.as_tensor_dict())


def test_a_classifier_and_a_regression_take_the_features(vocab: Vocabulary) -> None:
    model = make_model(vocab, siamese(vocab), PAIR_VECTOR)
    batches: List[Dict[str, Any]] = [
        batch_of(vocab, *(pair_instance(vocab, text, "c a", task) for text in ("a b", "c")))
        for task in ("entailment", "similarity")
    ]
    outputs = [model(**batch) for batch in batches]

    features = outputs[0]["encoded_text"].squeeze(1)
    (layer,) = (m for m in model.head("entailment").modules() if isinstance(m, torch.nn.Linear))
    torch.testing.assert_close(outputs[0]["entailment_logits"], layer(features))
    assert outputs[1]["similarity_prediction"].shape == (2,)
    sum(output["loss"] for output in outputs).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_model_predicts_for_pairs_and_single_texts_of_one_request(vocab: Vocabulary) -> None:
    pair_head, single_head = (
        Head.from_params(Params({"type": "classifier", "seq2vec_encoder": dict(pool)}), vocab=vocab)
        for pool in (PAIR_VECTOR, MEAN)
    )
    model = MultiTaskModel(vocab, siamese(vocab), {"pairs": pair_head, "polarity": single_head})
    instances = [
        pair_instance(vocab, "a b", "c", "pairs"),
        pair_instance(vocab, "a c", None, "polarity"),
        pair_instance(vocab, "b", "c a b", "pairs"),
    ]
    pair, single, other = model.forward_on_instances(instances)
    assert [set(found) & {"pairs_label", "polarity_label"} for found in (pair, single, other)] == [
        {"pairs_label"},
        {"polarity_label"},
        {"pairs_label"},
    ]
    assert pair["encoded_text"].shape == (1, 8)
    assert single["encoded_text"].shape == (2, 2)


def test_a_siamese_backbone_without_pooling_is_rejected(vocab: Vocabulary) -> None:
    message = (
        "A text_pair backbone that is not joint must have a seq2vec_encoder, but got None. Set one "
        "with input size 6."
    )
    with pytest.raises(ConfigurationError) as error:
        build(vocab, encoder=LSTM)
    assert str(error.value) == message


def test_a_pooling_of_another_size_is_rejected(vocab: Vocabulary) -> None:
    message = (
        "The seq2vec_encoder of a text_pair backbone must accept the vectors of its tokens, which "
        "have size 6, but got one with input size 2. Set its input size to 6."
    )
    with pytest.raises(ConfigurationError) as error:
        siamese(vocab, encoder=LSTM)
    assert str(error.value) == message


def test_a_joint_backbone_without_a_transformer_is_rejected(vocab: Vocabulary) -> None:
    message = (
        "A joint text_pair backbone must have one embedder of type pretrained_transformer, but got "
        "['Embedding']. Change the embedder, or remove joint and set a seq2vec_encoder."
    )
    with pytest.raises(ConfigurationError) as error:
        build(vocab, joint=True)
    assert str(error.value) == message


def test_texts_with_different_indexers_are_rejected(vocab: Vocabulary) -> None:
    text = tensors(vocab, "a")
    message = (
        "text and text_pair must have the same token indexers, but got ['tokens'] and ['words']. "
        "Correct the dataset reader."
    )
    with pytest.raises(ConfigurationError) as error:
        siamese(vocab)(text, {"words": text["tokens"]})
    assert str(error.value) == message


@pytest.fixture
def bert(tmp_path: Path) -> str:
    return make_tiny_bert(tmp_path / "bert", layers=2)


def with_transformer(vocab: Vocabulary, name: str, **params: Any) -> Backbone:
    options = params.pop("options", {})
    transformer = {"type": "pretrained_transformer", "model_name": name, **options}
    embedder = {"token_embedders": {"tokens": transformer}}
    return build(vocab, text_field_embedder=embedder, **params)


def word_pieces(vocab: Vocabulary, name: str, *sentences: Any) -> TextFieldTensors:
    """The tensors of sentences, or of pairs of them that the tokenizer joins."""
    tokenizer = PretrainedTransformerTokenizer(name, add_special_tokens=False)
    tokens = [
        tokenizer.add_special_tokens(*map(tokenizer.tokenize, sentence.split(" | ")))
        for sentence in sentences
    ]
    indexers: Dict[str, TokenIndexer] = {"tokens": PretrainedTransformerIndexer(name)}
    batch = Batch([Instance({"text": TextField(row, indexers)}) for row in tokens])
    batch.index_instances(vocab)
    text: Any = batch.as_tensor_dict()["text"]
    return text


def test_a_transformer_encodes_a_pair_as_one_sequence(vocab: Vocabulary, bert: str) -> None:
    backbone = with_transformer(vocab, bert).eval()
    outputs = backbone(
        word_pieces(vocab, bert, "the cat sat", "a dog"),
        word_pieces(vocab, bert, "the mat", "the cat ran on the mat"),
    )
    # The tokenizer joins the pairs before indexing. Without text_pair, they are taken as they are.
    joined = word_pieces(vocab, bert, "the cat sat | the mat", "a dog | the cat ran on the mat")
    expected = backbone(joined)
    assert outputs["encoded_text"].shape == (2, 11, HIDDEN_SIZE)
    torch.testing.assert_close(outputs["encoded_text"], expected["encoded_text"])
    assert torch.equal(outputs["encoded_text_mask"], expected["encoded_text_mask"])
    # The type ids matter: the second text is not encoded as part of the first.
    joined["tokens"]["type_ids"].zero_()
    assert not torch.allclose(outputs["encoded_text"], backbone(joined)["encoded_text"])


def test_heads_take_the_first_token_of_a_joint_pair(vocab: Vocabulary, bert: str) -> None:
    first_token = {"type": "cls_pooler", "embedding_dim": HIDDEN_SIZE}
    model = make_model(vocab, with_transformer(vocab, bert), first_token)
    text, text_pair = (word_pieces(vocab, bert, text) for text in ("the cat", "a dog sat"))
    inputs: Dict[str, Any] = {"text": text, "text_pair": text_pair}
    loss = model(**inputs, label=torch.tensor([0]), task=["entailment"])["loss"]
    loss = loss + model(**inputs, target=torch.tensor([2.0]), task=["similarity"])["loss"]
    loss.backward()
    without = {name for name, p in model.named_parameters() if p.grad is None}
    assert all("pooler" in name for name in without)


def test_a_transformer_can_be_siamese(vocab: Vocabulary, bert: str) -> None:
    pool = {"type": "boe", "embedding_dim": HIDDEN_SIZE, "averaged": True}
    backbone = with_transformer(vocab, bert, joint=False, seq2vec_encoder=pool).eval()
    text, text_pair = (word_pieces(vocab, bert, text) for text in ("the cat", "a dog sat"))
    features = backbone(text, text_pair)["encoded_text"]
    mean = backbone(text_pair)["encoded_text"].mean(dim=1)
    torch.testing.assert_close(features[:, 0, HIDDEN_SIZE : 2 * HIDDEN_SIZE], mean)
    assert features.shape == (1, 1, 4 * HIDDEN_SIZE)


def test_pooling_in_a_joint_backbone_is_rejected(vocab: Vocabulary, bert: str) -> None:
    message = (
        "A joint text_pair backbone must have no seq2vec_encoder, because its heads pool the "
        "tokens, but got BagOfEmbeddingsEncoder. Move it to the heads, or set joint to false."
    )
    with pytest.raises(ConfigurationError) as error:
        with_transformer(vocab, bert, seq2vec_encoder={**MEAN, "embedding_dim": HIDDEN_SIZE})
    assert str(error.value) == message


def test_a_transformer_that_folds_sequences_is_rejected(vocab: Vocabulary, bert: str) -> None:
    message = (
        "A joint text_pair backbone must have an embedder that does not fold long sequences, but "
        "got max_length=16. Remove the max_length of the embedder and of the token indexer, and "
        "set that of the tokenizer."
    )
    with pytest.raises(ConfigurationError) as error:
        with_transformer(vocab, bert, options={"max_length": 16})
    assert str(error.value) == message


def test_a_pair_that_is_too_long_is_reported(vocab: Vocabulary, bert: str) -> None:
    backbone = with_transformer(vocab, bert)
    text = word_pieces(vocab, bert, "cat " * 15)
    assert backbone(text, word_pieces(vocab, bert, "cat " * 14))["encoded_text"].size(1) == 32
    message = (
        "A pair of texts must have no more tokens than the transformer has positions, 32, but got "
        "33. Set the max_length of the dataset reader's tokenizer to at most half of it."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$") as error:
        backbone(text, text)
    assert isinstance(error.value.__cause__, (IndexError, RuntimeError))


def test_the_class_is_exported_under_its_type() -> None:
    assert Backbone.by_name("text_pair") is TextPairBackbone
