//===- emulator.h - What the emulator diagnosed ---------------------------===//

#ifndef FA3_TOOLS_RUN_EMULATOR_H
#define FA3_TOOLS_RUN_EMULATOR_H

#include <ios>
#include <string>
#include <vector>

namespace fa3::run {

/// The file to which the emulator adds its diagnoses. Made before the emulator
/// is opened, which is when it reads the file's name from the environment; a
/// name that is there already stays, and so does that file.
class EmulatorDiagnostics {
public:
  EmulatorDiagnostics();
  ~EmulatorDiagnostics();
  EmulatorDiagnostics(const EmulatorDiagnostics &) = delete;
  EmulatorDiagnostics &operator=(const EmulatorDiagnostics &) = delete;

  /// Each diagnosis as one line for people.
  std::vector<std::string> read() const;

private:
  std::string path;
  bool temporary = false;
  std::streamoff begin = 0;
};

} // namespace fa3::run

#endif // FA3_TOOLS_RUN_EMULATOR_H
