// Tags, dependencies and genre of the sentences of UD English EWT, with a BiLSTM over words and
// characters that is trained from random weights. EWT_DIR is the folder of the treebank.
local words = 100;
local characters = { embedding: 16, filters: 50 };
local hidden = 200;
local dropout = 0.3;

local config = import "ewt.libsonnet";

config(
  token_indexers={
    tokens: { type: "single_id", lowercase_tokens: true },
    token_characters: { type: "characters", min_padding_length: 3 },
  },
  backbone={
    type: "text",
    text_field_embedder: {
      token_embedders: {
        tokens: { type: "embedding", embedding_dim: words },
        token_characters: {
          type: "character_encoding",
          embedding: {
            embedding_dim: characters.embedding,
            vocab_namespace: "token_characters",
          },
          encoder: {
            type: "cnn",
            embedding_dim: characters.embedding,
            num_filters: characters.filters,
            ngram_filter_sizes: [3],
          },
        },
      },
    },
    encoder: {
      type: "lstm",
      input_size: words + characters.filters,
      hidden_size: hidden,
      num_layers: 2,
      dropout: dropout,
      bidirectional: true,
    },
    dropout: dropout,
  },
  dim=2 * hidden,
  batch_size=32,
) + {
  // Words that occur once are mapped to the OOV token, so that its vector is trained.
  vocabulary: { min_count: { tokens: 2 } },
  trainer: {
    optimizer: { type: "adam", lr: 0.003 },
    learning_rate_scheduler: { type: "linear_with_warmup", warmup_steps: 100 },
    grad_norm: 5.0,
    num_epochs: 6,
    patience: 3,
    validation_metric: "+parser_LAS",
    callbacks: [{ type: "task_report" }],
    cuda_device: -1,
  },
}
