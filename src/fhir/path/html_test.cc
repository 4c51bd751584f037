#include "fhir/path/html.h"

#include <gtest/gtest.h>

#include <string>

namespace mydr24::path {
namespace {

TEST(Html, ANarrativeOfTheAllowedElementsIsSafe) {
  for (const char* good : {
           "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>",
           "<div><p class=\"a\">A <b>bold</b><br/>word &amp; more</p><!-- remark --></div>",
           "<div><img src='#a' alt='picture'/></div>",
           "<div><a href=\"http://x\">link</a></div>",
       }) {
    EXPECT_TRUE(is_safe_html(good)) << good;
  }
}

TEST(Html, ScriptsFormsHandlersAndBrokenMarkupAreNot) {
  for (const char* bad : {
           "",
           "text",
           "<p>x</p>",
           "<div></div>",
           "<div> </div>",
           "<div>x",
           "<div>x</p></div>",
           "<div>x</div>y",
           "<div><script>x</script></div>",
           "<div onclick=\"x\">x</div>",
           "<div><form>x</form></div>",
           "<div><a href=\"javascript:x\">x</a></div>",
           "<div class=a>x</div>",
           "<div>a & b</div>",
           "<div/>",
           "<div><!-- x</div>",
           "<div a=\"<\">x</div>",
           "<div>x<object/></div>",
       }) {
    EXPECT_FALSE(is_safe_html(bad)) << bad;
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<div>";
  EXPECT_FALSE(is_safe_html(deep));
}

}  // namespace
}  // namespace mydr24::path
