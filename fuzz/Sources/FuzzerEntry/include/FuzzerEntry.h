// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

#ifndef APUS_FUZZER_ENTRY_H
#define APUS_FUZZER_ENTRY_H

/// Every fuzz target of the package.
#define FUZZ_TARGETS(entry) \
    entry(FuzzBinary)       \
    entry(FuzzDNS)          \
    entry(FuzzHTTP2Session) \
    entry(FuzzJSON)         \
    entry(FuzzPatches)      \
    entry(FuzzQuantity)     \
    entry(FuzzRequestInfo)  \
    entry(FuzzRPC)          \
    entry(FuzzSchema)       \
    entry(FuzzSelectors)    \
    entry(FuzzStore)        \
    entry(FuzzYAML)

#endif
