"""GGUF bytes from Python values, right or deliberately wrong. Standard library only."""

import struct

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
PACK = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i", F32: "<f", BOOL: "<B", U64: "<Q", I64: "<q",
        F64: "<d"}


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return u64(len(data)) + data


class Raw(bytes):
    """A value's bytes, written as they are."""


def value_bytes(kind, value):
    if isinstance(value, Raw):
        return bytes(value)
    if kind == STRING:
        return text(value)
    if kind == ARRAY:
        element, items = value
        return u32(element) + u64(len(items)) + b"".join(value_bytes(element, item) for item in items)
    return struct.pack(PACK[kind], value)


class Gguf:
    """A file under construction: entries are [key, type, value], tensors [name, dims innermost first, type, data]."""

    def __init__(self, entries=(), tensors=(), version=3, alignment=32):
        self.entries = [list(e) for e in entries]
        self.tensors = [list(t) for t in tensors]
        self.version = version
        self.alignment = alignment
        self.magic = b"GGUF"
        self.tensor_count = None
        self.entry_count = None
        self.offsets = {}   # tensor name -> the offset to write instead of the right one
        self.marks = []     # (name of the place, its byte) of every structure's edge, filled by bytes()

    def set(self, key, kind, value):
        for entry in self.entries:
            if entry[0] == key:
                entry[1:] = [kind, value]
                return self
        self.entries.append([key, kind, value])
        return self

    def drop(self, key):
        self.entries = [e for e in self.entries if e[0] != key]
        return self

    def tensor(self, name):
        return next(t for t in self.tensors if t[0] == name)

    def drop_tensor(self, name):
        self.tensors = [t for t in self.tensors if t[0] != name]
        return self

    def bytes(self):
        out = bytearray(self.magic + u32(self.version))
        self.marks = [("magic", 4), ("version", 8), ("tensor-count", 16), ("entry-count", 24)]
        out += u64(len(self.tensors) if self.tensor_count is None else self.tensor_count)
        out += u64(len(self.entries) if self.entry_count is None else self.entry_count)
        for i, (key, kind, value) in enumerate(self.entries):
            out += text(key)
            self.marks.append((f"key-{i}", len(out)))
            out += u32(kind)
            self.marks.append((f"type-{i}", len(out)))
            out += value_bytes(kind, value)
            self.marks.append((f"value-{i}", len(out)))
        offset, placed = 0, []
        for i, (name, dims, kind, data) in enumerate(self.tensors):
            out += text(name)
            self.marks.append((f"name-{i}", len(out)))
            out += u32(len(dims)) + b"".join(u64(d) for d in dims)
            self.marks.append((f"dims-{i}", len(out)))
            out += u32(kind) + u64(self.offsets.get(name, offset))
            self.marks.append((f"info-{i}", len(out)))
            placed.append(data)
            offset += len(data) + -len(data) % self.alignment
        out += bytes(-len(out) % self.alignment)
        self.marks.append(("data", len(out)))
        for i, data in enumerate(placed):
            out += data
            self.marks.append((f"data-{i}", len(out)))
            out += bytes(-len(out) % self.alignment)
        return bytes(out)


TOKENS = ["<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab"]


def floats(count):
    return struct.pack(f"<{count}f", *(((i * 37) % 101 - 50) / 400 for i in range(count)))


def micro_model():
    """The smallest Llama that loads: one layer, width 32, two heads, eight tokens."""
    width, hidden, vocabulary = 32, 64, len(TOKENS)
    entries = [
        ("general.architecture", STRING, "llama"), ("general.name", STRING, "micro"),
        ("llama.context_length", U32, 16), ("llama.embedding_length", U32, width), ("llama.block_count", U32, 1),
        ("llama.feed_forward_length", U32, hidden), ("llama.attention.head_count", U32, 2),
        ("llama.attention.head_count_kv", U32, 1), ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        ("llama.rope.dimension_count", U32, 16), ("llama.rope.freq_base", F32, 10000.0),
        ("llama.vocab_size", U32, vocabulary), ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, TOKENS)),
        ("tokenizer.ggml.scores", ARRAY, (F32, [0, 0, 0, -1, -2, -3, -4, -5])),
        ("tokenizer.ggml.token_type", ARRAY, (I32, [2, 3, 3, 1, 1, 1, 1, 1])),
        ("tokenizer.ggml.bos_token_id", U32, 1), ("tokenizer.ggml.eos_token_id", U32, 2),
    ]
    shapes = {"token_embd.weight": (width, vocabulary), "output_norm.weight": (width,),
              "blk.0.attn_norm.weight": (width,), "blk.0.attn_q.weight": (width, width),
              "blk.0.attn_k.weight": (width, 16), "blk.0.attn_v.weight": (width, 16),
              "blk.0.attn_output.weight": (width, width), "blk.0.ffn_norm.weight": (width,),
              "blk.0.ffn_gate.weight": (width, hidden), "blk.0.ffn_up.weight": (width, hidden),
              "blk.0.ffn_down.weight": (hidden, width)}
    tensors = []
    for name, dims in shapes.items():
        count = 1
        for d in dims:
            count *= d
        tensors.append((name, dims, 0, floats(count)))
    return Gguf(entries, tensors)


def small():
    """A few entries of different types and two tensors: every structure of the format once."""
    return Gguf([("general.architecture", STRING, "llama"), ("flag", BOOL, 1), ("count", U32, 7),
                 ("words", ARRAY, (STRING, ["one", "two"])), ("table", ARRAY, (ARRAY, [(U8, [1]), (U8, [2, 3])])),
                 ("scores", ARRAY, (F32, [0.5, 1.5]))],
                [("w", (4, 2), 0, floats(8)), ("q", (32, 2), 8, bytes(68))])


def gpt2_tokenizer():
    """A byte-level vocabulary of a dozen tokens with four merges."""
    tokens = ["<|endoftext|>", "a", "b", "c", "d", "\u0120", "ab", "cd", "abcd", "\u0120a"]
    return Gguf([("general.architecture", STRING, "llama"), ("tokenizer.ggml.model", STRING, "gpt2"),
                 ("tokenizer.ggml.pre", STRING, "gpt-2"), ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)),
                 ("tokenizer.ggml.token_type", ARRAY, (I32, [3] + [1] * (len(tokens) - 1))),
                 ("tokenizer.ggml.merges", ARRAY, (STRING, ["a b", "c d", "ab cd", "\u0120 a"])),
                 ("tokenizer.ggml.eos_token_id", U32, 0)])


def scored_tokenizer(v):
    """A SentencePiece vocabulary by the fields that tests/text/tokenizer_vectors/*.json hold."""
    return Gguf([("general.architecture", STRING, "llama"), ("tokenizer.ggml.model", STRING, v["model"]),
                 ("tokenizer.ggml.tokens", ARRAY, (STRING, v["tokens"])), ("tokenizer.ggml.scores", ARRAY, (F32, v["scores"])),
                 ("tokenizer.ggml.token_type", ARRAY, (I32, v["types"])), ("tokenizer.ggml.unknown_token_id", U32, 0),
                 ("tokenizer.ggml.add_space_prefix", BOOL, v["add_space_prefix"]),
                 ("tokenizer.ggml.remove_extra_whitespaces", BOOL, v["remove_extra_whitespaces"]),
                 ("tokenizer.ggml.precompiled_charsmap", ARRAY, (U8, list(bytes.fromhex(v["charsmap"]))))])


def bert_tokenizer():
    """A WordPiece vocabulary of a dozen tokens."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581a", "\u2581b", "\u2581ab", "c", "bc", "\u2581token", "izer", "\u2581.", "\u2581:"]
    return Gguf([("general.architecture", STRING, "bert"), ("tokenizer.ggml.model", STRING, "bert"),
                 ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)), ("tokenizer.ggml.token_type", ARRAY, (I32, [3, 2, 3, 3] + [1] * (len(tokens) - 4))),
                 ("tokenizer.ggml.unknown_token_id", U32, 1), ("tokenizer.ggml.cls_token_id", U32, 2), ("tokenizer.ggml.seperator_token_id", U32, 3)])
