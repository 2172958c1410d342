//===- SpecialRegisters.cpp - %tid and its like ---------------------------===//

#include "SpecialRegisters.h"

#include <unordered_map>

using namespace fa3::emulator;

std::optional<Special> fa3::emulator::specialRegister(std::string_view name) {
  static const std::unordered_map<std::string_view, Special> kVectors = {
      {"%tid", Special::TidX},
      {"%ntid", Special::NtidX},
      {"%ctaid", Special::CtaidX},
      {"%nctaid", Special::NctaidX},
      {"%clusterid", Special::ClusteridX},
      {"%nclusterid", Special::NclusteridX},
      {"%cluster_ctaid", Special::ClusterCtaidX},
      {"%cluster_nctaid", Special::ClusterNctaidX},
  };
  static const std::unordered_map<std::string_view, Special> kScalars = {
      {"%cluster_ctarank", Special::ClusterCtarank},
      {"%cluster_nctarank", Special::ClusterNctarank},
      {"%is_explicit_cluster", Special::IsExplicitCluster},
      {"%laneid", Special::Laneid},
      {"%warpid", Special::Warpid},
      {"%nwarpid", Special::Nwarpid},
      {"%smid", Special::Smid},
      {"%nsmid", Special::Nsmid},
      {"%gridid", Special::Gridid},
      {"%lanemask_eq", Special::LanemaskEq},
      {"%lanemask_le", Special::LanemaskLe},
      {"%lanemask_lt", Special::LanemaskLt},
      {"%lanemask_ge", Special::LanemaskGe},
      {"%lanemask_gt", Special::LanemaskGt},
      {"%clock", Special::Clock},
      {"%clock_hi", Special::ClockHi},
      {"%clock64", Special::Clock64},
      {"%globaltimer", Special::Globaltimer},
      {"%globaltimer_lo", Special::GlobaltimerLo},
      {"%globaltimer_hi", Special::GlobaltimerHi},
      {"%dynamic_smem_size", Special::DynamicSmemSize},
      {"%total_smem_size", Special::TotalSmemSize},
      {"%aggr_smem_size", Special::AggrSmemSize},
  };
  if (auto it = kScalars.find(name); it != kScalars.end())
    return it->second;
  if (name.size() < 3 || name[name.size() - 2] != '.')
    return std::nullopt;
  char component = name.back();
  if (component < 'x' || component > 'z')
    return std::nullopt;
  auto it = kVectors.find(name.substr(0, name.size() - 2));
  if (it == kVectors.end())
    return std::nullopt;
  return Special(int(it->second) + (component - 'x'));
}

bool fa3::emulator::isWideSpecial(Special special) {
  return special == Special::Clock64 || special == Special::Globaltimer ||
         special == Special::Gridid;
}
