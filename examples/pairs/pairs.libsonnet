// The common part of the configs of this folder: one task with two heads that compare two texts.
// `reader` has the tokenizer and the indexers, `pool` is the seq2vec_encoder of the heads.
function(reader, backbone, pool, feedforward={}) {
  local data = std.extVar("PAIRS_DIR"),
  local head = { seq2vec_encoder: pool } + feedforward,

  dataset_reader: {
    type: "multitask",
    readers: {
      pairs: reader {
        type: "labeled_jsonl",
        labels: { entailment: "class", similarity: "number" },
        text_pair_key: "text_pair",
      },
    },
  },
  train_data_path: { pairs: data + "/train.jsonl" },
  validation_data_path: { pairs: data + "/validation.jsonl" },
  model: {
    type: "multitask",
    backbone: backbone { type: "text_pair" },
    heads: {
      entailment: head { type: "classifier", label_namespace: "entailment_labels" },
      similarity: head { type: "regression" },
    },
    task_heads: { pairs: ["entailment", "similarity"] },
    // Rename the reader's fields to the arguments of the heads.
    arg_name_mapping: {
      entailment: { entailment: "label" },
      similarity: { similarity: "target" },
    },
  },
}
