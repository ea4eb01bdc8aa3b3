// minilm.jsonnet with a mix of the transformer's layers of their own for the tags and the parser. The
// genre keeps the last layer, which was pretrained for whole sentences. ../balance compares both.
local minilm = import "minilm.jsonnet";
local mixed = ["upos", "xpos", "parser"];
local output(head) = head + "_text";

minilm + {
  model+: {
    backbone+: {
      layer_mixes: [output(head) for head in mixed],
      output_layers: { [output("genre")]: -1 },
    },
    arg_name_mapping+: {
      [head]+: { [output(head)]: "encoded_text" }
      for head in mixed + ["genre"]
    },
  },
  // More steps.
  data_loader+: { batch_size: 8 },
}
