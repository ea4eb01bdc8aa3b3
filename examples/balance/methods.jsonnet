// What each method changes in the config of a comparison: one line for each. run.py adds the models with
// one head, `single_HEAD`. `heads` are the heads that are trained. `mix` gives all heads, or those that it
// lists, a mix of the encoder's layers, which have the same size in ../ewt/minilm.jsonnet only.
local weighting(type) = { model: { loss_weighting: { type: type } } };
local aggregation(name) = {
  trainer: { callbacks: [{ type: "gradient_aggregation", aggregator: name }] },
};

local balancing = {
  mean: weighting("mean"),
  uncertainty: weighting("uncertainty"),
  dynamic_average: weighting("dynamic_average"),
  random: weighting("random"),
  geometric: weighting("geometric"),
  imtl_l: weighting("imtl_l"),
  famo: weighting("famo"),
  smooth_tchebycheff: weighting("smooth_tchebycheff"),
  upgrad: aggregation("upgrad"),
  pcgrad: aggregation("pcgrad"),
  imtl_g: aggregation("imtl_g"),
  aligned_mtl: aggregation("aligned_mtl"),
};

// A GRU of its own reads the tokens for the genre. `null` removes an option.
local genre_gru = {
  type: "gru",
  embedding_dim: null,
  averaged: null,
  input_size: 384,
  hidden_size: 128,
  bidirectional: true,
};

// A hidden layer of its own for a head.
local layer = { input_dim: 384, num_layers: 1, hidden_dims: 256, activations: "relu", dropout: 0.2 };
local wide = layer { hidden_dims: 512 };

{
  annotations: { joint: {} } + balancing,
  // The loss of a sequence of slots is a sum over its tokens.
  three_tasks: { joint: {}, slots_weight: { model: { loss_weights: { slots: 0.1 } } } } + balancing,
  // Further changes, to find what the heads cost each other.
  minilm: {
    joint: {},
    without_genre: { heads: ["upos", "xpos", "parser"] },
    genre_weight: { model: { loss_weights: { genre: 0.1 } } },
    genre_weight_0_3: { model: { loss_weights: { genre: 0.3 } } },
    genre_weight_0_5: { model: { loss_weights: { genre: 0.5 } } },
    genre_weight_2: { model: { loss_weights: { genre: 2.0 } } },
    tags_weight: { model: { loss_weights: { upos: 3.0, xpos: 3.0 } } },
    genre_gru: { model: { heads: { genre: { seq2vec_encoder: genre_gru } } } },
    clip_5: { trainer: { grad_norm: 5.0 } },
    layer_mix: { mix: true },
    mix_but_genre: { mix: ["upos", "xpos", "parser"] },
    epochs_3: { trainer: { num_epochs: 3 } },
    freeze_2: { trainer: { no_grad: ["embeddings", "layer\\.[01]\\."] } },
    tags_layer: { model: { heads: { upos: { feedforward: layer }, xpos: { feedforward: layer } } } },
    tags_512: { model: { heads: { upos: { feedforward: wide }, xpos: { feedforward: wide } } } },
    genre_layer: { model: { heads: { genre: { feedforward: layer { hidden_dims: 384 } } } } },
    batch_8: { data_loader: { batch_size: 8 } },
  } + balancing,
}
