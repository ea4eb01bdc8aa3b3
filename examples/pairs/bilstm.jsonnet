// Entailment and similarity of pairs of texts, with a siamese BiLSTM that is trained from random
// weights: the same BiLSTM encodes both texts, and the heads take [u; v; |u - v|; u * v]. PAIRS_DIR
// is the output folder of make_pairs.py.
local words = 100;
local hidden = 100;
local pair = 4 * 2 * hidden;
local dropout = 0.2;

local config = import "pairs.libsonnet";

config(
  reader={
    tokenizer: { type: "letters_digits" },
    token_indexers: { tokens: { type: "single_id", lowercase_tokens: true } },
  },
  backbone={
    text_field_embedder: {
      token_embedders: { tokens: { type: "embedding", embedding_dim: words } },
    },
    encoder: { type: "lstm", input_size: words, hidden_size: hidden, bidirectional: true },
    seq2vec_encoder: { type: "boe", embedding_dim: 2 * hidden, averaged: true },
    dropout: dropout,
  },
  // The backbone returns one vector for a pair, so its mean is that vector.
  pool={ type: "boe", embedding_dim: pair, averaged: true },
  feedforward={
    feedforward: {
      input_dim: pair,
      num_layers: 1,
      hidden_dims: 200,
      activations: "relu",
      dropout: dropout,
    },
  },
) + {
  data_loader: { type: "multitask", batch_size: 32 },
  validation_data_loader: { type: "multitask", batch_size: 128 },
  trainer: {
    optimizer: { type: "adam", lr: 0.002 },
    grad_norm: 5.0,
    num_epochs: 12,
    patience: 5,
    validation_metric: ["+entailment_accuracy", "+similarity_pearson"],
    callbacks: [{ type: "task_report" }],
    cuda_device: -1,
  },
}
