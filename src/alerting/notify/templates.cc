#include "alerting/notify/templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace mydr24::notify {
namespace {

using Read = std::string (*)(const Fields&);

std::string capitals(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

struct Known {
  std::string_view name;
  Read read;
};

constexpr std::array<Known, 11> known_fields{{
    {"severity", [](const Fields& f) { return f.severity; }},
    {"SEVERITY", [](const Fields& f) { return capitals(f.severity); }},
    {"title", [](const Fields& f) { return f.title; }},
    {"raised_at", [](const Fields& f) { return f.raised_at; }},
    {"contact", [](const Fields& f) { return f.contact; }},
    {"step", [](const Fields& f) { return fmt::to_string(f.step + 1); }},  // people count from one
    {"attempt", [](const Fields& f) { return fmt::to_string(f.attempt); }},
    {"alert", [](const Fields& f) { return f.alert; }},
    {"link", [](const Fields& f) { return f.link; }},
    {"reply", [](const Fields& f) { return f.reply; }},
    {"site", [](const Fields& f) { return f.site; }},
}};

const Known* find_field(std::string_view name) {
  const auto found = std::ranges::find(known_fields, name, &Known::name);
  return found == known_fields.end() ? nullptr : &*found;
}

std::string known_names() {
  std::string names;
  for (const Known& field : known_fields) names += (names.empty() ? "" : ", ") + std::string(field.name);
  return names;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void append_value(std::string& out, const std::string& value) {
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

// A line of the text being made, and whether its fields said anything.
struct Line {
  std::string text;
  bool has_field = false;
  bool has_value = false;

  void end(std::string& out, std::string_view line_end) {
    if (!has_field || has_value) (out += text) += line_end;
    *this = {};
  }
};

// The length in bytes of the first `count` characters.
std::size_t bytes_of(std::string_view text, std::size_t count) {
  if (count == 0) return 0;
  std::size_t i = 0;
  for (std::size_t seen = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U && seen++ == count) break;
  return i;
}

// The most characters for which `fits` holds, by halving; it holds for all shorter ones too.
template <class Fits>
std::size_t most(std::size_t count, Fits fits) {
  std::size_t low = 0;
  while (low < count) {
    const std::size_t middle = low + (count - low + 1) / 2;
    if (fits(middle))
      low = middle;
    else
      count = middle - 1;
  }
  return low;
}

char32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const unsigned char first = byte(at++);
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  char32_t character = more == 3 ? first & 7U : more == 2 ? first & 15U : more == 1 ? first & 31U : first;
  for (int i = 0; i < more && at < text.size(); ++i) character = character << 6U | (byte(at++) & 63U);
  return character;
}

// GSM 03.38, 6.2.1 (7-bit default alphabet) and its extension table.
constexpr std::u32string_view gsm_alphabet =
    U"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    U"abcdefghijklmnopqrstuvwxyzäöñüà";
constexpr std::u32string_view gsm_extension = U"^{}\\[~]|€";

}  // namespace

Result<Template> Template::parse(std::string_view text) {
  if (text.size() > template_bytes_max)
    return fail(Code::too_large, fmt::format("a template has at most {} bytes", template_bytes_max));
  Template made;
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    if (open > 0) made.pieces_.push_back({std::string(text.substr(0, open)), false});
    if (open == text.npos) break;
    const std::size_t close = text.find("}}", open);
    if (close == text.npos) return fail(Code::invalid, "\"{{\" without \"}}\"");
    const std::string_view name = trim(text.substr(open + 2, close - open - 2));
    if (find_field(name) == nullptr)
      return fail(Code::invalid,
                  fmt::format("the field \"{}\" may not leave the building: a text may name {}", name, known_names()));
    made.pieces_.push_back({std::string(name), true});
    text.remove_prefix(close + 2);
  }
  return made;
}

std::string Template::render(const Fields& fields) const {
  std::string out;
  Line line;
  for (const Piece& piece : pieces_) {
    if (piece.is_field) {
      const std::string value = find_field(piece.text)->read(fields);
      line.has_field = true;
      line.has_value |= !value.empty();
      append_value(line.text, value);
      continue;
    }
    std::string_view rest = piece.text;
    for (std::size_t end = 0; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
      line.text += rest.substr(0, end);
      line.end(out, "\n");
    }
    line.text += rest;
  }
  line.end(out, "");
  while (out.ends_with('\n') || out.ends_with(' ')) out.pop_back();
  return out;
}

std::string Template::render(const Fields& fields, std::size_t size_max,
                             std::size_t (*measure)(std::string_view)) const {
  std::string whole = render(fields);
  if (measure(whole) <= size_max) return whole;
  Fields shorter = fields;
  const auto with_title = [&](std::size_t count) {
    shorter.title = fields.title.substr(0, bytes_of(fields.title, count)) + "...";
    return render(shorter);
  };
  const std::size_t title =
      most(characters(fields.title), [&](std::size_t count) { return measure(with_title(count)) <= size_max; });
  whole = with_title(title);
  if (measure(whole) <= size_max) return whole;
  const std::size_t kept = most(characters(whole), [&](std::size_t count) {
    return measure(std::string_view(whole).substr(0, bytes_of(whole, count))) <= size_max;
  });
  return whole.substr(0, bytes_of(whole, kept));
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view cut_characters(std::string_view text, std::size_t count_max) {
  return text.substr(0, bytes_of(text, count_max));
}

std::size_t sms_size(std::string_view text) {
  std::size_t septets = 0;
  std::size_t units = 0;
  bool is_gsm = true;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t character = next_character(text, at);
    units += character > 0xFFFF ? 2 : 1;
    if (gsm_alphabet.contains(character))
      septets += 1;
    else if (gsm_extension.contains(character))
      septets += 2;
    else
      is_gsm = false;
  }
  constexpr std::size_t units_max = 201;  // three segments of 67
  return is_gsm ? septets : (units * sms_size_max + units_max - 1) / units_max;
}

Result<Templates> parse_templates(const TemplateTexts& texts) {
  Templates templates;
  struct Row {
    std::string_view name;
    const std::string& text;
    Template& to;
  };
  for (const Row& row : {
           Row{"template_sms", texts.sms, templates.sms},
           Row{"template_voice", texts.voice, templates.voice},
           Row{"template_mail_subject", texts.mail_subject, templates.mail_subject},
           Row{"template_mail_text", texts.mail_text, templates.mail_text},
           Row{"template_chat", texts.chat, templates.chat},
           Row{"template_pagerduty", texts.pagerduty, templates.pagerduty},
       }) {
    if (row.text.empty()) continue;
    auto parsed = Template::parse(row.text);
    if (!parsed) return fail(parsed.error().code, parsed.error().text, std::string(row.name));
    row.to = std::move(*parsed);
  }
  return templates;
}

Templates::Templates()
    : sms(*Template::parse("{{SEVERITY}} {{site}}: {{title}}\n{{reply}}")),
      voice(*Template::parse("This is {{site}} with an alert. Severity: {{severity}}. {{title}}.")),
      mail_subject(*Template::parse("[{{SEVERITY}}] {{title}}")),
      mail_text(*Template::parse(
          "{{title}}\n\nSeverity: {{severity}}\nRaised: {{raised_at}}\n"
          "Called: {{contact}}, step {{step}}\n\nAcknowledge: {{link}}\n\n{{site}}, alert {{alert}}\n")),
      chat(*Template::parse("*{{SEVERITY}}* {{title}}")),
      pagerduty(*Template::parse("{{title}}")) {}

}  // namespace mydr24::notify
