#include "guard/audit/detail/record.h"

#include <array>
#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::audit {
namespace {

constexpr std::size_t check_digits = 8;
constexpr std::string_view number_key = R"({"n":)";
constexpr std::string_view previous_key = R"(,"previous":")";
constexpr std::string_view signature_key = R"(,"signature":")";
constexpr std::size_t signature_member = signature_key.size() + signature_characters + 1;

void write_check(char* to, const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < check_digits; i += 2) {
    to[i] = digits[digest[i / 2] >> 4];
    to[i + 1] = digits[digest[i / 2] & 0xf];
  }
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

Error damaged(std::string_view what) { return fail(Code::invalid, std::string(what)); }

Result<json::Document> parse_body(std::string_view body) {
  auto document = json::Document::parse_view(body);
  if (document && !document->root().is_object()) return damaged("is no object");
  return document;
}

std::int64_t number_of(json::Value value) {
  std::int64_t number = 0;
  const std::string_view text = value.text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<Instant> instant_of(json::Value value) {
  const auto time = parse_date_time(value.text());
  if (!time) return damaged("has no time");
  return time->low;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::entry:
      return "entry";
    case Kind::checkpoint:
      return "checkpoint";
    case Kind::anchor:
      return "anchor";
  }
  return "entry";
}

Digest append_line(std::string& out, Sha256& sha, std::int64_t number, const Digest& previous, Kind kind,
                   std::string_view body, const SigningKey* key) {
  const std::size_t line_begin = out.size();
  const std::size_t json_begin = line_begin + check_digits + 1;
  out.append(check_digits + 1, ' ');
  out += number_key;
  out += std::to_string(number);
  out += previous_key;
  append_base64_url(out, previous);
  out += "\",\"";
  out += to_string(kind);
  out += "\":";
  out += body;
  if (key != nullptr) {
    const std::string signature = key->sign(std::string_view(out).substr(json_begin));
    out += signature_key;
    out += signature;
    out += '"';
  }
  out += '}';
  const Digest digest = sha.of(std::string_view(out).substr(json_begin));
  write_check(out.data() + line_begin, digest);
  out += '\n';
  return digest;
}

Result<Line> parse_line(std::string_view text) {
  if (text.size() > line_bytes_max) return damaged("is longer than a line can be");
  if (text.size() < check_digits + 2 || text[check_digits] != ' ') return damaged("is no line of a trail");
  Line line;
  line.json = text.substr(check_digits + 1);
  line.digest = sha256(line.json);
  std::array<char, check_digits> check{};
  write_check(check.data(), line.digest);
  if (text.substr(0, check_digits) != std::string_view(check.data(), check.size()))
    return damaged("its checksum is wrong");

  std::string_view rest = line.json;
  if (!take(rest, number_key)) return damaged("has no number");
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), line.number);
  if (error != std::errc{} || line.number < 1) return damaged("has no number");
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (!take(rest, previous_key) || rest.size() < digest_characters + 2) return damaged("has no digest");
  line.previous = rest.substr(0, digest_characters);
  rest.remove_prefix(digest_characters);
  if (!take(rest, "\",\"")) return damaged("has no digest");
  bool known = false;
  for (const Kind kind : {Kind::entry, Kind::checkpoint, Kind::anchor}) {
    if (!take(rest, to_string(kind))) continue;
    line.kind = kind;
    known = true;
    break;
  }
  if (!known || !take(rest, "\":") || !rest.ends_with('}')) return damaged("is of no kind that is known");
  rest.remove_suffix(1);
  if (line.kind != Kind::entry) {
    if (rest.size() < signature_member || !rest.ends_with('"') ||
        rest.substr(rest.size() - signature_member, signature_key.size()) != signature_key)
      return damaged("is not signed");
    line.signature = rest.substr(rest.size() - signature_characters - 1, signature_characters);
    rest.remove_suffix(signature_member);
    line.signed_text = line.json.substr(0, line.json.size() - signature_member - 1);
  }
  line.body = rest;
  return line;
}

std::string to_json(const Checkpoint& checkpoint) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("at", format_instant(checkpoint.at)).field("followed", checkpoint.followed);
  writer.field("key", checkpoint.key).end_object();
  return out;
}

Result<Checkpoint> checkpoint_of(std::string_view body) {
  MYDR24_ASSIGN(const auto document, parse_body(body));
  const json::Value root = document.root();
  Checkpoint checkpoint;
  MYDR24_ASSIGN(checkpoint.at, instant_of(root["at"]));
  checkpoint.followed = number_of(root["followed"]);
  checkpoint.key = root["key"].text();
  return checkpoint;
}

std::string to_json(const Anchor& anchor) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("at", format_instant(anchor.at)).field("first", anchor.first).field("last", anchor.last);
  writer.field("before", anchor.before).field("digest", anchor.digest).field("until", format_instant(anchor.until));
  writer.field("key", anchor.key).end_object();
  return out;
}

Result<Anchor> anchor_of(std::string_view body) {
  MYDR24_ASSIGN(const auto document, parse_body(body));
  const json::Value root = document.root();
  Anchor anchor;
  MYDR24_ASSIGN(anchor.at, instant_of(root["at"]));
  MYDR24_ASSIGN(anchor.until, instant_of(root["until"]));
  anchor.first = number_of(root["first"]);
  anchor.last = number_of(root["last"]);
  anchor.before = root["before"].text();
  anchor.digest = root["digest"].text();
  anchor.key = root["key"].text();
  if (anchor.first < 1 || anchor.last < anchor.first) return damaged("names no lines");
  return anchor;
}

}  // namespace mydr24::audit
