// Four tasks that share three heads. Each text has one pass through the backbone, and the heads
// predict its polarity, its intensity and the collection that it is from.
//
// `python examples/vader/fetch.py` writes the data. From the root of the checkout:
//
//     DATA_DIR=examples/vader/work/data allennlp train examples/vader/config.jsonnet \
//         -s examples/vader/work/model --include-package multitask_model
//
// DATA_DIR is the folder of the data. Configs can read environment variables.
local data_dir = std.extVar("DATA_DIR");
local tasks = ["tweets", "movie_reviews", "product_reviews", "editorials"];
local classes = ["polarity", "source"];
local heads = classes + ["intensity"];
local embedding_dim = 100;

local reader = {
  type: "labeled_jsonl",
  labels: { [head]: "class" for head in classes } + { intensity: "number" },
  tokenizer: "letters_digits",
  token_indexers: { tokens: { type: "single_id", lowercase_tokens: true } },
  max_tokens: 60,
};

local pool = {
  seq2vec_encoder: { type: "boe", embedding_dim: embedding_dim, averaged: true },
  dropout: 0.4,
};
local classifier(head) = pool { type: "classifier", label_namespace: head + "_labels" };

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
    heads: { [head]: classifier(head) for head in classes }
           + { intensity: pool { type: "regression" } },
    task_heads: { [task]: heads for task in tasks },
    // The reader's fields are named after the keys. The argument of a classifier is `label`, that
    // of a regression is `target`.
    arg_name_mapping: { [head]: { [head]: "label" } for head in classes }
                      + { intensity: { intensity: "target" } },
    per_task_metrics: true,
  },
  // An epoch has the same number of texts from each collection, so every batch has all four.
  // Without a sampler, the smaller collections run out, and the last batches have movie reviews
  // only. The next epoch continues with the texts that this one did not reach.
  data_loader: {
    type: "multitask",
    scheduler: { type: "roundrobin", batch_size: 128 },
    sampler: "uniform",
    instances_per_epoch: 16000,
  },
  // Every text once.
  validation_data_loader: {
    type: "multitask",
    scheduler: { type: "roundrobin", batch_size: 128 },
    shuffle: false,
  },
  trainer: {
    optimizer: { type: "adam", lr: 0.006 },
    num_epochs: 5,
    patience: 2,
    validation_metric: "+polarity_accuracy",
    callbacks: [{ type: "task_report" }],
  },
}
