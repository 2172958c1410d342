//===- write_package.cpp - Writes a package that the fake driver runs -----===//

#include "package_writer.h"

#include <cstdio>
#include <fstream>
#include <string>

using namespace fa3::test;

int main(int argc, char **argv) {
  if (argc != 4) {
    std::fputs("usage: write_package KERNEL causal|full OUTPUT\n", stderr);
    return 1;
  }
  const std::string kernel = argv[1];
  const bool causal = std::string(argv[2]) == "causal";
  std::ofstream file(argv[3], std::ios::binary);
  file << writePackage(hostManifest(kernel, causal), "", ptxOf(kernel));
  return file.flush() ? 0 : 1;
}
