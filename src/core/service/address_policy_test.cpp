#include "core/service/address_policy.hpp"

#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <gtest/gtest.h>

#include "core/service/host_policy.hpp"

namespace akr {
namespace {

AddressClass of(const char* text) { return classify_host(text); }

TEST(AddressPolicy, PublicAddressesArePublic) {
  for (const char* text :
       {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "169.253.0.1", "2606:4700::1111", "2a00:1450:4001::8a",
        "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_EQ(of(text), AddressClass::kPublic) << text;
  }
}

TEST(AddressPolicy, LocalNetworksArePrivate) {
  for (const char* text : {"127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
                           "100.64.0.1", "198.18.0.1", "198.19.255.255", "::1", "fc00::1", "fdff::1",
                           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    EXPECT_EQ(of(text), AddressClass::kPrivate) << text;
  }
}

TEST(AddressPolicy, MetadataLinkLocalAndReservedAreForbidden) {
  for (const char* text : {"169.254.169.254",
                           "169.254.0.1",
                           "100.100.100.200",
                           "168.63.129.16",
                           "192.0.0.192",
                           "0.0.0.0",
                           "0.1.2.3",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "fd00:ec2::254",
                           "fd20:ce::254",
                           "::ffff:169.254.169.254",
                           "::ffff:a9fe:a9fe",
                           "::a9fe:a9fe",
                           "::ffff:0:a9fe:a9fe",
                           "64:ff9b::a9fe:a9fe",
                           "64:ff9b:1::1",
                           "2002:a9fe:a9fe::1",
                           "100::1",
                           "4000::1",
                           "2001:0:808:808::5601:5601"}) {  // the last: Teredo, whose client address is stored inverted
    EXPECT_EQ(of(text), AddressClass::kForbidden) << text;
  }
}

TEST(AddressPolicy, OtherLengthsAreForbidden) {
  const std::uint8_t bytes[16] = {8, 8, 8, 8};
  EXPECT_EQ(classify_address({bytes, 4}), AddressClass::kPublic);
  EXPECT_EQ(classify_address({bytes, 5}), AddressClass::kForbidden);
  EXPECT_EQ(classify_address({}), AddressClass::kForbidden);
}

TEST(AddressPolicy, PrivateIsAllowedOnlyOnRequest) {
  EXPECT_TRUE(address_allowed(AddressClass::kPublic, false));
  EXPECT_TRUE(address_allowed(AddressClass::kPrivate, true));
  EXPECT_FALSE(address_allowed(AddressClass::kPrivate, false));
  EXPECT_FALSE(address_allowed(AddressClass::kForbidden, true));
}

TEST(HostPolicy, TellsFormsApart) {
  EXPECT_EQ(host_form("api.openai.com"), HostForm::kName);
  EXPECT_EQ(host_form("localhost"), HostForm::kName);
  EXPECT_EQ(host_form("my_service"), HostForm::kName);
  EXPECT_EQ(host_form("1.example"), HostForm::kName);
  EXPECT_EQ(host_form("0xe.example"), HostForm::kName);
  EXPECT_EQ(host_form("10.0.0.1"), HostForm::kIpv4);
  EXPECT_EQ(host_form("::1"), HostForm::kIpv6);
  for (const char* odd : {"2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0", "1",
                          "127.0.0.01", "256.1.1.1", "1.2.3.4.5", "foo.1", "0x", "08.1.1.1", "99999999999999999999"}) {
    EXPECT_EQ(host_form(odd), HostForm::kOddNumber) << odd;
  }
  for (const char* bad : {"", ".", "a..b", "a.", "127.0.0.1.", "a b", "a/b", "\xe3\x80\x82", "fe80::1%eth0", "::g",
                          "a%41", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_EQ(host_form(bad), HostForm::kMalformed) << bad;
  }
  EXPECT_EQ(host_form(std::string(64, 'a')), HostForm::kMalformed);
}

TEST(HostPolicy, ReadsEverySpellingOfAnAddress) {
  for (const char* loopback :
       {"2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "127.1", "127.0.1", "017700000001"}) {
    EXPECT_EQ(classify_host(loopback), AddressClass::kPrivate) << loopback;
  }
  for (const char* metadata : {"2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376", "0"}) {
    EXPECT_EQ(classify_host(metadata), AddressClass::kForbidden) << metadata;
  }
}

TEST(HostPolicy, KnowsMetadataAndLocalNames) {
  for (const char* name : {"metadata.google.internal", "METADATA.google.INTERNAL", "metadata", "instance-data",
                           "metadata.google.internal."}) {
    EXPECT_EQ(classify_host(name), AddressClass::kForbidden) << name;
  }
  EXPECT_EQ(classify_host("localhost"), AddressClass::kPrivate);
  EXPECT_EQ(classify_host("api.localhost"), AddressClass::kPrivate);
  EXPECT_EQ(classify_host("api.openai.com"), AddressClass::kPublic);
}

}  // namespace
}  // namespace akr
