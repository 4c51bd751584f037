#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "app/cli/import_pipeline.h"
#include "app/cli/import_ready.h"
#include "app/cli/import_source.h"
#include "app/cli/import_state.h"
#include "base/json/document.h"

namespace mydr24::cli {
namespace {

namespace fs = std::filesystem;

class ImportFiles : public testing::Test {
 protected:
  ImportFiles() {
    std::string name = "/tmp/mydr24-import-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~ImportFiles() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  fs::path write_gz(const std::string& name, const std::string& text) {
    const gzFile file = gzopen((folder_ / name).c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return folder_ / name;
  }
  static std::string patients(int from, int count) {
    std::string text;
    for (int i = from; i < from + count; ++i)
      text += R"({"resourceType":"Patient","id":"p)" + std::to_string(i) + "\"}\n";
    return text;
  }

  fs::path folder_;
};

TEST_F(ImportFiles, FoldersAreReadInAFixedOrderWithTheSharedResourcesFirst) {
  write("b/Patient.ndjson", "");
  write("a/x.json", "");
  write("a/practitionerInformation1.json", "");
  write("a/hospitalInformation1.json", "");
  write("a/readme.txt", "");
  write("a/y.ndjson.gz", "");
  const auto files = import_files({folder_.string(), (folder_ / "a/x.json").string()});
  ASSERT_TRUE(files);
  std::vector<std::string> names;
  for (const auto& file : *files) names.push_back(file.filename().string());
  EXPECT_EQ(names, (std::vector<std::string>{"hospitalInformation1.json", "practitionerInformation1.json", "x.json",
                                             "y.ndjson.gz", "Patient.ndjson"}));
  EXPECT_EQ(import_files({"/nowhere"}).error().code, Code::not_found);
  EXPECT_EQ(import_files({(folder_ / "a/readme.txt").string()}).error().code, Code::invalid);
}

std::vector<std::string> all_lines(ImportReader& reader) {
  std::vector<std::string> lines;
  while (auto slice = reader.next()) {
    for (auto& item : slice->items) lines.push_back(std::move(item.text));
  }
  return lines;
}

TEST_F(ImportFiles, PlainAndGzipFilesGiveTheSameLines) {
  const std::string text = patients(0, 1000);
  ImportReader plain({write("a.ndjson", text)}, {}, 0);
  ImportReader packed({write_gz("a.ndjson.gz", text)}, {}, 0);
  const auto lines = all_lines(plain);
  EXPECT_EQ(lines.size(), 1000);
  EXPECT_EQ(lines, all_lines(packed));
  EXPECT_EQ(plain.bytes_read(), plain.bytes_total());
}

TEST_F(ImportFiles, LinesAreCountedAndTheirEndsMayDiffer) {
  ImportReader reader({write("a.ndjson", "one\r\n\n  \ntwo\nthree")}, {}, 0);
  const auto slice = reader.next();
  ASSERT_TRUE(slice);
  ASSERT_EQ(slice->items.size(), 3);
  EXPECT_EQ(slice->items[0].text, "one");
  EXPECT_EQ(slice->items[1].line, 4);
  EXPECT_EQ(slice->items[2].text, "three");
  EXPECT_FALSE(reader.next());
}

TEST_F(ImportFiles, FromTheEndOfAnySliceReadingGoesOnWithoutLossOrRepeat) {
  const std::vector<fs::path> files{write("a.ndjson", patients(0, 450)), write_gz("b.ndjson.gz", patients(450, 450)),
                                    write("c.json", R"({"resourceType":"Patient","id":"p900"})")};
  ImportReader whole(files, {}, 0);
  std::vector<std::string> before;
  std::vector<std::string> all;
  std::vector<std::pair<ImportPosition, std::size_t>> positions;
  while (auto slice = whole.next()) {
    for (auto& item : slice->items) all.push_back(item.text);
    positions.emplace_back(slice->after, all.size());
  }
  EXPECT_EQ(all.size(), 901);
  for (const auto& [position, count] : positions) {
    ImportReader rest(files, position, 1);
    EXPECT_EQ(all_lines(rest), std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(count), all.end()));
  }
}

TEST_F(ImportFiles, AFileThatIsDamagedIsReportedAndTheNextOneIsRead) {
  const fs::path packed = write_gz("a.ndjson.gz", patients(0, 100'000));
  fs::resize_file(packed, fs::file_size(packed) / 2);
  ImportReader reader({packed, write("b.ndjson", patients(0, 1))}, {}, 0);
  bool damaged = false;
  std::optional<ImportSlice> last;
  while (auto slice = reader.next()) {
    damaged = damaged || slice->error.has_value();
    last = std::move(slice);
  }
  EXPECT_TRUE(damaged);
  EXPECT_EQ(last->file, 1);
}

TEST_F(ImportFiles, ALineBeyondTheLimitIsLeftOutAndTheNextIsRead) {
  const fs::path file = write("a.ndjson", "one\n" + std::string(line_bytes_max + 300'000, 'x') + "\ntwo\n");
  ImportReader reader({file}, {}, 0);
  const auto slice = reader.next();
  ASSERT_EQ(slice->items.size(), 3);
  EXPECT_EQ(slice->items[1].text, "");
  EXPECT_EQ(slice->items[2].text, "two");
  EXPECT_EQ(slice->items[2].line, 3);
}

TEST_F(ImportFiles, ThePipelineGivesSlicesInTheOrderOfReading) {
  ImportReader reader({write("a.ndjson", patients(0, 5000))}, {}, 10);
  ImportPipeline pipeline(reader, 3, [](ImportSlice&& slice, ReadySlice& ready) {
    std::this_thread::sleep_for(std::chrono::microseconds(slice.number % 3 * 300));
    for (const ImportItem& item : slice.items) ready.bundle_lines.push_back(item.line);
  });
  std::int64_t number = 10;
  std::int64_t line = 1;
  while (!pipeline.finished()) {
    const auto ready = pipeline.take(std::chrono::milliseconds(50));
    if (!ready) continue;
    EXPECT_EQ(ready->number, number++);
    for (const std::int64_t at : ready->bundle_lines) EXPECT_EQ(at, line++);
  }
  EXPECT_EQ(line, 5001);
}

TEST_F(ImportFiles, APipelineMayBeLeftBeforeItsEnd) {
  ImportReader reader({write("a.ndjson", patients(0, 10'000))}, {}, 0);
  ImportPipeline pipeline(reader, 2, [](ImportSlice&&, ReadySlice&) {});
  EXPECT_TRUE(pipeline.take(std::chrono::seconds(5)));
}

TEST(ImportReady, ForAServerResourcesBecomeABatch) {
  ImportSlice slice;
  slice.items = {{1, R"({"resourceType":"Patient","id":"a"})"},
                 {2, R"({"resourceType":"Patient"})"},
                 {3, "nonsense"},
                 {4, ""},
                 {5, R"({"id":"x"})"}};
  ReadySlice ready;
  make_ready_for_server(std::move(slice), ready);
  const auto bundle = json::Document::parse(ready.bundle);
  ASSERT_TRUE(bundle) << ready.bundle;
  EXPECT_EQ(bundle->root()["type"].text(), "batch");
  ASSERT_EQ(bundle->root()["entry"].size(), 2);
  EXPECT_EQ(bundle->root()["entry"].at(0)["request"]["url"].text(), "Patient/a");
  EXPECT_EQ(bundle->root()["entry"].at(1)["request"]["method"].text(), "POST");
  EXPECT_EQ(ready.bundle_lines, (std::vector<std::int64_t>{1, 2}));
  ASSERT_EQ(ready.rejections.size(), 3);
  EXPECT_EQ(ready.rejections[0].line, 3);
}

TEST(ImportState, ReadsBackAsItWasWritten) {
  ImportState state;
  state.paths = {"/data/a \"b\"", "/c"};
  state.file = "/c/Patient.ndjson";
  state.position = {2, 123'456'789'012, 77};
  state.next_slice = 42;
  state.counts = {1, 2, 3, 4};
  const auto read = ImportState::decode(state.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->encode(), state.encode());
  EXPECT_EQ(read->position.offset, state.position.offset);
  EXPECT_NE(import_key({"/a"}), import_key({"/b"}));
  EXPECT_EQ(import_key({"/a"}), import_key({"/a"}));
}

}  // namespace
}  // namespace mydr24::cli
