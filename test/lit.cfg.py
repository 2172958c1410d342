"""Configuration of the lit suite.

Substitutions
  fa3-opt, fa3-run, ...   the tools of build/bin, by their full path
  FileCheck, not, ...     LLVM's test tools
  %specs                  examples/specs
  %source                 the repository
  %build                  the build folder
  %lib                    build/lib
  %python %cc %cxx        the interpreter and the compilers of the build

Features
  ptxas        an assembler for sm_90a: packages get a cubin
  emulator     libfa3_emulator.so was built
  fa3-opt, fa3-run, ...   the tool was built
  gpu          a CUDA driver and a device are there
"""

import os
import subprocess
from pathlib import Path

import lit.formats
import lit.util

config.name = "FA3"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.fa3_binary_root, "test")

build = Path(config.fa3_binary_root)
source = Path(config.fa3_source_root)

# Tools: ours first, so that a name on the PATH cannot shadow them.
llvm_tools = Path(config.llvm_tools_dir)
path = [build / "bin", llvm_tools]
config.environment["PATH"] = os.pathsep.join([*map(str, path), os.environ["PATH"]])
for tool in sorted((build / "bin").glob("fa3-*")):
    config.available_features.add(tool.name)

config.substitutions += [
    ("%specs", str(source / "examples" / "specs")),
    ("%source", str(source)),
    ("%build", str(build)),
    ("%lib", str(build / "lib")),
    ("%python", config.python_executable),
    ("%cxx", config.cxx_compiler),
    ("%cc", config.c_compiler),
]

if (build / "lib" / f"libfa3_emulator{config.shared_library_suffix}").exists():
    config.available_features.add("emulator")

ptxas = subprocess.run([source / "scripts" / "find_ptxas.sh"], capture_output=True, text=True).stdout.strip()
if ptxas:
    config.available_features.add("ptxas")
    config.environment["FA3_PTXAS"] = ptxas

if os.path.exists("/dev/nvidia0"):
    config.available_features.add("gpu")

for variable in ("FA3_DRIVER", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]

# A test that hangs must not stop the suite.
supported, _ = lit.util.killProcessAndChildrenIsSupported()
if supported:
    lit_config.maxIndividualTestTime = 300
