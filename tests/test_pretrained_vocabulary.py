"""A new task with new words for a trained model: the heads that it had score as before."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import LabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer, TokenCharactersIndexer
from allennlp.data.tokenizers import Token
from allennlp.models.heads import Head
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding, TokenCharactersEncoder

from multitask_model import MultiTaskModel, TextBackbone
from multitask_model.data import MultiTaskDatasetReader
from multitask_model.data.collate import collate
from tests.helpers.fixed_reader import FixedReader
from tests.helpers.models import TinyHead

OLD = ["a nice film", "a bad film"]
NEW = ["a zany film", "zany", "quirky a"]
INDEXERS = {"tokens": SingleIdTokenIndexer(), "chars": TokenCharactersIndexer(min_padding_length=9)}


def make_instances(sentences: List[str], task: str, label: str = "class0") -> List[Instance]:
    made = [
        Instance(
            {
                "text": TextField([Token(word) for word in sentence.split()], INDEXERS),
                "label": LabelField(label),
            }
        )
        for sentence in sentences
    ]
    return [next(iter(reader_of(instance, task))) for instance in made]


def reader_of(instance: Instance, task: str) -> Any:
    return MultiTaskDatasetReader({task: FixedReader(instance)}).read("", force_task=task)


class IdsHead(TinyHead):
    """Classifies the mean of its own vectors of the words, in an embedding of PyTorch."""

    def __init__(self, vocab: Vocabulary) -> None:
        super().__init__(vocab)
        self.words = torch.nn.Embedding(vocab.get_vocab_size("tokens"), 6)

    def forward(self, text: Any, encoded_text_mask: Any) -> Dict[str, Any]:  # type: ignore
        return super().forward(self.words(text["tokens"]["tokens"]), encoded_text_mask)


def make_model(vocab: Vocabulary, heads: List[str], **kwargs: Any) -> MultiTaskModel:
    words = Embedding(3, vocab=vocab, vocab_namespace="tokens")
    characters = Embedding(3, vocab=vocab, vocab_namespace="token_characters")
    embedders: Any = {
        "tokens": words,
        "chars": TokenCharactersEncoder(characters, BagOfEmbeddingsEncoder(3)),
    }
    backbone = TextBackbone(vocab, BasicTextFieldEmbedder(embedders))
    made: Dict[str, Head] = {
        name: IdsHead(vocab) if name == "ids" else TinyHead(vocab) for name in heads
    }
    return MultiTaskModel(vocab, backbone, made, **kwargs)


@pytest.fixture(name="old")
def _old(tmp_path: Path) -> MultiTaskModel:
    """A model with its archive in `tmp_path`."""
    vocab = Vocabulary.from_instances(make_instances(OLD, "film"))
    for i in range(3):
        vocab.add_token_to_namespace(f"class{i}", "labels")
    model = make_model(vocab, ["film", "ids"], task_heads={"film": ["film", "ids"]})
    vocab.save_to_files(str(tmp_path / "vocabulary"))
    torch.save(model.state_dict(), tmp_path / "weights.th")
    return model.eval()


def extend(directory: Path, min_count: int) -> Vocabulary:
    """Extends the vocabulary of the archive with the words of the new sentences."""
    vocabulary = str(directory / "vocabulary")
    params = {"type": "extend", "directory": vocabulary, "min_count": {"tokens": min_count}}
    instances = make_instances(NEW, "irony", "class1")
    return Vocabulary.from_params(Params(params), instances=instances)


def logits(model: MultiTaskModel, sentences: List[str]) -> List[Any]:
    outputs: Any = model.forward_on_instances(make_instances(sentences, "film"))
    return [[row[name].tolist() for name in ("film_logits", "ids_logits")] for row in outputs]


def new_model(vocab: Vocabulary, directory: Path) -> MultiTaskModel:
    return make_model(
        vocab,
        ["film", "ids", "irony"],
        task_heads={"film": ["film", "ids"], "irony": ["irony"]},
        pretrained_file=str(directory),
    ).eval()


def test_old_heads_score_sentences_with_new_words_exactly_as_before(
    old: MultiTaskModel, tmp_path: Path
) -> None:
    vocab = extend(tmp_path, min_count=1)
    assert vocab.get_vocab_size("tokens") == old.vocab.get_vocab_size("tokens") + 2
    assert vocab.get_vocab_size("token_characters") > old.vocab.get_vocab_size("token_characters")
    new = new_model(vocab, tmp_path)
    assert logits(new, [*OLD, *NEW]) == logits(old, [*OLD, *NEW])


def test_new_words_train_vectors_of_their_own(old: MultiTaskModel, tmp_path: Path) -> None:
    vocab = extend(tmp_path, min_count=1)
    new = new_model(vocab, tmp_path)
    (weight,) = (w for n, w in new.named_parameters() if n.endswith("token_embedder_tokens.weight"))
    zany, unknown = vocab.get_token_index("zany"), vocab.get_token_index("@@UNKNOWN@@")
    assert torch.equal(weight[zany], weight[unknown])
    instances = make_instances(["zany"], "irony")
    instances[0].index_fields(vocab)
    new(**collate(instances))["loss"].backward()
    assert weight.grad is not None
    assert weight.grad[zany].abs().sum() > 0
    assert weight.grad[unknown].abs().sum() == 0


def test_min_count_counts_the_words_of_the_new_data(old: MultiTaskModel, tmp_path: Path) -> None:
    vocab = extend(tmp_path, min_count=2)
    words = list(vocab.get_token_to_index_vocabulary("tokens"))
    old_words = list(old.vocab.get_token_to_index_vocabulary("tokens"))
    assert words == [*old_words, "zany"]  # "quirky" occurs once, as "nice" did
    assert logits(new_model(vocab, tmp_path), NEW) == logits(old, NEW)


def test_an_embedding_with_a_file_of_vectors_keeps_them(
    old: MultiTaskModel, tmp_path: Path
) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("zany 1.0 2.0 3.0\n")
    vocab = extend(tmp_path, min_count=1)

    def with_vectors(model_vocab: Vocabulary, **kwargs: Any) -> MultiTaskModel:
        words = Embedding(3, vocab=model_vocab, vocab_namespace="tokens", pretrained_file=str(file))
        backbone = TextBackbone(model_vocab, BasicTextFieldEmbedder({"tokens": words}))
        return MultiTaskModel(model_vocab, backbone, {"film": TinyHead(model_vocab)}, **kwargs)

    torch.save(with_vectors(vocab).state_dict(), tmp_path / "weights.th")
    vocab.save_to_files(str(tmp_path / "vocabulary"))
    file.write_text("droll 1.0 2.0 3.0\n")
    vocab.add_token_to_namespace("droll", "tokens")
    new = with_vectors(vocab, pretrained_file=str(tmp_path))
    (weight,) = (w for n, w in new.named_parameters() if n.endswith("token_embedder_tokens.weight"))
    assert weight[vocab.get_token_index("droll")].tolist() == [1.0, 2.0, 3.0]
