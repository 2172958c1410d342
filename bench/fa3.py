"""The runtime's C interface (runtime.h) for Python, on PyTorch tensors."""

import ctypes
import json

MAX_RANK = 8
SUCCESS, INVALID_ARGUMENT, UNSUPPORTED = 0, 1, 4
DTYPES = {"bf16": 1, "f16": 2, "f32": 3, "e4m3": 4, "e5m2": 5, "i32": 6}


class _Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("dtype", ctypes.c_int),
                ("rank", ctypes.c_int32), ("sizes", ctypes.c_int64 * MAX_RANK),
                ("strides", ctypes.c_int64 * MAX_RANK)]


class _Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("driver_result", ctypes.c_int), ("message", ctypes.c_char * 1016)]


class Failure(RuntimeError):
    """A call failed; `status` is its fa3_status."""

    def __init__(self, error):
        super().__init__(error.message.decode())
        self.status = error.status


class Runtime:
    """libfa3_runtime.so and a driver opened through it."""

    def __init__(self, library, driver=None):
        self.library = ctypes.CDLL(str(library))
        self.library.fa3_package_manifest.restype = ctypes.c_char_p
        self.library.fa3_runtime_version.restype = ctypes.c_char_p
        self.library.fa3_module_code.restype = ctypes.c_char_p
        self.driver = ctypes.c_void_p()
        self.call("fa3_driver_open", driver.encode() if driver else None, ctypes.byref(self.driver))

    @property
    def version(self):
        return self.library.fa3_runtime_version().decode()

    def call(self, function, *arguments):
        error = _Error()
        if getattr(self.library, function)(*arguments, ctypes.byref(error)) != SUCCESS:
            raise Failure(error)


class Problem:
    """Tensors for one launch, and the workspace it needs."""

    def __init__(self, kernel, tensors, allocate):
        self.kernel = kernel
        self.tensors = tensors  # keeps the memory alive
        self.array = (_Tensor * len(tensors))()
        for entry, (name, tensor) in zip(self.array, tensors.items()):
            entry.name = name.encode()
            entry.data = tensor.data_ptr()
            entry.dtype = DTYPES[kernel.dtypes[name]]
            entry.rank = tensor.dim()
            entry.sizes[: tensor.dim()] = tensor.shape
            entry.strides[: tensor.dim()] = tensor.stride()
        self.count = ctypes.c_int32(len(tensors))
        size = ctypes.c_size_t()
        kernel.runtime.call("fa3_workspace_size", kernel.package, self.array, self.count, ctypes.byref(size))
        self.workspace = allocate(size.value) if size.value else None
        self.workspace_size = size

    def launch(self, stream):
        address = self.workspace.data_ptr() if self.workspace is not None else None
        self.kernel.runtime.call("fa3_launch", self.kernel.module, ctypes.c_void_p(stream), self.array, self.count,
                                 ctypes.c_void_p(address), self.workspace_size)


class Kernel:
    """A package, loaded into the driver."""

    def __init__(self, runtime, path):
        self.runtime = runtime
        self.package = ctypes.c_void_p()
        runtime.call("fa3_package_load_file", str(path).encode(), ctypes.byref(self.package))
        self.module = ctypes.c_void_p()
        runtime.call("fa3_module_create", runtime.driver, self.package, ctypes.byref(self.module))
        self.code = runtime.library.fa3_module_code(self.module).decode()
        self.manifest = json.loads(runtime.library.fa3_package_manifest(self.package))
        self.operation = self.manifest["operation"]
        self.dtypes = {tensor["name"]: tensor["dtype"] for tensor in self.manifest["tensors"]}
        self.dims = {tensor["name"]: tensor["dims"] for tensor in self.manifest["tensors"]}

    def problem(self, tensors, allocate):
        """`tensors`: name -> tensor; `allocate`: bytes -> tensor, aligned to 256 bytes."""
        return Problem(self, tensors, allocate)
