#include "alerting/notify/templates.h"

#include <gtest/gtest.h>

namespace mydr24::notify {
namespace {

Fields fields() {
  return {.severity = "emergency",
          .title = "Early warning score: high",
          .raised_at = "2026-03-08T08:00:00.000Z",
          .contact = "nurse",
          .step = 0,
          .attempt = 2,
          .alert = "a1",
          .link = "https://desk.example/ack/t",
          .reply = "Reply 1a",
          .site = "St Mary"};
}

// AL-13.
TEST(Template, ThatNamesAnythingButTheListedFieldsIsRefusedWithTheFieldNamed) {
  for (const std::string_view field :
       {"patient.name", "patient", "reason", "values", "Title", "title.patient", "", "alert.patient.birthDate"}) {
    const auto parsed = Template::parse("Hello {{" + std::string(field) + "}}!");
    ASSERT_FALSE(parsed) << field;
    EXPECT_EQ(parsed.error().code, Code::invalid);
    EXPECT_NE(parsed.error().text.find("\"" + std::string(field) + "\""), std::string::npos);
  }
  const auto templates = parse_templates({.sms = "{{title}}", .chat = "{{ patient.name }}"});
  ASSERT_FALSE(templates);
  EXPECT_EQ(templates.error().where, "template_chat");
  EXPECT_FALSE(Template::parse("{{title"));
  EXPECT_EQ(Template::parse(std::string(template_bytes_max + 1, 'x')).error().code, Code::too_large);
}

TEST(Template, PutsTheFieldsIn) {
  const auto text = [](std::string_view pattern) { return Template::parse(pattern)->render(fields()); };
  EXPECT_EQ(text("{{SEVERITY}} {{ title }} for {{contact}}"), "EMERGENCY Early warning score: high for nurse");
  EXPECT_EQ(text("step {{step}}, attempt {{attempt}}"), "step 1, attempt 2");
  EXPECT_EQ(text("{{severity}}{{alert}}{{link}}{{reply}}{{site}}{{raised_at}}"),
            "emergencya1https://desk.example/ack/tReply 1aSt Mary2026-03-08T08:00:00.000Z");
  EXPECT_EQ(text("no field } { {"), "no field } { {");
}

TEST(Template, ALineWhoseFieldsAreAllEmptyIsLeftOut) {
  Fields without = fields();
  without.link.clear();
  without.reply.clear();
  const auto text = Template::parse("{{title}}\n\nAcknowledge: {{link}}\n{{reply}} {{contact}}\n{{reply}}\nend\n");
  EXPECT_EQ(text->render(without), "Early warning score: high\n\n nurse\nend");
}

TEST(Template, AValueBringsNoLineEndAlong) {
  Fields hostile = fields();
  hostile.title = "a\r\nBcc: b\x7f\tc";
  EXPECT_EQ(Template::parse("{{title}}")->render(hostile), "a  Bcc: b  c");
  hostile.title = "{{contact}}";
  EXPECT_EQ(Template::parse("{{title}}")->render(hostile), "{{contact}}");
}

TEST(Template, ATextThatIsTooLongLosesTheEndOfItsTitleAndNothingElse) {
  Fields long_title = fields();
  for (int i = 0; i < 100; ++i) long_title.title += " very long";
  const Templates templates;
  const std::string sms = templates.sms.render(long_title, sms_size_max, sms_size);
  EXPECT_LE(sms_size(sms), sms_size_max);
  EXPECT_GE(sms_size(sms), sms_size_max - 1);
  EXPECT_TRUE(sms.starts_with("EMERGENCY St Mary: Early warning"));
  EXPECT_TRUE(sms.ends_with("...\nReply 1a"));
  long_title.title = "Ünïcödé ✓";
  for (int i = 0; i < 100; ++i) long_title.title += " ✓✓✓✓";
  EXPECT_LE(sms_size(templates.sms.render(long_title, sms_size_max, sms_size)), sms_size_max);
  // Bytes that are no characters.
  long_title.title = std::string(1000, '\x80');
  EXPECT_LE(sms_size(templates.sms.render(long_title, sms_size_max, sms_size)), sms_size_max);
  long_title.title = "✓✓✓✓";
  // Even what is not title: cut between characters.
  EXPECT_EQ(Template::parse("✓✓✓✓ {{title}}")->render(long_title, 3, characters), "✓✓✓");
}

TEST(SmsSize, CountsAsTheNetworkDoes) {
  EXPECT_EQ(sms_size("abc"), 3U);
  EXPECT_EQ(sms_size("[€]"), 6U);
  EXPECT_EQ(sms_size("Äß"), 2U);
  // 201 UTF-16 units fill three segments, as 459 characters of GSM do.
  EXPECT_EQ(sms_size(std::string("✓") + std::string(200, 'a')), sms_size_max);
  EXPECT_GT(sms_size(std::string("✓") + std::string(201, 'a')), sms_size_max);
  EXPECT_EQ(sms_size("😀"), sms_size("✓✓"));
  EXPECT_EQ(characters("✓a😀"), 3U);
  EXPECT_EQ(cut_characters("✓a😀", 2), "✓a");
}

}  // namespace
}  // namespace mydr24::notify
