// Three datasets of different size and difficulty, with one head each: dependency trees of 1,000
// sentences, slots of 400 queries, and the intent of 100 other queries. run.py writes the training
// data and 500 sentences for evaluation into PARTS_DIR. SNIPS_DIR has the other data for evaluation.
local parts = std.extVar("PARTS_DIR");
local annotations = import "annotations.jsonnet";
local dim = 200;

local indexers = annotations.dataset_reader.readers.ewt.token_indexers;
local queries(label, type) = {
  type: "labeled_jsonl",
  labels: { [label]: type },
  token_indexers: indexers,
};

annotations {
  dataset_reader: {
    type: "multitask",
    readers: {
      trees: { type: "conllu", fields: ["head_indices", "head_tags"], token_indexers: indexers },
      slots: queries("slots", "tags"),
      intent: queries("intent", "class"),
    },
  },
  train_data_path: {
    trees: parts + "/train.conllu.gz",
    slots: parts + "/slots.jsonl",
    intent: parts + "/intent.jsonl",
  },
  validation_data_path: {
    trees: parts + "/dev.conllu",
    slots: std.extVar("SNIPS_DIR") + "/validation.jsonl",
    intent: std.extVar("SNIPS_DIR") + "/validation.jsonl",
  },
  model+: {
    heads: {
      parser: annotations.model.heads.parser,
      slots: {
        type: "crf_tagger",
        input_dim: dim,
        label_encoding: "BIO",
        label_namespace: "slots_labels",
      },
      intent: annotations.model.heads.genre { label_namespace: "intent_labels" },
    },
    task_heads: { trees: ["parser"], slots: ["slots"], intent: ["intent"] },
    arg_name_mapping: { slots: { slots: "tags" }, intent: { intent: "label" } },
  },
  // Every batch has ten instances of each task, so that strategies which need all losses work. The
  // instances of small tasks are repeated.
  data_loader: {
    type: "multitask",
    scheduler: { type: "roundrobin", batch_size: 30 },
    sampler: "uniform",
    instances_per_epoch: 900,
  },
  trainer+: { num_epochs: 8 },
}
