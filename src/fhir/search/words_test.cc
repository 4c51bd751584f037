#include "fhir/search/words.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(WordsOf, ATextAreItsRunsOfLettersAndDigitsOnce) {
  EXPECT_THAT(words("Heart attack, HEART-failure (2x) o'Neil 3.5"),
              ElementsAre("heart", "attack", "failure", "2x", "o", "neil", "3", "5"));
  EXPECT_THAT(words("Müller, Zoë — Straße"), ElementsAre("muller", "zoe", "strasse"));
  EXPECT_THAT(words("a_b é_f"), ElementsAre("a", "b", "e", "f"));
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words(" .,;"), IsEmpty());
  EXPECT_THAT(words("Ελλάδα ΕΛΛΆΔΑ"), ElementsAre("ελλαδα"));
  EXPECT_GT(words("肺炎の患者").size(), 1U);
}

TEST(WordsOf, ThereIsAnEnd) {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += fmt::format("w{} ", i);
  EXPECT_EQ(words(many).size(), words_max);
  EXPECT_EQ(words(std::string(100, 'x')), std::vector<std::string>{std::string(word_bytes_max, 'x')});
  std::string greek;
  for (int i = 0; i < 100; ++i) greek += "ω";
  EXPECT_EQ(words("x" + greek).at(0).size(), 63U);  // no character is cut
}

TEST(WordsOf, ANarrativeHasNoMarkup) {
  struct Row {
    std::string xhtml, joined;
  };
  for (const auto& [xhtml, joined] :
       {Row{"<div>a<br/>b</div>", "a b "}, Row{"a &lt;b&gt; c", "a b c "}, Row{"<a href='x>y'>z", "y z "},
        Row{"caf&#xe9;", "cafe "}, Row{"a<!-- b --> c", "a c "}, Row{"a<!--", "a "}, Row{"a<b", "a "},
        Row{"&#0;&#99999999;&;&x", "x "}, Row{"", ""}}) {
    Words collected;
    collected.add_narrative(xhtml);
    EXPECT_EQ(collected.text(), joined) << xhtml;
  }
}

}  // namespace
}  // namespace mydr24::search
