#include "base/crypto/jws.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/crypto/base64.h"
#include "base/json/writer.h"

namespace mydr24::crypto {
namespace {

constexpr json::Limits header_limits{.bytes_max = 4096, .depth_max = 8, .values_max = 64};
constexpr std::array<std::string_view, 6> refused_members{"jwk", "x5u", "x5c", "crit", "b64", "zip"};

Error refused(std::string_view what) { return fail(Code::refused, fmt::format("the signed token {}", what)); }

struct Parts {
  std::string_view header, payload, signature;
  std::string_view signed_text;
};

std::optional<Parts> split(std::string_view compact) {
  if (compact.size() > jws_bytes_max) return std::nullopt;
  const auto first = compact.find('.');
  const auto last = compact.rfind('.');
  if (first == compact.npos || first == last || compact.find('.', first + 1) != last) return std::nullopt;
  return Parts{compact.substr(0, first), compact.substr(first + 1, last - first - 1), compact.substr(last + 1),
               compact.substr(0, last)};
}

// Of all that could be meant, the one.
Result<const Key*> key_for(const KeySet& keys, const JwsHeader& header) {
  const Key* found = nullptr;
  bool has_id = false;
  for (const Key& key : keys) {
    if (!header.key_id.empty() && key.id() != header.key_id) continue;
    has_id = true;
    if (!key.is_for(header.algorithm)) continue;
    if (found != nullptr) return refused("does not say which of several keys it was signed with");
    found = &key;
  }
  if (found != nullptr) return found;
  if (has_id && !header.key_id.empty()) return refused("names an algorithm that its key is not for");
  return fail(Code::not_found, "there is no key that the token could have been signed with");
}

}  // namespace

std::string sign_jws(const Key& key, std::string_view payload, std::string_view type) {
  std::string header;
  json::Writer out(header);
  out.begin_object().field("alg", to_string(key.algorithm()));
  if (!key.id().empty()) out.field("kid", key.id());
  if (!type.empty()) out.field("typ", type);
  out.end_object();
  std::string text = base64_url(header) + "." + base64_url(payload);
  return text + "." + base64_url(key.sign(key.algorithm(), text));
}

Result<JwsHeader> parse_jws_header(std::string_view text, const JwsChecks& checks) {
  const auto document = json::Document::parse_view(text, header_limits);
  if (!document || !document->root().is_object()) return refused("has a header that is no JSON object");
  std::set<std::string_view> seen;
  for (const auto member : document->root()) {
    if (!seen.insert(member.key()).second) return refused("has a header member twice");
    if (std::ranges::find(refused_members, member.key()) != refused_members.end())
      return refused(fmt::format("has the header member \"{}\", which is not accepted", member.key()));
  }
  const auto root = document->root();
  if (root["jku"] && (checks.jku.empty() || root["jku"].text() != checks.jku))
    return refused("names a key set (jku) that is not the registered one");
  const auto algorithm = parse_algorithm(root["alg"].text());
  const bool is_accepted = algorithm && (checks.algorithms.empty() ||
                                         std::ranges::find(checks.algorithms, *algorithm) != checks.algorithms.end());
  if (!root["alg"].is_string() || !is_accepted) return refused("is signed with an algorithm that is not accepted");
  if (root["kid"] && !root["kid"].is_string()) return refused("has a kid that is no string");
  JwsHeader header{*algorithm, std::string(root["kid"].text()), std::string(root["typ"].text())};
  if (!checks.type.empty() && header.type != checks.type)
    return refused(fmt::format("is not of type \"{}\"", checks.type));
  return header;
}

Result<std::string> verify_jws(std::string_view compact, const KeySet& keys, const JwsChecks& checks) {
  const auto parts = split(compact);
  if (!parts) return refused("is not in the compact form, or is too long");
  const auto header_text = base64_url_decode(parts->header);
  auto payload = base64_url_decode(parts->payload);
  const auto signature = base64_url_decode(parts->signature);
  if (!header_text || !payload || !signature || signature->empty()) return refused("is not in base64url");
  MYDR24_ASSIGN(const auto header, parse_jws_header(*header_text, checks));
  MYDR24_ASSIGN(const Key* key, key_for(keys, header));
  if (!key->verify(header.algorithm, parts->signed_text, *signature)) return refused("has a wrong signature");
  return std::move(*payload);
}

Result<std::string> unverified_payload(std::string_view compact) {
  const auto parts = split(compact);
  if (!parts) return refused("is not in the compact form, or is too long");
  auto payload = base64_url_decode(parts->payload);
  if (!payload) return refused("is not in base64url");
  return std::move(*payload);
}

}  // namespace mydr24::crypto
