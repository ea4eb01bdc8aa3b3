// What each method changes in a config of four heads on EWT: ../ewt/bilstm.jsonnet or minilm.jsonnet.
// `heads` are the heads that are trained. `mix` gives every head a mix of the encoder's layers, which
// have the same size in minilm.jsonnet only.
local weighting(type) = { model: { loss_weighting: { type: type } } };
local aggregation(name) = {
  trainer: { callbacks: [{ type: "gradient_aggregation", aggregator: name }] },
};

{
  joint: {},
  single_upos: { heads: ["upos"] },
  single_xpos: { heads: ["xpos"] },
  single_parser: { heads: ["parser"] },
  single_genre: { heads: ["genre"] },

  // One change each, to find what the heads cost each other.
  without_genre: { heads: ["upos", "xpos", "parser"] },
  genre_weight: { model: { loss_weights: { genre: 0.1 } } },
  clip_5: { trainer: { grad_norm: 5.0 } },
  layer_mix: { mix: true },
  layer_mix_genre_weight: { mix: true, model: { loss_weights: { genre: 0.1 } } },

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
}
