// Matchers, configurations, silences and alerts out of arbitrary bytes: no crash, and what is accepted reads back as itself.

#include <cstdlib>

#include "alerting/routing/config.h"
#include "alerting/routing/silence.h"

namespace {

using namespace mydr24::routing;

void must(bool holds) {
  if (!holds) std::abort();
}

void try_matchers(std::string_view text) {
  for (const Names names : {Names::utf8, Names::classic}) {
    const auto read = parse_matchers(text, names);
    if (!read) continue;
    (void)matches(*read, Labels({{"a", "b"}}));
    const auto again = parse_matchers(to_text(*read), Names::utf8);
    must(again && *again == *read);
  }
}

void try_json(std::string_view text) {
  const auto document = mydr24::json::Document::parse_view(text);
  if (!document) return;
  if (const auto alert = read_posted(document->root(), mydr24::Instant(), milliseconds(1000), Names::utf8)) {
    const auto again = alert_from_json(to_json(*alert));
    must(again && *again == *alert);
  }
  if (const auto silence = read_silence(document->root(), Names::utf8)) {
    (void)silence->is_silent(mydr24::Instant());
    const auto again = silence_from_json(to_json(*silence));
    must(again && again->same_scope(*silence));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      try_matchers(text);
      break;
    case 1:
      try_json(text);
      break;
    default:
      if (const auto config = load_config(text)) (void)match((*config)->root, Labels({{"a", "b"}}));
      if (const auto duration = parse_duration(text))
        must(parse_duration(duration_text(*duration)).value() == *duration);
  }
  return 0;
}
