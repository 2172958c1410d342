/* The interface is C99. Compiled as such, with all warnings. */

#include "fa3/runtime/device.h"

int fa3_c_header_compiles(void);

int fa3_c_header_compiles(void) {
  fa3_error error;
  fa3_driver *driver = NULL;
  fa3_status status = fa3_driver_open("/nonexistent", &driver, &error);
  fa3_driver_close(driver);
  return status == FA3_ERROR_NO_DRIVER && error.status == status;
}
