"""One launch of a kernel on guarded tensors, and what may not happen in it."""

import torch

import fa3


class Trial:
    """Guarded tensors for one launch, by name."""

    def __init__(self, case, tensors, outputs):
        self.case, self.tensors, self.outputs = case, tensors, outputs
        # A tensor of two heads far apart takes gigabytes.
        self.before = {} if case.layout == "far" else {
            name: guarded.bytes.clone() for name, guarded in tensors.items() if name not in outputs}

    def launch(self, kernel, views, device):
        """Whether there are results to compare, and what is wrong if there are none."""
        allocate = lambda size: torch.full((size,), 0xFF, dtype=torch.uint8, device=device)
        try:
            problem = kernel.problem(views, allocate)
            problem.launch(torch.cuda.current_stream().cuda_stream)
            torch.cuda.synchronize()
        except fa3.Failure as failure:
            expected = self.case.refused and failure.status == fa3.UNSUPPORTED and self.case.refused in str(failure)
            return False, None if expected else f"refused: {failure}"
        if self.case.refused:
            return False, "accepted, but should be refused"
        return True, None

    def stray_writes(self):
        """What was written that may not be. Overwrites the outputs."""
        found = [f"{name} was written" for name, saved in self.before.items()
                 if not torch.equal(saved, self.tensors[name].bytes)]
        return found + [f"written outside of {name}" for name in self.outputs if not self.tensors[name].guard_intact()]
