"""Correctness of the kernels on a GPU."""

import check_backward
import check_forward
from cases import ROUNDING, all_cases

RUNNERS = {"forward": check_forward.run_case, "backward": check_backward.run_case}


def check(kernels, groups, device="cuda"):
    """Runs the cases of `groups` (all if empty) on every kernel."""
    results = []
    for name, kernel in kernels.items():
        kind = kernel.operation["kind"]
        dtype = kernel.operation["dtype"]
        if kind not in RUNNERS or kernel.operation.get("output_dtype", dtype) not in ROUNDING:
            continue
        worst, count, failures = 0.0, 0, 0

        def note(group, case, wrong, errors):
            nonlocal count, failures
            count += 1
            if wrong:
                failures += 1
                print(f"  WRONG {name}, group {group}, {case}: {wrong}", flush=True)
            results.append(dict(kernel=name, group=group, case=case, wrong=wrong, **errors))

        for case in all_cases():
            if (groups and case.group not in groups) or kind not in case.kinds or dtype not in case.dtypes:
                continue
            if case.group == "12" and "dlse" not in kernel.dims:
                continue
            wrong, errors = RUNNERS[kind](kernel, case, device)
            worst = max(worst, errors.pop("ratio", 0.0))
            note(case.group, case.name, wrong, errors)
        if kernel.operation.get("deterministic") and (not groups or "17" in groups):
            for seqlen_q, seqlen_k in check_backward.REPEATED:
                wrong = check_backward.repeat(kernel, seqlen_q, seqlen_k, device)
                note("17", f"{check_backward.REPEATS} times the same bits, {seqlen_q}x{seqlen_k}", wrong, {})
        print(f"  {name:32} {count - failures}/{count} right, largest error / its precision's {worst:.2f}", flush=True)
    return results
