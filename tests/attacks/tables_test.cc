// The attacks that are data.

#include "table.h"

namespace mydr24::attacks {
namespace {

constexpr int attacks_min = 20;  // of each class

class Tables : public testing::Test {
 protected:
  static void run(const std::string& file) {
    auto& hospital = Hospital::get();
    EXPECT_GE(run_table(hospital, file), attacks_min) << file;
    hospital.check_trail();
  }
};

TEST_F(Tables, ObjectLevel) { run("object_level.json"); }
TEST_F(Tables, ObjectProperties) { run("properties.json"); }
TEST_F(Tables, Injection) {
  run("injection.json");
  const auto log = Hospital::get().live().server().log();
  EXPECT_FALSE(log.contains("Zq9Log")) << "what clients send is not in the log";
  EXPECT_FALSE(log.contains(hidden_mark));
}
TEST_F(Tables, Misconfiguration) { run("misconfiguration.json"); }
TEST_F(Tables, Smuggling) { run("smuggling.json"); }

}  // namespace
}  // namespace mydr24::attacks
