#include "base/net/markup.h"

#include <gtest/gtest.h>

namespace mydr24::net {
namespace {

TEST(Markup, HoldsNoMarkup) { EXPECT_EQ(escape_markup("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;"); }

}  // namespace
}  // namespace mydr24::net
