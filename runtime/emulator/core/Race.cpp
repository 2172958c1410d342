//===- Race.cpp - Vector clocks and shared-memory shadow ------------------===//

#include "Race.h"

#include <algorithm>

using namespace fa3::emulator;

Conflict SharedShadow::recordCell(Cell &cell, const Access &access,
                                  const SyncClock &clock, Access &other) {
  Conflict worst = Conflict::None;
  bool merged = false;
  auto &list = cell.accesses;
  for (size_t i = 0; i < list.size();) {
    Access &e = list[i];
    if (!merged && e.agent == access.agent && e.clock == access.clock &&
        e.kind == access.kind && e.line == access.line &&
        e.warp == access.warp) {
      e.bytes |= access.bytes;
      merged = true;
      ++i;
      continue;
    }
    bool ordered = e.clock <= clock.seen[e.agent];
    // The pieces of one asynchronous operation do not race with each other, and
    // those that complete on one barrier phase write disjoint places or are
    // caught as unordered: the issuer cannot have seen their completion.
    if (e.bytes & access.bytes && (e.isWrite() || access.isWrite())) {
      Conflict found = Conflict::None;
      if (!ordered)
        found = Conflict::Race;
      else if (access.isAsync() && e.kind == AccessKind::Write &&
               e.clock > clock.fenced[e.agent])
        found = Conflict::Unfenced;
      if (found != Conflict::None && worst != Conflict::Race) {
        worst = found;
        other = e;
      }
    }
    bool covered = (e.bytes & ~access.bytes) == 0;
    bool stronger = access.isWrite() || !e.isWrite();
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
                              const SyncClock &clock, Access &other,
                              uint32_t &where) {
  Conflict worst = Conflict::None;
  for (uint32_t at = offset, end = offset + size; at < end;) {
    uint32_t cell = at / 16, begin = at % 16;
    uint32_t length = std::min(16 - begin, end - at);
    access.bytes = uint16_t(((1u << length) - 1) << begin);
    Access found;
    Conflict c = recordCell(cells[cell], access, clock, found);
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
