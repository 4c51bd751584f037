#include <gtest/gtest.h>

#include <string>

#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

TEST(Fold, CaseAccentsAndWhiteSpaceDoNotCount) {
  struct Row {
    std::string_view text, folded;
  };
  for (const auto& [text, folded] :
       {Row{"", ""}, Row{"Ng", "ng"}, Row{"  Van\t den \n Berg ", "van den berg"}, Row{"MÜLLER", "muller"},
        Row{"Mu\u0308ller", "muller"}, Row{"Straße", "strasse"}, Row{"Ñandú", "nandu"}, Row{"Łódź", "łodz"},
        Row{"ΑΘΉΝΑ", "αθηνα"}, Row{"İstanbul", "istanbul"}, Row{"ﬁn", "fin"}, Row{"山田　太郎", "山田 太郎"},
        Row{"\u00a0é\u00a0", "e"}, Row{"O'Neil-Smith", "o'neil-smith"}}) {
    EXPECT_EQ(fold(text), folded) << text;
  }
}

TEST(Fold, FoldingTwiceChangesNothing) {
  for (const auto* text : {"ǅ", "ﬀ", "Å", "K", "ΐ", "a\u0301 b", "İ", "ß", "㎒", "ｆｕｌｌ"}) {
    EXPECT_EQ(fold(fold(text)), fold(text)) << text;
  }
}

TEST(Fold, AtMostTwoHundredBytesAreKeptAndNoCharacterIsCut) {
  EXPECT_EQ(fold(std::string(300, 'X')), std::string(200, 'x'));
  std::string greek;
  for (int i = 0; i < 300; ++i) greek += "ω";
  EXPECT_EQ(fold(greek), greek.substr(0, 200));
  EXPECT_EQ(fold("x" + greek), "x" + greek.substr(0, 198));
  EXPECT_EQ(fold(std::string(199, 'x') + " y"), std::string(199, 'x'));
  EXPECT_EQ(fold(std::string(10'000, ' ') + "x").size() <= 1, true);
}

}  // namespace
}  // namespace mydr24::search
