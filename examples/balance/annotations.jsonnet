// Four annotations of the same sentences: the heads of ../ewt/bilstm.jsonnet with a smaller encoder,
// on 1,000 sentences for training and 500 for evaluation, which run.py writes into PARTS_DIR.
local parts = std.extVar("PARTS_DIR");
local hidden = 100;
local config = import "../ewt/bilstm.jsonnet";

config {
  train_data_path: { ewt: parts + "/train.conllu.gz" },
  validation_data_path: { ewt: parts + "/dev.conllu" },
  model+: {
    backbone+: { encoder+: { hidden_size: hidden, num_layers: 1 } },
    heads+: {
      upos+: { input_dim: 2 * hidden },
      xpos+: { input_dim: 2 * hidden },
      parser+: { input_dim: 2 * hidden },
      genre+: { seq2vec_encoder+: { embedding_dim: 2 * hidden } },
    },
  },
  trainer+: { num_epochs: 10, callbacks: [] },
}
