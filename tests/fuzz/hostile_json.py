"""Hostile safetensors files and JSON configurations."""

import json

from gguf_builder import u64


def st(header, data=0):
    head = header if isinstance(header, bytes) else (header if isinstance(header, str) else json.dumps(header)).encode()
    return u64(len(head)) + head + bytes(data)


def one(**fields):
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    entry.update(fields)
    return {"a": {k: v for k, v in entry.items() if v is not None}}


def valid_safetensors():
    return st({"__metadata__": {"format": "pt"}, "model.embed_tokens.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
               "model.norm.weight": {"dtype": "BF16", "shape": [2], "data_offsets": [16, 20]}}, 20)


def safetensors():
    whole = valid_safetensors()
    yield "empty", b"", "8 bytes"
    yield "seven-bytes", bytes(7), "8 bytes"
    yield "header-length-0", u64(0) + b"{}", "a JSON object"
    yield "header-length-max", u64(2**64 - 1) + b"{}", "header length"
    yield "header-length-one-past-end", u64(3) + b"{}", "header length"
    yield "header-length-wraps", u64(2**64 - 8) + b"{}", "header length"
    yield "a-gguf-file", b"GGUF\3\0\0\0" + bytes(16), "GGUF"
    yield "header-array", st("[]"), "a JSON object"
    yield "header-begins-with-space", st(" {}"), "a JSON object"
    yield "header-not-json", st("{'a': 1}"), "JSON"
    yield "header-not-utf-8", st(b'{"\xff\xfe": 1}'), "UTF-8"
    yield "header-two-documents", st("{}{}"), "JSON"
    yield "header-nested-100000", st('{"a":' * 100_000), "levels"
    yield "header-400000-values", st('{"__metadata__":{},"a":[' + "0," * 400_000 + "0]}"), "values"
    yield "tensor-twice", st('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), "twice"
    yield "field-twice", st('{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), "twice"
    yield "metadata-numbers", st({"__metadata__": {"a": 1}}), "a text"
    yield "metadata-array", st({"__metadata__": []}), "an object of texts"
    yield "tensor-is-a-number", st({"a": 7}), "found 7"
    yield "tensor-name-empty", st({"": one()["a"]}, 8), "1 to 1000"
    yield "tensor-name-2000-bytes", st({"x" * 2000: one()["a"]}, 8), "1 to 1000"
    yield "tensor-name-escape", st({"\x1b[2J": one()["a"]}, 8), "control"
    for field in ("dtype", "shape", "data_offsets"):
        yield f"without-{field}", st(one(**{field: None}), 8), field
        yield f"{field}-is-text", st(one(**{field: "\x1b]0;x"}), 8), field
        yield f"{field}-is-true", st(one(**{field: True}), 8), field
    yield "dtype-unknown", st(one(dtype="F128"), 8), "F128"
    yield "dtype-unsupported", st(one(dtype="F8_E5M2"), 8), "F8_E5M2"
    yield "field-unknown", st(one(extra=1), 8), "'extra'"
    yield "extent-negative", st(one(shape=[-2]), 8), "found -2"
    yield "extent-fraction", st(one(shape=[2.0]), 8), "2.0"
    yield "extent-2-64", st(one(shape=[2**64]), 8), ""
    yield "extent-max", st(one(shape=[2**64 - 1]), 8), "2^63"
    yield "product-2-64", st(one(shape=[2**32, 2**32]), 8), "product"
    yield "product-behind-zero", st(one(shape=[0, 2**62, 2**62], data_offsets=[0, 0])), "product"
    yield "bytes-wrap", st(one(shape=[2**62]), 8), "2^64 bytes"
    yield "rank-1000", st(one(shape=[1] * 1000), 8), "at most 8"
    yield "offsets-fall", st(one(data_offsets=[8, 0]), 8), "a rising pair"
    yield "offsets-negative", st(one(data_offsets=[-8, 0]), 8), "natural"
    yield "offsets-past-end", st(one(data_offsets=[0, 800], shape=[200]), 8), "rising pair up to"
    yield "offsets-max", st(one(data_offsets=[2**64 - 8, 2**64 - 1]), 8), "rising pair"
    yield "offsets-three", st(one(data_offsets=[0, 4, 8]), 8), "two natural"
    yield "offsets-wrong-size", st(one(shape=[1]), 8), "by dtype and shape"
    pair = {"a": one()["a"], "b": one(data_offsets=[4, 12])["a"]}
    yield "overlap", st(pair, 12), "overlap"
    yield "gap", st({"a": one()["a"], "b": one(data_offsets=[12, 20])["a"]}, 20), "gap"
    yield "data-longer-than-tensors", st(one(), 9), "to end where"
    yield "data-without-tensors", st({}, 9), "to end where"
    for at in (4, 8, 9, len(whole) // 2, len(whole) - 21, len(whole) - 20, len(whole) - 1):
        yield f"cut-at-{at}", whole[:at], ""


def safetensors_folders():
    """Each item is (kind, {file name: bytes or link target}, what the error says); the folder is opened."""
    tensor = st(one(), 8)
    index = "model.safetensors.index.json"

    def mapped(weight_map):
        return json.dumps({"weight_map": weight_map}).encode()

    yield "folder-empty", {"README.md": b""}, "model.safetensors"
    yield "index-empty", {index: b""}, "JSON"
    yield "index-without-map", {index: b"{}"}, "weight_map"
    yield "index-map-empty", {index: mapped({})}, "at least one"
    yield "index-map-is-a-list", {index: mapped([1])}, "weight_map"
    yield "index-points-up", {index: mapped({"a": "../../etc/passwd.safetensors"})}, "beside the index"
    yield "index-points-to-root", {index: mapped({"a": "/etc/shadow"})}, "beside the index"
    yield "index-points-to-itself", {index: mapped({"a": index})}, "beside the index"
    yield "index-cycle-through-link", {index: mapped({"a": "x.safetensors"}), "x.safetensors": index}, "header"
    yield "index-link-to-itself", {index: mapped({"a": "x.safetensors"}), "x.safetensors": "x.safetensors"}, ""
    yield "index-name-nul", {index: mapped({"a": "x\0.safetensors"})}, "beside the index"
    yield "index-shard-absent", {index: mapped({"a": "x.safetensors"})}, "x.safetensors"
    yield "index-tensor-absent", {index: mapped({"b": "x.safetensors", "a": "x.safetensors"}), "x.safetensors": tensor}, "none of this name"
    yield "index-tensor-not-listed", {index: mapped({"a": "x.safetensors"}), "x.safetensors": st(
        {"a": one()["a"], "z": one(data_offsets=[8, 16])["a"]}, 16)}, "no entry"
    yield "tensor-in-two-shards", {index: mapped({"a": "x.safetensors", "b": "y.safetensors"}), "x.safetensors": tensor,
                                   "y.safetensors": tensor}, "each tensor in one shard"


LLAMA = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100,
         "intermediate_size": 128, "max_position_embeddings": 512}


def configs():
    def changed(**fields):
        config = dict(LLAMA)
        config.update(fields)
        return json.dumps(config).encode()

    yield "empty", b"", "JSON"
    yield "null", b"null", "a JSON object"
    yield "nothing-in-it", b"{}", "model_type"
    yield "not-utf-8", b'{"model_type": "\xff"}', "UTF-8"
    yield "utf-16", json.dumps(LLAMA).encode("utf-16"), "JSON"
    yield "nul-inside", b'{"model_type": "a\0b"}', "JSON"
    yield "lone-surrogate", b'{"model_type": "\\ud800"}', "surrogate"
    yield "nested-100000", b'{"a":' * 100_000, "levels"
    yield "arrays-nested-100000", b"[" * 100_000, "levels"
    yield "300000-values", b'{"a":[' + b"1," * 300_000 + b"1]}", "values"
    yield "key-twice", b'{"model_type":"llama","model_type":"gpt2"}', "twice"
    yield "comment", b'{} // a comment', "JSON"
    yield "trailing-comma", b'{"a":1,}', "JSON"
    yield "number-1e999", b'{"hidden_size":1e999}', "JSON"
    yield "number-nan", b'{"rms_norm_eps":NaN}', "JSON"
    yield "number-of-a-million-digits", b'{"hidden_size":' + b"9" * 1_000_000 + b"}", "400 digits"
    yield "width-0", changed(hidden_size=0), "hidden_size"
    yield "width-negative", changed(hidden_size=-64), "found -64"
    yield "width-2-64", changed(hidden_size=2**64 - 1), "hidden_size"
    yield "width-text", changed(hidden_size="64"), "an integer"
    yield "width-fraction", changed(hidden_size=64.5), "64.5"
    yield "layers-array", changed(num_hidden_layers=[2]), "an integer"
    yield "heads-no-divisor", changed(num_attention_heads=5), "a divisor"
    yield "kv-heads-no-divisor", changed(num_key_value_heads=3), "a divisor"
    yield "epsilon-negative", changed(rms_norm_eps=-1e-5), "rms_norm_eps"
    yield "epsilon-huge", changed(rms_norm_eps=1e300), "rms_norm_eps"
    yield "rope-scaling-text", changed(rope_scaling="linear"), "an object"
    yield "rope-factor-negative", changed(rope_scaling={"type": "linear", "factor": -2}), "factor"
    yield "rope-factors-0", changed(rope_scaling={"type": "longrope", "long_factor": [0.0]}), "positive"
    yield "rope-factors-text", changed(rope_scaling={"type": "longrope", "short_factor": ["1"]}), "positive"
    yield "layer-types-too-few", changed(layer_types=["full_attention"]), "2 entries"
    yield "layer-types-unknown", changed(layer_types=["full_attention", "\x1b[2J"]), "full_attention or"
    yield "end-past-vocabulary", changed(eos_token_id=[1, 100]), "below 100"
    yield "text-config-cycle-by-name", changed(text_config={"text_config": {"hidden_size": 0}, "hidden_size": 0}), "found 0"
    yield "text-config-array", changed(text_config=[LLAMA]), "an object"
    whole = changed()
    for at in (1, len(whole) // 2, len(whole) - 1):
        yield f"cut-at-{at}", whole[:at], "JSON"


def generation_configs():
    yield "temperature-negative", b'{"temperature":-0.5}', "temperature"
    yield "top-k-text", b'{"top_k":"40"}', "top_k"
    yield "top-k-2-63", b'{"top_k":9223372036854775808}', "top_k"
    yield "ends-nested", b'{"eos_token_id":[[1]]}', "eos_token_id"
    yield "array", b"[1]", "a JSON object"
