"""Finds the synchronization of a PTX kernel and breaks it, one place at a time."""

import re
from dataclasses import dataclass

# An instruction at the begin of a statement, with its guard and operands.
STATEMENT = re.compile(
    r"(?:^|(?<=[;{}:]))[ \t]*(?P<text>(?P<guard>@!?[%\w$]+\s+)?(?P<opcode>[a-z][\w.:]*)"
    r"(?P<operands>[^;{}]*(?:\{[^{};]*\}[^;{}]*)*);)", re.MULTILINE)

# Bits of a wgmma matrix descriptor.
LAYOUT_SHIFT = 62
STRIDE = range(32, 46)
LEADING = range(16, 30)


@dataclass
class Mutant:
    """One change of the text; `number` counts the mutants of its kind."""

    kind: str
    number: int
    line: int
    before: str
    after: str
    text: str

    def name(self):
        return f"{self.kind}#{self.number}"


def operands_of(statement):
    """The operands, split at the commas outside brackets."""
    parts, depth, current = [], 0, ""
    for c in statement["operands"]:
        depth += c in "[{" and 1 or c in "]}" and -1 or 0
        if c == "," and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += c
    return [*parts, current.strip()] if current.strip() else parts


def is_number(text):
    return re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)", text) is not None


def rebuilt(statement, operands, opcode=None):
    return f"{statement['guard'] or ''}{opcode or statement['opcode']} {', '.join(operands)};"


def with_number(statement, operands, index, value):
    changed = list(operands)
    changed[index] = str(value)
    return rebuilt(statement, changed)


def offset_register(statement, operands, index, instruction):
    """The statement with a register operand replaced by a changed copy."""
    changed = list(operands)
    changed[index] = "planted"
    return f"{{ .reg .b32 planted; {instruction.format(operands[index])}; {rebuilt(statement, changed)} }}"


def waits(statement, operands):
    """An mbarrier wait that does not wait, or waits for the other phase."""
    if not re.match(r"mbarrier\.(try|test)_wait", statement["opcode"]):
        return
    done = operands[0]
    yield "wait deleted", f"{statement['guard'] or ''}setp.eq.u32 {done}, 0, 0;"
    if ".parity" in statement["opcode"]:
        parity = operands[2]
        if is_number(parity):
            yield "wait parity", with_number(statement, operands, 2, 1 - int(parity, 0))
        else:
            yield "wait parity", offset_register(statement, operands, 2, "xor.b32 planted, {}, 1")


def arrivals(statement, operands):
    opcode = statement["opcode"]
    if opcode.startswith("mbarrier.init"):
        count = operands[1]
        if is_number(count):
            yield "init count + 1", with_number(statement, operands, 1, int(count, 0) + 1)
            if int(count, 0) > 1:
                yield "init count - 1", with_number(statement, operands, 1, int(count, 0) - 1)
        else:
            yield "init count + 1", offset_register(statement, operands, 1, "add.u32 planted, {}, 1")
        return
    if not opcode.startswith(("mbarrier.arrive", "mbarrier.expect_tx")):
        return
    state = operands[0] if not operands[0].startswith("[") else "_"
    yield "arrive deleted", "" if state == "_" else f"{statement['guard'] or ''}mov.b64 {state}, 0;"
    if "expect_tx" in opcode:
        last = len(operands) - 1
        for sign in (16, -16):
            kind = f"expect_tx {'+' if sign > 0 else '-'} 16"
            if is_number(operands[last]):
                yield kind, with_number(statement, operands, last, int(operands[last], 0) + sign)
            else:
                yield kind, offset_register(statement, operands, last, f"add.s32 planted, {{}}, {sign}")


def fences(statement, operands):
    opcode = statement["opcode"]
    if opcode.startswith(("fence.", "membar.")):
        yield "fence deleted", ""
    elif opcode.startswith(("wgmma.fence", "wgmma.commit_group", "cp.async.bulk.commit_group", "cp.async.commit_group")):
        yield f"{opcode.split('.sync')[0]} deleted", ""
    elif re.match(r"(wgmma|cp\.async\.bulk|cp\.async)\.wait_(group|all)", opcode):
        stem = opcode.split(".sync")[0].replace(".read", "")
        yield f"{stem} deleted", ""
        if operands and is_number(operands[-1]):
            yield f"{stem} + 1", with_number(statement, operands, len(operands) - 1, int(operands[-1], 0) + 1)


def barriers(statement, operands):
    opcode = statement["opcode"]
    if opcode.startswith(("barrier.cluster.arrive", "barrier.cluster.wait")):
        yield f"{'.'.join(opcode.split('.')[:3])} deleted", ""
        return
    if opcode == "bar.warp.sync":
        yield f"{opcode} deleted", ""
        return
    match = re.fullmatch(r"(bar|barrier)(\.cta)?\.(sync|arrive|red)(\.[\w.]+)?", opcode)
    if not match:
        return
    stem = f"bar.{match[3]}"
    yield f"{stem} deleted", ""
    if len(operands) > 1 and is_number(operands[1]):
        count = int(operands[1], 0)
        yield f"{stem} count + 32", with_number(statement, operands, 1, count + 32)
        if count > 32:
            yield f"{stem} count - 32", with_number(statement, operands, 1, count - 32)


def field(value, bits):
    return value >> bits.start & (1 << len(bits)) - 1


def replaced(value, bits, new):
    mask = (1 << len(bits)) - 1 << bits.start
    return value & ~mask | (new << bits.start & mask)


def descriptors(statement, operands):
    """Constants that are a matrix descriptor, whole or its upper word."""
    if not re.match(r"(mov|or|add|xor)\.[bsu](32|64)", statement["opcode"]) or not operands:
        return
    if not is_number(operands[-1]):
        return
    value = int(operands[-1], 0)
    wide = statement["opcode"].endswith("64")
    full = value & (1 << 64) - 1 if wide else (value & 0xFFFFFFFF) << 32
    stride = field(full, STRIDE)
    # A swizzled layout, a stride of whole groups of eight rows, nothing else.
    if full >> LAYOUT_SHIFT == 0 or stride == 0 or full >> 46 & 0xFFFF or full < 1 << 62 or stride % 2:
        return

    def write(new):
        return with_number(statement, operands, len(operands) - 1, new if wide else new >> 32)

    layout = full >> LAYOUT_SHIFT
    yield "descriptor swizzle", write(replaced(full, range(62, 64), 2 if layout == 1 else 1))
    yield "descriptor stride", write(replaced(full, STRIDE, stride * 2))
    leading = field(full, LEADING)
    # One is the convention for "not used" with a swizzled K-major tile.
    if wide and leading > 1:
        yield "descriptor leading", write(replaced(full, LEADING, leading * 2))


MUTATORS = (waits, arrivals, fences, barriers, descriptors)


def without_comments(text):
    """Comments become blanks, so that positions stay."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)


def find_mutants(text):
    """All single faults of a PTX text, in its order."""
    mutants, numbers = [], {}
    plain = without_comments(text)
    for statement in STATEMENT.finditer(plain):
        operands = operands_of(statement)
        for mutator in MUTATORS:
            for kind, after in mutator(statement, operands):
                numbers[kind] = numbers.get(kind, 0) + 1
                begin, end = statement.span("text")
                line = plain.count("\n", 0, begin) + 1
                mutants.append(Mutant(kind, numbers[kind], line, " ".join(statement["text"].split()), after,
                                      text[:begin] + after + text[end:]))
    return mutants
