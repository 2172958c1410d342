"""A PTX program that says how to run it.

It begins with lines of the form

    //! block N | grid X [Y Z] | cluster N | shared BYTES | kernel NAME
    //! fails 1                            it ends in an error, which is its output
    //! in NAME TYPE COUNT GENERATOR       filled as snippet_data.py says
    //! out NAME TYPE COUNT TOLERANCE      as snippet_data.compare says
    //! map NAME TYPE BUFFER dims=.. strides=.. box=.. swizzle=.. [fill=nan] [steps=..]
    //! i32 NAME VALUE | f32 NAME VALUE

and takes the buffers, maps and numbers as its parameters in this order, but for
buffers that are marked `hidden` at the end, which only a map uses.
"""

import ctypes
import hashlib

import snippet_data
from cuda_driver import SWIZZLES, TENSOR_TYPES, DriverError

# What outputs hold before a run: a word that is not stored is seen.
UNTOUCHED = 0xA5


class Snippet:
    """One PTX file and how to run it."""

    def __init__(self, path):
        self.name = path.stem
        self.text = path.read_text()
        self.settings = {"block": [32], "grid": [1], "cluster": [0], "shared": [0], "fails": [0],
                         "kernel": [self.name]}
        self.parameters = []
        for line in self.text.splitlines():
            if not line.startswith("//! "):
                continue
            kind, *words = line[4:].split()
            if kind in self.settings:
                self.settings[kind] = words if kind == "kernel" else [int(word) for word in words]
            else:
                self.parameters.append((kind, *words))

    def outputs(self):
        """Name, type, number of elements and tolerance of each."""
        return [p[1:5] for p in self.parameters if p[0] == "out"]

    def fails(self):
        return bool(self.settings["fails"][0])

    def is_exact(self):
        return all(tolerance == "exact" for *_, tolerance in self.outputs())

    def inputs_digest(self):
        """Tells dumps of an older version of this snippet apart."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def run(self, driver):
        """Returns the bytes of all outputs; of a snippet that fails, the error."""
        if not self.fails():
            return self._execute(driver)
        try:
            self._execute(driver)
        except DriverError as error:
            return error.name.encode()
        return b"no error"

    def _execute(self, driver):
        library = driver.load(self.text)
        buffers = {}
        try:
            values = [self._parameter(driver, buffers, p) for p in self.parameters]
            values = [value for value in values if value is not None]
            function = driver.function(library, self.settings["kernel"][0])
            shared, cluster = self.settings["shared"][0], self.settings["cluster"][0]
            grid, block = ((*self.settings[key], 1, 1)[:3] for key in ("grid", "block"))
            if shared:
                driver.set_shared(function, shared)
            code = driver.launch(function, grid, block, shared, values, (cluster, 1, 1) if cluster else None)
            if code:
                raise DriverError("cuLaunchKernelEx", code, driver.error_name(code))
            driver.synchronize()
            return b"".join(driver.download(*buffers[name]) for name, *_ in self.outputs())
        except DriverError:
            # The context may be lost, and its memory with it.
            buffers, library = {}, None
            raise
        finally:
            for address, _ in buffers.values():
                driver.free(address)
            if library:
                driver.unload(library)

    def compare(self, expected, actual):
        """Compares the outputs of two runs, joined.

        Returns a (name, tolerance, mismatches, worst, example) for each output.
        """
        if self.fails():
            same = expected == actual
            return [("error", "exact", int(not same), 0, f"expected {expected}, got {actual}")]
        results, offset = [], 0
        for name, kind, count, tolerance in self.outputs():
            end = offset + int(count) * snippet_data.ENCODERS[kind][0]
            results.append((name, tolerance, *snippet_data.compare(kind, tolerance, expected[offset:end], actual[offset:end])))
            offset = end
        return results

    def _parameter(self, driver, buffers, words):
        if words[0] == "map":
            return self._map(driver, buffers, *words[1:])
        if words[0] in ("i32", "f32"):
            return ctypes.c_int32(int(words[2])) if words[0] == "i32" else ctypes.c_float(float(words[2]))
        what, name, kind, count, detail, *options = words
        size = int(count) * snippet_data.ENCODERS[kind][0]
        data = bytes([UNTOUCHED]) * size
        if what == "in":
            data = snippet_data.make_input(kind, detail, int(count), f"{self.name}.{name}")
        buffers[name] = (driver.allocate(size), size)
        driver.upload(buffers[name][0], data)
        return None if "hidden" in options else ctypes.c_uint64(buffers[name][0])

    def _map(self, driver, buffers, name, kind, buffer, *options):
        chosen = dict(option.split("=") for option in options)
        numbers = {key: [int(n) for n in chosen[key].split(",") if n] for key in ("dims", "strides", "box", "steps")
                   if key in chosen}
        code, tensor_map = driver.encode_tiled(
            TENSOR_TYPES[kind][0], buffers[buffer][0], numbers["dims"], numbers["strides"], numbers["box"],
            numbers.get("steps"), swizzle=SWIZZLES[int(chosen["swizzle"])], promotion=3,
            fill=1 if chosen.get("fill") == "nan" else 0)
        if code:
            raise DriverError("cuTensorMapEncodeTiled", code, driver.error_name(code))
        return tensor_map
