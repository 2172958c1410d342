"""Snippets that a GPU refuses to finish: what counts is the error.

Addresses and coordinates that break a rule, and instructions that end a kernel.
(A bulk copy whose size is no multiple of 16 bytes never completes.)
"""

from ptx_writer import Writer

SHARED = 2048


def failing(name, description):
    w = Writer(f"fail_{name}", description, shared=SHARED + 64, fails=True)
    return w, w.input("source", "bf16", 128 * 16, "bits")


def tensor(name, description, inner, target=0, kind="bf16", load=True, row=0, reduce=False):
    """A copy of a box with the innermost coordinate `inner` at `target` of the shared memory."""
    w, _ = failing(name, description)
    element = {"bf16": 2, "u8": 1}[kind]
    tensor_map = w.tensor_map("map", kind, "source", dims=[256 // element, 16], strides=[256],
                              box=[64 // element, 4], swizzle=0)
    base = w.shared_base()
    mbarrier = w.op("add.u32", base, SHARED)
    w.init_mbarrier(mbarrier, 1)
    skip = w.only_thread_zero()
    place = w.op("add.u32", base, target)
    if load:
        w(f"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{mbarrier}], 256")
        w("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
          f"[{place}], [{tensor_map}, {{{inner}, {row}}}], [{mbarrier}]")
        w.wait(mbarrier, 0)
    else:
        opcode = "cp.reduce.async.bulk.tensor" if reduce else "cp.async.bulk.tensor"
        action = ".add" if reduce else ""
        w(f"{opcode}.2d.global.shared::cta{action}.tile.bulk_group [{tensor_map}, {{{inner}, {row}}}], [{place}]")
        w("cp.async.bulk.commit_group")
        w("cp.async.bulk.wait_group 0")
    w(f"{skip}:")
    return w


def linear(name, description, target=0, source_offset=0):
    w, source = failing(name, description)
    base = w.shared_base()
    mbarrier = w.op("add.u32", base, SHARED)
    w.init_mbarrier(mbarrier, 1)
    skip = w.only_thread_zero()
    place, origin = w.op("add.u32", base, target), w.op("add.s64", source, source_offset, kind="rd")
    w(f"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{mbarrier}], 64")
    w("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      f"[{place}], [{origin}], 64, [{mbarrier}]")
    w.wait(mbarrier, 0)
    w(f"{skip}:")
    return w


def access(name, description, *lines):
    w, source = failing(name, description)
    names = {"source": source, "tile": w.shared_base(), "r": w.reg("r"), "rd": w.reg("rd"), "p": w.reg("p")}
    for line in lines:
        w(line.format(**names))
    return w


def snippets():
    yield tensor("tma_load_coordinate", "The innermost coordinate is no multiple of 16 bytes.", 4)
    yield tensor("tma_load_coordinate_u8", "The innermost coordinate of bytes is no multiple of 16.", 8, kind="u8")
    yield tensor("tma_store_coordinate", "The innermost coordinate of a store is no multiple of 16 bytes.", 4, load=False)
    yield tensor("tma_store_before", "A store that begins before the tensor's first column.", -8, load=False)
    yield tensor("tma_store_above", "A store that begins above the tensor's first row.", 0, row=-1, load=False)
    yield tensor("tma_reduce_above", "A reduction that begins above the tensor's first row.", 0, row=-1, load=False,
                 reduce=True)
    yield tensor("tma_load_shared", "The shared memory of a tensor copy is not aligned to 128 bytes.", 0, target=64)
    yield tensor("tma_store_shared", "The shared memory of a tensor store is not aligned to 128 bytes.", 0, target=64,
                 load=False)
    yield linear("bulk_shared", "The shared memory of a bulk copy is not aligned to 16 bytes.", target=8)
    yield linear("bulk_global", "The global memory of a bulk copy is not aligned to 16 bytes.", source_offset=8)
    yield access("load_global", "A load from an address that is no multiple of its size.",
                 "ld.global.u32 {r}, [{source}+2]", "st.global.u32 [{source}], {r}")
    yield access("load_shared", "A load from shared memory at an address that is no multiple of its size.",
                 "ld.shared.u32 {r}, [{tile}+2]", "st.global.u32 [{source}], {r}")
    yield access("unmapped", "A load from an address that belongs to no allocation.",
                 "mov.u64 {rd}, 4096", "ld.global.u32 {r}, [{rd}]", "st.global.u32 [{source}], {r}")
    yield access("shared_bounds", "A store beyond the shared memory.", "add.u32 {r}, {tile}, 0x40000",
                 "st.shared.u32 [{r}], {r}")
    yield access("trap", "A trap.", "trap")
    yield access("ldmatrix", "A row of a matrix that is not aligned to 16 bytes.", "add.u32 {r}, {tile}, 8",
                 "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {{{r}}}, [{r}]", "st.global.u32 [{source}], {r}")
