//===- Race.cpp - Vector clocks and shared-memory shadow ------------------===//

#include "Race.h"

#include <algorithm>
#include <bit>

using namespace fa3::emulator;

/// The lane that touched byte \p byte.
static uint32_t laneOf(const Access &a, uint32_t byte) {
  uint32_t first = uint32_t(std::countr_zero(a.bytes));
  return a.laneBytes >= 16 ? a.lane : a.lane + (byte - first) / a.laneBytes;
}

/// Whether each byte that both touch was touched by the same lane.
static bool sameLanes(const Access &a, const Access &b) {
  if (a.lane == Access::kNoLane || b.lane == Access::kNoLane)
    return true;
  if (a.lane == Access::kLanesTogether || b.lane == Access::kLanesTogether)
    return false;
  if (a.lane == b.lane && a.laneBytes == b.laneBytes &&
      std::countr_zero(a.bytes) == std::countr_zero(b.bytes))
    return true;
  for (uint32_t both = a.bytes & b.bytes; both; both &= both - 1) {
    uint32_t byte = uint32_t(std::countr_zero(both));
    if (laneOf(a, byte) != laneOf(b, byte))
      return false;
  }
  return true;
}

/// Adds \p access to the entry \p e of the same instruction; false if the
/// entry cannot hold both.
static bool mergeLanes(Access &e, const Access &access) {
  if (e.lane == access.lane && e.laneBytes == access.laneBytes &&
      (e.laneBytes >= 16 || e.lane >= Access::kLanesTogether ||
       e.bytes == access.bytes))
    return true;
  if (e.bytes == access.bytes) {
    e.lane = Access::kLanesTogether;
    return true;
  }
  // The lanes have to continue in step.
  return e.lane < Access::kLanesTogether &&
         access.lane < Access::kLanesTogether &&
         e.laneBytes == access.laneBytes && !(e.bytes & access.bytes) &&
         std::countr_zero(access.bytes) > std::countr_zero(e.bytes) &&
         laneOf(e, uint32_t(std::countr_zero(access.bytes))) == access.lane;
}

/// Whether the lanes that made the read \p e have fenced it before \p access.
static bool isReadFenced(const Access &e, const Access &access,
                         const Viewer &viewer) {
  uint32_t lanes = e.lanes;
  // The issuing lane's own fence needs nothing to carry it here.
  if (e.agent == viewer.agent && viewer.laneFences &&
      access.lane < Access::kLanesTogether &&
      (*viewer.laneFences)[access.lane] >= e.clock) {
    lanes &= ~(1u << access.lane);
    if (!lanes)
      return true;
  }
  return viewer.clock.fencedReads.covers(e.agent, e.clock, lanes);
}

Conflict SharedShadow::recordCell(Cell &cell, const Access &access,
                                  const Viewer &viewer, Access &other) {
  const SyncClock &clock = viewer.clock;
  Conflict worst = Conflict::None;
  bool merged = false;
  auto &list = cell.accesses;
  for (size_t i = 0; i < list.size();) {
    Access &e = list[i];
    bool sameInstruction = e.agent == access.agent && e.clock == access.clock &&
                           e.kind == access.kind && e.line == access.line &&
                           e.warp == access.warp;
    if (!merged && sameInstruction && mergeLanes(e, access)) {
      e.bytes |= access.bytes;
      e.lanes |= access.lanes;
      merged = true;
      ++i;
      continue;
    }
    bool ordered = clock.seen.covers(e.agent, e.clock, e.lanes);
    // Lanes of one warp have to synchronise, too. Lanes that store to one place
    // by one instruction are let pass: usually they store the same.
    if (ordered && e.agent == viewer.agent && e.clock >= viewer.lanesSynced &&
        !sameInstruction)
      ordered = sameLanes(e, access) ||
                clock.seen.coversLanes(e.agent, e.clock, e.lanes);
    if (e.bytes & access.bytes && (e.isWrite() || access.isWrite())) {
      Conflict found = Conflict::None;
      if (!ordered)
        found = Conflict::Race;
      else if (access.isAsync() && !e.isAsync() &&
               !(e.isWrite() ? clock.fenced.covers(e.agent, e.clock, e.lanes)
                             : isReadFenced(e, access, viewer)))
        found = Conflict::Unfenced;
      if (found != Conflict::None && worst != Conflict::Race) {
        worst = found;
        other = e;
      }
    }
    bool covered = (e.bytes & ~access.bytes) == 0;
    bool stronger = access.isWrite() || !e.isWrite();
    // A read that its thread has not fenced concerns later asynchronous writes,
    // unless a later read of the same thread stands for it.
    if (e.kind == AccessKind::Read && !access.isWrite())
      stronger = (access.kind == AccessKind::Read && e.agent == access.agent &&
                  !(e.lanes & ~access.lanes)) ||
                 clock.fencedReads.covers(e.agent, e.clock, e.lanes);
    if (ordered && covered && stronger) {
      e = list.back();
      list.pop_back();
      continue;
    }
    ++i;
  }
  if (!merged)
    list.push_back(access);
  return worst;
}

Conflict SharedShadow::record(uint32_t offset, uint32_t size, Access access,
                              const Viewer &viewer, Access &other,
                              uint32_t &where) {
  Conflict worst = Conflict::None;
  const uint8_t firstLane = access.lane;
  for (uint32_t at = offset, end = offset + size; at < end;) {
    uint32_t cell = at / 16, begin = at % 16;
    uint32_t length = std::min(16 - begin, end - at);
    access.bytes = uint16_t(((1u << length) - 1) << begin);
    // An asynchronous access is of the one lane that issued it.
    if (firstLane < Access::kLanesTogether && !access.isAsync()) {
      uint32_t first = (at - offset) / access.laneBytes;
      uint32_t last = (at - offset + length - 1) / access.laneBytes;
      access.lane = uint8_t(firstLane + first);
      access.lanes = ((2u << (last - first)) - 1) << access.lane;
    }
    Access found;
    Conflict c = recordCell(cells[cell], access, viewer, found);
    if (c != Conflict::None && worst != Conflict::Race) {
      if (worst == Conflict::None || c == Conflict::Race) {
        worst = c;
        other = found;
        where = at;
      }
    }
    at += length;
  }
  return worst;
}
