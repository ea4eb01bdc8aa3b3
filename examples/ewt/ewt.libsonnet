// The common part of the configs of this folder: one task with four heads and one pass of the
// backbone. `token_indexers` are for the reader. `dim` is the output dimension of the backbone.
function(token_indexers, backbone, dim, batch_size) {
  local data = std.extVar("EWT_DIR"),
  local tagger(tags) = { type: "tagger", input_dim: dim, label_namespace: tags },

  dataset_reader: {
    type: "multitask",
    readers: {
      ewt: {
        type: "conllu",
        fields: ["upos_tags", "xpos_tags", "head_indices", "head_tags"],
        // The id of a document begins with its genre.
        sentence_labels: { genre: "newdoc id = ([a-z]+)" },
        token_indexers: token_indexers,
      },
    },
  },
  train_data_path: { ewt: data + "/en_ewt-ud-train.conllu.gz" },
  validation_data_path: { ewt: data + "/en_ewt-ud-dev.conllu" },
  model: {
    type: "multitask",
    backbone: backbone,
    heads: {
      upos: tagger("upos_tags"),
      xpos: tagger("xpos_tags"),
      parser: {
        type: "dependency_parser",
        input_dim: dim,
        arc_dim: 256,
        tag_dim: 32,
        dropout: 0.2,
      },
      genre: {
        type: "classifier",
        seq2vec_encoder: { type: "boe", embedding_dim: dim, averaged: true },
        label_namespace: "genre_labels",
      },
    },
    task_heads: { ewt: ["upos", "xpos", "parser", "genre"] },
    // The argument of a tagger is `tags` and that of a classifier is `label`. Those of the parser
    // have the names of the reader's fields, `head_indices` and `head_tags`.
    arg_name_mapping: {
      upos: { upos_tags: "tags" },
      xpos: { xpos_tags: "tags" },
      genre: { genre: "label" },
    },
  },
  // Batch sentences of similar length. Otherwise, most of a batch is padding.
  data_loader: { type: "multitask", batch_size: batch_size, sorting_keys: ["text"] },
  validation_data_loader: { type: "multitask", batch_size: 64 },
}
