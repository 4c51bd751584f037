#include "guard/access/purpose.h"

#include <algorithm>
#include <array>

namespace mydr24::access {
namespace {

struct Purpose {
  std::string_view code;
  std::string_view kind_of;  // empty: of none
};

constexpr auto purposes = std::to_array<Purpose>({{"BIORCH", "HRESCH"},
                                                  {"BTG", "ETREAT"},
                                                  {"CAREMGT", "HOPERAT"},
                                                  {"CLINTRCH", "HRESCH"},
                                                  {"CLINTRCHNPC", "CLINTRCH"},
                                                  {"CLINTRCHPC", "CLINTRCH"},
                                                  {"CLINTRL", "TREAT"},
                                                  {"CLMATTCH", "HPAYMT"},
                                                  {"COC", "TREAT"},
                                                  {"COVAUTH", "HPAYMT"},
                                                  {"COVERAGE", "HPAYMT"},
                                                  {"DISASTER", "PUBHLTH"},
                                                  {"DONAT", "HOPERAT"},
                                                  {"DSRCH", "HRESCH"},
                                                  {"ELIGDTRM", "COVERAGE"},
                                                  {"ELIGVER", "COVERAGE"},
                                                  {"ENROLLM", "COVERAGE"},
                                                  {"ERTREAT", "ETREAT"},
                                                  {"ETREAT", "TREAT"},
                                                  {"FAMRQT", "PATRQT"},
                                                  {"FRAUD", "HOPERAT"},
                                                  {"GOV", "HOPERAT"},
                                                  {"HACCRED", "HOPERAT"},
                                                  {"HCOMPL", "HOPERAT"},
                                                  {"HDECD", "HOPERAT"},
                                                  {"HDIRECT", "HOPERAT"},
                                                  {"HDM", "HOPERAT"},
                                                  {"HLEGAL", "HOPERAT"},
                                                  {"HMARKT", ""},
                                                  {"HOPERAT", ""},
                                                  {"HOUTCOMS", "HOPERAT"},
                                                  {"HPAYMT", ""},
                                                  {"HPRGRP", "HOPERAT"},
                                                  {"HQUALIMP", "HOPERAT"},
                                                  {"HRESCH", ""},
                                                  {"HSYSADMIN", "HOPERAT"},
                                                  {"HTEST", "SYSDEV"},
                                                  {"LABELING", "HSYSADMIN"},
                                                  {"MEMADMIN", "HOPERAT"},
                                                  {"METAMGT", "HSYSADMIN"},
                                                  {"MILCDM", "HOPERAT"},
                                                  {"MILDCRG", "COVERAGE"},
                                                  {"PATADMIN", "HOPERAT"},
                                                  {"PATRQT", ""},
                                                  {"PATSFTY", "HOPERAT"},
                                                  {"PERFMSR", "HOPERAT"},
                                                  {"POARCH", "HRESCH"},
                                                  {"POPHLTH", "TREAT"},
                                                  {"PRECLINTRCH", "CLINTRCH"},
                                                  {"PUBHLTH", ""},
                                                  {"PWATRNY", "PATRQT"},
                                                  {"RECORDMGT", "HOPERAT"},
                                                  {"REMITADV", "HPAYMT"},
                                                  {"SUPNWK", "PATRQT"},
                                                  {"SYSDEV", "HOPERAT"},
                                                  {"THREAT", "PUBHLTH"},
                                                  {"TRAIN", "HOPERAT"},
                                                  {"TRANSRCH", "HRESCH"},
                                                  {"TREAT", ""}});
static_assert(std::ranges::is_sorted(purposes, {}, &Purpose::code));

const Purpose* find(std::string_view code) {
  const auto found = std::ranges::lower_bound(purposes, code, {}, &Purpose::code);
  return found != purposes.end() && found->code == code ? &*found : nullptr;
}

}  // namespace

bool is_purpose(std::string_view code) { return find(code) != nullptr; }

bool is_kind_of_purpose(std::string_view purpose, std::string_view other) {
  for (const auto* at = find(purpose); at != nullptr; at = find(at->kind_of))
    if (at->code == other) return true;
  return false;
}

}  // namespace mydr24::access
