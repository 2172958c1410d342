//===- write_package.cpp - Writes a package that the fake driver runs -----===//

#include "package_writer.h"

#include <cstdio>
#include <fstream>
#include <string>

using namespace fa3::test;

int main(int argc, char **argv) {
  if (argc != 5) {
    std::fputs("usage: write_package forward|backward HEADDIM causal|full "
               "OUTPUT\n",
               stderr);
    return 1;
  }
  const bool causal = std::string(argv[3]) == "causal";
  const nlohmann::json manifest =
      std::string(argv[1]) == "forward"
          ? hostManifest("attention", causal, std::stoi(argv[2]))
          : hostBackwardManifest({.causal = causal, .withLseGradient = false});
  std::ofstream file(argv[4], std::ios::binary);
  file << writePackage(manifest, "", ptxOfKernels(manifest));
  return file.flush() ? 0 : 1;
}
