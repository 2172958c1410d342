//===- ApiGraph.cpp - Instantiation and replay of graphs ------------------===//

#include "emulator/driver/Graph.h"

using namespace fa3::emulator::driver;

namespace fa3::emulator::driver {

HandleTable<Graph, CUgraph> &graphs() {
  static auto *table = new HandleTable<Graph, CUgraph>(0x5f69);
  return *table;
}

HandleTable<GraphExec, CUgraphExec> &graphExecs() {
  static auto *table = new HandleTable<GraphExec, CUgraphExec>(0x5f6e);
  return *table;
}

} // namespace fa3::emulator::driver

CUresult cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph handle,
                                     unsigned long long flags) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto graph = graphs().find(handle);
  if (!executable || !graph || flags > 15)
    return CUDA_ERROR_INVALID_VALUE;
  *executable =
      graphExecs().add(std::make_shared<GraphExec>(graph->operations));
  return CUDA_SUCCESS;
}

CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode *nodes, size_t *count) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto graph = graphs().find(handle);
  if (!graph || !count)
    return CUDA_ERROR_INVALID_VALUE;
  const size_t total = graph->operations.size();
  if (!nodes) {
    *count = total;
    return CUDA_SUCCESS;
  }
  // Nodes are numbered; no function takes one.
  const size_t room = *count;
  for (size_t i = 0; i < room; ++i)
    nodes[i] = i < total ? reinterpret_cast<CUgraphNode>(i + 1) : nullptr;
  *count = std::min(room, total);
  return CUDA_SUCCESS;
}

CUresult cuGraphLaunch(CUgraphExec handle, CUstream streamHandle) {
  std::shared_ptr<Stream> stream;
  if (CUresult error = enterStream(streamHandle, stream))
    return error;
  auto executable = graphExecs().find(handle);
  if (!executable)
    return CUDA_ERROR_INVALID_VALUE;
  return enqueue(stream, [executable](Context &context) {
    for (const Operation &operation : executable->operations)
      operation(context);
  });
}

CUresult cuGraphExecDestroy(CUgraphExec handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  return graphExecs().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGraphDestroy(CUgraph handle) {
  if (!isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  return graphs().remove(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
