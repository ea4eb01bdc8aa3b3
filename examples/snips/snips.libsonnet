// The common part of the configs of this folder: one task with two heads and one pass of the
// backbone. `token_indexers` are for the reader. `dim` is the output dimension of the backbone.
function(token_indexers, backbone, dim) {
  local data = std.extVar("SNIPS_DIR"),

  dataset_reader: {
    type: "multitask",
    readers: {
      snips: {
        type: "labeled_jsonl",
        labels: { intent: "class", slots: "tags" },
        token_indexers: token_indexers,
      },
    },
  },
  train_data_path: { snips: data + "/train.jsonl" },
  validation_data_path: { snips: data + "/validation.jsonl" },
  model: {
    type: "multitask",
    backbone: backbone,
    heads: {
      intent: {
        type: "classifier",
        seq2vec_encoder: { type: "boe", embedding_dim: dim, averaged: true },
        label_namespace: "intent_labels",
      },
      slots: {
        type: "crf_tagger",
        input_dim: dim,
        label_encoding: "BIO",
        label_namespace: "slots_labels",
      },
    },
    task_heads: { snips: ["intent", "slots"] },
    // Rename the reader's fields to the arguments of the heads.
    arg_name_mapping: { intent: { intent: "label" }, slots: { slots: "tags" } },
  },
  // Batch queries of similar length. Otherwise, most of a batch is padding.
  data_loader: { type: "multitask", batch_size: 32, sorting_keys: ["text"] },
  validation_data_loader: { type: "multitask", batch_size: 64 },
}
