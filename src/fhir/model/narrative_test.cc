#include "fhir/model/narrative.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mydr24::model {
namespace {

using testing::HasSubstr;

std::string div(std::string_view inner) {
  return std::string("<div xmlns=\"http://www.w3.org/1999/xhtml\">") + std::string(inner) + "</div>";
}

TEST(Narrative, BasicFormattingIsAllowed) {
  for (const auto* good :
       {"text", "<p>a<br/>b</p>", "<table class='x'><tr><td colspan=\"2\">1 &lt; 2 &amp; 3</td></tr></table>",
        "<a href=\"http://example.org/?a=b&amp;c=d\">x</a>", "<a name=\"x\"/>y", "<img src=\"#pic\" alt=\"p\"/>",
        "<img src=\"data:image/png;base64,AAAA\"/>", "<!-- note --><span style=\"color: red\">x</span>", "&#160;&#xA0;",
        "<![CDATA[a < b]]>", "<div lang=\"de\" xml:lang=\"de\">x</div>"}) {
    EXPECT_EQ(narrative_problem(div(good)), std::nullopt) << good << ": " << *narrative_problem(div(good));
  }
}

TEST(Narrative, ActiveAndMalformedContentIsRefusedWithItsReason) {
  struct Case {
    std::string text, reason;
  };
  const Case cases[] = {
      {div("<script>alert(1)</script>"), "<script> is not allowed"},
      {div("<SCRIPT>x</SCRIPT>"), "<SCRIPT> is not allowed"},
      {div("<iframe src='http://x'/>"), "<iframe> is not allowed"},
      {div("<form action='x'/>"), "<form> is not allowed"},
      {div("<style>b{}</style>"), "<style> is not allowed"},
      {div("<object/>"), "<object> is not allowed"},
      {div("<b onclick='x()'>x</b>"), "the attribute onclick"},
      {div("<b OnClick='x()'>x</b>"), "the attribute OnClick"},
      {div("<a href='javascript:x()'>x</a>"), "active content"},
      {div("<a href=' java\tscript:x()'>x</a>"), "active content"},
      {div("<a href='data:text/html,x'>x</a>"), "active content"},
      {div("&nbsp;"), "no entity of XML"},
      {div("a & b"), "no entity of XML"},
      {div("a < b"), "must be written &lt;"},
      {div("<b>x"), "closes what is not open"},
      {div("<b>x</i></b>"), "closes what is not open"},
      {div("<b x>x</b>"), "has no value"},
      {div("<b id=x>x</b>"), "not in quotes"},
      {div("<b id='1' id='2'>x</b>"), "is there twice"},
      {div("<!DOCTYPE x>"), "document type"},
      {div("<?php ?>"), "processing instruction"},
      {"<p>x</p>", "one <div>"},
      {div("x") + "<div>y</div>", "one <div>"},
      {"text" + div("x"), "outside of the <div>"},
      {"<div xmlns='http://other.org'>x</div>", "namespace"},
      {"<div>x", "<div> is not closed"},
      {"", "there is no <div>"},
  };
  for (const auto& one : cases) {
    const auto problem = narrative_problem(one.text);
    ASSERT_TRUE(problem) << one.text;
    EXPECT_THAT(*problem, HasSubstr(one.reason)) << one.text;
  }
  std::string deep;
  for (std::size_t i = 0; i <= narrative_depth_max; ++i) deep += "<b>";
  EXPECT_THAT(*narrative_problem(div(deep)), HasSubstr("too deep"));
}

TEST(Narrative, SomethingToReadIsThere) {
  EXPECT_TRUE(narrative_has_content(div("x")));
  EXPECT_TRUE(narrative_has_content(div("<img src='#a'/>")));
  EXPECT_FALSE(narrative_has_content(div("")));
  EXPECT_FALSE(narrative_has_content(div("<p> \n </p>")));
}

TEST(Narrative, TagsInPlainTextAreSeen) {
  for (const auto* tag : {"a <script>x</script>", "<b>", "</b>", "<br/>", "<img src=x onerror=y>", "x<a\n>"}) {
    EXPECT_TRUE(has_html_tag(tag)) << tag;
  }
  for (const auto* none : {"a < b", "1<2>0", "<", "<>", "x <3 y", "if a<b and c>d", "mail <a@b.org>", "<b"}) {
    EXPECT_FALSE(has_html_tag(none)) << none;
  }
}

}  // namespace
}  // namespace mydr24::model
