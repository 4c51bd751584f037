#include "alerting/notify/twilio.h"

#include <gtest/gtest.h>

namespace mydr24::notify {
namespace {

// PR-05: the vector of Twilio's documentation of request validation.
TEST(Twilio, SignatureIsThatOfTheVector) {
  const net::QueryParameters form{{"Digits", "1234"},
                                  {"To", "+18005551212"},
                                  {"From", "+14158675310"},
                                  {"Caller", "+14158675310"},
                                  {"CallSid", "CA1234567890ABCDE"}};
  const std::string_view url = "https://mycompany.com/myapp.php?foo=1&bar=2";
  EXPECT_EQ(twilio_signature("12345", url, form), "GvWf1cFY/Q7PnoempGyD5oXAezc=");
  EXPECT_TRUE(verify_twilio("GvWf1cFY/Q7PnoempGyD5oXAezc=", "12345", url, form));
  EXPECT_FALSE(verify_twilio("GvWf1cFY/Q7PnoempGyD5oXAezc", "12345", url, form));
  EXPECT_FALSE(verify_twilio("GvWf1cFY/Q7PnoempGyD5oXAezc=", "12346", url, form));
  EXPECT_FALSE(verify_twilio("GvWf1cFY/Q7PnoempGyD5oXAezc=", "12345", "https://mycompany.com/myapp.php", form));
  EXPECT_FALSE(verify_twilio("", "12345", url, form));
  EXPECT_FALSE(verify_twilio(twilio_signature("", url, form), "", url, form)) << "no token, no trust";
  net::QueryParameters changed = form;
  changed[0].second = "4";
  EXPECT_FALSE(verify_twilio("GvWf1cFY/Q7PnoempGyD5oXAezc=", "12345", url, changed));
}

// ON-15, ON-17.
TEST(SmsReply, SaysWhatAPersonMeans) {
  using enum SmsReply::Kind;
  struct Row {
    std::string_view text;
    SmsReply::Kind kind;
    int code;
  };
  for (const Row& row : {
           Row{"ack198", acknowledge, 198},
           Row{"a", acknowledge, 0},
           Row{"1a", acknowledge, 1},
           Row{"1 a", acknowledge, 1},
           Row{"'1c'", close, 1},
           Row{"close 4", close, 4},
           Row{"100aa", acknowledge, 100},
           Row{"ACK", acknowledge, 0},
           Row{" Ack 7. ", acknowledge, 7},
           Row{"A12", acknowledge, 12},
           Row{"c", close, 0},
           Row{"100cc", close, 100},
           Row{"STOP", stop, 0},
           Row{"Unsubscribe", stop, 0},
           Row{"Start", start, 0},
           Row{"", unknown, 0},
           Row{"hello", unknown, 0},
           Row{"5", unknown, 0},
           Row{"1a2", unknown, 0},
           Row{"a1a", unknown, 0},
           Row{"0a", unknown, 0},
           Row{"1000a", unknown, 0},
           Row{"99999999999999999999a", unknown, 0},
           Row{"stop 4", unknown, 0},
           Row{"4 start", unknown, 0},
           Row{"1á", unknown, 0},
           Row{"no ack", unknown, 0},
       }) {
    const SmsReply reply = parse_sms_reply(row.text);
    EXPECT_EQ(reply.kind, row.kind) << row.text;
    EXPECT_EQ(reply.code, row.code) << row.text;
  }
}

TEST(Twiml, HoldsNoMarkupOfTheText) {
  EXPECT_EQ(twiml_sms(""), R"(<?xml version="1.0" encoding="UTF-8"?><Response/>)");
  EXPECT_EQ(twiml_sms("a<b"),
            R"(<?xml version="1.0" encoding="UTF-8"?><Response><Message>a&lt;b</Message></Response>)");
  const std::string call = twiml_call("<Hangup/>", "https://x/y?a=1&b=2");
  EXPECT_EQ(call.find("<Hangup/>"), std::string::npos);
  EXPECT_NE(call.find(R"(action="https://x/y?a=1&amp;b=2")"), std::string::npos);
  EXPECT_NE(call.find("numDigits=\"1\""), std::string::npos);
}

}  // namespace
}  // namespace mydr24::notify
