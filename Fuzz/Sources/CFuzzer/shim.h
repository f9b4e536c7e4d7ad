// libFuzzer's entry for programs that have a `main` of their own.
#ifndef FSHAREFS_CFUZZER_SHIM_H
#define FSHAREFS_CFUZZER_SHIM_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(
    int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

#endif
