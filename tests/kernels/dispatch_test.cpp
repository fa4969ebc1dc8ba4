// The choice among tiers: what this machine has, what it lacks, and who decides.
#include "kernels/kernel_test.hpp"

#include <cstdlib>

using namespace hence_test;
using hence::isa;

namespace {

// Sets HENCE_ISA for one scope.
class environment_isa {
public:
    explicit environment_isa(const char* value) {
        if (const char* old = std::getenv("HENCE_ISA"); old != nullptr) before_ = old;
        if (value != nullptr)
            ::setenv("HENCE_ISA", value, 1);
        else
            ::unsetenv("HENCE_ISA");
    }
    environment_isa(const environment_isa&) = delete;
    environment_isa& operator=(const environment_isa&) = delete;
    ~environment_isa() {
        if (before_)
            ::setenv("HENCE_ISA", before_->c_str(), 1);
        else
            ::unsetenv("HENCE_ISA");
    }

private:
    std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("dispatch: every tier of this architecture is compiled, and a table knows its tier and has every function") {
#if HENCE_X86
    const std::vector<isa> here = {isa::scalar, isa::portable,   isa::avx2,       isa::avxvnni,
                                   isa::avx512, isa::avx512vnni, isa::avx512bf16, isa::amx};
#elif HENCE_ARM
    const std::vector<isa> here = {isa::scalar, isa::portable, isa::neon, isa::neon_dotprod, isa::neon_i8mm};
#else
    const std::vector<isa> here = {isa::scalar, isa::portable};
#endif
    for (std::size_t i = 0; i < hence::isa_count; ++i) {
        const auto tier = static_cast<isa>(i);
        INFO(hence::name(tier));
        CHECK(hence::kernels::compiled(tier) == (std::find(here.begin(), here.end(), tier) != here.end()));
        const auto found = hence::kernels::table(tier);
        CHECK(found.has_value() == (hence::kernels::compiled(tier) && hence::supported(tier)));
        if (!found) continue;
        const hence::kernel_table& t = **found;
        CHECK(t.tier == tier);
        for (const auto product : t.matmul) CHECK(product != nullptr);
        CHECK((t.quantize_blocks != nullptr && t.quantize_row != nullptr && t.attention != nullptr &&
               t.store_kv != nullptr));
        CHECK((t.rms_norm != nullptr && t.layer_norm != nullptr && t.rope != nullptr && t.activate != nullptr));
        CHECK((t.activate_gated != nullptr && t.scale_add != nullptr && t.softcap != nullptr && t.softmax != nullptr));
        CHECK((t.maximum != nullptr && t.sum_exp != nullptr));
    }
    CHECK(tiers().front()->tier == isa::scalar);
    CHECK(tiers().size() >= 2);
}

TEST_CASE("dispatch: a tier that is not here is refused by name, with the list of those that are") {
    std::size_t refused = 0;
    for (std::size_t i = 0; i < hence::isa_count; ++i) {
        const auto tier = static_cast<isa>(i);
        const auto found = hence::kernels::table(tier);
        if (found) continue;
        ++refused;
        CHECK(found.error().code == hence::errc::unsupported);
        CHECK(found.error().actual.find(hence::name(tier)) != std::string::npos);
        for (const hence::kernel_table* table : tiers())
            CHECK(found.error().expected.find(hence::name(table->tier)) != std::string::npos);
    }
    CHECK(refused >= 3);  // no machine has both architectures
}

TEST_CASE("dispatch: the default is the fastest tier; HENCE_ISA changes it; force() comes before both") {
    REQUIRE(hence::kernels::force(std::nullopt).has_value());
    {
        const environment_isa none(nullptr);
        CHECK((*hence::kernels::default_table())->tier == hence::best_isa());
    }
    {
        const environment_isa empty("");
        CHECK((*hence::kernels::default_table())->tier == hence::best_isa());
    }
    for (const hence::kernel_table* table : tiers()) {
        const environment_isa chosen(std::string(hence::name(table->tier)).c_str());
        CHECK(*hence::kernels::default_table() == table);
        REQUIRE(hence::kernels::force(isa::portable).has_value());
        CHECK((*hence::kernels::default_table())->tier == isa::portable);
        REQUIRE(hence::kernels::force(std::nullopt).has_value());
        CHECK(*hence::kernels::default_table() == table);
    }
    {
        const environment_isa unknown("sse9");
        const auto found = hence::kernels::default_table();
        REQUIRE_FALSE(found.has_value());
        CHECK(found.error().code == hence::errc::unsupported);
        CHECK(found.error().message().find("HENCE_ISA") != std::string::npos);
        CHECK(found.error().message().find("'sse9'") != std::string::npos);
        CHECK(found.error().message().find("scalar") != std::string::npos);
    }
    const isa absent = hence::supported(isa::neon) ? isa::avx2 : isa::neon;
    {
        const environment_isa other(std::string(hence::name(absent)).c_str());
        CHECK_FALSE(hence::kernels::default_table().has_value());
    }
    const auto refused = hence::kernels::force(absent);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == hence::errc::unsupported);
    const environment_isa none(nullptr);
    CHECK((*hence::kernels::default_table())->tier == hence::best_isa());  // a refused tier forces nothing
}

// Emulated processors: tests/neon/run_neon.sh names the tier that each must be found to have.
TEST_CASE("dispatch: the detected tier is the one that this processor is known to have", "[detection]") {
    const char* expected = std::getenv("HENCE_TEST_EXPECT_ISA");
    if (expected == nullptr) return;
    CHECK(hence::name(hence::best_isa()) == std::string(expected));
}
