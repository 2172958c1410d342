"""Writes PTX programs for make_snippets.py: registers, tiles, fragments."""

REGISTERS = {"p": "pred", "h": "b16", "r": "b32", "f": "f32", "rd": "b64", "fd": "f64"}


class Writer:
    """One kernel: its description, how to run it, and its instructions."""

    def __init__(self, name, description, block=32, grid=1, cluster=0, shared=0, version="8.3",
                 fails=False):
        self.name = name
        self.description = description
        self.settings = {"block": block, "grid": grid, "cluster": cluster, "shared": shared,
                         "fails": int(fails)}
        self.version = version
        self.directives = []
        self.parameters = []
        self.lines = []
        self.counts = dict.fromkeys(REGISTERS, 0)
        self.labels = 0

    def reg(self, kind, count=None):
        """A new register, or a list of them."""
        if count is not None:
            return [self.reg(kind) for _ in range(count)]
        self.counts[kind] += 1
        return f"%{kind}{self.counts[kind]}"

    def label(self, stem):
        self.labels += 1
        return f"{stem}_{self.labels}"

    def __call__(self, line):
        self.lines.append(line if line.endswith(":") else f"    {line};")

    def op(self, instruction, *operands, kind="r"):
        """Emits an instruction into a new register, which is returned."""
        result = self.reg(kind)
        self(f"{instruction} {result}, {', '.join(map(str, operands))}")
        return result

    def buffer(self, what, name, kind, count, detail):
        """Declares an input or output; returns its address in a register."""
        self.directives.append(f"{what} {name} {kind} {count} {detail}")
        self.parameters.append(f".param .u64 {name}")
        return self.op("ld.param.u64", f"[{name}]", kind="rd")

    def input(self, name, kind, count, generator):
        return self.buffer("in", name, kind, count, generator)

    def output(self, name, kind, count, tolerance="exact"):
        return self.buffer("out", name, kind, count, tolerance)

    def tensor_map(self, name, kind, buffer, **options):
        """Declares a tensor map; returns its generic address."""
        text = " ".join(f"{key}={','.join(map(str, value)) if isinstance(value, (list, tuple)) else value}"
                        for key, value in options.items())
        self.directives.append(f"map {name} {kind} {buffer} {text}")
        self.parameters.append(f".param .align 64 .b8 {name}[128]")
        address = self.op("mov.b64", name, kind="rd")
        return self.op("cvta.param.u64", address, kind="rd")

    def thread(self):
        """The thread's number in the grid."""
        tid, ctaid, ntid = (self.op("mov.u32", f"%{s}.x") for s in ("tid", "ctaid", "ntid"))
        return self.op("mad.lo.u32", ctaid, ntid, tid)

    def at(self, base, index, size, offset=0):
        """The address of element `index` (a register or a number) of `base`."""
        scaled = self.op("mul.wide.u32", index, size, kind="rd")
        address = self.op("add.s64", base, scaled, kind="rd")
        return f"[{address}+{offset}]" if offset else f"[{address}]"

    def shared_base(self):
        """The address of the dynamic shared memory in the shared window."""
        return self.op("mov.u32", "tile")

    def copy_to_shared(self, source, size):
        """All threads copy `size` bytes from global memory to the tile's begin."""
        self.copy_loop(source, size, "ld.global.u32", "st.shared.u32", to_shared=True)

    def copy_from_shared(self, target, size):
        self.copy_loop(target, size, "ld.shared.u32", "st.global.u32", to_shared=False)

    def copy_loop(self, memory, size, load, store, to_shared):
        index = self.op("mov.u32", "%tid.x")
        step = self.op("mov.u32", "%ntid.x")
        base = self.shared_base()
        loop, done = self.label("LOOP"), self.label("DONE")
        self(f"{loop}:")
        last = self.op("setp.ge.u32", index, size // 4, kind="p")
        self(f"@{last} bra {done}")
        in_global = self.at(memory, index, 4)
        in_shared = f"[{self.op('mad.lo.u32', index, 4, base)}]"
        word = self.op(load, in_global if to_shared else in_shared)
        self(f"{store} {in_shared if to_shared else in_global}, {word}")
        self(f"add.u32 {index}, {index}, {step}")
        self(f"bra.uni {loop}")
        self(f"{done}:")
        self("bar.sync 0")

    def only_thread_zero(self):
        """Begins code for thread 0; returns the label that ends it."""
        tid = self.op("mov.u32", "%tid.x")
        other = self.op("setp.ne.u32", tid, 0, kind="p")
        label = self.label("SKIP")
        self(f"@{other} bra {label}")
        return label

    def init_mbarrier(self, address, count):
        skip = self.only_thread_zero()
        self(f"mbarrier.init.shared::cta.b64 [{address}], {count}")
        self("fence.mbarrier_init.release.cluster")
        self("fence.proxy.async")
        self(f"{skip}:")
        self("bar.sync 0")

    def wait(self, address, parity):
        """All threads wait for a phase of the mbarrier."""
        loop = self.label("WAIT")
        self(f"{loop}:")
        done = self.reg("p")
        self(f"mbarrier.try_wait.parity.shared::cta.b64 {done}, [{address}], {parity}")
        self(f"@!{done} bra {loop}")

    def store_row(self, output, values, thread, threads, store="st.global.f32", size=4):
        """Stores register r of every thread at output[r * threads + thread]."""
        scaled = self.op("mul.wide.u32", thread, size, kind="rd")
        address = self.op("add.s64", output, scaled, kind="rd")
        for i, value in enumerate(values):
            self(f"{store} [{address}+{i * threads * size}], {value}")

    def text(self):
        lines = [f"// {self.description}"]
        lines += [f"//! {key} {value}" for key, value in self.settings.items() if value]
        lines += [f"//! {directive}" for directive in self.directives]
        lines += ["", f".version {self.version}", ".target sm_90a", ".address_size 64", ""]
        if self.settings["shared"]:
            lines += [".extern .shared .align 1024 .b8 tile[];", ""]
        lines += [f".visible .entry {self.name}(", "    " + ",\n    ".join(self.parameters), ")"]
        lines += [f".maxntid {self.settings['block']}, 1, 1", "{"]
        lines += [f"    .reg .{REGISTERS[kind]} %{kind}<{count + 1}>;"
                  for kind, count in self.counts.items() if count]
        return "\n".join(lines + self.lines + ["    ret;", "}", ""])
