"""Proves on the control flow of a PTX kernel that a wgmma fence, or a wait or commit of a group, is redundant.

A mutant without it cannot be told from the kernel. The proofs use what PTX says
about these instructions and nothing of how the emulator executes them.
"""

import re

from mutations import STATEMENT, is_number, operands_of

LABEL = re.compile(r"(?:^|(?<=[;{}]))[ \t]*(?P<name>[%$\w]+):(?!:)", re.MULTILINE)
FUNCTION = re.compile(r"\.(?:entry|func)\b")
REGISTER = re.compile(r"%[A-Za-z]\w*")


class Statement:
    """One instruction: where it stands, what it names and where it goes on."""

    def __init__(self, match, line):
        self.line = line
        self.opcode = match["opcode"]
        self.guard = (match["guard"] or "").strip()
        self.operands = operands_of(match)
        self.registers = set(REGISTER.findall(match["text"]))
        self.entry = False
        self.successors, self.predecessors = [], []

    def begins(self, *opcodes):
        return self.opcode.startswith(opcodes)

    def shape(self):
        """m64n128k16 of a product."""
        return next(part for part in self.opcode.split(".") if part.startswith("m64n"))

    def pending(self, family="wgmma"):
        """Groups that a wait_group leaves pending; None for anything else."""
        if not self.begins(f"{family}.wait_group") or not is_number(self.operands[-1]):
            return None
        return int(self.operands[-1], 0)


class ControlFlow:
    """The statements of all kernels of a text without comments."""

    def __init__(self, text):
        functions = [match.start() for match in FUNCTION.finditer(text)]
        matches = list(STATEMENT.finditer(text))
        self.statements = [Statement(match, text.count("\n", 0, match.start("text")) + 1) for match in matches]
        owners = [sum(begin < match.start() for begin in functions) for match in matches]
        labels = {}
        for label in LABEL.finditer(text):
            index = next((i for i, match in enumerate(matches) if match.start() >= label.start()), None)
            if index is not None:
                labels[(owners[index], label["name"])] = index
        for i, statement in enumerate(self.statements):
            statement.entry = not i or owners[i] != owners[i - 1]
            targets = []
            if statement.begins("bra"):
                targets.append(labels[(owners[i], statement.operands[-1])])
            if statement.guard or not statement.begins("bra", "ret", "exit", "trap"):
                targets.append(i + 1)
            for j in targets:
                if j < len(matches) and owners[j] == owners[i]:
                    statement.successors.append(j)
                    self.statements[j].predecessors.append(i)

    def at(self, line):
        return next(i for i, statement in enumerate(self.statements) if statement.line == line)

    def reach(self, start, forward, stop):
        """What is reached from `start` up to statements that stop; and whether a path ends before."""
        seen, stack, ends = set(), [start], False
        while stack:
            i = stack.pop()
            statement = self.statements[i]
            following = statement.successors if forward else statement.predecessors
            ends |= not following or (statement.entry and not forward)
            for j in following:
                if j not in seen:
                    seen.add(j)
                    if not stop(self.statements[j]):
                        stack.append(j)
        return [self.statements[j] for j in seen], ends


def covered_fence(flow, start):
    """Another fence is on every way here, and nothing since it touches the registers."""
    def is_fence(statement):
        return statement.begins("wgmma.fence")

    before, open_ended = flow.reach(start, False, is_fence)
    after, _ = flow.reach(start, True, is_fence)
    products = [s for s in after if s.begins("wgmma.mma_async")]
    used = set().union(*(s.registers for s in products))
    touched = set().union(*(s.registers for s in before if not s.begins("wgmma")))
    if open_ended or used & touched:
        return False
    return all(independent(s, product) for s in before if s.begins("wgmma.mma_async") for product in products)


def independent(first, second):
    """Whether two products need no fence between them: they share sums of one shape or factors, or nothing."""
    sums, factors = (set(REGISTER.findall(first.operands[i])) for i in (0, 1))
    other_sums, other_factors = (set(REGISTER.findall(second.operands[i])) for i in (0, 1))
    if sums & other_factors or factors & other_sums:
        return False
    return not sums & other_sums or first.shape() == second.shape()


def repeated_wait(flow, start):
    """A wait that leaves no more groups pending comes right after, or since the last commit before."""
    pending = flow.statements[start].pending()

    def is_enough(statement):
        return statement.pending() is not None and statement.pending() <= pending

    following = [flow.statements[j] for j in flow.statements[start].successors]
    if following and all(is_enough(s) and not s.guard for s in following):
        return True
    before, open_ended = flow.reach(start, False, lambda s: is_enough(s) or s.begins("wgmma.commit_group"))
    return not open_ended and not any(s.begins("wgmma.commit_group") for s in before)


def joined_commit(flow, start):
    """Whatever waits for this group next waits for the following group, too."""
    first = flow.statements[start]
    family = first.opcode.split(".commit_group")[0]
    # Whether a wait until shared memory is read has passed: a later one may be for the writes.
    stack, seen = [(j, 0, False) for j in first.successors], set()
    if not stack:
        return False
    while stack:
        i, commits, read = stack.pop()
        if (i, commits, read) in seen:
            continue
        seen.add((i, commits, read))
        statement = flow.statements[i]
        pending = statement.pending(family)
        commit = statement.begins(f"{family}.commit_group")
        # The same threads commit and wait.
        if (commit or pending is not None) and statement.guard not in ("", first.guard):
            return False
        if first.guard and statement.operands and first.guard.lstrip("@!") in REGISTER.findall(statement.operands[0]):
            return False
        commits += commit
        if pending is not None and commits > pending:
            if ".read" not in statement.opcode:
                continue
            read = True
        elif pending is not None:
            # A wait that leaves this group pending completes fewer of those before it.
            return False
        if commits > 8 or not (statement.successors or read):
            return False
        stack += [(j, commits, read) for j in statement.successors]
    return True


PROOFS = {
    "wgmma.fence deleted": (covered_fence, "the fence before covers these registers: nothing touches them in between"),
    "wgmma.wait_group deleted": (repeated_wait, "another wait beside this one completes as much"),
    "wgmma.wait_group + 1": (repeated_wait, "another wait beside this one completes as much"),
    "wgmma.commit_group deleted": (joined_commit, "the next wait completes this group and the one it joins"),
    "cp.async.bulk.commit_group deleted": (joined_commit, "the next wait completes this group and the one it joins"),
}


def redundant(flow, mutant):
    """Why the mutant's place is redundant, or an empty string."""
    proof, why = PROOFS.get(mutant.kind, (None, ""))
    return why if proof and proof(flow, flow.at(mutant.line)) else ""
