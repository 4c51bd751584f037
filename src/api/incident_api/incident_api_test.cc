#include <gtest/gtest.h>

#include "api/incident_api/detail/exchange.h"

namespace mydr24::incident_api {
namespace {

TEST(IncidentApi, AnIncidentIsShownWithoutWhomItTouches) {
  incidents::Incident incident{.id = "i", .cause = "vitals/Patient/1", .title = "t"};
  incident.patients = {"Patient/1", "Patient/2"};
  const std::string text = shown(incident);
  EXPECT_EQ(text.find("Patient/1"), std::string::npos);
  const auto document = json::Document::parse_view(text);
  ASSERT_TRUE(document) << document.error().text;
  EXPECT_EQ(document->root()["patient_count"].text(), "2");
  EXPECT_EQ(document->root()["title"].text(), "t");
}

TEST(IncidentApi, ANumberIsAllDigits) {
  EXPECT_EQ(*number_of("0", "task"), 0U);
  EXPECT_EQ(*number_of("17", "task"), 17U);
  for (const std::string_view wrong : {"", "x", "1x", "-1", "99999999999999999999999"}) {
    const auto number = number_of(wrong, "task");
    ASSERT_FALSE(number) << wrong;
    EXPECT_EQ(number.error().where, "task");
  }
}

TEST(IncidentApi, WhatIsNoTextIsNotGiven) {
  const auto document = json::Document::parse(R"({"text":"a","number":1,"empty":""})");
  ASSERT_TRUE(document);
  EXPECT_EQ(text_of(document->root(), "text"), "a");
  EXPECT_EQ(text_of(document->root(), "number"), "");
  EXPECT_EQ(given_text(document->root(), "empty"), "");
  EXPECT_FALSE(given_text(document->root(), "number"));
  EXPECT_FALSE(given_text(document->root(), "none"));
}

}  // namespace
}  // namespace mydr24::incident_api
