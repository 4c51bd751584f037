#include "storage/keyring/keyring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"

namespace mydr24::keyring {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class KeyringTest : public testing::Test {
 protected:
  KeyringTest() {
    write(key_file_, crypto::hex(crypto::random_bytes(32)) + "\n");
    write(other_key_file_, crypto::base64(crypto::random_bytes(32)));
  }
  ~KeyringTest() override { fs::remove_all(folder_); }

  static fs::path make_folder() {
    auto pattern = (fs::temp_directory_path() / "mydr24-keys-XXXXXX").string();
    return mkdtemp(pattern.data());
  }
  static void write(const fs::path& file, const std::string& text) {
    std::ofstream(file) << text;
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Result<std::shared_ptr<Keyring>> open(const fs::path& key_file) { return Keyring::open(file_, key_file); }

  fs::path folder_ = make_folder();
  fs::path file_ = folder_ / "keys.json";
  fs::path key_file_ = folder_ / "kek";
  fs::path other_key_file_ = folder_ / "other-kek";
  Instant now_ = from_us(1'700'000'000'000'000);
};

TEST_F(KeyringTest, HasOneRandomKeyThatIsTheSameWhenOpenedAgainAndStandsNowhereInTheFile) {
  const auto made = Keyring::create(file_, key_file_, now_);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ((*made)->newest(), 1U);
  const std::string key = (*made)->key(1).value();
  EXPECT_EQ(key.size(), 32U);
  const auto opened = open(key_file_);
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_EQ((*opened)->key(1).value(), key);
  EXPECT_EQ((*opened)->keys().front().made, now_);
  const std::string text = read(file_);
  EXPECT_THAT(text, Not(HasSubstr(crypto::base64(key))));
  EXPECT_THAT(text, Not(HasSubstr(crypto::hex(key))));
  struct stat facts{};
  ASSERT_EQ(::stat(file_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(Keyring::create(file_, key_file_, now_).error().code, Code::conflict);
}

TEST_F(KeyringTest, AnotherKeyFileIsRefusedByNameAndNotTakenForDamage) {
  ASSERT_TRUE(Keyring::create(file_, key_file_, now_));
  const auto opened = open(other_key_file_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::refused);
  EXPECT_THAT(opened.error().text, HasSubstr(other_key_file_.string()));
  EXPECT_EQ(opened.error().where, file_.string());
}

TEST_F(KeyringTest, KeyFilesThatOthersMayReadAreRefused) {
  for (const mode_t mode : {0640U, 0604U, 0660U}) {
    ASSERT_EQ(::chmod(key_file_.c_str(), mode), 0);
    EXPECT_EQ(read_key_file(key_file_).error().code, Code::refused);
  }
  ASSERT_EQ(::chmod(key_file_.c_str(), 0400), 0);
  EXPECT_TRUE(read_key_file(key_file_));
}

TEST_F(KeyringTest, WhatIsNoKeyIsRefused) {
  for (const auto* text : {"", "secret", "00", "zz00000000000000000000000000000000000000000000000000000000000000"}) {
    write(key_file_, text);
    EXPECT_EQ(read_key_file(key_file_).error().code, Code::invalid) << text;
  }
  EXPECT_EQ(read_key_file(folder_ / "none").error().code, Code::not_found);
}

TEST_F(KeyringTest, EveryChangedByteOfItsFileIsNoticed) {
  ASSERT_TRUE(Keyring::create(file_, key_file_, now_));
  const std::string text = read(file_);
  const auto made = text.find("\"made\"");
  const auto after_made = text.find("\"key\"");
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (i >= made && i < after_made) continue;  // for people
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    write(file_, changed);
    EXPECT_FALSE(open(key_file_)) << i;
  }
  fs::remove(file_);
  EXPECT_EQ(open(key_file_).error().code, Code::not_found);
}

TEST_F(KeyringTest, AnotherGenerationSealsAndTheOldOneStaysUntilItIsForgotten) {
  auto ring = Keyring::create(file_, key_file_, now_).value();
  const std::string first = ring->key(1).value();
  EXPECT_EQ(ring->rotate(now_).value(), 2U);
  EXPECT_EQ(ring->newest(), 2U);
  EXPECT_NE(ring->key(2).value(), first);
  auto again = open(key_file_).value();
  EXPECT_EQ(again->newest(), 2U);
  EXPECT_EQ(again->key(1).value(), first);
  ASSERT_TRUE(again->forget_below(2));
  EXPECT_EQ(again->key(1).error().code, Code::not_found);
  ASSERT_TRUE(again->forget_below(99));
  EXPECT_TRUE(again->key(2));
  EXPECT_EQ(open(key_file_).value()->keys().size(), 1U);
}

TEST_F(KeyringTest, UnderAnotherKeyEncryptionKeyTheDataKeysAreTheSame) {
  auto ring = Keyring::create(file_, key_file_, now_).value();
  const std::string first = ring->key(1).value();
  ASSERT_TRUE(ring->rewrap(other_key_file_));
  EXPECT_EQ(open(key_file_).error().code, Code::refused);
  EXPECT_EQ(open(other_key_file_).value()->key(1).value(), first);
  EXPECT_EQ(ring->rotate(now_).value(), 2U);
  EXPECT_EQ(open(other_key_file_).value()->newest(), 2U);
}

TEST_F(KeyringTest, AKeyThatAnotherProcessMadeIsNotLost) {
  auto ring = Keyring::create(file_, key_file_, now_).value();
  auto late = open(key_file_).value();
  ASSERT_TRUE(ring->rotate(now_));
  const auto rewrapped = late->rewrap(other_key_file_);
  ASSERT_FALSE(rewrapped);
  EXPECT_EQ(rewrapped.error().code, Code::conflict);
  EXPECT_EQ(open(key_file_).value()->newest(), 2U);
}

TEST_F(KeyringTest, TakesUpWhatAnotherProcessChangedAndKeepsItsKeysWhenItCannot) {
  auto ring = Keyring::create(file_, key_file_, now_).value();
  EXPECT_FALSE(ring->refresh().value());
  auto other = open(key_file_).value();
  ASSERT_TRUE(other->rotate(now_));
  EXPECT_EQ(ring->newest(), 1U);
  EXPECT_TRUE(ring->refresh().value());
  EXPECT_EQ(ring->newest(), 2U);
  EXPECT_EQ(ring->key(2).value(), other->key(2).value());
  EXPECT_FALSE(ring->refresh().value());
  ASSERT_TRUE(other->rewrap(other_key_file_));
  EXPECT_EQ(ring->refresh().error().code, Code::refused);
  EXPECT_FALSE(ring->refresh().value());  // told once
  EXPECT_EQ(ring->key(2).value(), other->key(2).value());
  EXPECT_EQ(ring->forget_below(2).error().code, Code::conflict);
  EXPECT_EQ(ring->oldest(), 1U);
}

TEST_F(KeyringTest, ACopyOpensAsTheOriginalAndReplacesNothing) {
  auto ring = Keyring::create(file_, key_file_, now_).value();
  ASSERT_TRUE(ring->copy_to(folder_ / "copy.json"));
  EXPECT_EQ(Keyring::open(folder_ / "copy.json", key_file_).value()->key(1).value(), ring->key(1).value());
  EXPECT_EQ(ring->copy_to(folder_ / "copy.json").error().code, Code::conflict);
}

}  // namespace
}  // namespace mydr24::keyring
