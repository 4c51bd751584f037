#pragma once

// The program of a folder of walks: NAME FOLDER [WALK...] walks every *.walk of the folder, or those named.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mydr24::walks {

// `walk` gives back what was wrong, empty when nothing was. The exit code.
inline int run_all(int argc, char** argv, std::string_view name,
                   const std::function<std::string(const std::filesystem::path&)>& walk) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() < 2) {
    fmt::print(stderr, "usage: {} FOLDER [NAME...]\n", name);
    return 2;
  }
  const std::set<std::string> wanted(arguments.begin() + 2, arguments.end());
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1]))
    if (entry.path().extension() == ".walk" && (wanted.empty() || wanted.contains(entry.path().stem())))
      files.push_back(entry.path());
  std::ranges::sort(files);
  int failed = 0;
  for (const auto& file : files) {
    const std::string wrong = walk(file);
    if (!wrong.empty()) fmt::print("FAILED {}: {}\n", file.filename().string(), wrong);
    failed += wrong.empty() ? 0 : 1;
  }
  fmt::print("{} walks, {} failed\n", files.size(), failed);
  return files.empty() || failed > 0 ? 1 : 0;
}

}  // namespace mydr24::walks
