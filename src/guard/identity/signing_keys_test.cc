// The keys that our id_tokens are signed with, over the months.

#include "guard/identity/detail/fixture.h"

namespace mydr24::identity {
namespace {

using namespace std::chrono_literals;

class Signing : public IdentityTest {
 protected:
  Signing() : vault("a key of the deployment"), keys(store, vault) { EXPECT_TRUE(keys.refresh(clock.now())); }
  // The kid of what is signed now; it must be published.
  std::string signer(std::string_view algorithm = "ES256") {
    const auto token = keys.sign(R"({"sub":"a"})", algorithm, clock.now());
    EXPECT_TRUE(token) << token.error().text;
    EXPECT_TRUE(crypto::verify_jws(*token, *crypto::parse_key_set(keys.published())));
    const auto header = crypto::base64_url_decode(std::string_view(*token).substr(0, token->find('.')));
    return crypto::parse_jws_header(*header)->key_id;
  }
  std::size_t published() const { return crypto::parse_key_set(keys.published())->size(); }

  Vault vault;
  SigningKeys keys;
};

TEST_F(Signing, EveryServerOfAStoreHasTheSameKeys) {
  SigningKeys other(store, vault);
  ASSERT_TRUE(other.refresh(clock.now()));
  EXPECT_EQ(other.published(), keys.published());
  EXPECT_EQ(other.form_key(), keys.form_key());
  EXPECT_EQ(keys.form_key().size(), 32U);
  EXPECT_TRUE(crypto::verify_jws(*other.sign("{}", "RS256", clock.now()), *crypto::parse_key_set(keys.published())));
  EXPECT_EQ(keys.sign("{}", "HS256", clock.now()).error().code, Code::internal);
}

TEST_F(Signing, ANewKeyIsPublishedBeforeItSignsAndTheOldOneAfter) {
  const auto first = signer();
  EXPECT_EQ(published(), 2U);
  clock.advance(SigningKeys::renewed_after);
  ASSERT_TRUE(keys.refresh(clock.now()));
  EXPECT_EQ(published(), 4U);
  EXPECT_EQ(signer(), first);
  clock.advance(SigningKeys::published_before);
  const auto second = signer();
  EXPECT_NE(second, first);
  clock.advance(SigningKeys::renewed_after);
  ASSERT_TRUE(keys.refresh(clock.now()));
  // The third pair is there, the first is forgotten.
  EXPECT_EQ(published(), 4U);
  EXPECT_EQ(signer(), second);
}

TEST_F(Signing, PrivateKeysAreSealedInTheStore) {
  ASSERT_TRUE(store.read([](store::Reader& reader) -> Result<> {
    const auto found = reader.states("identity.key", "", "", 10);
    EXPECT_EQ(found->size(), 3U);
    for (const auto& row : *found) EXPECT_TRUE(row.value.contains("sealed:")) << row.key;
    return {};
  }));
  // A row that was moved to another place does not open there.
  EXPECT_FALSE(vault.open(vault.close("secret", "a"), "b"));
  EXPECT_EQ(*vault.open(vault.close("secret", "a"), "a"), "secret");
  EXPECT_FALSE(Vault("").open(vault.close("secret", "a"), "a"));
}

}  // namespace
}  // namespace mydr24::identity
