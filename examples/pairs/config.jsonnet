// Two questions about pairs of texts: does the first entail the second, and how similar are they? A
// pair is one joint text, so it needs no head of its own: a classifier and a regression do. A line of
// the data is
//
//     {"text": "A man sleeps. [SEP] A man is awake.", "entailment": "contradiction", "similarity": 2.5}
//
// and may have both labels or one of them. To the tokenizer of a transformer, `[SEP]` is its own
// separator (that of RoBERTa would be `</s></s>`), and it puts the special tokens of a single text
// around the whole. PAIRS_DIR is the folder with train.jsonl and dev.jsonl, MINILM_DIR that of a
// transformer.
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
