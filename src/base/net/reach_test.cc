#include "base/net/reach.h"

#include <gtest/gtest.h>

namespace mydr24::net {
namespace {

TEST(Reach, PublicLeavesOutWhatIsInside) {
  const auto reach = Reach::parse("public").value();
  for (const auto* inside : {"127.0.0.1",
                             "127.9.9.9",
                             "0.0.0.0",
                             "10.0.0.1",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "224.0.0.1",
                             "255.255.255.255",
                             "198.18.0.1",
                             "::1",
                             "::",
                             "fe80::1",
                             "fe80::1%lo",
                             "fd00::1",
                             "fc00::1",
                             "ff02::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::ffff:169.254.169.254",
                             "::127.0.0.1",
                             "64:ff9b::a9fe:a9fe",
                             "2002:7f00:1::",
                             "2001::1",
                             "2001:db8::1"}) {
    EXPECT_FALSE(reach.covers(inside)) << inside;
  }
  for (const auto* outside : {"93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255", "11.0.0.0",
                              "2606:4700::1111", "::ffff:8.8.8.8"})
    EXPECT_TRUE(reach.covers(outside)) << outside;
}

TEST(Reach, NetworksAreAllowedBesideThePublicOnes) {
  const auto reach = Reach::parse(" 10.1.0.0/16, 192.168.7.9 ,fd12::/16").value();
  for (const auto* allowed : {"10.1.0.1", "10.1.255.255", "192.168.7.9", "fd12::1", "8.8.8.8", "::ffff:10.1.2.3"})
    EXPECT_TRUE(reach.covers(allowed)) << allowed;
  for (const auto* refused : {"10.2.0.1", "10.0.255.255", "192.168.7.8", "fd13::1", "127.0.0.1"})
    EXPECT_FALSE(reach.covers(refused)) << refused;
  EXPECT_TRUE(Reach::parse("10.0.0.0/9").value().covers("10.127.0.1"));
  EXPECT_FALSE(Reach::parse("10.0.0.0/9").value().covers("10.128.0.1"));
}

TEST(Reach, AnyIsEverywhereThatIsAnAddress) {
  EXPECT_TRUE(Reach::parse("any").value().covers("127.0.0.1"));
  EXPECT_TRUE(Reach().covers("169.254.169.254"));
  for (const auto* none : {"", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::1]", "8.8.8.8 "})
    EXPECT_FALSE(Reach().covers(none)) << none;
}

TEST(Reach, AWordThatIsNoNetworkIsNamed) {
  for (const auto* wrong :
       {"", "private", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "10.0.0.0/8 x", "any,10.0.0.0/8"}) {
    const auto reach = Reach::parse(wrong);
    ASSERT_FALSE(reach) << wrong;
    EXPECT_EQ(reach.error().code, Code::invalid);
  }
}

TEST(Reach, ANameThatBeginsLikeTheLoopbackIsNotIt) {
  for (const auto* yes : {"localhost", "127.0.0.1", "127.3.2.1", "::1"}) EXPECT_TRUE(is_loopback_host(yes)) << yes;
  for (const auto* no :
       {"127.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "", "127."})
    EXPECT_FALSE(is_loopback_host(no)) << no;
}

}  // namespace
}  // namespace mydr24::net
