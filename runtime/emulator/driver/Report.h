//===- Report.h - Where diagnoses go ----------------------------*- C++ -*-===//

#ifndef FA3_EMULATOR_DRIVER_REPORT_H
#define FA3_EMULATOR_DRIVER_REPORT_H

#include "emulator/core/Diagnostics.h"

#include <string>

namespace fa3::emulator::driver {

/// Writes a diagnosis of a kernel or of PTX text to stderr, every line prefixed
/// `fa3-emulator:`, and, as one line of JSON, to the file that the environment
/// variable FA3_EMULATOR_DIAGNOSTICS names.
void report(const Diagnostic &diagnostic);

/// The same for a misuse of the driver API: \p function is the API function.
void reportMisuse(const char *function, const char *kind,
                  const std::string &message);

/// \p diagnostic as a JSON object on one line.
std::string toJson(const Diagnostic &diagnostic);

/// \p text as a JSON string, quotes included.
std::string quoteJson(const std::string &text);

} // namespace fa3::emulator::driver

#endif // FA3_EMULATOR_DRIVER_REPORT_H
