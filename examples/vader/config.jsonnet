// Two tasks on one small backbone: the polarity of a text, and which kind of text it is.
// `python examples/vader/fetch.py` writes the data. From the root of the checkout:
//
//     DATA_DIR=examples/vader/work/data allennlp train examples/vader/config.jsonnet \
//         -s examples/vader/work/model --include-package multitask_model
//
// The `allennlp` command hands environment variables to its configs, so DATA_DIR is where they are.
local data_dir = std.extVar("DATA_DIR");
local tasks = ["polarity", "source"];
local embedding_dim = 100;

local reader = {
  type: "text_classification_json",
  tokenizer: "letters_digits",
  token_indexers: { tokens: { type: "single_id", lowercase_tokens: true } },
  max_sequence_length: 60,
};

// This reader writes the labels of both tasks into one vocabulary namespace, `labels`. So either
// head chooses among all seven labels; training soon teaches it not to choose the other task's.
local head = {
  type: "classifier",
  seq2vec_encoder: { type: "boe", embedding_dim: embedding_dim, averaged: true },
  dropout: 0.4,
};

local paths(split) = { [task]: "%s/%s_%s.jsonl" % [data_dir, task, split] for task in tasks };

{
  dataset_reader: { type: "multitask", readers: { [task]: reader for task in tasks } },
  train_data_path: paths("train"),
  validation_data_path: paths("validation"),
  vocabulary: { min_count: { tokens: 2 } },
  model: {
    type: "multitask",
    backbone: {
      type: "text",
      text_field_embedder: {
        token_embedders: { tokens: { type: "embedding", embedding_dim: embedding_dim } },
      },
      dropout: 0.4,
    },
    heads: { [task]: head for task in tasks },
    // The reader calls the text `tokens`, the backbone calls it `text`.
    arg_name_mapping: { backbone: { tokens: "text" } },
  },
  // Every batch is half polarity, half source: one pass of the backbone serves both heads.
  data_loader: { type: "multitask", scheduler: { type: "roundrobin", batch_size: 128 } },
  trainer: {
    optimizer: { type: "adam", lr: 0.004 },
    num_epochs: 5,
    patience: 2,
    validation_metric: "+polarity_accuracy",
  },
}
