/*===- vector_add.c - Runs PTX on a driver that is opened at run time ------===*
 *
 * Usage: emulator_vector_add LIBRARY FILE.ptx. LIBRARY is libfa3_emulator.so,
 * or libcuda.so.1 on a machine with a Hopper GPU.
 *
 *===----------------------------------------------------------------------===*/

#include "emulator/driver/CudaApi.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { kCount = 1000, kBlock = 256 };

static void *find(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (!function) {
    fprintf(stderr, "%s is missing\n", name);
    exit(1);
  }
  return function;
}

static void check(CUresult result, const char *what) {
  if (result != CUDA_SUCCESS) {
    fprintf(stderr, "%s failed with error %d\n", what, (int)result);
    exit(1);
  }
}

/* Calls a driver function by its name, with its prototype from CudaApi.h. */
#define CALL(function, ...)                                                    \
  check(((__typeof__(&function))find(library, #function))(__VA_ARGS__),        \
        #function)

static char *readText(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  const size_t size = (size_t)ftell(file);
  rewind(file);
  char *text = malloc(size + 1);
  if (!text || fread(text, 1, size, file) != size) {
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(1);
  }
  text[size] = '\0';
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s LIBRARY FILE.ptx\n", argv[0]);
    return 2;
  }
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  CALL(cuInit, 0);
  CUdevice device;
  CALL(cuDeviceGet, &device, 0);
  CUcontext context;
  CALL(cuDevicePrimaryCtxRetain, &context, device);
  CALL(cuCtxSetCurrent, context);

  char *ptx = readText(argv[2]);
  CUlibrary code;
  CALL(cuLibraryLoadData, &code, ptx, NULL, NULL, 0, NULL, NULL, 0);
  CUkernel kernel;
  CALL(cuLibraryGetKernel, &kernel, code, "vector_add");
  CUfunction function;
  CALL(cuKernelGetFunction, &function, kernel);

  static float a[kCount], b[kCount], c[kCount];
  for (int i = 0; i < kCount; ++i) {
    a[i] = (float)i;
    b[i] = 0.5f * (float)i;
  }
  CUdeviceptr da, db, dc;
  CALL(cuMemAlloc_v2, &da, sizeof(a));
  CALL(cuMemAlloc_v2, &db, sizeof(b));
  CALL(cuMemAlloc_v2, &dc, sizeof(c));
  CALL(cuMemcpyHtoD_v2, da, a, sizeof(a));
  CALL(cuMemcpyHtoD_v2, db, b, sizeof(b));

  int n = kCount;
  void *arguments[] = {&da, &db, &dc, &n};
  CALL(cuLaunchKernel, function, (kCount + kBlock - 1) / kBlock, 1, 1, kBlock,
       1, 1, 0, NULL, arguments, NULL);
  CALL(cuCtxSynchronize);
  CALL(cuMemcpyDtoH_v2, c, dc, sizeof(c));
  for (int i = 0; i < kCount; ++i)
    if (c[i] != a[i] + b[i]) {
      fprintf(stderr, "c[%d] = %g instead of %g\n", i, c[i], a[i] + b[i]);
      return 1;
    }
  CALL(cuMemFree_v2, da);
  CALL(cuMemFree_v2, db);
  CALL(cuMemFree_v2, dc);
  CALL(cuLibraryUnload, code);
  CALL(cuDevicePrimaryCtxRelease_v2, device);
  free(ptx);
  printf("vector_add: %d sums are right\n", kCount);
  return 0;
}
