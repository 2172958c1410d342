//===- LowerClaims.cpp - Places that somebody is the first to write to ----===//

#include "fa3/Conversion/HopperToNVVM/GlobalAccess.h"
#include "fa3/Conversion/HopperToNVVM/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fa3;

namespace {

/// States of a place, as bits of 0, 1 and 2: nobody has been there, somebody is
/// writing, it has been written.
constexpr StringLiteral kFree = "0", kClaimed = "0x3f800000",
                        kPublished = "0x40000000";

/// A look is enough in most cases; who finds the place free tries to claim it.
/// The proxies' fence is for bulk copies behind those of others.
struct LowerClaim : GlobalAccessPattern<hopper::ClaimOp> {
  using GlobalAccessPattern::GlobalAccessPattern;
  void lower(hopper::ClaimOp op, const GlobalAddress &address, InlineAsm &ptx,
             PatternRewriter &rewriter) const override {
    ptx.results(rewriter.getI32Type());
    std::string source = address.print(ptx);
    std::string predicate = ptx.input(op.getPredicate());
    Value first = ptx.clobbersMemory()
                      .emit("{\n"
                            ".reg .pred is;\n"
                            ".reg .b32 state;\n"
                            "mov.b32 $0, 0;\n"
                            "@!" +
                            predicate +
                            " bra DONE_${:uid};\n"
                            "LOOK_${:uid}:\n"
                            "ld.acquire.gpu.global.b32 state, " +
                            source +
                            ";\n"
                            "setp.eq.b32 is, state, " +
                            kPublished +
                            ";\n"
                            "@is bra READY_${:uid};\n"
                            "setp.ne.b32 is, state, " +
                            kFree +
                            ";\n"
                            "@is bra LOOK_${:uid};\n"
                            "atom.relaxed.gpu.global.cas.b32 state, " +
                            source + ", " + kFree + ", " + kClaimed +
                            ";\n"
                            "setp.ne.b32 is, state, " +
                            kFree +
                            ";\n"
                            "@is bra LOOK_${:uid};\n"
                            "mov.b32 $0, 1;\n"
                            "READY_${:uid}:\n"
                            "fence.proxy.async.global;\n"
                            "DONE_${:uid}:\n"
                            "bar.warp.sync -1;\n"
                            "}")
                      .front();
    rewriter.replaceOpWithNewOp<arith::TruncIOp>(op, rewriter.getI1Type(),
                                                 first);
  }
};

struct LowerPublish : GlobalAccessPattern<hopper::PublishOp> {
  using GlobalAccessPattern::GlobalAccessPattern;
  void lower(hopper::PublishOp op, const GlobalAddress &address, InlineAsm &ptx,
             PatternRewriter &rewriter) const override {
    std::string target = address.print(ptx);
    std::string predicate = ptx.input(op.getPredicate());
    ptx.clobbersMemory().emit("{\n"
                              ".reg .b32 state;\n"
                              "@!" +
                              predicate +
                              " bra DONE_${:uid};\n"
                              "cp.async.bulk.wait_group 0;\n"
                              "fence.proxy.async.global;\n"
                              "mov.b32 state, " +
                              kPublished +
                              ";\n"
                              "st.release.gpu.global.b32 " +
                              target +
                              ", state;\n"
                              "DONE_${:uid}:\n"
                              "bar.warp.sync -1;\n"
                              "}");
    rewriter.eraseOp(op);
  }
};

} // namespace

void fa3::populateClaimPatterns(RewritePatternSet &patterns,
                                const LoweredArguments &arguments) {
  patterns.add<LowerClaim, LowerPublish>(patterns.getContext(), arguments);
}
