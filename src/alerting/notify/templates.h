#pragma once

// The texts that leave the building: templates whose {{fields}} are among the few that say nothing of a patient.
//
// Invariant: a template that names anything else is refused when it is loaded, so that no text can carry patient data.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::notify {

// What a template may name: {{severity}}, {{SEVERITY}} (in capitals), {{title}}, {{raised_at}}, {{contact}}, {{step}},
// {{attempt}}, {{alert}} (its id), {{link}}, {{reply}} (how to answer an SMS), {{site}}.
struct Fields {
  std::string severity;
  std::string title;
  std::string raised_at;
  std::string contact;
  int step = 0;
  int attempt = 1;
  std::string alert;
  std::string link;
  std::string reply;
  std::string site;
};

class Template {
 public:
  // Code::invalid: names the field that is not among those above, or an unclosed "{{"; Code::too_large.
  static Result<Template> parse(std::string_view text);
  // Control characters of values become blanks. A line whose fields are all empty is left out.
  std::string render(const Fields& fields) const;
  // The same in at most `size_max` of what `measure` counts, by shortening the title.
  std::string render(const Fields& fields, std::size_t size_max, std::size_t (*measure)(std::string_view)) const;

 private:
  struct Piece {
    std::string text;  // literal, or the name of a field
    bool is_field = false;
  };
  std::vector<Piece> pieces_;
};

inline constexpr std::size_t template_bytes_max = 16U << 10;

// Characters of GSM 03.38 (those of its extension count twice) when the text is in that alphabet, else UTF-16 units
// scaled so that both fill an SMS alike: one segment is 153 of 459 in three.
std::size_t sms_size(std::string_view text);
inline constexpr std::size_t sms_size_max = 459;  // three segments
// Unicode characters.
std::size_t characters(std::string_view text);
// At most that many of them.
std::string_view cut_characters(std::string_view text, std::size_t count_max);

// One for each text that is sent. Default: those of default_templates().
struct Templates {
  Template sms;
  Template voice;
  Template mail_subject;
  Template mail_text;
  Template chat;
  Template pagerduty;

  Templates();
};

// Texts of the settings; empty ones mean the default. Code::invalid, `where` is the name as "template_sms".
struct TemplateTexts {
  std::string sms;
  std::string voice;
  std::string mail_subject;
  std::string mail_text;
  std::string chat;
  std::string pagerduty;
};
Result<Templates> parse_templates(const TemplateTexts& texts);

}  // namespace mydr24::notify
