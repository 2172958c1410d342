"""A matrix product as attention kernels do it: a producer warp loads tiles by TMA
through a ring of two stages, two warpgroups multiply them, and the results leave
through shared memory by TMA. It has one of each kind of synchronization, so it
also serves as a small kernel for planted_faults.py. Nothing in it is redundant."""

from ptx_writer import Writer
from snippets_wgmma import descriptor, group

ROWS, COLUMNS, DEPTH, TILE = 128, 64, 384, 64
STAGES, TILES = 2, DEPTH // TILE
A_BYTES, B_BYTES = ROWS * TILE * 2, COLUMNS * TILE * 2
STAGE = A_BYTES + B_BYTES
OUT = STAGES * STAGE
BARRIERS = OUT + ROWS * COLUMNS * 2
CONSUMERS = 256


def full(stage):
    return BARRIERS + 16 * stage


def empty(stage):
    return BARRIERS + 16 * stage + 8


def snippets():
    w = Writer("pipeline", "A product through a ring of TMA loads, wgmma and a TMA store.", block=CONSUMERS + 32,
               shared=BARRIERS + 16 * STAGES)
    w.input("a", "bf16", ROWS * DEPTH, "integers:3")
    w.input("b", "bf16", COLUMNS * DEPTH, "integers:3")
    w.output("c", "bf16", ROWS * COLUMNS)
    a_map = w.tensor_map("a_map", "bf16", "a", dims=[DEPTH, ROWS], strides=[DEPTH * 2], box=[TILE, ROWS], swizzle=128)
    b_map = w.tensor_map("b_map", "bf16", "b", dims=[DEPTH, COLUMNS], strides=[DEPTH * 2], box=[TILE, COLUMNS],
                         swizzle=128)
    c_map = w.tensor_map("c_map", "bf16", "c", dims=[COLUMNS, ROWS], strides=[COLUMNS * 2], box=[COLUMNS, 64],
                         swizzle=0)
    base, tid = w.shared_base(), w.op("mov.u32", "%tid.x")

    def address(offset):
        return w.op("add.u32", base, offset)

    skip = w.only_thread_zero()
    for stage in range(STAGES):
        w(f"mbarrier.init.shared::cta.b64 [{address(full(stage))}], 1")
        w(f"mbarrier.init.shared::cta.b64 [{address(empty(stage))}], {CONSUMERS // 128}")
    w("fence.mbarrier_init.release.cluster")
    w(f"{skip}:")
    w("bar.sync 0")
    producer = w.op("setp.ge.u32", tid, CONSUMERS, kind="p")
    w(f"@{producer} bra PRODUCER")
    consume(w, address, tid, c_map)
    w("bra.uni END")
    w("PRODUCER:")
    produce(w, address, tid, a_map, b_map)
    w("END:")
    yield w


def produce(w, address, tid, a_map, b_map):
    other = w.op("setp.ne.u32", tid, CONSUMERS, kind="p")
    w(f"@{other} bra END")
    for step in range(TILES):
        stage, round_ = step % STAGES, step // STAGES
        if round_:
            w.wait(address(empty(stage)), (round_ - 1) % 2)
        barrier = address(full(stage))
        w(f"mbarrier.arrive.expect_tx.shared::cta.b64 _, [{barrier}], {STAGE}")
        for tensor_map, offset in ((a_map, 0), (b_map, A_BYTES)):
            w("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
              f"[{address(stage * STAGE + offset)}], [{tensor_map}, {{{step * TILE}, 0}}], [{barrier}]")


def consume(w, address, tid, c_map):
    warpgroup, warp = (w.op("shfl.sync.idx.b32", w.op("shr.u32", tid, bits), 0, 31, -1) for bits in (7, 5))
    half = w.op("mul.lo.u32", warpgroup, A_BYTES // 2)
    lane = w.op("and.b32", tid, 31)
    leader = w.op("setp.eq.u32", w.op("and.b32", tid, 127), 0, kind="p")
    sums = w.reg("f", COLUMNS // 2)
    for register in sums:
        w(f"mov.f32 {register}, 0f00000000")
    for step in range(TILES):
        stage, parity = step % STAGES, step // STAGES % 2
        w.wait(address(full(stage)), parity)
        # Later steps only add to the same registers.
        if step == 0:
            w("wgmma.fence.sync.aligned")
        for k in range(TILE // 16):
            left = descriptor(w, stage * STAGE + 32 * k, 16, 1024, 128)
            # The second warpgroup's rows follow those of the first.
            shift = w.op("cvt.u64.u32", w.op("shr.u32", half, 4), kind="rd")
            left = w.op("add.s64", left, shift, kind="rd")
            right = descriptor(w, stage * STAGE + A_BYTES + 32 * k, 16, 1024, 128)
            w(f"wgmma.mma_async.sync.aligned.m64n{COLUMNS}k16.f32.bf16.bf16 {group(sums)}, {left}, {right}, 1, 1, 1, 0, 0")
        refilled = step + STAGES < TILES
        if refilled or step == TILES - 1:
            w("wgmma.commit_group.sync.aligned")
            w("wgmma.wait_group.sync.aligned 0")
        if refilled:
            w(f"@{leader} mbarrier.arrive.shared::cta.b64 _, [{address(empty(stage))}]")
    # The accumulator's fragment: rows lane / 4 and lane / 4 + 8, pairs of columns.
    row = w.op("mad.lo.u32", warp, 16, w.op("shr.u32", lane, 2))
    column = w.op("shl.b32", w.op("and.b32", lane, 3), 2)
    place = w.op("mad.lo.u32", row, COLUMNS * 2, w.op("add.u32", column, address(OUT)))
    for i in range(0, len(sums), 2):
        pair = w.op("cvt.rn.bf16x2.f32", sums[i + 1], sums[i])
        offset = (i // 4) * 16 + (8 * COLUMNS * 2 if i % 4 else 0)
        w(f"st.shared.b32 [{place}+{offset}], {pair}")
    w("fence.proxy.async")
    barrier = w.op("add.u32", warpgroup, 1)
    w(f"bar.sync {barrier}, 128")
    first = w.op("setp.ne.u32", w.op("and.b32", tid, 127), 0, kind="p")
    w(f"@{first} bra END")
    source = w.op("mad.lo.u32", warpgroup, 64 * COLUMNS * 2, address(OUT))
    top = w.op("mul.lo.u32", warpgroup, 64)
    w(f"cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [{c_map}, {{0, {top}}}], [{source}]")
    w("cp.async.bulk.commit_group")
    w("cp.async.bulk.wait_group 0")
