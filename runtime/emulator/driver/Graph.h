//===- Graph.h - Captured work --------------------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_DRIVER_GRAPH_H
#define FA3_EMULATOR_DRIVER_GRAPH_H

#include "emulator/driver/Stream.h"

namespace fa3::emulator::driver {

/// Captured operations in a legal order, as a CUgraph and, instantiated, as a
/// CUgraphExec.
struct Graph {
  std::vector<Operation> operations;
};

struct GraphExec {
  std::vector<Operation> operations;
};

HandleTable<Graph, CUgraph> &graphs();
HandleTable<GraphExec, CUgraphExec> &graphExecs();

} // namespace fa3::emulator::driver

#endif // FA3_EMULATOR_DRIVER_GRAPH_H
