// Entailment and similarity of sentence pairs. A pair is one joined sequence, so a classifier and a
// regression are enough. A line of the data has one or both of the labels:
//
//     {"text": "A man sleeps. [SEP] A man is awake.", "entailment": "contradiction", "similarity": 2.5}
//
// The tokenizer converts `[SEP]` to the separator of the transformer (for RoBERTa, write `</s></s>`)
// and adds the special tokens of a single sequence. PAIRS_DIR is the folder of train.jsonl and
// dev.jsonl, MINILM_DIR that of the transformer.
local transformer = std.extVar("MINILM_DIR");
local data = std.extVar("PAIRS_DIR");
local first_token = { seq2vec_encoder: { type: "cls_pooler", embedding_dim: 384 }, dropout: 0.1 };

{
  dataset_reader: {
    type: "multitask",
    readers: {
      pairs: {
        type: "labeled_jsonl",
        labels: { entailment: "class", similarity: "number" },
        tokenizer: { type: "pretrained_transformer", model_name: transformer },
        token_indexers: { tokens: { type: "pretrained_transformer", model_name: transformer } },
      },
    },
  },
  train_data_path: { pairs: data + "/train.jsonl" },
  validation_data_path: { pairs: data + "/dev.jsonl" },
  model: {
    type: "multitask",
    backbone: {
      type: "text",
      text_field_embedder: {
        token_embedders: { tokens: { type: "pretrained_transformer", model_name: transformer } },
      },
    },
    heads: {
      entailment: first_token { type: "classifier", label_namespace: "entailment_labels" },
      similarity: first_token { type: "regression" },
    },
    task_heads: { pairs: ["entailment", "similarity"] },
    arg_name_mapping: {
      entailment: { entailment: "label" },
      similarity: { similarity: "target" },
    },
  },
  data_loader: { type: "multitask", scheduler: { type: "roundrobin", batch_size: 16 } },
  trainer: {
    optimizer: { type: "huggingface_adamw", lr: 0.00005 },
    num_epochs: 3,
    validation_metric: "+entailment_accuracy",
    cuda_device: -1,
  },
}
