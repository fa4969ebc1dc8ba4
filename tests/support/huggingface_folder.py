"""Writes a model folder as training frameworks publish it (config.json, safetensors, tokenizer.json, ...) from a GGUF
file whose matrices are f32, f16 or bf16.

Only Python's own library. What GGUF's writers change is changed back: Llama's query and key rows, Gemma's norms,
GPT-2's matrices.
"""

import json
import struct
import sys
from pathlib import Path

PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TYPES = {0: ("F32", 4), 1: ("F16", 2), 30: ("BF16", 2)}  # GGUF's number: safetensors' name, bytes


class Gguf:
    """Metadata and tensors of a GGUF file: tensors[name] = (shape outermost first, type number, bytes)."""

    def __init__(self, path):
        self.data = Path(path).read_bytes()
        tensors, entries = struct.unpack_from("<QQ", self.data, 8)
        self.at = 24
        self.metadata = {}
        for _ in range(entries):
            key = self._text()
            self.metadata[key] = self._value(self._number("I"))
        listed = []
        for _ in range(tensors):
            name = self._text()
            shape = [self._number("Q") for _ in range(self._number("I"))][::-1]
            listed.append((name, shape, self._number("I"), self._number("Q")))
        base = (self.at + 31) // 32 * 32
        self.tensors = {}
        for name, shape, kind, offset in listed:
            size = TYPES[kind][1]
            for extent in shape:
                size *= extent
            self.tensors[name] = (shape, kind, self.data[base + offset:base + offset + size])

    def _number(self, code):
        value, = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def _text(self):
        length = self._number("Q")
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def _value(self, kind):
        if kind == 8:
            return self._text()
        if kind == 9:
            element = self._number("I")
            return [self._value(element) for _ in range(self._number("Q"))]
        return self._number(PLAIN[kind])


LLAMA = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
         "attn_k_norm": "self_attn.k_norm", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
         "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
GEMMA = {**LLAMA, "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
         "post_ffw_norm": "post_feedforward_layernorm"}
NAMES = {
    "llama": LLAMA, "qwen2": LLAMA, "qwen3": LLAMA, "gemma2": GEMMA, "gemma3": GEMMA,
    "phi3": {**LLAMA, "attn_qkv": "self_attn.qkv_proj", "ffn_up": "mlp.gate_up_proj"},
    "starcoder2": {**LLAMA, "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"},
    "gpt2": {"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2",
             "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"},
}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
TOP_GPT2 = {"token_embd": "transformer.wte", "position_embd": "transformer.wpe", "output_norm": "transformer.ln_f",
            "output": "lm_head"}


def rows(data, count):
    size = len(data) // count
    return [data[i * size:(i + 1) * size] for i in range(count)]


def halves(data, heads):
    """Rows of each head from neighbouring pairs to two halves."""
    out = []
    for head in rows(data, heads):
        values = rows(head, HEAD_SIZE)
        out += values[0::2] + values[1::2]
    return b"".join(out)


HEAD_SIZE = 0


def transposed(shape, unit, data):
    columns = shape[1]
    out = bytearray()
    for c in range(columns):
        for r in range(shape[0]):
            at = (r * columns + c) * unit
            out += data[at:at + unit]
    return [columns, shape[0]], bytes(out)


def convert(gguf):
    """The tensors under the framework's names: {name: (dtype, shape, bytes)}."""
    global HEAD_SIZE
    kind = gguf.metadata["general.architecture"]
    heads = gguf.metadata[kind + ".attention.head_count"]
    kv_heads = gguf.metadata[kind + ".attention.head_count_kv"]
    HEAD_SIZE = gguf.metadata.get(kind + ".attention.key_length", gguf.metadata[kind + ".embedding_length"] // heads)
    out = {}
    for name, (shape, number, data) in gguf.tensors.items():
        dtype, unit = TYPES[number]
        if name == "rope_freqs.weight":
            continue
        if name.startswith("blk."):
            _, layer, module, suffix = name.split(".")
            root = "transformer.h." if kind == "gpt2" else "model.layers."
            theirs = root + layer + "." + NAMES[kind][module] + "." + suffix
        else:
            module, suffix = name.split(".")
            theirs = (TOP_GPT2 if kind == "gpt2" else TOP)[module] + "." + suffix
        if kind == "llama" and module in ("attn_q", "attn_k"):
            data = halves(data, heads if module == "attn_q" else kv_heads)
        if kind.startswith("gemma") and module.endswith("norm"):
            values = struct.unpack(f"<{len(data) // 4}f", data)
            data = struct.pack(f"<{len(values)}f", *(v - 1 for v in values))
        if kind == "gpt2" and suffix == "weight" and module in ("attn_qkv", "attn_output", "ffn_up", "ffn_down"):
            shape, data = transposed(shape, unit, data)
        out[theirs] = (dtype, shape, data)
    return out


def config(gguf):
    kind = gguf.metadata["general.architecture"]
    get = lambda key, fallback=None: gguf.metadata.get(kind + "." + key, fallback)  # noqa: E731
    heads = get("attention.head_count")
    if kind == "gpt2":
        return {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": get("embedding_length"),
                "n_layer": get("block_count"), "n_head": heads, "n_inner": get("feed_forward_length"),
                "n_positions": get("context_length"), "vocab_size": get("vocab_size"),
                "layer_norm_epsilon": get("attention.layer_norm_epsilon"), "activation_function": "gelu_new",
                "bos_token_id": 0, "eos_token_id": 2}
    out = {"model_type": "gemma3_text" if kind == "gemma3" else kind, "hidden_size": get("embedding_length"),
           "num_hidden_layers": get("block_count"), "num_attention_heads": heads,
           "num_key_value_heads": get("attention.head_count_kv"), "intermediate_size": get("feed_forward_length"),
           "max_position_embeddings": get("context_length"), "vocab_size": get("vocab_size"),
           "rope_theta": get("rope.freq_base"), "bos_token_id": 0, "eos_token_id": 2, "torch_dtype": "float16",
           "tie_word_embeddings": "output.weight" not in gguf.tensors}
    head = get("attention.key_length", get("embedding_length") // heads)
    if kind in ("llama", "qwen3", "gemma2", "gemma3"):
        out["head_dim"] = head
    if kind == "starcoder2":
        out.update(norm_epsilon=get("attention.layer_norm_epsilon"), hidden_act="gelu_pytorch_tanh", use_bias=True,
                   sliding_window=None)
    else:
        out["rms_norm_eps"] = get("attention.layer_norm_rms_epsilon")
    if kind.startswith("gemma"):
        out.update(hidden_activation="gelu_pytorch_tanh", query_pre_attn_scalar=head,
                   sliding_window=get("attention.sliding_window"), attn_logit_softcapping=get("attn_logit_softcapping"),
                   final_logit_softcapping=get("final_logit_softcapping"))
    elif kind != "starcoder2":
        out["hidden_act"] = "silu"
    if "rope_freqs.weight" in gguf.tensors:
        factors = gguf.tensors["rope_freqs.weight"][2]
        factors = list(struct.unpack(f"<{len(factors) // 4}f", factors))
        out["rope_scaling"] = {"rope_type": "longrope", "short_factor": factors, "long_factor": factors, "attention_factor": 1.0}
    if kind == "qwen2":
        out.update(use_sliding_window=False, sliding_window=4096, max_window_layers=2)
    return out


def tokenizer(gguf):
    tokens = gguf.metadata["tokenizer.ggml.tokens"]
    types = gguf.metadata["tokenizer.ggml.token_type"]
    assert gguf.metadata["tokenizer.ggml.pre"] == "smollm", "the only pre-tokenizer of the files this is for"
    special = [i for i, kind in enumerate(types) if kind == 3]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i in special],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "vocab": {token: i for i, token in enumerate(tokens)}, "merges": gguf.metadata["tokenizer.ggml.merges"]},
    }


def write_safetensors(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            out.write(data)


def write_folder(source, folder, shards=1, template="{{ messages[0].content }}"):
    gguf = Gguf(source)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = convert(gguf)
    if shards == 1:
        write_safetensors(folder / "model.safetensors", tensors)
    else:
        names, where = list(tensors), {}
        for i in range(shards):
            file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
            part = {name: tensors[name] for name in names[i::shards]}
            write_safetensors(folder / file, part)
            where.update((name, file) for name in part)
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    (folder / "config.json").write_text(json.dumps(config(gguf), indent=1))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(gguf), ensure_ascii=False))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>", "chat_template": template}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, 2], "temperature": 0.6, "top_p": 0.95}))
    return folder


if __name__ == "__main__":
    write_folder(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)
