#pragma once

// Reading and making ready beside writing: one thread reads slices, a few make them ready, and the caller
// takes them in the order of reading. A fixed number of slices is under way at any time.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/import_report.h"
#include "app/cli/import_source.h"
#include "clinical/records/interaction.h"
#include "clinical/records/records.h"

namespace mydr24::cli {

struct ReadyResource {
  std::int64_t line = 0;
  records::Prepared prepared;
};

// A slice made ready: what to write, and what was refused already.
struct ReadySlice {
  std::int64_t number = 0;
  std::size_t file = 0;
  ImportPosition after;
  std::vector<ReadyResource> resources;
  std::vector<ImportRejection> rejections;
  // A transaction Bundle, to be written as one; its resources point into the document.
  std::unique_ptr<json::Document> document;
  std::vector<records::Interaction> interactions;
  // For a server: a Bundle and the line of each of its entries (one line: of them all).
  std::string bundle;
  std::vector<std::int64_t> bundle_lines;
};

class ImportPipeline {
 public:
  using MakeReady = std::function<void(ImportSlice&&, ReadySlice&)>;  // from several threads at once

  static constexpr std::size_t slices_max = 12;

  ImportPipeline(ImportReader& reader, std::size_t workers, MakeReady make_ready);
  ~ImportPipeline();
  ImportPipeline(const ImportPipeline&) = delete;
  ImportPipeline& operator=(const ImportPipeline&) = delete;

  // The next slice in order; nothing when there is none within `time`, or none at all.
  std::optional<ReadySlice> take(std::chrono::milliseconds time);
  bool finished();  // everything was taken

 private:
  void read();
  void work();

  ImportReader& reader_;
  MakeReady make_ready_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ImportSlice> to_prepare_;
  std::map<std::int64_t, ReadySlice> ready_;
  std::size_t under_way_ = 0;
  std::optional<std::int64_t> next_;  // number of the slice to be taken next
  bool all_read_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mydr24::cli
