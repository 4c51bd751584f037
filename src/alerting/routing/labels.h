#pragma once

// Label sets: what an alert is. Source of names, fingerprint and text forms: Prometheus data model and Alertmanager 0.25
//.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/writer.h"

namespace mydr24::routing {

using Label = std::pair<std::string, std::string>;

// Sorted by name, names unique, no empty values: an absent label and an empty one are the same.
class Labels {
 public:
  Labels() = default;
  explicit Labels(std::vector<Label> labels);  // sorts; of equal names the last counts; empty values go

  // The value; empty when there is none.
  std::string_view operator[](std::string_view name) const;
  void set(std::string_view name, std::string_view value);  // an empty value removes it

  auto begin() const { return labels_.begin(); }
  auto end() const { return labels_.end(); }
  std::size_t size() const { return labels_.size(); }
  bool empty() const { return labels_.empty(); }
  auto operator<=>(const Labels&) const = default;

 private:
  std::vector<Label> labels_;
};

// FNV-1a, 64 bits, over name 0xFF value 0xFF of each label in order of names.
using Fingerprint = std::uint64_t;
Fingerprint fingerprint(const Labels& labels);
std::string to_text(Fingerprint fingerprint);  // 16 hexadecimal digits

// {alertname="X", ward="A"}, values quoted as Go does.
std::string to_text(const Labels& labels);
// As a JSON object.
void write(json::Writer& writer, const Labels& labels);

// What a label may be called. classic: [a-zA-Z_][a-zA-Z0-9_]*; utf8: any text that is valid UTF-8 and not empty.
enum class Names : std::uint8_t { utf8, classic };
bool is_label_name(std::string_view name, Names names);

// "text" with the escapes of Go's strconv.Quote.
std::string go_quoted(std::string_view text);

// The next character of UTF-8 text and its length in bytes; length 0 at the end and where the text is not valid.
struct Utf8Character {
  char32_t code = 0;
  std::size_t bytes = 0;
};
Utf8Character utf8_at(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace mydr24::routing
