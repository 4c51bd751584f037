#include "app/load/bodies.h"

#include <fmt/format.h>

#include "base/json/document.h"

namespace mydr24::load {
namespace {

// Compact text, however the template is laid out. Places outside strings are no JSON: white space is dropped by hand.
std::string compact_template(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"' && (i == 0 || json[i - 1] != '\\')) in_string = !in_string;
    if (!in_string && (c == ' ' || c == '\n')) continue;
    out.push_back(c);
  }
  return out;
}

}  // namespace

Body::Body(std::string_view json) {
  const std::string text = compact_template(json);
  std::size_t at = 0;
  while (true) {
    const std::size_t place = text.find("${", at);
    if (place == std::string::npos) break;
    const std::size_t end = text.find('}', place);
    pieces_.push_back({text.substr(at, place - at), text.substr(place + 2, end - place - 2)});
    at = end + 1;
  }
  pieces_.push_back({text.substr(at), {}});
}

void Body::append(std::string& out, Values values) const {
  for (const Piece& piece : pieces_) {
    out.append(piece.text);
    for (const auto& [name, value] : values) {
      if (name != piece.place) continue;
      out.append(value);
      break;
    }
  }
}

std::string Body::fill(Values values) const {
  std::string out;
  append(out, values);
  return out;
}

std::string id_member(std::string_view id) { return fmt::format("\"id\":\"{}\",", id); }

Body linked_transaction(std::size_t linked, std::string_view at) {
  const auto urn = [](std::size_t n) { return fmt::format("urn:uuid:00000000-0000-4000-8000-{:012x}", n); };
  std::string out = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  const auto add = [&](std::size_t n, std::string_view type, const std::string& resource) {
    if (n > 0) out.push_back(',');
    out += fmt::format(R"({{"fullUrl":"{}","resource":{},"request":{{"method":"POST","url":"{}"}}}})", urn(n), resource,
                       type);
  };
  add(0, "Patient", patient().fill({{"n", "${n}"}, {"gender", "female"}}));
  const std::string subject = urn(0);
  std::string visit = urn(1);
  for (std::size_t n = 1; n <= linked; ++n) {
    const std::string value = fmt::format("{}", 60 + n % 25);
    switch (n % 10) {
      case 1:
        visit = urn(n);
        add(n, "Encounter", small_encounter().fill({{"patient", subject}, {"at", at}}));
        break;
      case 2:
        add(n, "Condition", condition().fill({{"patient", subject}, {"encounter", visit}}));
        break;
      case 3:
        add(n, "Observation", heart_rate().fill({{"patient", subject}, {"value", value}, {"at", at}}));
        break;
      default:
        add(n, "Observation", pain_score().fill({{"patient", subject}, {"encounter", visit}, {"issued", at}}));
    }
  }
  return Body(out + "]}");
}

std::string patients_transaction(std::string_view prefix, std::size_t first, std::size_t count) {
  std::string out = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (std::size_t n = first; n < first + count; ++n) {
    if (n > first) out.push_back(',');
    const std::string id = fmt::format("{}-{}", prefix, n);
    out += fmt::format(
        R"({{"fullUrl":"urn:uuid:00000000-0000-4000-9000-{:012x}","resource":{},"request":{{"method":"PUT","url":"Patient/{}"}}}})",
        n, patient().fill({{"id", id_member(id)}, {"n", fmt::format("{}", n)}, {"gender", "male"}}), id);
  }
  return out + "]}";
}

std::string ndjson(std::size_t count, std::string_view at, std::vector<std::string>* ids) {
  std::string out;
  std::string subject;
  std::string visit;
  for (std::size_t n = 0; n < count; ++n) {
    const std::string id = fmt::format("n-{}", n);
    const std::string member = id_member(id);
    const std::string value = fmt::format("{}", 60 + n % 25);
    std::string_view type = "Observation";
    switch (n % 20) {
      case 0:
        type = "Patient";
        subject = "Patient/" + id;
        patient().append(out, {{"id", member}, {"n", fmt::format("{}", n)}, {"gender", "male"}});
        break;
      case 1:
        type = "Encounter";
        visit = "Encounter/" + id;
        small_encounter().append(out, {{"id", member}, {"patient", subject}, {"at", at}});
        break;
      case 2:
      case 3:
        type = "Condition";
        condition().append(out, {{"id", member}, {"patient", subject}, {"encounter", visit}});
        break;
      case 4:
      case 5:
      case 6:
      case 7:
        heart_rate().append(out, {{"id", member}, {"patient", subject}, {"value", value}, {"at", at}});
        break;
      default:
        pain_score().append(out, {{"id", member}, {"patient", subject}, {"encounter", visit}, {"issued", at}});
    }
    out.push_back('\n');
    if (ids != nullptr) ids->push_back(fmt::format("{}/{}", type, id));
  }
  return out;
}

}  // namespace mydr24::load
