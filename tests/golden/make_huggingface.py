#!/usr/bin/env python3
"""Writes tests/golden/huggingface/NAME/: small random models of odd shapes, saved by the transformers library in its own
format, and golden.json, the logits that its forward pass gives in float32 with eager attention.

Made with transformers 4.46.3 on torch 1.13.1 (Debian 12's python3-torch); seeds are fixed.

usage: make_huggingface.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
import transformers as t

COMMON = dict(vocab_size=67, num_hidden_layers=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2,
              pad_token_id=0, attn_implementation="eager")
LONG = [1.0, 1.25, 2.5, 4.0, 7.5, 11.0]
SHORT = [1.0, 1.0, 1.0, 1.05, 1.1, 1.2]

MODELS = {
    "llama-plain": t.LlamaConfig(**COMMON, hidden_size=36, num_attention_heads=3, num_key_value_heads=1,
                                 intermediate_size=52, tie_word_embeddings=True),
    "llama3-biases": t.LlamaConfig(**COMMON, hidden_size=30, num_attention_heads=4, num_key_value_heads=2, head_dim=14,
                                   intermediate_size=71, attention_bias=True, mlp_bias=True, rope_theta=500.0, rope_scaling={
                                       "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                       "high_freq_factor": 4.0, "original_max_position_embeddings": 16}),
    "llama-linear": t.LlamaConfig(**COMMON, hidden_size=20, num_attention_heads=5, num_key_value_heads=5,
                                  intermediate_size=33, rope_scaling={"rope_type": "linear", "factor": 2.5}),
    "llama-yarn": t.LlamaConfig(**COMMON, hidden_size=44, num_attention_heads=2, num_key_value_heads=2,
                                intermediate_size=45, rope_scaling={"rope_type": "yarn", "factor": 4.0,
                                                                    "original_max_position_embeddings": 64}),
    "mistral-window": t.MistralConfig(**COMMON, hidden_size=28, num_attention_heads=6, num_key_value_heads=3, head_dim=10,
                                      intermediate_size=65, sliding_window=5),
    "qwen2": t.Qwen2Config(**COMMON, hidden_size=42, num_attention_heads=7, num_key_value_heads=1, intermediate_size=31,
                           use_sliding_window=False, tie_word_embeddings=True),
    "gemma2": t.Gemma2Config(**COMMON, hidden_size=39, num_attention_heads=3, num_key_value_heads=1, head_dim=18,
                             intermediate_size=49, query_pre_attn_scalar=20, sliding_window=4, attn_logit_softcapping=3.0,
                             final_logit_softcapping=2.0, hidden_activation="gelu_pytorch_tanh"),
    "phi3-short": t.Phi3Config(**COMMON, hidden_size=36, num_attention_heads=3, num_key_value_heads=1,
                               intermediate_size=37, original_max_position_embeddings=64,
                               rope_scaling={"type": "longrope", "short_factor": SHORT, "long_factor": LONG}),
    "phi3-long": t.Phi3Config(**COMMON, hidden_size=24, num_attention_heads=2, num_key_value_heads=2,
                              intermediate_size=37, original_max_position_embeddings=8,
                              rope_scaling={"type": "longrope", "short_factor": SHORT, "long_factor": LONG}),
    "gpt2": t.GPT2Config(vocab_size=61, n_layer=2, n_embd=30, n_head=3, n_positions=40, bos_token_id=1, eos_token_id=2,
                         attn_implementation="eager"),
    "gpt2-inner-gelu": t.GPT2Config(vocab_size=63, n_layer=1, n_embd=22, n_head=1, n_inner=35, n_positions=33, bos_token_id=1,
                                    eos_token_id=2, activation_function="gelu", attn_implementation="eager"),
    "starcoder2": t.Starcoder2Config(**COMMON, hidden_size=42, num_attention_heads=3, num_key_value_heads=1,
                                     intermediate_size=58, use_bias=True, sliding_window=6, residual_dropout=0.0,
                                     embedding_dropout=0.0),
}


def main(folder):
    for index, (name, config) in enumerate(MODELS.items()):
        torch.manual_seed(1000 + index)
        model = t.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval().float()
        with torch.no_grad():
            for parameter_name, parameter in model.named_parameters():
                # Larger than the library's own, so that every part of the model matters to the logits.
                parameter.add_(torch.randn_like(parameter) * (0.25 if parameter.dim() > 1 else 0.3))
        ids = [1] + [(7 * i * i + 11 * i + index) % (config.vocab_size - 3) + 3 for i in range(14)]
        with torch.no_grad():
            logits = model(torch.tensor([ids]), use_cache=False).logits[0].float()
        out = Path(folder) / name
        model.save_pretrained(out, safe_serialization=True)
        vocabulary = {token: i for i, token in enumerate(["<pad>", "<s>", "</s>"])}
        for i in range(3, config.vocab_size):
            vocabulary[chr(ord("0") + i - 3)] = i
        (out / "tokenizer.json").write_text(json.dumps({
            "version": "1.0", "added_tokens": [
                {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                 "special": True} for i, token in enumerate(["<pad>", "<s>", "</s>"])],
            "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": {"type": "Fuse"},
            "model": {"type": "BPE", "vocab": vocabulary, "merges": []}}, ensure_ascii=False))
        (out / "golden.json").write_text(json.dumps({
            "made_with": f"transformers {t.__version__}, torch {torch.__version__}", "ids": ids,
            "logits": [[round(float(x), 6) for x in row] for row in logits]}))
        print(name, sum(p.numel() for p in model.parameters()), "parameters; largest logit", float(logits.abs().max()))


main(sys.argv[1])
