// Tells the behaviours of tests/behaviour/*.tsv (or of the groups named) to a server each, prints what failed, then
// how many of each group are there.
// usage: behaviour FOLDER [--group NAME]... [--quiet]

#include <fmt/format.h>

#include <cstdio>
#include <set>
#include <stdexcept>

#include "behaviour.h"

namespace mydr24::live {
namespace {

namespace fs = std::filesystem;

struct Sum {
  std::string name;
  std::size_t passed = 0;
  std::size_t all = 0;
};

Sum tell(const fs::path& file, const fs::path& folder, bool quiet) {
  const Group group = read_group(file);
  Told told(group, folder / "fixtures");
  Sum sum{group.name, 0, group.behaviours.size()};
  for (const Behaviour& behaviour : group.behaviours) {
    const std::string wrong = told.run(behaviour);
    if (wrong.empty()) {
      ++sum.passed;
    } else if (!quiet) {
      fmt::print("{}.tsv:{}: {}\n    {}\n    -> {}\n    but {}\n", group.name, behaviour.line, behaviour.what,
                 behaviour.request, behaviour.expected, wrong);
    }
  }
  return sum;
}

int run(const fs::path& folder, const std::set<std::string>& names, bool quiet) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto& path = entry.path();
    if (path.extension() == ".tsv" && (names.empty() || names.contains(path.stem().string()))) files.push_back(path);
  }
  if (files.empty() || (!names.empty() && files.size() != names.size())) {
    fmt::print(stderr, "there is no such group in {}\n", folder.string());
    return 2;
  }
  std::ranges::sort(files);
  std::vector<Sum> sums;
  sums.reserve(files.size());
  for (const auto& file : files) sums.push_back(tell(file, folder, quiet));
  Sum total{"all", 0, 0};
  for (const Sum& sum : sums) {
    fmt::print("{:<16} {:>4} of {:>4}\n", sum.name, sum.passed, sum.all);
    total.passed += sum.passed;
    total.all += sum.all;
  }
  if (sums.size() > 1) fmt::print("{:<16} {:>4} of {:>4}\n", total.name, total.passed, total.all);
  return total.passed == total.all ? 0 : 1;
}

}  // namespace
}  // namespace mydr24::live

int main(int argc, char** argv) {
  std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  std::set<std::string> names;
  bool quiet = false;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::string_view flag = arguments[i];
    if (flag == "--quiet") {
      quiet = true;
    } else if (flag == "--group" && i + 1 < arguments.size()) {
      names.insert(arguments[++i]);
    } else {
      arguments = {};
    }
  }
  if (arguments.size() < 2) {
    fmt::print(stderr, "usage: behaviour FOLDER [--group NAME]... [--quiet]\n");
    return 2;
  }
  try {
    return mydr24::live::run(arguments[1], names, quiet);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
