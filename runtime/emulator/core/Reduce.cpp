//===- Reduce.cpp - Atomic arithmetic on memory ---------------------------===//

#include "Reduce.h"
#include "Numerics.h"

#include <array>
#include <cstring>
#include <type_traits>

using namespace fa3::emulator;

namespace {

template <class T> T fromBits(uint64_t bits) {
  if constexpr (sizeof(T) == 8)
    return std::bit_cast<T>(bits);
  else
    return std::bit_cast<T>(uint32_t(bits));
}
template <class T> uint64_t toBits(T value) {
  if constexpr (sizeof(T) == 8)
    return std::bit_cast<uint64_t>(value);
  else
    return std::bit_cast<uint32_t>(value);
}

template <ReduceOp Op, class T>
uint64_t combineInteger(uint64_t a, uint64_t b) {
  T x = fromBits<T>(a), y = fromBits<T>(b);
  using U = std::make_unsigned_t<T>;
  switch (Op) {
  case ReduceOp::Add:
    return toBits<T>(T(U(x) + U(y)));
  case ReduceOp::Min:
    return toBits<T>(x < y ? x : y);
  case ReduceOp::Max:
    return toBits<T>(x > y ? x : y);
  case ReduceOp::Inc:
    return toBits<T>(U(x) >= U(y) ? 0 : T(U(x) + 1));
  case ReduceOp::Dec:
    return toBits<T>(x == 0 || U(x) > U(y) ? y : T(U(x) - 1));
  case ReduceOp::And:
    return toBits<T>(x & y);
  case ReduceOp::Or:
    return toBits<T>(x | y);
  case ReduceOp::Xor:
    return toBits<T>(x ^ y);
  }
  return a;
}
uint64_t addF32(uint64_t a, uint64_t b) {
  return toBits(canonical(fromBits<float>(a) + fromBits<float>(b)));
}
uint64_t addF32Flushed(uint64_t a, uint64_t b) {
  return toBits(
      canonical(flush(flush(fromBits<float>(a)) + flush(fromBits<float>(b)))));
}
uint64_t addF64(uint64_t a, uint64_t b) {
  return toBits(fromBits<double>(a) + fromBits<double>(b));
}

enum class Half : uint8_t { F16, BF16 };
float loadHalf(Half h, uint64_t bits) {
  return h == Half::F16 ? fromF16(uint16_t(bits)) : fromBF16(uint16_t(bits));
}
uint64_t storeHalf(Half h, double x) {
  return encodeSmall(x, h == Half::F16 ? kF16 : kBF16, Round::Nearest, false);
}
template <ReduceOp Op, Half H> uint64_t combineHalf(uint64_t a, uint64_t b) {
  float x = loadHalf(H, a), y = loadHalf(H, b);
  if (Op == ReduceOp::Add)
    return storeHalf(H, double(x) + double(y));
  if (x != x)
    return b;
  if (y != y)
    return a;
  return (Op == ReduceOp::Min ? x <= y : x >= y) ? a : b;
}
template <ReduceOp Op, Half H> uint64_t combinePair(uint64_t a, uint64_t b) {
  return combineHalf<Op, H>(a & 0xffff, b & 0xffff) |
         combineHalf<Op, H>(a >> 16 & 0xffff, b >> 16 & 0xffff) << 16;
}

template <class T> CombineFn integerFor(ReduceOp op) {
  switch (op) {
  case ReduceOp::Add:
    return combineInteger<ReduceOp::Add, T>;
  case ReduceOp::Min:
    return combineInteger<ReduceOp::Min, T>;
  case ReduceOp::Max:
    return combineInteger<ReduceOp::Max, T>;
  case ReduceOp::Inc:
    return combineInteger<ReduceOp::Inc, T>;
  case ReduceOp::Dec:
    return combineInteger<ReduceOp::Dec, T>;
  case ReduceOp::And:
    return combineInteger<ReduceOp::And, T>;
  case ReduceOp::Or:
    return combineInteger<ReduceOp::Or, T>;
  case ReduceOp::Xor:
    return combineInteger<ReduceOp::Xor, T>;
  }
  return nullptr;
}
template <Half H> CombineFn halfFor(ReduceOp op, bool pair) {
  switch (op) {
  case ReduceOp::Add:
    return pair ? combinePair<ReduceOp::Add, H> : combineHalf<ReduceOp::Add, H>;
  case ReduceOp::Min:
    return pair ? combinePair<ReduceOp::Min, H> : combineHalf<ReduceOp::Min, H>;
  case ReduceOp::Max:
    return pair ? combinePair<ReduceOp::Max, H> : combineHalf<ReduceOp::Max, H>;
  default:
    return nullptr;
  }
}

/// One row for each (operation, type) that a bulk reduction can have.
constexpr Type kTypes[] = {Type::U32, Type::S32,  Type::U64, Type::S64,
                           Type::F16, Type::BF16, Type::F32, Type::F64,
                           Type::B32, Type::B64};
constexpr size_t kTypeCount = std::size(kTypes);

template <uint32_t Op, size_t T>
void reduceRange(unsigned char *memory, const unsigned char *values,
                 size_t count) {
  static const CombineFn kCombine = combineFor(ReduceOp(Op), kTypes[T]);
  uint32_t bytes = typeBytes(kTypes[T]);
  for (size_t i = 0; i != count; ++i) {
    uint64_t operand = 0;
    std::memcpy(&operand, values + i * bytes, bytes);
    atomicCombine(memory + i * bytes, bytes, kCombine, operand);
  }
}
template <size_t... I>
constexpr std::array<ReduceFn, sizeof...(I)>
makeTable(std::index_sequence<I...>) {
  return {reduceRange<uint32_t(I / kTypeCount), I % kTypeCount>...};
}
constexpr auto kTable = makeTable(std::make_index_sequence<8 * kTypeCount>());

} // namespace

CombineFn fa3::emulator::combineFor(ReduceOp op, Type type, bool flushes) {
  bool isFloatOp = op == ReduceOp::Add;
  switch (type) {
  case Type::U32:
  case Type::B32:
    return integerFor<uint32_t>(op);
  case Type::S32:
    return integerFor<int32_t>(op);
  case Type::U64:
  case Type::B64:
    return integerFor<uint64_t>(op);
  case Type::S64:
    return integerFor<int64_t>(op);
  case Type::F32:
    return !isFloatOp ? nullptr : flushes ? addF32Flushed : addF32;
  case Type::F64:
    return isFloatOp ? addF64 : nullptr;
  case Type::F16:
  case Type::F16x2:
    return halfFor<Half::F16>(op, type == Type::F16x2);
  case Type::BF16:
  case Type::BF16x2:
    return halfFor<Half::BF16>(op, type == Type::BF16x2);
  default:
    return nullptr;
  }
}

int fa3::emulator::reductionIndex(ReduceOp op, Type type) {
  for (size_t t = 0; t != kTypeCount; ++t)
    if (kTypes[t] == type && combineFor(op, type))
      return int(uint32_t(op) * kTypeCount + t);
  return -1;
}
ReduceFn fa3::emulator::reductionNumber(uint32_t index) {
  return kTable[index];
}

ReduceFn fa3::emulator::reductionFor(ReduceOp op, TensorType type) {
  Type t;
  switch (type) {
  case TensorType::U32:
    t = Type::U32;
    break;
  case TensorType::S32:
    t = Type::S32;
    break;
  case TensorType::U64:
    t = Type::U64;
    break;
  case TensorType::S64:
    t = Type::S64;
    break;
  case TensorType::F16:
    t = Type::F16;
    break;
  case TensorType::BF16:
    t = Type::BF16;
    break;
  case TensorType::F32:
  case TensorType::F32Ftz:
    t = Type::F32;
    break;
  case TensorType::F64:
    t = Type::F64;
    break;
  default:
    return nullptr;
  }
  int index = reductionIndex(op, t);
  return index < 0 ? nullptr : kTable[size_t(index)];
}

template <class T>
static uint64_t combineLoop(unsigned char *memory, CombineFn combine,
                            uint64_t operand) {
  T *place = reinterpret_cast<T *>(memory);
  T old = __atomic_load_n(place, __ATOMIC_RELAXED);
  for (;;) {
    T desired = T(combine(old, operand));
    if (__atomic_compare_exchange_n(place, &old, desired, true,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return old;
  }
}

uint64_t fa3::emulator::atomicCombine(unsigned char *memory, uint32_t bytes,
                                      CombineFn combine, uint64_t operand) {
  if (bytes == 8)
    return combineLoop<uint64_t>(memory, combine, operand);
  if (bytes == 4)
    return combineLoop<uint32_t>(memory, combine, operand);
  return combineLoop<uint16_t>(memory, combine, operand);
}

uint64_t fa3::emulator::atomicExchange(unsigned char *memory, uint32_t bytes,
                                       uint64_t value) {
  if (bytes == 8)
    return __atomic_exchange_n(reinterpret_cast<uint64_t *>(memory), value,
                               __ATOMIC_ACQ_REL);
  return __atomic_exchange_n(reinterpret_cast<uint32_t *>(memory),
                             uint32_t(value), __ATOMIC_ACQ_REL);
}

uint64_t fa3::emulator::atomicCompareSwap(unsigned char *memory, uint32_t bytes,
                                          uint64_t expected, uint64_t value) {
  if (bytes == 8) {
    __atomic_compare_exchange_n(reinterpret_cast<uint64_t *>(memory), &expected,
                                value, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
    return expected;
  }
  uint32_t old = uint32_t(expected);
  __atomic_compare_exchange_n(reinterpret_cast<uint32_t *>(memory), &old,
                              uint32_t(value), false, __ATOMIC_ACQ_REL,
                              __ATOMIC_ACQUIRE);
  return old;
}
