#include "base/core/markup.h"

#include <gtest/gtest.h>

namespace mydr24 {
namespace {

TEST(Markup, HoldsNoMarkup) { EXPECT_EQ(escape_markup("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;"); }

TEST(Markup, XmlKeepsApostrophesAndCarriageReturns) {
  std::string out = "<p>";
  append_xml(out, "it's <b>\r\n\"&");
  EXPECT_EQ(out, "<p>it's &lt;b&gt;&#13;\n&quot;&amp;");
}

}  // namespace
}  // namespace mydr24
