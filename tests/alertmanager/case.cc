#include "alertmanager/case.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace mydr24::alertmanager {
namespace {

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::string part;
  std::istringstream in(text);
  while (std::getline(in, part, by)) parts.push_back(part);
  return parts;
}

routing::Label read_label(const std::string& text) {
  const auto equal = text.find('=');
  if (equal == std::string::npos) return {"alertname", text};
  return {text.substr(0, equal), text.substr(equal + 1)};
}

routing::Labels read_labels(const std::string& text) {
  std::vector<routing::Label> labels;
  for (const std::string& part : split(text, ',')) labels.push_back(read_label(part));
  return routing::Labels(std::move(labels));
}

// The words of a line; what stands in 'quotes' is one word.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(' ', at)) != std::string::npos) {
    const bool quoted = line[at] == '\'';
    if (quoted) ++at;
    const std::size_t end = std::min(line.find(quoted ? '\'' : ' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = std::min(end + 1, line.size());
  }
  return words;
}

}  // namespace

WantedAlert read_alert(const std::string& word) {
  WantedAlert alert;
  std::string rest = word;
  if (const auto mark = rest.find('!'); mark != std::string::npos) {
    alert.annotations = read_labels(rest.substr(mark + 1));
    rest.resize(mark);
  }
  if (const auto at = rest.find('@'); at != std::string::npos) {
    const std::string times = rest.substr(at + 1);
    rest.resize(at);
    alert.start = std::stod(times);
    if (const auto dash = times.find('-'); dash != std::string::npos) alert.end = std::stod(times.substr(dash + 1));
  }
  alert.labels = read_labels(rest);
  return alert;
}

Case read_case(const std::filesystem::path& file) {
  std::ifstream in(file);
  Case made;
  made.name = file.stem().string();
  std::string line;
  bool in_config = false;
  for (int number = 1; std::getline(in, line); ++number) {
    if (in_config && (line.empty() || line.starts_with("  "))) {
      made.config += line.substr(std::min<std::size_t>(2, line.size())) + "\n";
      continue;
    }
    in_config = false;
    if (line.starts_with("#") && made.title.empty()) made.title = line.substr(1);
    if (line.empty() || line.starts_with("#")) continue;
    auto words = words_of(line);
    const std::string verb = words.at(0);
    words.erase(words.begin());
    const auto bad = [&](std::string_view what) {
      return std::runtime_error(fmt::format("{}:{}: {}", file.filename().string(), number, what));
    };
    try {
      if (verb == "config") {
        in_config = true;
      } else if (verb == "only") {
        made.only = words.at(0);
        made.only_why = line.substr(line.find(words[0]) + words[0].size());
      } else if (verb == "prefix") {
        made.prefix = words.at(0);
      } else if (verb == "start-delay") {
        made.start_delay = std::stod(words.at(0));
      } else if (verb == "hook") {
        Hook hook{.name = words.at(0)};
        if (words.size() > 1) hook.manner = words[1];
        if (words.size() > 2) hook.until = std::stod(words[2]);
        made.hooks.push_back(hook);
      } else if (verb == "want") {
        Want want{.line = number, .hook = words.at(0)};
        const auto times = split(words.at(1), '-');
        want.from = std::stod(times.at(0));
        want.to = std::stod(times.at(1));
        for (std::size_t i = 2; i < words.size(); ++i)
          if (words[i] != "nothing") want.alerts.push_back(read_alert(words[i]));
        made.wants.push_back(std::move(want));
      } else {
        Step step{.line = number, .at = std::stod(words.at(0)), .verb = verb};
        step.words.assign(words.begin() + 1, words.end());
        made.steps.push_back(std::move(step));
      }
    } catch (const std::exception& problem) {
      throw bad(problem.what());
    }
  }
  if (made.config.empty()) throw std::runtime_error(made.name + ": there is no config");
  std::ranges::sort(made.steps, {}, [](const Step& step) { return std::pair(step.at, step.line); });
  return made;
}

}  // namespace mydr24::alertmanager
