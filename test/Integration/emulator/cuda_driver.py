"""A CUDA driver through ctypes: what the emulator's scripts need of it.

Works with libcuda.so.1 and with libfa3_emulator.so alike, and needs nothing but
Python's standard library.
"""

import ctypes

CUDA_SUCCESS = 0

TENSOR_TYPES = {
    "u8": (0, 1), "u16": (1, 2), "u32": (2, 4), "s32": (3, 4), "u64": (4, 8), "s64": (5, 8),
    "f16": (6, 2), "f32": (7, 4), "f64": (8, 8), "bf16": (9, 2),
}
SWIZZLES = {0: 0, 32: 1, 64: 2, 128: 3}


class DriverError(Exception):
    """A call that failed; `code` is its CUresult."""

    def __init__(self, function, code, name):
        super().__init__(f"{function}: {name} ({code})")
        self.code = code
        self.name = name


class LaunchAttribute(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int), ("pad", ctypes.c_int), ("value", ctypes.c_uint * 16)]


class LaunchConfig(ctypes.Structure):
    _fields_ = [
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared", ctypes.c_uint),
        ("stream", ctypes.c_void_p),
        ("attributes", ctypes.POINTER(LaunchAttribute)),
        ("attribute_count", ctypes.c_uint),
    ]


class TensorMap:
    """128 bytes at an address that is a multiple of 64."""

    def __init__(self):
        self._memory = ctypes.create_string_buffer(192)
        self.address = (ctypes.addressof(self._memory) + 63) // 64 * 64


class Driver:
    """A driver library with device 0's primary context current."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.call("cuInit", 0)
        self.device = ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(self.device), 0)
        self.retain()

    def retain(self):
        self.context = ctypes.c_void_p()
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(self.context), self.device)
        self.call("cuCtxSetCurrent", self.context)

    def reset(self):
        """Starts anew after an error that the context keeps."""
        self.call("cuDevicePrimaryCtxReset_v2", self.device)
        self.retain()

    def error_name(self, code):
        name = ctypes.c_char_p()
        self.library.cuGetErrorName(code, ctypes.byref(name))
        return name.value.decode() if name.value else "unknown error"

    def result(self, function, *arguments):
        return getattr(self.library, function)(*arguments)

    def call(self, function, *arguments):
        code = self.result(function, *arguments)
        if code != CUDA_SUCCESS:
            raise DriverError(function, code, self.error_name(code))

    def name(self):
        text = ctypes.create_string_buffer(256)
        self.call("cuDeviceGetName", text, 256, self.device)
        return text.value.decode()

    def version(self):
        version = ctypes.c_int()
        self.call("cuDriverGetVersion", ctypes.byref(version))
        return version.value

    def load(self, ptx):
        """Loads PTX text; the driver's complaints become the exception's text."""
        log = ctypes.create_string_buffer(8192)
        options = (ctypes.c_int * 2)(5, 6)
        values = (ctypes.c_void_p * 2)(ctypes.addressof(log), 8192)
        library = ctypes.c_void_p()
        code = self.result("cuLibraryLoadData", ctypes.byref(library), ptx.encode() + b"\0", options, values,
                           2, None, None, 0)
        if code != CUDA_SUCCESS:
            raise DriverError("cuLibraryLoadData", code, self.error_name(code) + " " + log.value.decode())
        return library

    def unload(self, library):
        self.call("cuLibraryUnload", library)

    def function(self, library, name):
        kernel, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("cuLibraryGetKernel", ctypes.byref(kernel), library, name.encode())
        self.call("cuKernelGetFunction", ctypes.byref(function), kernel)
        return function

    def set_shared(self, function, size):
        self.call("cuFuncSetAttribute", function, 8, size)

    def allocate(self, size):
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address.value

    def free(self, address):
        self.call("cuMemFree_v2", ctypes.c_uint64(address))

    def upload(self, address, data):
        self.call("cuMemcpyHtoD_v2", ctypes.c_uint64(address), bytes(data), ctypes.c_size_t(len(data)))

    def download(self, address, size):
        data = ctypes.create_string_buffer(size)
        self.call("cuMemcpyDtoH_v2", data, ctypes.c_uint64(address), ctypes.c_size_t(size))
        return data.raw

    def synchronize(self):
        self.call("cuCtxSynchronize")

    def encode_tiled(self, kind, address, dims, strides, box, element_strides=None, interleave=0, swizzle=0,
                     promotion=0, fill=0, rank=None, tensor_map=None):
        """cuTensorMapEncodeTiled with numbers as they are; returns (CUresult, map)."""
        tensor_map = tensor_map or TensorMap()
        rank = len(dims) if rank is None else rank
        element_strides = element_strides or [1] * len(dims)
        code = self.result(
            "cuTensorMapEncodeTiled", ctypes.c_void_p(tensor_map.address), kind, ctypes.c_uint32(rank),
            ctypes.c_void_p(address), (ctypes.c_uint64 * 5)(*dims), (ctypes.c_uint64 * 4)(*strides),
            (ctypes.c_uint32 * 5)(*box), (ctypes.c_uint32 * 5)(*element_strides), interleave, swizzle, promotion,
            fill)
        return code, tensor_map

    def launch(self, function, grid, block, shared, parameters, cluster=None):
        """Launches with parameters that are ctypes values or tensor maps; returns the CUresult."""
        pointers = [p.address if isinstance(p, TensorMap) else ctypes.addressof(p) for p in parameters]
        array = (ctypes.c_void_p * max(1, len(pointers)))(*pointers)
        attribute = LaunchAttribute(id=4)
        attribute.value[0:3] = cluster or (1, 1, 1)
        config = LaunchConfig(grid=(ctypes.c_uint * 3)(*grid), block=(ctypes.c_uint * 3)(*block), shared=shared,
                              stream=None, attributes=ctypes.pointer(attribute),
                              attribute_count=1 if cluster else 0)
        return self.result("cuLaunchKernelEx", ctypes.byref(config), function, array, None)
