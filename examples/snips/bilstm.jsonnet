// Intent and slots of queries to a voice assistant, with a BiLSTM over words and characters that is
// trained from random weights. SNIPS_DIR is the output folder of prepare.py.
local words = 100;
local characters = { embedding: 16, filters: 50 };
local hidden = 200;
local dropout = 0.3;

local config = import "snips.libsonnet";

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
      bidirectional: true,
    },
    dropout: dropout,
  },
  dim=2 * hidden,
) + {
  // Words that occur once are mapped to the OOV token, so that its vector is trained.
  vocabulary: { min_count: { tokens: 2 } },
  trainer: {
    optimizer: { type: "adam", lr: 0.003 },
    learning_rate_scheduler: { type: "linear_with_warmup", warmup_steps: 100 },
    grad_norm: 5.0,
    num_epochs: 10,
    patience: 3,
    validation_metric: ["+slots_f1-measure-overall", "+intent_accuracy"],
    callbacks: [{ type: "task_report" }],
    cuda_device: -1,
  },
}
