// The two heads of bilstm.jsonnet on a small pretrained transformer, which is fine-tuned.
// MINILM_DIR is the folder of its weights and tokenizer, SNIPS_DIR the output folder of prepare.py.
local transformer = {
  type: "pretrained_transformer_mismatched",
  model_name: std.extVar("MINILM_DIR"),
};

local config = import "snips.libsonnet";

config(
  token_indexers={ tokens: transformer },
  backbone={
    type: "text",
    text_field_embedder: { token_embedders: { tokens: transformer } },
    dropout: 0.2,
  },
  dim=384,
) + {
  trainer: {
    optimizer: {
      type: "huggingface_adamw",
      lr: 0.001,
      weight_decay: 0.01,
      // The pretrained weights have a lower learning rate than the heads.
      parameter_groups: [[["_text_field_embedder"], { lr: 0.0002 }]],
    },
    // Half of the weights are word-piece embeddings. They are frozen, because a batch uses few of
    // them.
    no_grad: ["word_embeddings"],
    learning_rate_scheduler: { type: "slanted_triangular", cut_frac: 0.1 },
    grad_norm: 1.0,
    num_epochs: 3,
    patience: 2,
    validation_metric: ["+slots_f1-measure-overall", "+intent_accuracy"],
    callbacks: [{ type: "task_report" }],
    cuda_device: -1,
  },
}
