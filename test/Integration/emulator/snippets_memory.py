"""Snippets of memory: matrices in shared memory, bulk copies, barriers, atomics."""

from ptx_writer import Writer


def matrices():
    for count in (1, 2, 4):
        for trans in ("", ".trans"):
            name = f"ldmatrix_x{count}{trans.replace('.', '_')}"
            w = Writer(name, f"ldmatrix of {count} matrices{' transposed' if trans else ''}.", shared=2048)
            source, result = w.input("source", "u16", 1024, "bits"), w.output("result", "u32", 32 * count)
            w.copy_to_shared(source, 2048)
            thread = w.thread()
            # Rows in an order of their own: every thread's address matters.
            row = w.op("mad.lo.u32", thread, 48, w.shared_base())
            row = w.op("and.b32", row, "0xfffffff0")
            registers = w.reg("r", count)
            w(f"ldmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 {{{', '.join(registers)}}}, [{row}]")
            w.store_row(result, registers, thread, 32, store="st.global.b32")
            yield w

            w = Writer("st" + name[2:], f"stmatrix of {count} matrices{' transposed' if trans else ''}.", shared=2048)
            source, result = w.input("source", "u32", 32 * count, "bits"), w.output("result", "u32", 512)
            zero = w.input("background", "u32", 512, "bits")
            w.copy_to_shared(zero, 2048)
            thread = w.thread()
            row = w.op("mad.lo.u32", thread, 48, w.shared_base())
            row = w.op("and.b32", row, "0xfffffff0")
            registers = [w.op("ld.global.b32", w.at(source, thread, 4, i * 128)) for i in range(count)]
            w(f"stmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 [{row}], {{{', '.join(registers)}}}")
            w("bar.sync 0")
            w.copy_from_shared(result, 2048)
            yield w

    w = Writer("movmatrix", "movmatrix of one matrix.")
    source, result = w.input("source", "u32", 32, "bits"), w.output("result", "u32", 32)
    thread = w.thread()
    word = w.op("movmatrix.sync.aligned.m8n8.trans.b16", w.op("ld.global.b32", w.at(source, thread, 4)))
    w.store_row(result, [word], thread, 32, store="st.global.b32")
    yield w


def vectors(coordinates):
    return "{" + ", ".join(map(str, coordinates)) + "}"


def tensor_load(name, description, kind, size, dims, strides, box, swizzle, places, steps=None, fill=None,
                generator="bits", loaded=None):
    """Loads one box at each place and dumps the shared memory."""
    element = {"u8": 1, "bf16": 2, "f16": 2, "u16": 2, "f32": 4, "u32": 4}[kind]
    number = 1
    for i, extent in enumerate(box):
        step = steps[i] if steps and i else 1
        number *= (extent + step - 1) // step
    box_bytes = number * element
    slot = (box_bytes + 1023) // 1024 * 1024
    total = slot * len(places)
    barrier = total
    w = Writer(name, description, shared=total + 64)
    w.input("source", kind, size, generator)
    options = {"dims": dims, "strides": strides, "box": box, "swizzle": swizzle}
    if steps:
        options["steps"] = steps
    if fill:
        options["fill"] = fill
    tensor_map = w.tensor_map("map", kind, "source", **options)
    result = w.output("result", "u32", total // 4)
    blank = w.input("background", "u32", total // 4, "bits")
    w.copy_to_shared(blank, total)
    base = w.shared_base()
    mbarrier = w.op("add.u32", base, barrier)
    w.init_mbarrier(mbarrier, 1)
    skip = w.only_thread_zero()
    w("fence.proxy.async")
    w(f"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{mbarrier}], {box_bytes * len(places)}")
    for i, place in enumerate(places):
        target = w.op("add.u32", base, i * slot)
        w(f"cp.async.bulk.tensor.{len(dims)}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
          f"[{target}], [{tensor_map}, {vectors(place)}], [{mbarrier}]")
    w(f"{skip}:")
    w.wait(mbarrier, 0)
    w.copy_from_shared(result, total)
    return w


def tensor_store(name, description, kind, size, dims, strides, box, swizzle, places, reduce=None, generator="bits"):
    """Stores one box of shared memory at each place and dumps the tensor."""
    element = {"u8": 1, "bf16": 2, "f16": 2, "u16": 2, "f32": 4, "u32": 4, "s32": 4}[kind]
    number = 1
    for extent in box:
        number *= extent
    box_bytes = number * element
    w = Writer(name, description, shared=(box_bytes + 1023) // 1024 * 1024)
    source = w.input("source", kind, number, generator)
    before = w.input("before", kind, size, generator)
    result = w.output("result", kind, size)
    tensor_map = w.tensor_map("map", kind, "result", dims=dims, strides=strides, box=box, swizzle=swizzle)
    index, step = w.op("mov.u32", "%tid.x"), w.op("mov.u32", "%ntid.x")
    loop, done = w.label("FILL"), w.label("FILLED")
    w(f"{loop}:")
    last = w.op("setp.ge.u32", index, size * element // 4, kind="p")
    w(f"@{last} bra {done}")
    word = w.op("ld.global.u32", w.at(before, index, 4))
    w(f"st.global.u32 {w.at(result, index, 4)}, {word}")
    w(f"add.u32 {index}, {index}, {step}")
    w(f"bra.uni {loop}")
    w(f"{done}:")
    w.copy_to_shared(source, box_bytes)
    w("fence.proxy.async")
    w("bar.sync 0")
    skip = w.only_thread_zero()
    base = w.shared_base()
    opcode = "cp.reduce.async.bulk.tensor" if reduce else "cp.async.bulk.tensor"
    action = f".{reduce}" if reduce else ""
    for place in places:
        w(f"{opcode}.{len(dims)}d.global.shared::cta{action}.tile.bulk_group "
          f"[{tensor_map}, {vectors(place)}], [{base}]")
    w("cp.async.bulk.commit_group")
    w("cp.async.bulk.wait_group 0")
    w(f"{skip}:")
    return w


def tensors():
    # A tensor of 100 x 37 elements in rows of 256 bytes.
    plane = {"size": 128 * 37, "dims": [100, 37], "strides": [256]}
    places = [(0, 0), (64, 16), (-8, -3), (88, 30), (104, 0), (-200, 50)]
    for swizzle, inner in ((128, 64), (64, 32), (32, 16), (0, 64), (0, 24)):
        yield tensor_load(f"tma_load_2d_swizzle{swizzle}_{inner}",
                          f"Boxes of a bf16 matrix, inside and outside it, swizzle {swizzle}.", "bf16", **plane,
                          box=[inner, 16], swizzle=swizzle, places=places)
    yield tensor_load("tma_load_2d_steps", "Every second row of a box.", "bf16", **plane, box=[64, 16], swizzle=128,
                      steps=[1, 2], places=[(0, 0), (40, 9), (8, -2)])
    yield tensor_load("tma_load_2d_nan", "NaN outside the tensor.", "f32", size=64 * 20, dims=[50, 20], strides=[256],
                      box=[32, 8], swizzle=128, fill="nan", places=[(0, 0), (40, 15), (-4, -4)])
    yield tensor_load("tma_load_2d_u8", "Bytes, as of fp8.", "u8", size=144 * 20, dims=[130, 20], strides=[144],
                      box=[128, 8], swizzle=128, places=[(0, 0), (64, 15), (-16, -4)])
    yield tensor_load("tma_load_1d", "A vector.", "f32", size=300, dims=[290], strides=[], box=[64], swizzle=0,
                      places=[(0,), (-4,), (252,), (300,)])
    yield tensor_load("tma_load_3d", "A tensor of three dimensions.", "f16", size=64 * 8 * 5, dims=[64, 5, 8],
                      strides=[128, 640], box=[32, 3, 4], swizzle=64, places=[(0, 0, 0), (32, 3, 6), (-8, -1, -1)])
    yield tensor_load("tma_load_4d", "Batch, sequence, heads and head dim.", "bf16", size=2 * 20 * 3 * 64,
                      dims=[64, 3, 20, 2], strides=[128, 384, 7680], box=[64, 1, 16, 1], swizzle=128,
                      places=[(0, 0, 0, 0), (0, 2, 10, 1), (0, 1, -5, 0), (0, 3, 0, 0)])
    yield tensor_load("tma_load_5d", "A tensor of five dimensions.", "u32", size=8 * 3 * 3 * 3 * 3,
                      dims=[8, 3, 3, 3, 3], strides=[32, 96, 288, 864], box=[8, 2, 2, 2, 2], swizzle=32,
                      places=[(0, 0, 0, 0, 0), (0, 1, 2, 1, 2), (4, -1, 0, -1, 0)])
    for swizzle, inner in ((128, 64), (64, 32), (32, 16), (0, 40)):
        yield tensor_store(f"tma_store_2d_swizzle{swizzle}", f"A box stored inside and across the edge, swizzle {swizzle}.",
                           "bf16", **plane, box=[inner, 8], swizzle=swizzle, places=[(0, 0), (72, 33), (64, 20)])
    for kind, action in (("f32", "add"), ("s32", "min"), ("s32", "max"), ("u32", "add"), ("u32", "and"), ("u32", "or"),
                         ("u32", "xor"), ("u32", "inc"), ("u32", "dec")):
        yield tensor_store(f"tma_reduce_{action}_{kind}", f"A box reduced into a tensor: {action} of {kind}.", kind,
                           size=32 * 12, dims=[32, 12], strides=[128], box=[32, 4], swizzle=128,
                           places=[(0, 1), (16, 10)], reduce=action,
                           generator="uniform:-4,4" if kind == "f32" else "bits")
    for kind in ("bf16", "f16"):
        yield tensor_store(f"tma_reduce_add_{kind}", f"A box added to a tensor of {kind}.", kind, size=64 * 12,
                           dims=[64, 12], strides=[128], box=[64, 4], swizzle=128, places=[(0, 1), (16, 10)],
                           reduce="add", generator="uniform:-4,4")


    for kind, action in (("f32", "add"), ("u32", "max")):
        yield tensor_store(f"tma_reduce_edge_{kind}", f"A box reduced across the edge of a tensor of {kind}.", kind,
                           size=32 * 12, dims=[30, 12], strides=[128], box=[32, 4], swizzle=128,
                           places=[(0, 1), (16, 10)], reduce=action,
                           generator="uniform:-4,4" if kind == "f32" else "bits")
    yield tensor_store("tma_reduce_subnormal_f32", "Subnormal numbers added to a tensor.", "f32", size=32 * 12,
                       dims=[32, 12], strides=[128], box=[32, 4], swizzle=128, places=[(0, 1)], reduce="add",
                       generator="spread:-149,-124")


def bulk():
    w = Writer("bulk_copy", "Copies of whole rows to shared memory and back.", shared=4096 + 64)
    source, result = w.input("source", "u32", 1024, "bits"), w.output("result", "u32", 1024)
    base = w.shared_base()
    mbarrier = w.op("add.u32", base, 4096)
    w.init_mbarrier(mbarrier, 1)
    skip = w.only_thread_zero()
    w(f"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{mbarrier}], 4096")
    for begin, size in ((0, 16), (16, 1008), (1024, 3072)):
        target, origin = w.op("add.u32", base, begin), w.op("add.s64", source, begin, kind="rd")
        w("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
          f"[{target}], [{origin}], {size}, [{mbarrier}]")
    w(f"{skip}:")
    w.wait(mbarrier, 0)
    skip = w.only_thread_zero()
    w(f"cp.async.bulk.global.shared::cta.bulk_group [{result}], [{base}], 4096")
    w("cp.async.bulk.commit_group")
    w("cp.async.bulk.wait_group 0")
    w(f"{skip}:")
    yield w

    for kind, action, generator in (("f32", "add", "uniform:-9,9"), ("f32", "add", "spread:-149,-124"),
                                    ("f16", "add.noftz", "uniform:-9,9"), ("bf16", "add.noftz", "uniform:-9,9"),
                                    ("u32", "add", "bits"), ("u32", "max", "bits")):
        size = 256 * (4 if kind in ("f32", "u32") else 2)
        suffix = "_subnormal" if "spread" in generator else ""
        w = Writer(f"bulk_reduce_{action.partition('.')[0]}_{kind}{suffix}", f"Bulk reduction of {kind}: {action}.",
                   shared=size)
        source, before = w.input("source", kind, 256, generator), w.input("before", kind, 256, generator)
        result = w.output("result", kind, 256)
        thread = w.thread()
        for i in range(size // 128):
            word = w.op("ld.global.u32", w.at(before, thread, 4, 128 * i))
            w(f"st.global.u32 {w.at(result, thread, 4, 128 * i)}, {word}")
        w.copy_to_shared(source, size)
        w("fence.proxy.async")
        w("bar.sync 0")
        skip = w.only_thread_zero()
        w(f"cp.reduce.async.bulk.global.shared::cta.bulk_group.{action}.{kind} [{result}], [{w.shared_base()}], {size}")
        w("cp.async.bulk.commit_group")
        w("cp.async.bulk.wait_group 0")
        w(f"{skip}:")
        yield w

    w = Writer("cp_async", "Copies of 4, 8 and 16 bytes, some filled with zeros.", block=32, shared=1536)
    source, result = w.input("source", "u32", 384, "bits"), w.output("result", "u32", 384)
    thread, base = w.thread(), w.shared_base()
    for i, (size, mode) in enumerate(((16, "cg"), (8, "ca"), (4, "ca"))):
        target = w.op("mad.lo.u32", thread, 16, w.op("add.u32", base, 512 * i))
        w(f"st.shared.v4.u32 [{target}], {{{thread}, {thread}, {thread}, {thread}}}")
        count = w.op("rem.u32", thread, size + 1)
        w(f"cp.async.{mode}.shared.global [{target}], {w.at(source, thread, 16, 512 * i)}, {size}, {count}")
    w("cp.async.commit_group")
    w("cp.async.wait_group 0")
    w("bar.sync 0")
    w.copy_from_shared(result, 1536)
    yield w


def barriers():
    w = Writer("mbarrier_states", "Counts and phases of an mbarrier.", block=1, shared=64)
    result = w.output("result", "u32", 16)
    base = w.shared_base()
    w(f"mbarrier.init.shared::cta.b64 [{base}], 3")
    values = []

    def test(parity):
        done = w.op("mbarrier.test_wait.parity.shared::cta.b64", f"[{base}]", parity, kind="p")
        values.append(w.op("selp.u32", 1, 0, done))

    def arrive(count, form="arrive"):
        w(f"mbarrier.{form}.shared::cta.b64 _, [{base}], {count}")

    test(0)
    test(1)
    arrive(1)
    test(0)
    arrive(2)
    test(0)
    test(1)
    # A phase waits for its bytes as well as for its arrivals.
    arrive(64, "arrive.expect_tx")
    w(f"mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [{base}], 32")
    arrive(2)
    test(1)
    w(f"mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [{base}], 32")
    test(1)
    # Dropping out lowers the count of later phases.
    arrive(1, "arrive_drop")
    arrive(2)
    test(0)
    arrive(1)
    test(1)
    arrive(1)
    test(1)
    for i, value in enumerate(values):
        w(f"st.global.u32 [{result}+{4 * i}], {value}")
    yield w

    w = Writer("cluster", "Distributed shared memory and multicast in a cluster of two.", block=32, grid=4, cluster=2,
               shared=2048 + 64)
    source, result = w.input("source", "u32", 1024, "bits"), w.output("result", "u32", 2048)
    base, lane = w.shared_base(), w.op("mov.u32", "%tid.x")
    rank, cta = w.op("mov.u32", "%cluster_ctarank"), w.op("mov.u32", "%ctaid.x")
    mbarrier = w.op("add.u32", base, 2048)
    w.init_mbarrier(mbarrier, 1)
    w("barrier.cluster.arrive.release.aligned")
    w("barrier.cluster.wait.acquire.aligned")
    # Each block sends 512 bytes to both.
    skip = w.only_thread_zero()
    w(f"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{mbarrier}], 1024")
    target = w.op("mad.lo.u32", rank, 512, base)
    origin = w.op("mad.wide.u32", cta, 512, source, kind="rd")
    mask = w.op("cvt.u16.u32", 3, kind="h")
    w("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
      f"[{target}], [{origin}], 512, [{mbarrier}], {mask}")
    w(f"{skip}:")
    w.wait(mbarrier, 0)
    # Then each thread writes a word to the other block.
    other = w.op("xor.b32", rank, 1)
    place = w.op("mad.lo.u32", lane, 4, w.op("add.u32", base, 1024))
    remote = w.op("mapa.shared::cluster.u32", place, other)
    w(f"st.shared::cluster.u32 [{remote}], {w.op('mad.lo.u32', cta, 1000, lane)}")
    w("barrier.cluster.arrive.release.aligned")
    w("barrier.cluster.wait.acquire.aligned")
    offset = w.op("mul.wide.u32", cta, 2048, kind="rd")
    row = w.op("add.s64", result, offset, kind="rd")
    for i in range(9):
        word = w.op("ld.shared.u32", f"[{w.op('mad.lo.u32', lane, 4, base)}+{128 * i}]")
        w(f"st.global.u32 {w.at(row, lane, 4, 128 * i)}, {word}")
    ranks = ("%clusterid.x", "%cluster_ctaid.x", "%cluster_nctaid.x", "%nclusterid.x", "%cluster_nctarank", "%nctaid.x")
    for i, register in enumerate(ranks):
        w(f"st.global.u32 {w.at(row, lane, 4, 128 * (9 + i))}, {w.op('mov.u32', register)}")
    yield w


def atomics():
    operations = [("add", "u32"), ("min", "s32"), ("max", "u32"), ("and", "b32"), ("or", "b32"), ("xor", "b32"),
                  ("inc", "u32"), ("dec", "u32"), ("exch", "b32"), ("add", "f32"), ("add", "u64"), ("min", "s64"),
                  ("add.noftz", "f16x2"), ("add.noftz", "bf16x2")]
    w = Writer("atomics", "Atomic operations of one thread on an address, in global and shared memory.", block=32,
               shared=256)
    data, result = w.input("data", "u32", 128, "integers:1000"), w.output("result", "u32", 64 * 2 * len(operations))
    old = w.output("old", "u32", 64 * 2 * len(operations))
    thread = w.thread()
    for i, (name, kind) in enumerate(operations):
        wide = kind.endswith("64")
        register, size, move = ("rd", 8, "b64") if wide else ("f", 4, "f32") if kind == "f32" else ("r", 4, "b32")
        start = w.op(f"ld.global.{move}", w.at(data, thread, size), kind=register)
        value = w.op(f"ld.global.{move}", w.at(data, thread, size, 128), kind=register)
        for j, space in enumerate(("global", "shared")):
            offset = 256 * (2 * i + j)
            here = w.at(result, thread, size, offset) if space == "global" else \
                f"[{w.op('mad.lo.u32', thread, 8, w.shared_base())}]"
            w(f"st.{space}.{move} {here}, {start}")
            before = w.op(f"atom.{space}.{name}.{kind}", here, value, kind=register)
            after = w.op(f"ld.{space}.{move}", here, kind=register)
            w(f"st.global.{move} {w.at(result, thread, size, offset)}, {after}")
            w(f"st.global.{move} {w.at(old, thread, size, offset)}, {before}")
    yield w

    w = Writer("special_registers", "Where a thread is.", block=96, grid=3, shared=1040)
    names = ("%tid.x", "%ntid.x", "%ctaid.x", "%nctaid.x", "%laneid", "%lanemask_lt", "%lanemask_ge", "%lanemask_eq",
             "%dynamic_smem_size", "%total_smem_size", "%tid.y", "%ntid.z", "%nctaid.y")
    result = w.output("result", "u32", 288 * len(names))
    thread = w.thread()
    w.store_row(result, [w.op("mov.u32", name) for name in names], thread, 288, store="st.global.u32")
    yield w


def snippets():
    for part in (matrices, tensors, bulk, barriers, atomics):
        yield from part()
