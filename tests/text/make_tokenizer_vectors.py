#!/usr/bin/env python3
"""Writes small tokenizers and what Hugging Face's tokenizers and SentencePiece make of texts with them.

usage: make_tokenizer_vectors.py FOLDER      (pip install tokenizers sentencepiece protobuf)
  FOLDER/NAME.json   {"tokenizer": a tokenizer.json, or "vocabulary": SentencePiece's fields; "vectors": [[text, ids, decoded], ..]}
"""
import base64
import json
import os
import sys
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders as D, models, normalizers as N, pre_tokenizers as P, processors, trainers

sys.argv.append("")
FOLDER = sys.argv[1]
source = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "make_pretokenizer_vectors.py"), encoding="utf-8").read()
exec(source.split("if len(sys.argv) > 2")[0])  # TEXTS and CUTS
TEXTS = [t for t in TEXTS if "\0" not in t]
CORPUS = TEXTS + ["the numbers of the other one are not there, and then another thing", "counting apples: one apple, two apples, three apples",
                  "hello hello world world words working worked", "It's the others' turn; they're there"] * 3
ASK = TEXTS + ["a <s>b</s> <mask> c", "x <sp> y<sp>z", "HELLO<tok>x hel lo hello", "", " ", "the other apples", "caf\u00e9 cafe\u0301 \ufb01ne \u2460", "#### ##a"]
SPECIAL = ["<unk>", "<s>", "</s>", "<mask>"]
BYTES = [f"<0x{i:02X}>" for i in range(256)]
ADDED = [AddedToken("<sp>", rstrip=True, special=False, normalized=False), AddedToken("<tok>", normalized=True), AddedToken("hel", single_word=True, normalized=False)]


def save(name, tokenizer):
    vectors = [[t, tokenizer.encode(t).ids, tokenizer.decode(tokenizer.encode(t).ids)] for t in ASK]
    content = {"tokenizer": json.loads(tokenizer.to_str()), "vectors": vectors}
    with open(os.path.join(FOLDER, name + ".json"), "w", encoding="ascii") as file:
        json.dump(content, file, separators=(",", ":"))


def bpe(name, cuts, size=400, normalizer=None, decoder=None, post=None, added=(), alphabet=True, **options):
    t = Tokenizer(models.BPE(**{k: v for k, v in options.items() if k in ("unk_token", "end_of_word_suffix", "continuing_subword_prefix", "fuse_unk")}))
    t.pre_tokenizer = P.Sequence(cuts)
    if normalizer:
        t.normalizer = normalizer
    t.decoder = decoder or D.ByteLevel()
    extra = {k: v for k, v in options.items() if k in ("end_of_word_suffix", "continuing_subword_prefix")}
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=P.ByteLevel.alphabet() if alphabet else [], show_progress=False, **extra))
    if post:
        t.post_processor = post
    t.add_tokens(list(added))
    save(name, t)
    return t


def splits(name):
    return [P.Split(Regex(x), "isolated") for x in CUTS[name]] + [P.ByteLevel(add_prefix_space=False, use_regex=False)]


bpe("qwen2", splits("qwen2"), normalizer=N.NFC(), added=ADDED)
bpe("deepseek-v3", splits("deepseek-v3"))
bpe("gpt2-prefix", [P.ByteLevel(add_prefix_space=True)], post=processors.ByteLevel(trim_offsets=False))
bpe("falcon", [P.Punctuation("contiguous"), P.ByteLevel(add_prefix_space=False), P.Digits(False), P.Split(Regex("[0-9][0-9][0-9]"), "isolated")])
bpe("deepseek-coder", [P.Split("\n", "isolated"), P.Split(Regex(r"\s?\p{L}+"), "isolated"), P.Split(Regex(r"\s?\p{P}+"), "isolated"),
                       P.Split(Regex("[一-龥ࠀ-一가-퟿]+"), "isolated"), P.Digits(True), P.ByteLevel(add_prefix_space=False, use_regex=False)])
bpe("clip", [P.Whitespace()], size=250, normalizer=N.Lowercase(), decoder=D.BPEDecoder(), alphabet=False, unk_token="<unk>", end_of_word_suffix="</w>")
bpe("continuing", [P.WhitespaceSplit()], size=250, decoder=D.Fuse(), alphabet=False, unk_token="<unk>", continuing_subword_prefix="##")
for index, behavior in enumerate(("removed", "merged_with_previous", "merged_with_next", "contiguous")):
    bpe("split-" + behavior, [P.Split(Regex(r"[\s,]"), behavior, index % 2 == 1)], size=200, decoder=D.Fuse(), alphabet=False, unk_token="<unk>")

base = Tokenizer(models.BPE(unk_token="<unk>"))
base.pre_tokenizer = P.Metaspace()
base.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=480, special_tokens=SPECIAL + BYTES, limit_alphabet=40, show_progress=False))
llama = json.loads(base.to_str())
llama["model"].update(byte_fallback=True, fuse_unk=True)
llama["added_tokens"] = [a for a in llama["added_tokens"] if not a["content"].startswith("<0x")]
llama["pre_tokenizer"] = None
llama["normalizer"] = json.loads(N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]).__getstate__())
llama["decoder"] = json.loads(D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]).__getstate__())
llama["post_processor"] = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                           "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
save("llama2", Tokenizer.from_str(json.dumps(llama)))
llama["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
llama["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
llama["decoder"] = json.loads(D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()]).__getstate__())
save("gemma", Tokenizer.from_str(json.dumps(llama)))
llama["normalizer"] = None
llama["model"].update(byte_fallback=False)
for scheme in ("always", "first", "never"):
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": scheme != "first"}
    llama["pre_tokenizer"] = llama["decoder"] = space
    save("metaspace-" + scheme, Tokenizer.from_str(json.dumps(llama)))

for name, normalizer, cuts in (("unigram", [N.Nmt(), N.NFKC(), N.Replace(Regex(" {2,}"), " ")], [P.Metaspace()]),
                               ("albert", [N.Replace("``", '"'), N.NFKD(), N.StripAccents(), N.Lowercase(), N.Strip()], [P.WhitespaceSplit(), P.Metaspace()])):
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer, t.decoder = N.Sequence(normalizer), P.Sequence(cuts), D.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=200, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False))
    save(name, t)
for lower in (True, False):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer, t.decoder = N.BertNormalizer(lowercase=lower), P.BertPreTokenizer(), D.WordPiece(cleanup=lower)
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]", "[CLS]", "[SEP]"], limit_alphabet=60, show_progress=False))
    t.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    save("bert-lower" if lower else "bert-cased", t)
# A unigram model whose byte tokens are found in the text too; words that go on after a space; \s and \w of added tokens; a mark
# inside a word that has an end.
ASK += ["<0x41> <0x4", "the \u00a0<sp>\u3000 the\u2003<left>\u00a0x", "\u2581hel\u00bd hel\u00b2 \u0301hel hel_ 1hel hel\u2163", "other\u2581the\u2581\u4e16", "  the  the"]
t = Tokenizer(models.Unigram())
t.normalizer, t.pre_tokenizer = N.Sequence([N.Nmt(), N.NFKC()]), P.Metaspace()
t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=460, special_tokens=SPECIAL + BYTES, unk_token="<unk>", show_progress=False))
content = json.loads(t.to_str())
content["model"]["byte_fallback"] = True
content["added_tokens"] = [a for a in content["added_tokens"] if not a["content"].startswith("<0x")]
content["decoder"] = json.loads(D.Sequence([D.ByteFallback(), D.Metaspace()]).__getstate__())
save("unigram-bytes", Tokenizer.from_str(json.dumps(content)))
t = Tokenizer(models.Unigram())
t.normalizer, t.pre_tokenizer, t.decoder = N.NFKC(), P.Metaspace(split=False), D.Metaspace(split=False)
t.train_from_iterator(["the the", "  the  the", "other the"] * 20 + CORPUS, trainers.UnigramTrainer(vocab_size=300, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False))
save("unigram-unsplit", t)
bpe("added", [P.ByteLevel(add_prefix_space=False)], added=[*ADDED, AddedToken("<left>", lstrip=True)])
bpe("ends", [P.WhitespaceSplit()], size=250, decoder=D.BPEDecoder(), alphabet=False, unk_token="<unk>", end_of_word_suffix="</w>")
# Which text gets the mark of the beginning where a normaliser or a cut takes or makes its first characters; added tokens that begin with
# spaces, hide one another, or stand in a space that another took.
letters = {c: i for i, c in enumerate(["<unk>", "\u2581", "\u00e9", "\u0301"] + [chr(c) for c in range(32, 127)])}
spaced = [AddedToken("<sp>", rstrip=True, normalized=False), AddedToken(" x", normalized=False), AddedToken("  ", normalized=False), AddedToken("<left>", lstrip=True, normalized=False),
          AddedToken("hel", single_word=True, normalized=False), AddedToken("lo", normalized=False), AddedToken("he", normalized=False)]
ASK, asked = ["ab", " ab", "  ab ", "xab", "xxab", "xyab", "xyxyab", "wxyab", "\u0301ab", "\u0301\u0301ab", "e\u0301ab", "\x01ab", "\u00e9a", "1ab", " 1a", "a b", "x ab", "<sp> x", "a<sp> xb",
              "<sp>  x", "<sp>   b", "a <sp> xb", " x1", "  1", "hello", "hel lo", "hel", "ahelo", "<left> x", "b  <left>  a", "", " ", "x", "\u0301"], ASK
for name, normalizer, cuts, added in (("strip", N.Strip(), [], []), ("remove", N.Replace("x", ""), [], []), ("replace", N.Replace("xy", "z"), [], []), ("one", N.Replace("x", "yz"), [], []),
                                      ("accents", N.Sequence([N.NFD(), N.StripAccents()]), [], []), ("nmt", N.Sequence([N.Nmt(), N.Strip()]), [], spaced), ("bert", N.BertNormalizer(), [], []),
                                      ("prepend", N.Sequence([N.Prepend("qq"), N.Replace("q", "")]), [], []), ("words", None, [P.WhitespaceSplit()], []), ("cut", None, [P.Split("x", "removed")], spaced)):
    t = Tokenizer(models.BPE(vocab=letters, merges=[], unk_token="<unk>"))
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer, t.decoder = P.Sequence(cuts + [P.Metaspace(prepend_scheme="first")]), D.Metaspace(prepend_scheme="first")
    t.add_tokens(added)
    save("first-" + name, t)
ASK = asked
t = Tokenizer(models.WordLevel(unk_token="<unk>"))
t.pre_tokenizer = P.Sequence([P.CharDelimiterSplit("e"), P.Punctuation("merged_with_previous")])
t.train_from_iterator(CORPUS, trainers.WordLevelTrainer(vocab_size=100, special_tokens=["<unk>"], show_progress=False))
save("wordlevel", t)

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto
with tempfile.TemporaryDirectory() as work:
    rules = os.path.join(work, "rules.tsv")
    with open(rules, "w", encoding="utf-8") as file:  # source code points, tab, what they become
        file.write("FB01\t66 69\n2460\t31\n65 301\tE9\n3000\t20\nA\t20\n9\t20\n41\t61\n")
    for name, kind, options in (("t5", "unigram", {"normalization_rule_tsv": rules}), ("t5-spaces", "unigram", {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}),
                                ("t5-no-prefix", "unigram", {"normalization_rule_tsv": rules, "add_dummy_prefix": False}),
                                ("llama", "bpe", {"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False})):
        prefix = os.path.join(work, "m")
        text = [t.replace("\n", " ") for t in CORPUS]
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(text), model_prefix=prefix, model_type=kind, vocab_size=460 if kind == "bpe" else 200, minloglevel=2,
                                                 character_coverage=0.98, hard_vocab_limit=False, **options)
        p = sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")
        m = proto.ModelProto()
        m.ParseFromString(open(prefix + ".model", "rb").read())
        vocabulary = {"model": "t5" if kind == "unigram" else "llama", "tokens": [x.piece for x in m.pieces], "scores": [x.score for x in m.pieces], "types": [x.type for x in m.pieces],
                      "charsmap": base64.b16encode(m.normalizer_spec.precompiled_charsmap).decode(), "add_space_prefix": m.normalizer_spec.add_dummy_prefix,
                      "remove_extra_whitespaces": m.normalizer_spec.remove_extra_whitespaces}
        ask = [t for t in ASK if "<" not in t]
        with open(os.path.join(FOLDER, name + ".json"), "w", encoding="ascii") as file:
            json.dump({"vocabulary": vocabulary, "vectors": [[t, p.encode(t), p.decode(p.encode(t))] for t in ask]}, file, separators=(",", ":"))
