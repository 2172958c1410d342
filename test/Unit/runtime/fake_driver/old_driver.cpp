//===- old_driver.cpp - A driver from before the cuLibrary functions ------===//

#include "driver_api.h"

using namespace fa3::cu;

extern "C" {
CUresult cuInit(unsigned) { return CUDA_SUCCESS; }
CUresult cuDriverGetVersion(int *version) {
  *version = 11040;
  return CUDA_SUCCESS;
}
}
