"""Hostile GGUF files: containers, models and vocabularies. Each function yields (kind, bytes, what the error says)."""

import math
import struct

from gguf_builder import (ARRAY, BOOL, F32, F64, I32, I64, STRING, U16, U32, U64, U8, Gguf, Raw, floats, gpt2_tokenizer,
                          micro_model, small, text, u32, u64)

MAX64 = 2**64 - 1


def one_tensor(dims, kind=0, data=bytes(1024), offset=None, name="t"):
    file = Gguf([], [(name, dims, kind, data)])
    if offset is not None:
        file.offsets[name] = offset
    return file.bytes()


def one_entry(kind, raw, key="k", count=1):
    head = b"GGUF" + u32(3) + u64(0) + u64(count)
    return head + text(key) + u32(kind) + raw


def counts():
    for name, value in [("max", MAX64), ("2-63", 2**63), ("2-40", 2**40), ("one-too-many", 3)]:
        file = small()
        file.tensor_count = value
        yield f"tensor-count-{name}", file.bytes(), "tensor"
    for name, value in [("max", MAX64), ("2-32", 2**32), ("one-too-many", 7)]:
        file = small()
        file.entry_count = value
        yield f"entry-count-{name}", file.bytes(), "" if name == "one-too-many" else "metadata count"
    head = b"GGUF" + u32(3) + u64(0) + u64(1)
    yield "key-length-max", head + u64(MAX64) + bytes(64), "key 0 length"
    yield "key-length-past-end", head + u64(65) + bytes(64), "key 0 length"
    yield "key-length-wraps", head + u64(2**64 - 24) + bytes(64), "key 0 length"
    yield "key-too-long", one_entry(U8, b"\1" * 8, "k" * 65536), "at most 65535"
    yield "string-length-max", one_entry(STRING, u64(MAX64) + bytes(64)), "string 0 length"
    yield "string-length-past-end", one_entry(STRING, u64(9) + bytes(8)), "string 0 length"
    for element in (U8, F32, U64, STRING, ARRAY):
        yield f"array-count-max-of-{element}", one_entry(ARRAY, u32(element) + u64(MAX64) + bytes(64)), "count"
    yield "array-count-overflows-size", one_entry(ARRAY, u32(U64) + u64(2**61) + bytes(64)), "count"
    yield "array-count-one-too-many", one_entry(ARRAY, u32(U32) + u64(3) + bytes(8)), "at most 2 elements"
    yield "array-last-string-past-end", one_entry(ARRAY, u32(STRING) + u64(2) + text("a") + u64(50) + b"b"), "string 1"
    yield "array-inner-count-max", one_entry(ARRAY, u32(ARRAY) + u64(2) + u32(U8) + u64(MAX64) + bytes(64)), "count"
    yield "arrays-nested-5", one_entry(ARRAY, (u32(ARRAY) + u64(1)) * 5 + u32(U8) + u64(1) + b"\1"), "nested"
    yield "arrays-nested-100000", one_entry(ARRAY, (u32(ARRAY) + u64(1)) * 100_000), "nested"
    yield "name-length-max", b"GGUF" + u32(3) + u64(1) + u64(0) + u64(MAX64) + bytes(64), "tensor 0 name"
    yield "name-too-long", one_tensor((4,), name="t" * 65), "at most 64"


def types():
    yield "value-type-13", one_entry(13, bytes(16)), "found 13"
    yield "value-type-max", one_entry(2**32 - 1, bytes(16)), "found 4294967295"
    yield "element-type-13", one_entry(ARRAY, u32(13) + u64(0)), "found 13"
    yield "element-type-max-in-nested", one_entry(ARRAY, u32(ARRAY) + u64(1) + u32(2**32 - 1) + u64(0)), "4294967295"
    yield "bool-2", one_entry(BOOL, b"\2"), "0 or 1"
    yield "bool-255-in-array", one_entry(ARRAY, u32(BOOL) + u64(3) + b"\0\1\xff"), "found 255"
    yield "tensor-type-max", one_tensor((32,), 2**32 - 1), "number 4294967295"
    yield "tensor-type-77", one_tensor((32,), 77), "number 77"
    yield "tensor-type-removed", one_tensor((32,), 4), "q4_2"
    yield "tensor-type-without-kernel", one_tensor((256,), 19), "iq1_s"
    yield "row-no-multiple-of-block", one_tensor((33,), 8), "a multiple of 32"
    yield "row-no-multiple-of-superblock", one_tensor((128, 2), 12), "a multiple of 256"


def shapes():
    yield "rank-0", one_tensor(()), "1 to 4"
    yield "rank-5", one_tensor((1, 1, 1, 1, 1)), "1 to 4"
    raw = b"GGUF" + u32(3) + u64(1) + u64(0) + text("t")
    yield "rank-max", raw + u32(2**32 - 1) + bytes(64), "1 to 4"
    yield "extent-0", one_tensor((4, 0)), "at least 1"
    yield "extent-max", one_tensor((MAX64,)), "2^63"
    yield "extent-2-63", one_tensor((2**63,)), "2^63"
    yield "product-2-64", one_tensor((2**32, 2**32)), "2^63"
    yield "product-wraps-to-0", one_tensor((2**16, 2**16, 2**16, 2**16)), "2^63"
    yield "product-wraps-to-small", one_tensor((2**33 + 2, 2**31)), "2^63"
    yield "bytes-wrap", one_tensor((2**62,)), "2^64 bytes"
    yield "bytes-past-end", one_tensor((2**40,)), "data section"
    yield "bytes-one-past-end", one_tensor((257,), data=bytes(1024)), "data section"


def offsets():
    yield "offset-misaligned", one_tensor((4,), offset=8), "a multiple of 32"
    yield "offset-past-end", one_tensor((4,), offset=4096), "data section"
    yield "offset-max", one_tensor((4,), offset=2**64 - 32), "data section"
    yield "offset-wraps", one_tensor((16,), offset=2**64 - 64), "data section"
    for name, second in [("same", 0), ("partial", 32)]:
        file = Gguf([], [("a", (16,), 0, floats(16)), ("b", (16,), 0, floats(16))])
        file.offsets["b"] = second
        yield f"overlap-{name}", file.bytes(), "overlap"
    file = Gguf([], [(f"t{i}", (16,), 0, floats(16)) for i in range(2000)])
    file.offsets = {f"t{i}": 0 for i in range(2000)}
    yield "overlap-2000", file.bytes(), "and 1967 more"
    for name, value in [("0", 0), ("1", 1), ("4", 4), ("24", 24), ("2-31", 2**31), ("max", 2**32 - 1)]:
        yield f"alignment-{name}", small().set("general.alignment", U32, value).bytes(), "power of two"
    yield "alignment-type", small().set("general.alignment", U64, 32).bytes(), "type u32"
    file = small().set("general.alignment", U32, 64)
    yield "alignment-not-kept", file.bytes(), "a multiple of 64"


def names():
    yield "key-twice", Gguf([("k", U8, 1), ("k", U8, 2)]).bytes(), "'k' again"
    yield "alignment-twice", Gguf([("general.alignment", U32, 32)] * 2).bytes(), "again"
    yield "key-empty", one_entry(U8, b"\1" * 4, ""), "empty"
    yield "key-not-utf-8", one_entry(U8, b"\1", b"\xff\xfe\xfd"), "UTF-8"
    yield "key-overlong-utf-8", one_entry(U8, b"\1", b"\xc0\x80"), "UTF-8"
    yield "key-surrogate", one_entry(U8, b"\1", b"\xed\xa0\x80"), "UTF-8"
    yield "key-nul", one_entry(U8, b"\1", b"a\0b"), "control"
    yield "key-terminal-escape", one_entry(U8, b"\1", b"\x1b]0;owned\x07"), "control"
    file = Gguf([], [("t", (4,), 0, floats(4)), ("t", (4,), 0, floats(4))])
    yield "tensor-twice", file.bytes(), "'t' again"
    yield "tensor-name-empty", one_tensor((4,), name=""), "empty"
    yield "tensor-name-not-utf-8", one_tensor((4,), name=b"\x80\x81"), "UTF-8"
    yield "tensor-name-newline", one_tensor((4,), name="a\nb"), "control"


def heads():
    yield "empty", b"", "empty file"
    yield "one-byte", b"G", "magic"
    yield "magic-wrong", b"GGUX" + bytes(20), "'GGUF'"
    yield "magic-reversed", b"FUGG" + bytes(20), "big-endian"
    yield "zip-archive", b"PK\x03\x04" + bytes(40), "zip"
    yield "older-ggml", b"tjgg" + bytes(40), "before GGUF"
    yield "git-lfs-pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"
    yield "html", b"<!DOCTYPE html><html></html>", "HTML"
    yield "safetensors-named-gguf", u64(16) + b'{"a":1}         ', "safetensors"
    for version in (0, 1, 4, 2**31 + 1):
        file = small()
        file.version = version
        yield f"version-{version}", file.bytes(), "2 or 3"
    yield "big-endian-version-3", b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian file of version 3"
    yield "noise", bytes((i * 73 + i // 7) % 256 for i in range(4096)), "'GGUF'"
    yield "noise-after-magic", b"GGUF" + u32(3) + bytes((i * 73 + i // 7) % 256 for i in range(4096)), "count"


def truncations():
    file = small()
    whole = file.bytes()
    for name, at in file.marks:
        if name == "data-1":
            continue  # the whole file but its padding
        yield f"cut-after-{name}", whole[:at], ""
        yield f"cut-before-end-of-{name}", whole[:at - 1], ""
    yield "cut-last-byte-of-data", whole[:file.marks[-1][1] - 1], "data section"


def part(number, count, tensors=2, name=None):
    return Gguf([("split.no", U16, number), ("split.count", U16, count), ("split.tensors.count", I32, tensors)],
                [(name or f"t{number}", (4,), 0, floats(4))]).bytes()


def valid_splits():
    for count in (2, 3):
        yield {f"m-{i + 1:05}-of-{count:05}.gguf": part(i, count, count) for i in range(count)}


def splits():
    """Sets: each item is (kind, {file name: bytes or the name a link points to}, what the error says)."""
    first, second = "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"
    yield "split-part-absent", {first: part(0, 2)}, second
    yield "split-cycle", {first: part(0, 2), second: first}, "split.no"
    yield "split-opened-in-the-middle", {first: part(1, 2)}, "the first file of the set"
    yield "split-65536", {"m-00001-of-65536.gguf": Gguf([("split.count", U32, 65536)]).bytes()}, "65535"
    yield "split-count-not-in-name", {first: part(0, 3)}, "the first of 3 files"
    yield "split-tensor-twice", {first: part(0, 2), second: part(1, 2, name="t0")}, "each tensor once"
    yield "split-tensors-fewer", {first: part(0, 2, 9), second: part(1, 2, 9)}, "split.tensors.count"
    yield "split-60000-absent", {"m-00001-of-60000.gguf": part(0, 60000)}, "No such file"


def containers():
    for family in (counts, types, shapes, offsets, names, heads, truncations):
        yield from family()


def models():
    """Whole models whose container is right and whose meaning is wrong; '' where the words are the model room's."""
    def changed(key, kind, value):
        return micro_model().set(key, kind, value).bytes()

    yield "architecture-absent", micro_model().drop("general.architecture").bytes(), "general.architecture"
    yield "architecture-unknown", changed("general.architecture", STRING, "mamba"), "mamba"
    yield "architecture-hostile-name", changed("general.architecture", STRING, "\x1b[2J" + "x" * 5000), ""
    yield "architecture-type", changed("general.architecture", U32, 1), "general.architecture"
    for key in ("llama.block_count", "llama.embedding_length", "llama.attention.head_count", "llama.context_length",
                "llama.feed_forward_length"):
        yield f"{key}-absent", micro_model().drop(key).bytes(), key
        yield f"{key}-0", changed(key, U32, 0), key
        yield f"{key}-max", changed(key, U32, 2**32 - 1), ""
        yield f"{key}-text", changed(key, STRING, "1"), key
        yield f"{key}-negative", changed(key, I32, -1), key
    yield "block-count-2-30", changed("llama.block_count", U32, 2**30), ""
    yield "block-count-2", changed("llama.block_count", U32, 2), "blk.1"
    yield "heads-no-divisor", changed("llama.attention.head_count", U32, 3), ""
    yield "kv-heads-no-divisor", changed("llama.attention.head_count_kv", U32, 3), ""
    yield "kv-heads-0", changed("llama.attention.head_count_kv", U32, 0), ""
    yield "kv-heads-max", changed("llama.attention.head_count_kv", U32, 2**32 - 1), ""
    yield "head-size-odd", changed("llama.attention.key_length", U32, 15), ""
    yield "head-size-max", changed("llama.attention.key_length", U32, 2**31), ""
    yield "rope-larger-than-head", changed("llama.rope.dimension_count", U32, 64), ""
    yield "rope-odd", changed("llama.rope.dimension_count", U32, 15), ""
    yield "epsilon-nan", changed("llama.attention.layer_norm_rms_epsilon", F32, math.nan), ""
    yield "epsilon-negative", changed("llama.attention.layer_norm_rms_epsilon", F32, -1.0), ""
    yield "rope-base-nan", changed("llama.rope.freq_base", F32, math.nan), ""
    yield "rope-base-0", changed("llama.rope.freq_base", F32, 0.0), ""
    yield "rope-base-infinite", changed("llama.rope.freq_base", F32, math.inf), ""
    yield "rope-scaling-unknown", changed("llama.rope.scaling.type", STRING, "quantum"), "quantum"
    yield "rope-scaling-factor-negative", micro_model().set("llama.rope.scaling.type", STRING, "linear").set(
        "llama.rope.scaling.factor", F32, -2.0).bytes(), "rope.scaling.factor"
    for name in ("token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight", "blk.0.ffn_down.weight"):
        yield f"without-{name}", micro_model().drop_tensor(name).bytes(), name
        file = micro_model()
        file.tensor(name)[1:] = [(64,), 0, floats(64)]
        yield f"shape-of-{name}", file.bytes(), name
    file = micro_model()
    file.tensor("blk.0.attn_q.weight")[1] = (16, 64)
    yield "shape-other-way", file.bytes(), "blk.0.attn_q.weight"
    file = micro_model()
    file.tensor("blk.0.attn_q.weight")[2:] = [26, bytes(32 * 32 * 4)]
    yield "weights-are-integers", file.bytes(), "blk.0.attn_q.weight"
    file = micro_model()
    file.tensor("output_norm.weight")[3] = struct.pack("<32f", *([1.0] * 31 + [math.nan]))
    yield "norm-nan", file.bytes(), "output_norm.weight"
    file = micro_model()
    file.tensor("token_embd.weight")[1:] = [(32, 4), 0, floats(128)]
    yield "vocabulary-larger-than-embedding", file.bytes(), ""
    yield "no-tensors", Gguf(micro_model().entries).bytes(), ""


def vocabularies():
    """Tokenizers that contradict themselves; '' where the words are the text room's."""
    def llama(key, kind, value):
        return micro_model().set("tokenizer.ggml." + key, kind, value).bytes()

    def gpt2(key, kind, value):
        return gpt2_tokenizer().set("tokenizer.ggml." + key, kind, value).bytes()

    yield "model-absent", micro_model().drop("tokenizer.ggml.model").bytes(), "tokenizer.ggml.model"
    yield "model-unknown", llama("model", STRING, "sorcery"), "sorcery"
    yield "model-terminal-escape", llama("model", STRING, "\x1b[31m"), ""
    yield "pre-unknown", gpt2("pre", STRING, "not-a-pre-tokenizer"), "not-a-pre-tokenizer"
    yield "pre-type", gpt2("pre", U32, 5), "tokenizer.ggml.pre"
    yield "tokens-absent", micro_model().drop("tokenizer.ggml.tokens").bytes(), "tokenizer.ggml.tokens"
    yield "tokens-empty", llama("tokens", ARRAY, (STRING, [])), ""
    yield "tokens-type", llama("tokens", ARRAY, (U32, [1, 2])), "tokenizer.ggml.tokens"
    yield "tokens-twice", gpt2("tokens", ARRAY, (STRING, ["a", "a", "b", "c", "d", "\u0120", "ab", "cd", "abcd", "\u0120a"])), ""
    yield "token-of-a-megabyte", llama("tokens", ARRAY, (STRING, ["<unk>", "<s>", "</s>", "\u2581", "a", "b", "c", "x" * 2**20])), ""
    yield "scores-too-few", llama("scores", ARRAY, (F32, [0.0])), "found 1"
    yield "scores-nan", llama("scores", ARRAY, (F32, [math.nan] * 8)), ""
    yield "scores-text", llama("scores", ARRAY, (STRING, ["0"] * 8)), "tokenizer.ggml.scores"
    yield "types-too-many", llama("token_type", ARRAY, (I32, [1] * 9)), "found 9"
    yield "merges-absent", gpt2_tokenizer().drop("tokenizer.ggml.merges").bytes(), "tokenizer.ggml.merges"
    yield "merge-without-space", gpt2("merges", ARRAY, (STRING, ["ab"])), ""
    yield "merge-empty", gpt2("merges", ARRAY, (STRING, [""])), ""
    yield "merge-of-unknown-parts", gpt2("merges", ARRAY, (STRING, ["xx y"])), ""
    yield "merge-terminal-escape", gpt2("merges", ARRAY, (STRING, ["\x1b[2J \x1b[1m"])), ""
    yield "merge-not-utf-8", gpt2("merges", ARRAY, (STRING, [b"\xff \xfe"])), ""
    yield "merges-type", gpt2("merges", ARRAY, (I32, [1])), "tokenizer.ggml.merges"
    yield "begin-past-end", llama("bos_token_id", U32, 8), "below 8"
    yield "end-2-63", llama("eos_token_id", I64, 2**62), "below 8"
    yield "end-negative", llama("eos_token_id", I32, -5), "found -5"
    yield "unknown-id-type", llama("unknown_token_id", F64, 0.0), "unknown_token_id"
    yield "add-begin-type", llama("add_bos_token", U32, 1), "add_bos_token"
    yield "template-type", micro_model().set("tokenizer.chat_template", ARRAY, (STRING, ["a"])).bytes(), "chat_template"
    charsmap = micro_model().set("tokenizer.ggml.model", STRING, "t5")
    yield "charsmap-length-past-end", charsmap.set("tokenizer.ggml.precompiled_charsmap", ARRAY,
                                                   (U8, list(u32(2**32 - 4)) + [0] * 16)).bytes(), ""
