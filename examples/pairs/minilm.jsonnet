// Entailment and similarity of pairs of texts: fine-tunes MiniLM, a pretrained transformer. A pair
// is one sequence, `[CLS] text [SEP] text_pair [SEP]`, in the transformer's own form. MINILM_DIR is
// its folder, PAIRS_DIR the output folder of make_pairs.py.
local transformer = { type: "pretrained_transformer", model_name: std.extVar("MINILM_DIR") };

local config = import "pairs.libsonnet";

config(
  // Both texts together must not exceed the 512 positions of the transformer.
  reader={ tokenizer: transformer { max_length: 256 }, token_indexers: { tokens: transformer } },
  backbone={ text_field_embedder: { token_embedders: { tokens: transformer } }, dropout: 0.1 },
  pool={ type: "cls_pooler", embedding_dim: 384 },
) + {
  data_loader: { type: "multitask", batch_size: 32 },
  validation_data_loader: { type: "multitask", batch_size: 128 },
  trainer: {
    optimizer: { type: "huggingface_adamw", lr: 0.00005 },
    learning_rate_scheduler: { type: "linear_with_warmup", warmup_steps: 50 },
    num_epochs: 3,
    validation_metric: ["+entailment_accuracy", "+similarity_pearson"],
    callbacks: [{ type: "task_report" }],
    cuda_device: -1,
  },
}
