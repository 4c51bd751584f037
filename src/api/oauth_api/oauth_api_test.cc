#include <gtest/gtest.h>

#include "api/oauth_api/detail/pages.h"

#include "base/core/markup.h"

namespace mydr24::oauth_api {
namespace {

TEST(Form, IsReadAndPrintedTheSame) {
  const auto form = Form::parse("a=1&b=x%20y+z&c=&d=%C3%A4");
  ASSERT_TRUE(form);
  EXPECT_EQ((*form)["b"], "x y z");
  EXPECT_TRUE(form->has("c"));
  EXPECT_FALSE(form->has("e"));
  EXPECT_EQ((*form)["e"], "");
  EXPECT_EQ(form->print(), "a=1&b=x%20y%20z&c=&d=%C3%A4");
  EXPECT_EQ(form->print({"a", "c"}), "b=x%20y%20z&d=%C3%A4");
}

TEST(Form, ThatSaysAThingTwiceOrIsMalformedIsRefused) {
  for (const char* wrong : {"a=1&a=2", "a=%zz", "a=%4"}) EXPECT_FALSE(Form::parse(wrong)) << wrong;
  std::string many;
  for (int i = 0; i < 100; ++i) many += "f" + std::to_string(i) + "=1&";
  EXPECT_FALSE(Form::parse(many));
}

TEST(Page, TextFromOutsideIsNoMarkup) {
  EXPECT_EQ(escape_markup(R"(<a href="x" onclick='y'>&</a>)"),
            "&lt;a href=&quot;x&quot; onclick=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
  EXPECT_EQ(hidden_fields({{"request", "\"><script>"}}),
            "<input type=\"hidden\" name=\"request\" value=\"&quot;&gt;&lt;script&gt;\">\n");
  EXPECT_FALSE(login_form(Texts("en"), "/login", {}, "<b>", "\"><script>").contains("<script>"));
}

}  // namespace
}  // namespace mydr24::oauth_api
