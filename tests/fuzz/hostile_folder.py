"""Model folders that contradict themselves: config.json, tokenizer.json, generation_config.json, shards and their index."""

import copy
import json
import math
import struct

from gguf_builder import floats, u64

INDEX = "model.safetensors.index.json"
CONFIG = {"model_type": "llama", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
          "intermediate_size": 64, "vocab_size": 8, "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "hidden_act": "silu",
          "rope_theta": 10000.0, "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0}
LAYER = "model.layers.0."
SHAPES = {"model.embed_tokens.weight": [8, 32], "model.norm.weight": [32], LAYER + "input_layernorm.weight": [32],
          LAYER + "self_attn.q_proj.weight": [32, 32], LAYER + "self_attn.k_proj.weight": [16, 32],
          LAYER + "self_attn.v_proj.weight": [16, 32], LAYER + "self_attn.o_proj.weight": [32, 32],
          LAYER + "post_attention_layernorm.weight": [32], LAYER + "mlp.gate_proj.weight": [64, 32],
          LAYER + "mlp.up_proj.weight": [64, 32], LAYER + "mlp.down_proj.weight": [32, 64]}
SPECIAL = {"id": 0, "content": "<|end|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
TOKENIZER = {"version": "1.0", "added_tokens": [SPECIAL], "normalizer": None,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
             "post_processor": None, "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"<|end|>": 0, "a": 1, "b": 2, "ab": 3, "c": 4, "d": 5, "\u0120": 6, "e": 7}, "merges": ["a b"]}}


def packed(tensors):
    """safetensors of {name: (dtype, shape, bytes)}."""
    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    head = json.dumps(header).encode()
    return u64(len(head)) + head + b"".join(data for _, _, data in tensors.values())


def tensors():
    return {name: ("F32", shape, floats(math.prod(shape))) for name, shape in SHAPES.items()}


def folder(config=CONFIG, words=TOKENIZER, weights=None, **more):
    files = {"config.json": json.dumps(config).encode(), "tokenizer.json": json.dumps(words).encode(),
             "model.safetensors": packed(tensors()) if weights is None else weights}
    files.update({name.replace("__", "."): content for name, content in more.items()})
    return {name: content for name, content in files.items() if content is not None}


def sharded(weight_map=None, parts=None):
    """The valid model in two shards, or with another map or other parts."""
    all_tensors, names = tensors(), list(SHAPES)
    halves = {"a.safetensors": {n: all_tensors[n] for n in names[::2]}, "b.safetensors": {n: all_tensors[n] for n in names[1::2]}}
    where = {n: file for file, held in halves.items() for n in held}
    files = folder(weights=b"")
    del files["model.safetensors"]
    files.update({file: packed(held) for file, held in halves.items()} if parts is None else parts)
    files[INDEX] = json.dumps({"metadata": {}, "weight_map": where if weight_map is None else weight_map}).encode()
    return files


def joined(files):
    """One input for the fuzz targets that take several files (file_set.hpp)."""
    return b"\n".join(b"=====" + name.encode() + b"\n" + content for name, content in files.items())


def configs():
    def changed(**fields):
        return folder({**CONFIG, **fields})

    def dropped(name):
        return folder({k: v for k, v in CONFIG.items() if k != name})

    yield "config-empty", folder() | {"config.json": b""}, "config.json"
    yield "config-is-a-template", folder() | {"config.json": b"{{ config }}"}, "config.json"
    yield "config-nested-100000", folder() | {"config.json": b'{"a":' * 100_000}, "levels"
    yield "config-20-mb", folder() | {"config.json": b'{"a":"' + b"x" * 20_000_000 + b'"}'}, ""
    yield "config-link-to-itself", folder() | {"config.json": "config.json"}, "config.json"
    for name in ("model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"):
        yield f"config-without-{name}", dropped(name), name
    yield "config-family-unknown", changed(model_type="sorcerer"), "'sorcerer'"
    yield "config-family-escape", changed(model_type="\x1b[2J"), "model_type"
    yield "config-family-list", changed(model_type=["llama"]), "model_type"
    yield "config-quantized", changed(quantization_config={"quant_method": "gptq"}), "gptq"
    yield "config-layers-4096", changed(num_hidden_layers=4096), "model.layers.1."
    yield "config-layers-2-40", changed(num_hidden_layers=2**40), "num_hidden_layers"
    yield "config-width-2-24", changed(hidden_size=2**24), ""
    yield "config-width-2-40", changed(hidden_size=2**40), "hidden_size"
    yield "config-width-wraps", changed(hidden_size=2**32 + 32), "hidden_size"
    yield "config-heads-times-size", changed(num_attention_heads=65536, num_key_value_heads=1, hidden_size=65536, head_dim=65536), "head_dim"
    yield "config-heads-other", changed(num_attention_heads=4, num_key_value_heads=4, head_dim=16), "q_proj"
    yield "config-head-odd", changed(head_dim=15), ""
    yield "config-context-2-40", changed(max_position_embeddings=2**40), "max_position_embeddings"
    yield "config-vocabulary-2-24", changed(vocab_size=2**24), ""
    yield "config-vocabulary-fewer", changed(vocab_size=7), "tokenizer.json"
    yield "config-vocabulary-more", changed(vocab_size=9), "vocab_size"
    yield "config-hidden-act-unknown", changed(hidden_act="sine"), "'sine'"
    yield "config-not-tied", changed(tie_word_embeddings=False), "lm_head.weight"
    yield "config-biases", changed(attention_bias=True), "q_proj.bias"
    yield "config-rope-unknown", changed(rope_scaling={"rope_type": "spiral", "factor": 2}), "'spiral'"
    yield "config-rope-factor-0", changed(rope_scaling={"rope_type": "linear", "factor": 0}), "factor"
    yield "config-rope-factor-absent", changed(rope_scaling={"rope_type": "linear"}), "factor"
    yield "config-rope-factors-few", changed(rope_scaling={"rope_type": "longrope", "short_factor": [1.0], "long_factor": [1.0]}), "short_factor"
    yield "config-rope-llama3-crossed", changed(rope_scaling={"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1,
                                                             "original_max_position_embeddings": 8}), "high_freq_factor"
    yield "config-rope-theta-0", changed(rope_theta=0), "rope_theta"
    yield "config-rotary-none", changed(partial_rotary_factor=0.0), "partial_rotary_factor"
    yield "config-epsilon-1", changed(rms_norm_eps=1), "rms_norm_eps"
    yield "config-end-past-vocabulary", changed(eos_token_id=8), "eos_token_id"
    yield "config-layer-types-few", changed(layer_types=[]) | {"config.json": json.dumps({**CONFIG, "layer_types": ["full_attention"] * 2}).encode()}, "layer_types"


def weights():
    def with_tensor(name, dtype="F32", shape=None, data=None):
        held = tensors()
        shape = SHAPES.get(name, [1]) if shape is None else shape
        held[name] = (dtype, shape, floats(math.prod(shape)) if data is None else data)
        return folder(weights=packed(held))

    for name in ("model.embed_tokens.weight", "model.norm.weight", LAYER + "self_attn.k_proj.weight", LAYER + "mlp.down_proj.weight"):
        held = tensors()
        del held[name]
        yield f"weights-without-{name}", folder(weights=packed(held)), name
        yield f"weights-shape-{name}", with_tensor(name, shape=[64]), name
    query = LAYER + "self_attn.q_proj.weight"
    yield "weights-of-another-layer", with_tensor("model.layers.1.input_layernorm.weight", shape=[32]), "model.layers.1.input_layernorm.weight"
    yield "weights-nobody-reads", with_tensor("model.backdoor.weight"), "model.backdoor.weight"
    yield "weights-are-integers", with_tensor(query, "I32"), "q_proj"
    yield "weights-are-bytes", with_tensor(query, "U8", data=bytes(1024)), "q_proj"
    yield "weights-rank-3", with_tensor(query, shape=[32, 8, 4]), "q_proj"
    yield "weights-turned", with_tensor(LAYER + "mlp.gate_proj.weight", shape=[32, 64]), "gate_proj"
    yield "weights-extent-0", with_tensor(query, shape=[0, 32]), "q_proj"
    yield "weights-nan-in-norm", with_tensor("model.norm.weight", data=struct.pack("<32f", *[1.0] * 31, math.nan)), "model.norm.weight"
    yield "weights-absent", folder() | {"model.safetensors": "nowhere.safetensors"}, "safetensors"
    yield "weights-a-gguf-file", folder(weights=b"GGUF\3\0\0\0" + bytes(16)), "GGUF"
    yield "weights-header-lies-long", folder(weights=u64(2**60) + packed(tensors())[8:]), "header length"
    yield "weights-header-lies-short", folder(weights=u64(16) + packed(tensors())[8:]), ""
    whole = packed(tensors())
    yield "weights-cut-in-data", folder(weights=whole[:-100]), ""
    yield "weights-cut-in-header", folder(weights=whole[:100]), "header length"
    yield "weights-git-lfs", folder(weights=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), ""


def shards():
    where = json.loads(sharded()[INDEX])["weight_map"]
    name = "model.norm.weight"
    yield "shards-one-absent", {k: v for k, v in sharded().items() if k != "b.safetensors"}, "b.safetensors"
    yield "shards-index-cut", sharded() | {INDEX: sharded()[INDEX][:60]}, "JSON"
    yield "shards-index-nested", sharded() | {INDEX: b'{"weight_map":' * 100_000}, "levels"
    yield "shards-map-other-shard", sharded({**where, name: "a.safetensors" if where[name] == "b.safetensors" else "b.safetensors"}), name
    yield "shards-map-of-numbers", sharded({**where, name: 1}), name
    yield "shards-map-up", sharded({**where, name: "../a.safetensors"}), "beside the index"
    yield "shards-map-without-a-tensor", sharded({k: v for k, v in where.items() if k != name}), name
    yield "shards-map-too-many", sharded({**where, "model.layers.7.x": "a.safetensors"}), "model.layers.7.x"
    yield "shards-2000-absent", sharded({f"t{i}": f"s{i}.safetensors" for i in range(2_000)}), ".safetensors"
    yield "shards-cycle", sharded({**where, name: INDEX}), "beside the index"
    yield "shards-link-to-index", sharded(parts={"a.safetensors": INDEX, "b.safetensors": INDEX}), "header"
    yield "shards-twice-the-same", sharded(parts={"a.safetensors": sharded()["a.safetensors"], "b.safetensors": sharded()["a.safetensors"]}), ""


def others():
    def words(**fields):
        return folder(words={**TOKENIZER, **fields})

    def model(**fields):
        return words(model={**TOKENIZER["model"], **fields})

    yield "tokenizer-absent", folder() | {"tokenizer.json": "nowhere"}, "tokenizer.json"
    yield "tokenizer-model-file-only", {k: v for k, v in folder().items() if k != "tokenizer.json"} | {"tokenizer.model": b"\x0a"}, "tokenizer.model"
    yield "tokenizer-more-than-rows", model(vocab={**TOKENIZER["model"]["vocab"], "f": 8}), "vocab_size"
    yield "tokenizer-ids-far", model(vocab={**TOKENIZER["model"]["vocab"], "f": 2**30}), ""
    yield "tokenizer-type-unknown", model(type="Oracle"), "Oracle"
    yield "tokenizer-empty", folder() | {"tokenizer.json": b""}, "tokenizer.json"
    yield "tokenizer-config-list", folder(tokenizer_config__json=b"[]"), "tokenizer_config.json"
    yield "tokenizer-config-nested", folder(tokenizer_config__json=b"[" * 100_000), "levels"
    yield "generation-hot", folder(generation_config__json=b'{"temperature": "hot"}'), "temperature"
    yield "generation-empty", folder(generation_config__json=b""), "generation_config.json"
    yield "generation-ends-negative", folder(generation_config__json=b'{"eos_token_id": [-1]}'), "eos_token_id"
    yield "generation-cut", folder(generation_config__json=b'{"eos_token_id": ['), "generation_config.json"
    yield "template-not-text", folder(chat_template__json=b'{"chat_template": 1}'), "chat_template"
    yield "template-absent-in-json", folder(chat_template__json=b"{}"), "chat_template"
    yield "nothing-but-config", {"config.json": json.dumps(CONFIG).encode()}, "tokenizer.json"
    yield "two-ggufs", {"a.gguf": b"GGUF", "b.gguf": b"GGUF"}, "2 GGUF models"
    yield "a-broken-gguf", {"a.gguf": b"GGUF"}, "version"


def folders():
    """Each item is (kind, {file name: bytes or link target}, what the error says); hence::load takes the folder."""
    for family in (configs, weights, shards, others):
        yield from family()


def seeds():
    yield folder(generation_config__json=b'{"eos_token_id": [0]}', tokenizer_config__json=b'{"eos_token": "<|end|>"}',
                 chat_template__jinja=b"{{ messages[0].content }}")
    yield sharded()
    gemma = copy.deepcopy(CONFIG)
    gemma.update(model_type="qwen2", rope_scaling={"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 8})
    held = tensors()
    for part, size in (("q", 32), ("k", 16), ("v", 16)):
        held[f"{LAYER}self_attn.{part}_proj.bias"] = ("BF16", [size], bytes(2 * size))
    yield folder(gemma, weights=packed(held))
