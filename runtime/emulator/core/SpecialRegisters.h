//===- SpecialRegisters.h - %tid and its like -------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_CORE_SPECIALREGISTERS_H
#define FA3_EMULATOR_CORE_SPECIALREGISTERS_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace fa3::emulator {

/// PTX ISA, "Special Registers". The x, y and z of one register follow each
/// other, so that a component can be added.
enum class Special : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  ClusteridX,
  ClusteridY,
  ClusteridZ,
  NclusteridX,
  NclusteridY,
  NclusteridZ,
  ClusterCtaidX,
  ClusterCtaidY,
  ClusterCtaidZ,
  ClusterNctaidX,
  ClusterNctaidY,
  ClusterNctaidZ,
  ClusterCtarank,
  ClusterNctarank,
  IsExplicitCluster,
  Laneid,
  Warpid,
  Nwarpid,
  Smid,
  Nsmid,
  Gridid,
  LanemaskEq,
  LanemaskLe,
  LanemaskLt,
  LanemaskGe,
  LanemaskGt,
  Clock,
  ClockHi,
  Clock64,
  Globaltimer,
  GlobaltimerLo,
  GlobaltimerHi,
  DynamicSmemSize,
  TotalSmemSize,
  AggrSmemSize,
};

/// The register called \p name ("%tid.x"), if there is one.
std::optional<Special> specialRegister(std::string_view name);

/// Whether the register is 64 bits wide.
bool isWideSpecial(Special special);

} // namespace fa3::emulator

#endif // FA3_EMULATOR_CORE_SPECIALREGISTERS_H
