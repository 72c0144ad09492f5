// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// The package manager makes `main` of an executable another name of `<Name>_main`, which the Swift
// compiler emits for programs that have a main of their own. Fuzz targets have none: these stand in,
// one for each target, and hand the program over to libFuzzer.

#include "FuzzerEntry.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *start, size_t count);
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *, size_t));

#define ENTRY(name)                                                          \
    int name##_main(int argc, char **argv) {                                 \
        return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);    \
    }

FUZZ_TARGETS(ENTRY)
