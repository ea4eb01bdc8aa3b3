"""LSTMs on padded batches, compared with AllenNLP's encoder, which packs them."""

from typing import Any, List, Tuple

import pytest
import torch
from allennlp.modules.seq2seq_encoders import GruSeq2SeqEncoder, LstmSeq2SeqEncoder

from multitask_model.compat.allennlp_internals import wrapped_lstm
from multitask_model.modules.padded_lstm import encode_sequences

LENGTHS = [5, 2, 0, 4]


def make_encoder(**kwargs: Any) -> LstmSeq2SeqEncoder:
    torch.manual_seed(0)
    return LstmSeq2SeqEncoder(input_size=3, hidden_size=4, **kwargs).double()


def make_batch(lengths: List[int] = LENGTHS) -> Tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    inputs = torch.randn(len(lengths), 6, 3, dtype=torch.double, requires_grad=True)
    return inputs, torch.arange(6) < torch.tensor(lengths).unsqueeze(-1)


@pytest.mark.parametrize("lengths", [LENGTHS, [6, 6], [1], [0, 3]])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"bidirectional": True},
        {"bidirectional": True, "num_layers": 2},
        {"num_layers": 3, "bias": False},
        {"num_layers": 2, "dropout": 0.5, "bidirectional": True},
    ],
    ids=str,
)
def test_outputs_and_gradients_are_those_of_packed_sequences(kwargs: Any, lengths: Any) -> None:
    encoder = make_encoder(**kwargs).eval()
    inputs, mask = make_batch(lengths)
    expected = encoder(inputs, mask)
    found = encode_sequences(encoder, inputs, mask)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    of, weights = [inputs, *encoder.parameters()], torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, of, weights),
        torch.autograd.grad(expected, of, weights),
        rtol=0,
        atol=1e-12,
    )


def test_dropout_is_between_layers_in_training() -> None:
    encoder = make_encoder(num_layers=2, dropout=1.0)
    inputs, mask = make_batch()
    expected = encoder(inputs, mask)  # the second layer gets zeros
    torch.testing.assert_close(encode_sequences(encoder, inputs, mask), expected)


def test_padding_may_hold_anything() -> None:
    encoder = make_encoder(bidirectional=True)
    inputs, mask = make_batch()
    with_nan = inputs.detach().masked_fill(~mask.unsqueeze(-1), float("nan"))
    encode_sequences(encoder, with_nan, mask).sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in encoder.parameters() if p.grad is not None)


def test_no_packing_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = make_encoder()
    inputs, mask = make_batch()
    monkeypatch.setattr(encoder, "forward", None)
    encode_sequences(encoder, inputs, mask)


def test_without_gradients_the_encoder_is_called() -> None:
    encoder = make_encoder(bidirectional=True)
    inputs, mask = make_batch()
    with torch.no_grad():
        assert encode_sequences(encoder, inputs, mask).equal(encoder(inputs, mask))


def test_an_encoder_with_a_hook_is_called() -> None:
    encoder = make_encoder()
    inputs, mask = make_batch()
    encoder.register_forward_hook(lambda module, args, output: output + 1.0)
    assert encode_sequences(encoder, inputs, mask).equal(encoder(inputs, mask))


def test_an_lstm_with_a_hook_is_not_replaced() -> None:
    encoder = make_encoder()
    assert wrapped_lstm(encoder) is not None
    (lstm,) = encoder.children()
    lstm.register_forward_pre_hook(lambda module, args: None)
    assert wrapped_lstm(encoder) is None


@pytest.mark.parametrize(
    "encoder",
    [GruSeq2SeqEncoder(3, 4), LstmSeq2SeqEncoder(3, 4, stateful=True)],
    ids=["gru", "stateful"],
)
def test_other_encoders_are_not_replaced(encoder: Any) -> None:
    assert wrapped_lstm(encoder) is None
