// hf_config: published configurations of each family read as their makers mean them, bad ones are refused.
#include <hence/io/hf_config.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <fstream>
#include <string>

namespace {

using hence::errc;
using hence::parse_hf_config;

void check_says(const hence::error& error, errc code, std::string_view part) {
    INFO(error.message());
    CHECK(error.code == code);
    CHECK(error.message().find(part) != std::string::npos);
}

/// A minimal Llama configuration with one more field at the end.
std::string llama_with(const std::string& field) {
    return R"({"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,)"
           R"("intermediate_size":128,"max_position_embeddings":512)" +
           (field.empty() ? "" : "," + field) + "}";
}

hence::error refused(const std::string& text) {
    auto parsed = parse_hf_config(text);
    INFO(text);
    REQUIRE_FALSE(parsed.has_value());
    return parsed.error();
}

}  // namespace

TEST_CASE("Llama 3.2: grouped heads, rope scaling, several end tokens") {
    const auto config =
        parse_hf_config(R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"bos_token_id":128000,
        "eos_token_id":[128001,128008,128009],"head_dim":64,"hidden_act":"silu","hidden_size":2048,"intermediate_size":8192,
        "max_position_embeddings":131072,"mlp_bias":false,"model_type":"llama","num_attention_heads":32,"num_hidden_layers":16,
        "num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,
        "original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,"tie_word_embeddings":true,
        "torch_dtype":"bfloat16","vocab_size":128256})")
            .value();
    CHECK(config.model_type == "llama");
    CHECK(config.architectures == std::vector<std::string>{"LlamaForCausalLM"});
    CHECK(config.num_key_value_heads == 8);
    CHECK(config.rope_theta == 500000.0);
    REQUIRE(config.rope_scaling.has_value());
    CHECK(config.rope_scaling->type == "llama3");
    CHECK(config.rope_scaling->original_max_position_embeddings == 8192);
    CHECK(config.rope_scaling->low_freq_factor == 1.0);
    CHECK(config.eos_token_id == std::vector<std::int64_t>{128001, 128008, 128009});
    CHECK(config.tie_word_embeddings == true);
    CHECK(config.dtype == "bfloat16");
}

TEST_CASE("absent fields follow the family's class: heads, head width, norms, tying") {
    const auto llama = parse_hf_config(llama_with("")).value();
    CHECK(llama.num_key_value_heads == 4);
    CHECK(llama.head_dim == 16);
    CHECK(llama.rms_norm_eps == 1e-6);
    CHECK(llama.tie_word_embeddings == false);
    CHECK(llama.rope_theta == 10000.0);
    CHECK_FALSE(llama.rope_scaling.has_value());
    CHECK_FALSE(llama.sliding_window.has_value());
    CHECK(llama.hidden_act == "silu");

    std::string text = llama_with("");
    text.replace(text.find("llama"), 5, "qwen3");
    CHECK(parse_hf_config(text).value().head_dim == 128);
    text.replace(text.find("qwen3"), 5, "mistral");
    CHECK(parse_hf_config(text).value().sliding_window == 4096);
    text.insert(1, "\"sliding_window\":null,");
    CHECK_FALSE(parse_hf_config(text).value().sliding_window.has_value());
}

TEST_CASE("GPT-2's own names are read into the common ones") {
    const auto config = parse_hf_config(R"({"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],
        "bos_token_id":50256,"eos_token_id":50256,"layer_norm_epsilon":1e-05,"model_type":"gpt2","n_ctx":1024,"n_embd":768,
        "n_head":12,"n_layer":12,"n_positions":1024,"n_inner":null,"vocab_size":50257})")
                            .value();
    CHECK(config.hidden_size == 768);
    CHECK(config.num_hidden_layers == 12);
    CHECK(config.num_key_value_heads == 12);
    CHECK(config.head_dim == 64);
    CHECK(config.intermediate_size == 3072);
    CHECK(config.max_position_embeddings == 1024);
    CHECK(config.layer_norm_eps == 1e-5);
    CHECK(config.hidden_act == "gelu_new");
    CHECK(config.tie_word_embeddings == true);
}

TEST_CASE("Gemma 3: sparse nested text_config with the class's defaults, and the flat one") {
    const auto nested = parse_hf_config(R"({"architectures":["Gemma3ForConditionalGeneration"],"eos_token_id":[1,106],
        "model_type":"gemma3","text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text",
        "num_hidden_layers":34,"rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024}})")
                            .value();
    CHECK(nested.model_type == "gemma3_text");
    CHECK(nested.hidden_size == 2560);
    CHECK(nested.num_attention_heads == 8);
    CHECK(nested.num_key_value_heads == 4);
    CHECK(nested.head_dim == 256);
    CHECK(nested.vocab_size == 262208);
    CHECK(nested.sliding_window == 1024);
    CHECK(nested.sliding_window_pattern == 6);
    CHECK(nested.rope_theta == 1e6);
    CHECK(nested.rope_local_base_freq == 1e4);
    CHECK(nested.rope_scaling->factor == 8.0);
    CHECK(nested.eos_token_id == std::vector<std::int64_t>{1, 106});

    const auto flat = parse_hf_config(R"({"model_type":"gemma3_text","hidden_size":1152,"intermediate_size":6912,
        "num_attention_heads":4,"num_key_value_heads":1,"num_hidden_layers":2,"vocab_size":262144,"head_dim":256,
        "layer_types":["sliding_attention","full_attention"],"final_logit_softcapping":null,
        "rope_parameters":{"full_attention":{"rope_type":"default","rope_theta":2000000.0},
        "sliding_attention":{"rope_type":"default","rope_theta":20000.0}}})")
                          .value();
    CHECK(flat.num_key_value_heads == 1);
    CHECK(flat.rope_theta == 2e6);
    CHECK(flat.rope_local_base_freq == 2e4);
    CHECK_FALSE(flat.rope_scaling.has_value());
    CHECK(flat.layer_types.size() == 2);
}

TEST_CASE("Gemma 2, Phi-3 and StarCoder2 keep their own fields") {
    const auto gemma = parse_hf_config(R"({"model_type":"gemma2","hidden_size":2304,"intermediate_size":9216,
        "num_attention_heads":8,"num_key_value_heads":4,"num_hidden_layers":26,"vocab_size":256000,"head_dim":256,
        "max_position_embeddings":8192,"attn_logit_softcapping":50.0,"final_logit_softcapping":30.0,"hidden_act":"gelu",
        "hidden_activation":"gelu_pytorch_tanh","query_pre_attn_scalar":224,"sliding_window":4096})")
                           .value();
    CHECK(gemma.attn_logit_softcapping == 50.0);
    CHECK(gemma.final_logit_softcapping == 30.0);
    CHECK(gemma.query_pre_attn_scalar == 224.0);
    CHECK(gemma.hidden_act == "gelu_pytorch_tanh");

    const auto phi = parse_hf_config(R"({"model_type":"phi3","hidden_size":3072,"intermediate_size":8192,
        "num_attention_heads":32,"num_key_value_heads":32,"num_hidden_layers":32,"vocab_size":32064,
        "max_position_embeddings":131072,"original_max_position_embeddings":4096,"sliding_window":262144,
        "rope_scaling":{"type":"su","short_factor":[1.0,1.1],"long_factor":[1.5,2]}})")
                         .value();
    CHECK(phi.original_max_position_embeddings == 4096);
    CHECK(phi.rope_scaling->type == "longrope");
    CHECK(phi.rope_scaling->short_factor == std::vector<double>{1.0, 1.1});
    CHECK(phi.rope_scaling->long_factor == std::vector<double>{1.5, 2.0});
    CHECK(phi.rms_norm_eps == 1e-5);

    const auto starcoder = parse_hf_config(R"({"model_type":"starcoder2","hidden_size":3072,"intermediate_size":12288,
        "num_attention_heads":24,"num_key_value_heads":2,"num_hidden_layers":30,"vocab_size":49152,"norm_epsilon":1e-05,
        "max_position_embeddings":16384,"use_bias":true,"norm_type":"layer_norm","mlp_type":"default"})")
                               .value();
    CHECK(starcoder.layer_norm_eps == 1e-5);
    CHECK(starcoder.use_bias == true);
    CHECK(starcoder.norm_type == "layer_norm");
}

TEST_CASE("Qwen2's window fields and a quantized file's method are kept") {
    const auto config = parse_hf_config(R"({"model_type":"qwen2","hidden_size":896,"intermediate_size":4864,
        "num_attention_heads":14,"num_key_value_heads":2,"num_hidden_layers":24,"vocab_size":151936,
        "max_position_embeddings":32768.0,"max_window_layers":21,"sliding_window":32768,"use_sliding_window":false,
        "rope_theta":1000000.0,"quantization_config":{"quant_method":"gptq","bits":4}})")
                            .value();
    CHECK(config.use_sliding_window == false);
    CHECK(config.max_window_layers == 21);
    CHECK(config.max_position_embeddings == 32768);
    CHECK(config.quantization_method == "gptq");
}

TEST_CASE("absent and contradictory fields are refused, all at once") {
    const hence::error empty = refused("{}");
    INFO(empty.message());
    CHECK(empty.also.size() == 6);
    check_says(empty, errc::missing, "model_type");
    check_says(refused("[]"), errc::bad_format, "a JSON object");
    check_says(refused("{"), errc::bad_format, "config.json");
    check_says(refused(llama_with(R"("num_key_value_heads":3)")), errc::mismatch, "a divisor of 4 heads");
    check_says(refused(llama_with(R"("layer_types":["full_attention"])")), errc::mismatch, "2 entries, found 1");
    check_says(refused(llama_with(R"("layer_types":["full_attention","linear"])")), errc::unsupported, "'linear'");
    check_says(refused(llama_with(R"("eos_token_id":100)")), errc::mismatch, "below 100, found 100");
    check_says(refused(llama_with(R"("bos_token_id":4294967296)")), errc::mismatch, "below 100");
    std::string odd = llama_with("");
    odd.replace(odd.find("\"num_attention_heads\":4"), 23, "\"num_attention_heads\":5");
    check_says(refused(odd), errc::mismatch, "a divisor of hidden_size 64");
}

TEST_CASE("wrong types and ranges name the field and what was found") {
    check_says(refused(llama_with(R"("head_dim":"16")")), errc::mismatch, "head_dim: expected an integer, found '16'");
    check_says(refused(llama_with(R"("head_dim":0)")), errc::out_of_range, "found 0");
    check_says(refused(llama_with(R"("head_dim":-16)")), errc::out_of_range, "found -16");
    check_says(refused(llama_with(R"("head_dim":16.5)")), errc::out_of_range, "found 16.5");
    check_says(refused(llama_with(R"("head_dim":18446744073709551615)")), errc::out_of_range, "18446744073709551615");
    check_says(refused(llama_with(R"("head_dim":1e30)")), errc::out_of_range, "1e+30");
    check_says(refused(llama_with(R"("rms_norm_eps":-1)")), errc::out_of_range, "rms_norm_eps");
    check_says(refused(llama_with(R"("rms_norm_eps":"small")")), errc::mismatch, "a number");
    check_says(refused(llama_with(R"("rope_theta":[1])")), errc::mismatch, "rope_theta");
    check_says(refused(llama_with(R"("rope_scaling":"linear")")), errc::mismatch, "an object");
    check_says(refused(llama_with(R"("rope_scaling":{"type":1})")), errc::mismatch, "rope_scaling: type");
    check_says(refused(llama_with(R"("rope_scaling":{"type":"longrope","long_factor":[0]})")), errc::mismatch,
               "positive");
    check_says(refused(llama_with(R"("tie_word_embeddings":1)")), errc::mismatch, "true or false");
    check_says(refused(llama_with(R"("architectures":"Llama")")), errc::mismatch, "an array of texts");
    check_says(refused(llama_with(R"("hidden_act":null,"hidden_activation":3)")), errc::mismatch, "a text, found 3");
    check_says(refused(llama_with(R"("text_config":[])")), errc::mismatch, "text_config");
    check_says(refused(llama_with(R"("eos_token_id":["a"])")), errc::mismatch, "eos_token_id");
    check_says(refused(llama_with(R"("hidden_size":64)")), errc::bad_format, "twice");
}

TEST_CASE("generation defaults are read; a folder without them has none") {
    const auto config = hence::parse_hf_generation_config(R"({"bos_token_id":151643,"do_sample":true,
        "eos_token_id":[151645,151643],"pad_token_id":151643,"repetition_penalty":1.1,"temperature":0.7,"top_k":20,
        "top_p":0.8,"transformers_version":"4.37.0"})")
                            .value();
    CHECK(config.do_sample == true);
    CHECK(config.temperature == 0.7);
    CHECK(config.top_k == 20);
    CHECK(config.top_p == 0.8);
    CHECK(config.repetition_penalty == 1.1);
    CHECK(config.eos_token_id.size() == 2);
    CHECK_FALSE(hence::parse_hf_generation_config(R"({"temperature":-1})").has_value());
    CHECK_FALSE(hence::parse_hf_generation_config("null").has_value());

    const hence_test::temporary_folder folder;
    CHECK_FALSE(hence::read_hf_generation_config(folder.path()).value().temperature.has_value());
    check_says(hence::read_hf_config(folder.path()).error(), errc::file_not_found, "config.json");
    std::ofstream(folder.file("config.json")) << llama_with("");
    std::ofstream(folder.file("generation_config.json")) << R"({"top_k":5})";
    CHECK(hence::read_hf_config(folder.path()).value().hidden_size == 64);
    CHECK(hence::read_hf_generation_config(folder.path() + "/").value().top_k == 5);
}
