#include "guard/audit/export.h"

#include <fmt/format.h>

#include <charconv>
#include <istream>
#include <ostream>

#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/audit/detail/record.h"
#include "guard/audit/log.h"

namespace mydr24::audit {
namespace {

constexpr std::string_view trailer_begin = R"({"trailer":)";
constexpr std::string_view signature_key = R"(,"signature":")";
constexpr std::size_t key_bytes_max = 4096;

std::string trailer_of(const Exported& exported, const Digest& digest, const std::string& key_id, Instant now) {
  std::string text(trailer_begin);
  json::Writer writer(text);
  writer.begin_object().field("at", format_instant(now)).field("lines", exported.lines);
  writer.field("first", exported.first).field("last", exported.last).field("sha256", to_text(digest));
  writer.field("key", key_id).end_object();
  return text;
}

Error not_whole(std::string_view what) { return fail(Code::invalid, std::string(what), "export"); }

template <class T>
void take_number(json::Value value, T& to) {
  std::from_chars(value.text().data(), value.text().data() + value.text().size(), to);
}

// What the last line says; its signature is checked, nothing else.
Result<json::Document> read_trailer(const std::string& line, const PublicKey& key) {
  const std::size_t at = line.rfind(signature_key);
  if (!line.starts_with(trailer_begin) || at == std::string::npos || !line.ends_with("\"}"))
    return not_whole("has no trailer at its end: it is not whole");
  const std::size_t begin = at + signature_key.size();
  if (!key.verify(std::string_view(line).substr(0, at), std::string_view(line).substr(begin, line.size() - 2 - begin)))
    return not_whole("is not signed with that key");
  return json::Document::parse(line);
}

}  // namespace

Result<Exported> export_entries(const ExportOptions& options, Instant now, std::ostream& out) {
  const auto key_file = options.key_file.empty() ? options.folder / key_file_name : options.key_file;
  MYDR24_ASSIGN(const auto key, SigningKey::load(key_file, false));
  Exported exported;
  Sha256 sha;
  sha.begin();
  const auto put = [&](std::string line) {
    line += '\n';
    sha.add(line);
    out << line;
    ++exported.lines;
  };
  MYDR24_TRY(for_each(Trail(options.folder, options.keys), options.query, [&](const Found& one) {
    if (exported.first == 0) exported.first = one.number;
    exported.last = one.number;
    if (options.fhir) {
      for (std::string& event : to_audit_events(one.entry, *options.fhir)) put(std::move(event));
    } else {
      put(to_json(one.entry));
    }
    return out.good();
  }));
  std::string trailer = trailer_of(exported, sha.end(), key.public_key().id(), now);
  const std::string signature = key.sign(trailer);
  out << trailer << signature_key << signature << "\"}\n";
  out.flush();
  if (!out.good()) return fail(Code::internal, "could not be written to its end", "export");
  return exported;
}

Result<Exported> verify_export(std::istream& in, const std::string& public_key) {
  MYDR24_ASSIGN(const auto key, PublicKey::parse(public_key));
  Exported exported;
  Sha256 sha;
  sha.begin();
  std::string line, next;
  bool any = false;
  // The last line is the trailer: each is digested when another has come.
  while (std::getline(in, next)) {
    if (in.eof()) return not_whole("its last line has no end");
    if (any) {
      line += '\n';
      sha.add(line);
      ++exported.lines;
    }
    any = true;
    line.swap(next);
  }
  if (!any) return not_whole("is empty");
  MYDR24_ASSIGN(const auto document, read_trailer(line, key));
  const json::Value trailer = document.root()["trailer"];
  std::int64_t lines = -1;
  take_number(trailer["lines"], lines);
  take_number(trailer["first"], exported.first);
  take_number(trailer["last"], exported.last);
  if (trailer["sha256"].text() != to_text(sha.end()) || lines != exported.lines)
    return not_whole("is not what was signed: a line was changed, left out or put in");
  return exported;
}

Result<TrailKey> trail_key(const std::filesystem::path& folder) {
  MYDR24_ASSIGN(const std::string text, read_whole(folder / public_key_file_name, key_bytes_max));
  MYDR24_ASSIGN(const auto key, PublicKey::parse(text));
  return TrailKey{.id = key.id(), .base64_url = key.text(), .pem = key.pem()};
}

}  // namespace mydr24::audit
