//===- driver.h - An opened driver ----------------------------------------===//

#ifndef FA3_RUNTIME_SRC_DRIVER_H
#define FA3_RUNTIME_SRC_DRIVER_H

#include "driver_api.h"

#include <string>

struct fa3_driver {
  fa3::cu::Functions functions;
  int version;
  std::string path;
};

#endif // FA3_RUNTIME_SRC_DRIVER_H
