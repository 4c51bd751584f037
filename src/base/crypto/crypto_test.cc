#include <argon2.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/password.h"
#include "base/crypto/seal.h"
#include "base/crypto/sealer.h"
#include "base/crypto/totp.h"

namespace mydr24::crypto {
namespace {

using namespace std::chrono_literals;

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}

// RFC 4648, section 10.
struct Encoded {
  const char *bytes, *base64, *base32;
};
constexpr std::array<Encoded, 7> rfc_4648{{{"", "", ""},
                                           {"f", "Zg==", "MY"},
                                           {"fo", "Zm8=", "MZXQ"},
                                           {"foo", "Zm9v", "MZXW6"},
                                           {"foob", "Zm9vYg==", "MZXW6YQ"},
                                           {"fooba", "Zm9vYmE=", "MZXW6YTB"},
                                           {"foobar", "Zm9vYmFy", "MZXW6YTBOI"}}};

TEST(Base64, IsThatOfRfc4648BothWays) {
  for (const auto& each : rfc_4648) {
    EXPECT_EQ(base64(each.bytes), each.base64);
    EXPECT_EQ(base64_decode(each.base64), each.bytes);
    EXPECT_EQ(base32(each.bytes), each.base32);
    EXPECT_EQ(base32_decode(each.base32), each.bytes);
  }
  EXPECT_EQ(base64_url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(base64("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(hex(std::string_view("\x00\xff\x10", 3)), "00ff10");
}

TEST(Base64, UrlFormReadsBackWhateverTheLength) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string bytes = random_bytes(size);
    EXPECT_EQ(base64_url_decode(base64_url(bytes)), bytes);
    EXPECT_EQ(base64_decode(base64(bytes)), bytes);
    EXPECT_EQ(base32_decode(base32(bytes)), bytes);
  }
}

TEST(Base64, TextThatIsNotTheOneFormIsRefused) {
  for (const char* wrong : {"Zg==", "Zh", "Z", "Zm9v\n", " Zm9v", "Zm+v", "Zm9vY", "Zm 9v", "Zg=", "===="})
    EXPECT_FALSE(base64_url_decode(wrong)) << wrong;
  for (const char* wrong : {"Zg", "Zh==", "Zm9v\n", "Zm-v", "Z===", "====", "Zg==Zg=="})
    EXPECT_FALSE(base64_decode(wrong)) << wrong;
  for (const char* wrong : {"M", "MZ", "mzxw6", "MZXW6===", "M1"}) EXPECT_FALSE(base32_decode(wrong)) << wrong;
}

TEST(Digest, Sha256IsThatOfFips1804) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, HmacIsThatOfRfc4231AndRfc2202) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(hmac_sha1("Jefe", "what do ya want for nothing?")), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  // The code of an empty key is not that of the key before.
  EXPECT_EQ(hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, SecretsAreTheSameOnlyWhenEveryByteIs) {
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "abcd"));
}

TEST(Digest, TokensAreAllDifferentAndOfOneLength) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = random_token();
    EXPECT_EQ(token.size(), token_characters);
    EXPECT_TRUE(seen.insert(token).second);
  }
}

TEST(Password, LibraryComputesTheTagOfRfc9106) {
  // Section 5.3: with a secret and associated data, which passwords here have not.
  std::string password(32, '\x01'), salt(16, '\x02'), secret(8, '\x03'), data(12, '\x04'), tag(32, '\0');
  const auto octets = [](std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); };
  argon2_context context{};
  context.out = octets(tag);
  context.outlen = 32;
  context.pwd = octets(password);
  context.pwdlen = 32;
  context.salt = octets(salt);
  context.saltlen = 16;
  context.secret = octets(secret);
  context.secretlen = 8;
  context.ad = octets(data);
  context.adlen = 12;
  context.t_cost = 3;
  context.m_cost = 32;
  context.lanes = 4;
  context.threads = 4;
  context.version = ARGON2_VERSION_13;
  ASSERT_EQ(argon2id_ctx(&context), ARGON2_OK);
  EXPECT_EQ(hex(tag), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

TEST(Password, PhcStringOfTheReferenceImplementationMatches) {
  constexpr std::string_view phc =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  EXPECT_TRUE(check_password(phc, "password").matches);
  EXPECT_TRUE(check_password(phc, "password").rehash_due);
  EXPECT_FALSE(check_password(phc, "passwore").matches);
}

TEST(Password, ThatWasHashedMatchesItselfOnly) {
  const auto phc = hash_password("Tr0ub4dor&3");
  ASSERT_TRUE(phc) << phc.error().text;
  EXPECT_TRUE(phc->starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(*phc, *hash_password("Tr0ub4dor&3"));
  const auto right = check_password(*phc, "Tr0ub4dor&3");
  EXPECT_TRUE(right.matches);
  EXPECT_FALSE(right.rehash_due);
  const auto wrong = check_password(*phc, "tr0ub4dor&3");
  EXPECT_FALSE(wrong.matches);
  EXPECT_FALSE(wrong.rehash_due);
}

TEST(Password, OfAnotherCostIsToBeHashedAgain) {
  const auto phc = hash_password("x", {.memory_kib = 64, .passes = 1, .lanes = 1});
  ASSERT_TRUE(phc);
  EXPECT_TRUE(check_password(*phc, "x").rehash_due);
  EXPECT_FALSE(check_password(*phc, "x", {.memory_kib = 64, .passes = 1, .lanes = 1}).rehash_due);
}

TEST(Password, HashesThatAreNoneOrCostTooMuchMatchNothing) {
  for (const char* wrong :
       {"", "plain", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA", "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$AAAA",
        "$argon2id$v=19$m=64,t=4000,p=1$c29tZXNhbHQ$AAAA", "$argon2id$v=19$m=64,t=1,p=1$",
        "$argon2id$v=19$m=,t=1,p=1$a$b"})
    EXPECT_FALSE(check_password(wrong, "plain").matches) << wrong;
}

TEST(Password, ThatIsTooLongIsRefused) {
  const std::string endless(password_bytes_max + 1, 'x');
  EXPECT_EQ(hash_password(endless).error().code, Code::too_large);
}

TEST(Totp, CodesAreThoseOfRfc4226) {
  constexpr std::array<const char*, 10> codes{"755224", "287082", "359152", "969429", "338314",
                                              "254676", "287922", "162583", "399871", "520489"};
  for (std::size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(hotp("12345678901234567890", i), codes[i]);
}

TEST(Totp, CodesAreThoseOfRfc6238) {
  struct Row {
    std::int64_t seconds;
    const char* code;
  };
  constexpr std::array<Row, 6> rows{{{59, "94287082"},
                                     {1111111109, "07081804"},
                                     {1111111111, "14050471"},
                                     {1234567890, "89005924"},
                                     {2000000000, "69279037"},
                                     {20000000000, "65353130"}}};
  for (const auto& [seconds, code] : rows)
    EXPECT_EQ(
        hotp("12345678901234567890", static_cast<std::uint64_t>(totp_step(Instant(std::chrono::seconds(seconds)))), 8),
        code);
}

TEST(Totp, CodeOfTheStepBeforeAndAfterCountsAndNoOther) {
  const std::string secret = make_totp_secret();
  const Instant now(1'700'000'010s);
  const std::int64_t step = totp_step(now);
  for (std::int64_t each = step - 3; each <= step + 3; ++each) {
    const auto found = check_totp(secret, hotp(secret, static_cast<std::uint64_t>(each)), now, 0);
    if (each < step - 1 || each > step + 1) {
      // Of a million codes one can be that of a step inside by chance.
      if (found) EXPECT_NE(*found, each);
    } else {
      EXPECT_EQ(found, each);
    }
  }
}

TEST(Totp, CodeCountsOnce) {
  const std::string secret = make_totp_secret();
  const Instant now(1'700'000'010s);
  const std::string code = hotp(secret, static_cast<std::uint64_t>(totp_step(now)));
  const auto first = check_totp(secret, code, now, 0);
  ASSERT_TRUE(first);
  EXPECT_FALSE(check_totp(secret, code, now, *first));
  EXPECT_FALSE(check_totp(secret, code + "0", now, 0));
  EXPECT_FALSE(check_totp(secret, "", now, 0));
}

TEST(Totp, UriIsWhatAppsRead) {
  EXPECT_EQ(totp_uri("12345678901234567890", "MyDR24", "anna"),
            "otpauth://totp/MyDR24:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=MyDR24");
}

TEST(Seal, OpensTheVectorOfTheGcmSpecification) {
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 14.
  const std::string key(32, '\0'), nonce(12, '\0');
  const std::string sealed =
      nonce + unhex("cea7403d4d606b6e074ec5d3baf39d18") + unhex("d0d1c8a799996bf0265b98b5d48ab919");
  EXPECT_EQ(open_sealed(key, sealed, ""), std::string(16, '\0'));
}

TEST(Seal, OpensOnlyWithItsKeyAndContextAndUnchanged) {
  const std::string key = random_bytes(seal_key_bytes);
  for (const char* text : {"", "x", "a secret of some length"}) {
    std::string sealed = seal(key, text, "identity.user/anna");
    EXPECT_NE(sealed, seal(key, text, "identity.user/anna"));
    EXPECT_EQ(open_sealed(key, sealed, "identity.user/anna"), text);
    EXPECT_FALSE(open_sealed(key, sealed, "identity.user/eva"));
    EXPECT_FALSE(open_sealed(random_bytes(seal_key_bytes), sealed, "identity.user/anna"));
    for (char& byte : sealed) {
      byte = static_cast<char>(byte ^ 1);
      EXPECT_FALSE(open_sealed(key, sealed, "identity.user/anna"));
      byte = static_cast<char>(byte ^ 1);
    }
    EXPECT_FALSE(open_sealed(key, sealed.substr(0, 27), "identity.user/anna"));
  }
}

TEST(Sealer, OpensTheVectorOfTheGcmSpecificationInPartsAndInPlace) {
  Sealer sealer(std::string(32, '\0'));
  std::string text = unhex("cea7403d4d606b6e074ec5d3baf39d18");
  const std::string expected = unhex("d0d1c8a799996bf0265b98b5d48ab919");
  Tag tag;
  std::ranges::copy(expected, tag.begin());
  auto* const at = reinterpret_cast<unsigned char*>(text.data());
  const std::array<Sealer::Part, 2> parts{{{at, at, 5}, {at + 5, at + 5, 11}}};
  EXPECT_TRUE(sealer.open(Nonce{}, "", parts, tag));
  EXPECT_EQ(text, std::string(16, '\0'));
  Tag again;
  sealer.seal(Nonce{}, "", parts, again);
  EXPECT_EQ(text, unhex("cea7403d4d606b6e074ec5d3baf39d18"));
  EXPECT_EQ(again, tag);
}

TEST(Sealer, OpensOnlyWithItsNonceContextAndTag) {
  Sealer sealer(random_bytes(seal_key_bytes));
  const std::string text = "a page of a record";
  std::string sealed(text.size(), ' ');
  const auto from = [](const std::string& of) { return reinterpret_cast<const unsigned char*>(of.data()); };
  const auto to = [](std::string& of) { return reinterpret_cast<unsigned char*>(of.data()); };
  Nonce nonce;
  Nonces().next(nonce);
  Tag tag;
  sealer.seal(nonce, "page 7", std::array{Sealer::Part{from(text), to(sealed), text.size()}}, tag);
  std::string opened(text.size(), ' ');
  const std::array<Sealer::Part, 1> parts{{{from(sealed), to(opened), text.size()}}};
  EXPECT_FALSE(sealer.open(nonce, "page 8", parts, tag));
  Tag other_tag = tag;
  other_tag[3] ^= 1;
  EXPECT_FALSE(sealer.open(nonce, "page 7", parts, other_tag));
  Nonce other_nonce = nonce;
  other_nonce[3] ^= 1;
  EXPECT_FALSE(sealer.open(other_nonce, "page 7", parts, tag));
  EXPECT_TRUE(sealer.open(nonce, "page 7", parts, tag));
  EXPECT_EQ(opened, text);
}

TEST(Nonces, NeverComeTwiceAndDifferBetweenWriters) {
  std::set<Nonce> seen;
  Nonces first, second;
  Nonce nonce;
  for (int i = 0; i < 10'000; ++i) {
    first.next(nonce);
    EXPECT_TRUE(seen.insert(nonce).second);
    second.next(nonce);
    EXPECT_TRUE(seen.insert(nonce).second);
  }
}

}  // namespace
}  // namespace mydr24::crypto
