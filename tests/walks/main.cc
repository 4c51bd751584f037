// Every *.walk of the folder given on the command line is a test of its own.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "walk.h"

namespace mydr24::live {
namespace {

class WalkTest : public testing::Test {
 public:
  explicit WalkTest(std::filesystem::path file) : file_(std::move(file)) {}
  void TestBody() override { EXPECT_EQ(Walk(file_).run(), "") << file_.string(); }

 private:
  std::filesystem::path file_;
};

}  // namespace
}  // namespace mydr24::live

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    fmt::print(stderr, "usage: {} FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1]))
    if (entry.path().extension() == ".walk") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    testing::RegisterTest("Walk", file.stem().c_str(), nullptr, nullptr, file.c_str(), 1,
                          [file]() -> testing::Test* { return new mydr24::live::WalkTest(file); });
  }
  return files.empty() ? 1 : RUN_ALL_TESTS();
}
