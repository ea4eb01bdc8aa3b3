// What the models of this folder have in common: one task with two heads, both served by one pass
// of the backbone. `token_indexers` go to the reader, `dim` is the size of what `backbone` makes.
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
    // The reader names a field after its key, and the heads have names of their own for it.
    arg_name_mapping: { intent: { intent: "label" }, slots: { slots: "tags" } },
  },
  // Texts of like length together: without that, most of what a batch holds is padding.
  data_loader: { type: "multitask", batch_size: 32, sorting_keys: ["text"] },
  validation_data_loader: { type: "multitask", batch_size: 64 },
}
