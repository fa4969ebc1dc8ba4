#!/usr/bin/env python3
"""Writes pretokenizer_vectors.jsonl: the pieces that Hugging Face's tokenizers cut from texts (pip install tokenizers).

usage: make_pretokenizer_vectors.py > pretokenizer_vectors.jsonl
       make_pretokenizer_vectors.py --fuzz PROGRAM [ROUNDS]   PROGRAM NAME < texts, NUL after each: piece lengths a line
"""
import json
import random
import subprocess
import sys

from tokenizers import Regex, pre_tokenizers as p

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN35 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UP, LOW = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
START = r"[^\r\n\p{L}\p{N}]?"
O200K = f"{START}{UP}*{LOW}+{SHORT}|{START}{UP}+{LOW}*{SHORT}|" + r"\p{N}{1,3}|" + TAIL
TEKKEN = f"{START}{UP}*{LOW}+|{START}{UP}+{LOW}*|" + r"\p{N}|" + TAIL
DEEPSEEK = ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
            "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")
CUTS = {
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "llama-bpe": [CL100K.replace("DIGITS", r"\p{N}{1,3}")],
    "qwen2": [CL100K.replace("DIGITS", r"\p{N}")],
    "minicpm5": [r"\p{N}{1,3}", CL100K.replace("DIGITS", r"\p{N}+")],
    "qwen35": [QWEN35],
    "gpt-4o": [O200K],
    "tekken": [TEKKEN],
    "deepseek-v3": [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
    "laguna": [r"[^\n]+|[\n]+", CL100K.replace("DIGITS", r"\p{N}")],
}
TEXTS = [
    "Hello, world!  I've 12345 apples\n\n  and it's 3.50\u20ac\t\tOK \r\n \r\n\n x", "  leading and trailing   ", "\n\n\n", "   ", " ", "\t\n \n",
    "CamelCaseWORDS fooBAR BARfoo A\u0301e\u0301 HTTPServer's THEY'RE they'Re 'S 'll '", "don't DON'T we'LL'd'd 's't", "a1b22c333d4444 \u0663\u0664\u0665 \u2167 \u00bd x\u00b2",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u3053\u3093\u306b\u3061\u306f \u30ab\u30bf\u30ab\u30ca abc\u4f60def \uc548\ub155 \u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "\U0001f642\U0001f680\u200d\U0001f32b\ufe0f #hash @me $5 <b>x</b> a_b __init__(self) //path/to/\n/x ```code``` ~~ ^^ |", "x\u00a0y\u2003z\u3000w \u00a0 \u2028k\x85m\x0bn\x0co",
    "1½234567 ½123 12½3456789 .  12 . 1234\u06635 `1` `` ~`~ a` 1,234.5  ...   ... $<<48/2=24>>24 <<1000*2=2000>>2000",
    "\u01c5ungla \u02b0\u02b1 \u00aa\u00ba \u0301 \u0301a  \u0301\u0301B \x00\x01abc\x7f\ue000", "1 22  333   4444\t5\n6", "!a !A (b) .c \"d \u00abe\u00bb \u2026f",
]


def pieces(name, text):
    cut = p.Sequence([p.Split(Regex(pattern), "isolated") for pattern in CUTS[name]])
    return [text[a:b] for _, (a, b) in cut.pre_tokenize_str(text)]


def random_text(rng):
    alphabet = ["a", "B", "é", "É", "ǅ", "ʰ", "中", "の", "한", "\u0301", "1", "٣", "½", " ", "  ", "\n", "\r", "\t", "\u00a0", "\u3000", "'", "'s", "'LL", "'re",
                ".", "/", "!", "$", "`", "~", "_", "€", "🙂", "\x01", "\u200d", "the", "ABC", "12", "³"]
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 25)))


if len(sys.argv) > 2:
    rng = random.Random(7)
    for name in CUTS:
        texts = TEXTS + [random_text(rng) for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 5000)]
        texts = [t for t in texts if "\0" not in t]
        got = subprocess.run([sys.argv[2], name], input="".join(t + "\0" for t in texts).encode(), capture_output=True).stdout.decode().splitlines()
        wrong = [(t, pieces(name, t), g) for t, g in zip(texts, got) if [len(x.encode()) for x in pieces(name, t)] != [int(x) for x in g.split()]]
        print(name, len(texts), "wrong:", len(wrong), wrong[:3])
else:
    for name in CUTS:
        for text in TEXTS:
            print(json.dumps({"pre": name, "text": text, "pieces": pieces(name, text)}))
