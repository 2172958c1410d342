/* Writes the package of the header that the command line includes. */
#include <stdio.h>

int main(void) {
  size_t written = fwrite(one_product, 1, one_product_size, stdout);
  return written == one_product_size ? 0 : 1;
}
