// Two tasks with two heads: `polarity` predicts the polarity of reviews and of tweets, `stars` the
// stars of reviews. Both heads read the output of one backbone.
//
//     multitask-model describe experiment.jsonnet          what goes where, without training
//     multitask-model train experiment.jsonnet -s run      writes run/model.tar.gz
//     multitask-model evaluate run/model.tar.gz '{"tweets": "data/tweets.jsonl"}'
//     echo '{"task": "reviews", "text": "A wonderful film."}' > inputs.jsonl
//     multitask-model predict run/model.tar.gz inputs.jsonl
//     python -m pytest                                     tests the project
//
// The file `.allennlp_plugins` names the modules that these commands import: `stars_head` is ours.

local dim = 32;

// A reader for each task. Each key of `labels` that a line has becomes a field of that name.
local reader(labels) = {
  type: "labeled_jsonl",
  labels: labels,
  token_indexers: { tokens: { type: "single_id", lowercase_tokens: true } },
};

// Each task has a file. With real data, validation_data_path names other files than this one.
local data = { reviews: "data/reviews.jsonl", tweets: "data/tweets.jsonl" };

{
  // The reader `multitask` adds the field `task` to the instances: the name of their dataset.
  dataset_reader: {
    type: "multitask",
    readers: {
      reviews: reader({ polarity: "class", stars: "number" }),
      tweets: reader({ polarity: "class" }),
    },
  },
  train_data_path: data,
  validation_data_path: data,

  model: {
    type: "multitask",

    // The backbone is called once for each batch. It takes the field `text` and returns
    // `encoded_text` and `encoded_text_mask`.
    backbone: {
      type: "text",
      text_field_embedder: {
        token_embedders: { tokens: { type: "embedding", embedding_dim: dim } },
      },
    },

    // A head takes fields and outputs of the backbone: what its `forward` has arguments for.
    heads: {
      polarity: {
        type: "classifier",
        seq2vec_encoder: { type: "boe", embedding_dim: dim, averaged: true },
        // The reader writes the labels of the key `polarity` to this namespace of the vocabulary.
        label_namespace: "polarity_labels",
      },
      stars: { type: "stars", input_dim: dim },  // the head in stars_head.py
    },

    // Which heads serve the instances of a task.
    task_heads: { reviews: ["polarity", "stars"], tweets: ["polarity"] },

    // The argument `label` of the classifier is the field `polarity`. The argument `stars` of our
    // own head has the name of the field, so it needs no entry.
    arg_name_mapping: { polarity: { polarity: "label" } },
  },

  // Batches of 4 instances: one of each task in turn.
  data_loader: { type: "multitask", scheduler: { type: "roundrobin", batch_size: 4 } },

  trainer: {
    optimizer: { type: "adam", lr: 0.02 },
    num_epochs: 20,
    // The archive has the weights of the epoch with the lowest joint loss. Metrics of a head begin
    // with its name: "+polarity_accuracy".
    validation_metric: "-loss",
  },
}
