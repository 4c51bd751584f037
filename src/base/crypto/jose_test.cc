// Keys, signatures and tokens of JOSE.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/jws.h"
#include "base/crypto/jwt.h"

namespace mydr24::crypto {
namespace {

using namespace std::chrono_literals;

constexpr std::array all{Algorithm::rs256, Algorithm::rs384, Algorithm::es256, Algorithm::es384, Algorithm::eddsa};

// RFC 7515, appendix A: the payload is the same in A.1 to A.5.
constexpr std::string_view rfc_payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr std::string_view rfc_7515_a2_key =
    R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM)"
    "EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
    "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-"
    R"(KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2)"
    R"(ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})";
constexpr std::string_view rfc_7515_a2_signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZ"
    "cAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"
    "xi12jzDwusC-e"
    "OkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
constexpr std::string_view rfc_7515_a3_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})";
constexpr std::string_view rfc_7515_a3_signature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr std::string_view rfc_8037_key =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
    R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

Result<Key> key_of(std::string_view text, bool with_private = false) {
  const auto document = json::Document::parse_view(text);
  return Key::from_jwk(document->root(), with_private);
}
Key good_key(std::string_view text, bool with_private = false) {
  auto key = key_of(text, with_private);
  EXPECT_TRUE(key) << key.error().text;
  return std::move(*key);
}

// A JWS with any header, signed by the key in `algorithm`.
std::string signed_with_header(const Key& key, std::string_view header, std::string_view payload = "{}") {
  const std::string text = base64_url(header) + "." + base64_url(payload);
  return text + "." + base64_url(key.sign(key.algorithm(), text));
}

TEST(Jws, VectorsOfRfc7515Verify) {
  const KeySet rsa{good_key(rfc_7515_a2_key)};
  const auto payload = verify_jws(fmt::format("eyJhbGciOiJSUzI1NiJ9.{}.{}", rfc_payload, rfc_7515_a2_signature), rsa);
  ASSERT_TRUE(payload) << payload.error().text;
  EXPECT_TRUE(payload->starts_with("{\"iss\":\"joe\",\r\n"));
  const KeySet ec{good_key(rfc_7515_a3_key)};
  EXPECT_TRUE(verify_jws(fmt::format("eyJhbGciOiJFUzI1NiJ9.{}.{}", rfc_payload, rfc_7515_a3_signature), ec));
}

TEST(Jws, VectorOfRfc8037IsWhatIsSigned) {
  const Key key = good_key(rfc_8037_key, true);
  EXPECT_EQ(
      sign_jws(key, "Example of Ed25519 signing", ""),
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4"
      "ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_EQ(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(Jws, VectorsOfRfc7515ThatAreNotSignaturesAreRefused) {
  // A.1: HS256, here as an attacker would: with a public key for its secret. A.5: "none".
  const std::string header = base64_url(R"({"alg":"HS256"})");
  const std::string text = fmt::format("{}.{}", header, rfc_payload);
  const std::string forged = text + "." + base64_url(hmac_sha256(rfc_7515_a2_key, text));
  for (const std::string& token : {forged, fmt::format("eyJhbGciOiJub25lIn0.{}.", rfc_payload),
                                   fmt::format("eyJhbGciOiJub25lIn0.{}.AAAA", rfc_payload)}) {
    const auto verified = verify_jws(token, {good_key(rfc_7515_a2_key)});
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code, Code::refused);
  }
}

TEST(Jws, WhatAKeySignsItVerifiesAndNoOtherKeyDoes) {
  for (const Algorithm algorithm : all) {
    const Key key = Key::generate(algorithm);
    const std::string token = sign_jws(key, "payload");
    EXPECT_EQ(*verify_jws(token, {key}), "payload") << to_string(algorithm);
    EXPECT_EQ(*verify_jws(token, *parse_key_set(print_key_set({key}))), "payload");
    EXPECT_EQ(verify_jws(token, {Key::generate(algorithm)}).error().code, Code::not_found);
    EXPECT_EQ(verify_jws(token, {}).error().code, Code::not_found);
  }
}

TEST(Jws, AnyBitThatIsChangedMakesItWrong) {
  const Key key = Key::generate(Algorithm::es384);
  const std::string token = sign_jws(key, R"({"sub":"a"})");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_jws(changed, {key})) << i;
  }
}

TEST(Jws, WrongKeyOfTheSameKidIsRefused) {
  const Key ours = Key::generate(Algorithm::es256);
  const Key other = Key::generate(Algorithm::es256);
  const std::string token = signed_with_header(other, fmt::format(R"({{"alg":"ES256","kid":"{}"}})", ours.id()));
  EXPECT_EQ(verify_jws(token, {ours}).error().code, Code::refused);
}

TEST(Jws, AlgorithmIsTheKeys) {
  const Key rsa = Key::generate(Algorithm::rs256);
  for (const char* name : {"RS384", "ES256", "PS256", "HS256", "none", "None", "rs256", ""}) {
    const auto token = signed_with_header(rsa, fmt::format(R"({{"alg":"{}","kid":"{}"}})", name, rsa.id()));
    EXPECT_EQ(verify_jws(token, {rsa}).error().code, Code::refused) << name;
  }
}

TEST(Jws, KeysThatTheTokenBringsAndExtensionsAreRefused) {
  const Key key = Key::generate(Algorithm::es256);
  for (const std::string& member :
       {fmt::format(R"("jwk":{})", key.public_jwk()), std::string(R"("jku":"https://evil.example/jwks")"),
        std::string(R"("x5u":"https://evil.example/x")"), std::string(R"("x5c":["AAAA"])"),
        std::string(R"("crit":["b64"],"b64":false)"), std::string(R"("zip":"DEF")"), std::string(R"("alg":"ES256")"),
        std::string(R"("kid":7)")}) {
    const auto token = signed_with_header(key, fmt::format(R"({{"alg":"ES256",{}}})", member));
    const auto verified = verify_jws(token, {key});
    ASSERT_FALSE(verified) << member;
    EXPECT_EQ(verified.error().code, Code::refused);
  }
}

TEST(Jws, KeySetAddressThatIsRegisteredIsAccepted) {
  const Key key = Key::generate(Algorithm::es256);
  const auto token = signed_with_header(key, R"({"alg":"ES256","jku":"https://app.example/jwks"})");
  EXPECT_TRUE(verify_jws(token, {key}, {.jku = "https://app.example/jwks"}));
  EXPECT_FALSE(verify_jws(token, {key}, {.jku = "https://app.example/other"}));
}

TEST(Jws, WithoutAKidThereMustBeOneKeyThatFits) {
  const Key a = Key::generate(Algorithm::es256), b = Key::generate(Algorithm::es256),
            c = Key::generate(Algorithm::es384);
  const auto token = signed_with_header(a, R"({"alg":"ES256"})");
  EXPECT_TRUE(verify_jws(token, {a, c}));
  EXPECT_EQ(verify_jws(token, {a, b}).error().code, Code::refused);
}

TEST(Jws, TypeThatIsAskedForMustBeThere) {
  const Key key = Key::generate(Algorithm::es256);
  EXPECT_TRUE(verify_jws(sign_jws(key, "{}", "at+jwt"), {key}, {.type = "at+jwt"}));
  EXPECT_FALSE(verify_jws(sign_jws(key, "{}", "JWT"), {key}, {.type = "at+jwt"}));
}

TEST(Jws, AlgorithmMustBeOneThatTheVerifierAccepts) {
  constexpr std::array accepted{Algorithm::rs384, Algorithm::es384};
  const Key es384 = Key::generate(Algorithm::es384), es256 = Key::generate(Algorithm::es256);
  EXPECT_TRUE(verify_jws(sign_jws(es384, "{}"), {es384}, {.algorithms = accepted}));
  EXPECT_FALSE(verify_jws(sign_jws(es256, "{}"), {es256}, {.algorithms = accepted}));
}

TEST(Jws, FormsThatAreNotCompactAreRefused) {
  const Key key = Key::generate(Algorithm::es256);
  const std::string token = sign_jws(key, "{}");
  for (const std::string& wrong :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), token + ".x", token + "=", " " + token,
        token.substr(0, token.rfind('.') + 1), token + std::string(jws_bytes_max, 'A')})
    EXPECT_EQ(verify_jws(wrong, {key}).error().code, Code::refused) << wrong.substr(0, 80);
}

TEST(Key, ThumbprintIsThatOfRfc7638) {
  const Key key = good_key(
      R"({"kty":"RSA",)"
      R"("n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK)"
      "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
      "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0"
      "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
      "kEgU"
      R"(8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})");
  EXPECT_EQ(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(key.id(), "2011-04-29");
}

TEST(Key, PrivateFormReadsBackAndPublicFormHasNoSecret) {
  for (const Algorithm algorithm : all) {
    const Key key = Key::generate(algorithm);
    const Key again = good_key(key.private_jwk(), true);
    EXPECT_TRUE(again.is_private());
    EXPECT_EQ(again.id(), key.id());
    EXPECT_EQ(again.private_jwk(), key.private_jwk());
    EXPECT_TRUE(verify_jws(sign_jws(again, "x"), {key}));
    const auto text = key.public_jwk();
    const auto shown = json::Document::parse_view(text);
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi", "k"}) EXPECT_FALSE(shown->root()[secret]) << secret;
    EXPECT_FALSE(good_key(key.private_jwk()).is_private());
  }
}

TEST(Key, ThatIsWeakBrokenOrForSomethingElseIsRefused) {
  const std::string y_changed = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                                R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"})";
  for (const std::string& wrong :
       {std::string("[]"), std::string("{}"), std::string(R"({"kty":"oct","k":"AAAA"})"), y_changed,
        std::string(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"),
        std::string(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"),
        std::string(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"),
        fmt::format(R"({{"kty":"RSA","n":"{}","e":"AQ"}})", base64_url(std::string(256, '\xff'))),
        fmt::format(R"({{"kty":"RSA","n":"{}","e":"AQAB"}})", base64_url(std::string(2048, '\xff'))),
        std::string(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})"),
        R"({"use":"enc",)" + std::string(rfc_7515_a3_key.substr(1)),
        R"({"key_ops":["encrypt"],)" + std::string(rfc_7515_a3_key.substr(1)),
        R"({"alg":"RS256",)" + std::string(rfc_7515_a3_key.substr(1)),
        R"({"alg":"HS256",)" + std::string(rfc_7515_a2_key.substr(1))})
    EXPECT_FALSE(key_of(wrong)) << wrong.substr(0, 100);
}

TEST(Key, PrivatePartOfAnotherKeyIsRefused) {
  const Key other = Key::generate(Algorithm::es256);
  const auto text = other.private_jwk();
  const auto document = json::Document::parse_view(text);
  const std::string mixed =
      fmt::format(R"({{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                  R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"{}"}})",
                  document->root()["d"].text());
  EXPECT_FALSE(key_of(mixed, true));
}

TEST(KeySet, LeavesOutWhatItDoesNotUnderstand) {
  const Key key = Key::generate(Algorithm::es384);
  const auto keys =
      parse_key_set(fmt::format(R"({{"keys":[{{"kty":"oct","k":"AA"}},{},{{"kty":"future"}}]}})", key.public_jwk()));
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ(keys->front().id(), key.id());
}

TEST(KeySet, ThatIsNoneOrTooLargeIsRefused) {
  for (const char* wrong : {"", "[]", "{}", R"({"keys":{}})", "not json"}) EXPECT_FALSE(parse_key_set(wrong)) << wrong;
  std::string many = R"({"keys":[{})";
  for (std::size_t i = 0; i < keys_max; ++i) many += ",{}";
  EXPECT_EQ(parse_key_set(many + "]}").error().code, Code::too_large);
  EXPECT_FALSE(parse_key_set(std::string(key_set_bytes_max + 1, ' ')));
}

class Jwt : public testing::Test {
 protected:
  Result<JwtClaims> verify(std::string_view claims, const JwtChecks& checks) const {
    return verify_jwt(sign_jws(key, claims), {key}, checks, now);
  }
  const Key key = Key::generate(Algorithm::es256);
  const Instant now{1'700'000'000s};
  const JwtChecks strict{
      .issuer = "app", .audience = {"https://server/token"}, .skew = 5s, .lifetime_max = 300s, .needs_id = true};
};

TEST_F(Jwt, ThatIsAsItShouldBeIsAccepted) {
  const auto claims = verify(
      R"({"iss":"app","sub":"app","aud":["x","https://server/token"],"exp":1700000299.5,"iat":1700000000,"jti":"1"})",
      strict);
  ASSERT_TRUE(claims) << claims.error().text;
  EXPECT_EQ(claims->subject, "app");
  EXPECT_EQ(claims->id, "1");
  EXPECT_EQ(*claims->expires, Instant(1'700'000'299s) + 500ms);
}

TEST_F(Jwt, EachClaimThatIsWrongIsNamed) {
  struct Row {
    const char *claim, *text;
  };
  constexpr std::array<Row, 16> rows{{
      {"iss", R"({"aud":"https://server/token","exp":1700000100,"jti":"1"})"},
      {"iss", R"({"iss":"other","aud":"https://server/token","exp":1700000100,"jti":"1"})"},
      {"iss", R"({"iss":7,"aud":"https://server/token","exp":1700000100,"jti":"1"})"},
      {"aud", R"({"iss":"app","exp":1700000100,"jti":"1"})"},
      {"aud", R"({"iss":"app","aud":"https://server/token/","exp":1700000100,"jti":"1"})"},
      {"aud", R"({"iss":"app","aud":[7],"exp":1700000100,"jti":"1"})"},
      {"exp", R"({"iss":"app","aud":"https://server/token","jti":"1"})"},
      {"exp", R"({"iss":"app","aud":"https://server/token","exp":1699999995,"jti":"1"})"},
      {"exp", R"({"iss":"app","aud":"https://server/token","exp":1700000306,"jti":"1"})"},
      {"exp", R"({"iss":"app","aud":"https://server/token","exp":"1700000100","jti":"1"})"},
      {"exp", R"({"iss":"app","aud":"https://server/token","exp":1e300,"jti":"1"})"},
      {"exp", R"({"iss":"app","aud":"https://server/token","exp":-1,"jti":"1"})"},
      {"nbf", R"({"iss":"app","aud":"https://server/token","exp":1700000100,"nbf":1700000006,"jti":"1"})"},
      {"iat", R"({"iss":"app","aud":"https://server/token","exp":1700000100,"iat":1700000006,"jti":"1"})"},
      {"jti", R"({"iss":"app","aud":"https://server/token","exp":1700000100})"},
      {"exp", R"({"iss":"app","aud":"https://server/token","exp":1700000100,"exp":1700000101,"jti":"1"})"},
  }};
  for (const auto& [claim, text] : rows) {
    const auto claims = verify(text, strict);
    ASSERT_FALSE(claims) << text;
    EXPECT_EQ(claims.error().code, Code::refused);
    EXPECT_EQ(claims.error().where, claim) << text;
  }
}

TEST_F(Jwt, SkewIsAllowedBothWays) {
  EXPECT_TRUE(verify(
      R"({"iss":"app","aud":"https://server/token","exp":1699999996,"nbf":1700000005,"iat":1700000005,"jti":"1"})",
      strict));
}

TEST_F(Jwt, PayloadThatIsNoObjectIsRefused) {
  for (const char* text : {"", "[]", "7", "\"x\"", "{", "null"}) EXPECT_FALSE(verify(text, {})) << text;
}

}  // namespace
}  // namespace mydr24::crypto
