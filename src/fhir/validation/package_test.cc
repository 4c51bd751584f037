#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fhir/validation/validation.h"

namespace mydr24::validation {
namespace {

namespace fs = std::filesystem;

// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("mydr24-package-{}", ::getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string tar_of(std::string_view name, std::string_view content) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(124, 11, fmt::format("{:011o}", content.size()));
  header[156] = '0';
  header.replace(257, 5, "ustar");
  std::string file = header + std::string(content);
  file.resize((file.size() + 511) / 512 * 512, '\0');
  return file;
}

void write_gzip(const fs::path& path, const std::string& text) {
  const gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
}

constexpr std::string_view manifest = R"({"name":"test.guide","version":"1.2.3"})";
constexpr std::string_view value_set = R"({"resourceType":"ValueSet","url":"http://a/vs","status":"active"})";

TEST(Package, AnArchiveGivesTheResourcesOfItsOwnFolder) {
  const Folder folder;
  const auto path = folder.path() / "guide.tgz";
  write_gzip(path, tar_of("package/package.json", manifest) + tar_of("package/ValueSet-a.json", value_set) +
                       tar_of("package/example/Patient-a.json", R"({"resourceType":"Patient"})") +
                       tar_of("package/readme.md", "# A guide") + tar_of("package/broken.json", "{") +
                       std::string(1024, '\0'));
  const auto package = load_package(path.string());
  ASSERT_TRUE(package) << package.error().text;
  EXPECT_EQ(package->name, "test.guide");
  EXPECT_EQ(package->version, "1.2.3");
  ASSERT_EQ(package->resources.size(), 1U);
  EXPECT_EQ(package->resources[0]->root()["url"].text(), "http://a/vs");
}

TEST(Package, AFolderGivesItsResourcesAndOneUnpackedTheSame) {
  const Folder folder;
  write(folder.path() / "flat/b.json", value_set);
  write(folder.path() / "flat/a.txt", "text");
  const auto flat = load_package((folder.path() / "flat").string());
  ASSERT_TRUE(flat);
  EXPECT_EQ(flat->resources.size(), 1U);
  write(folder.path() / "npm/package/package.json", manifest);
  write(folder.path() / "npm/package/b.json", value_set);
  const auto npm = load_package((folder.path() / "npm").string());
  ASSERT_TRUE(npm);
  EXPECT_EQ(npm->name, "test.guide");
  EXPECT_EQ(npm->resources.size(), 1U);
}

TEST(Package, DamagedOnesAreRefused) {
  const Folder folder;
  const auto path = folder.path() / "bad.tgz";
  EXPECT_EQ(load_package(path.string()).error().code, Code::not_found);
  write(path, "this is no archive");
  EXPECT_EQ(load_package(path.string()).error().code, Code::invalid);
  // A file that says it is longer than the archive.
  std::string tar = tar_of("package/a.json", value_set);
  tar.replace(124, 11, "77777777777");
  write_gzip(path, tar);
  EXPECT_EQ(load_package(path.string()).error().code, Code::invalid);
}

}  // namespace
}  // namespace mydr24::validation
