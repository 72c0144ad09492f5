// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes the compiler of schema files: lexer, parser, resolver, options.
//
// Strategy: an input is one `.proto` file without imports of its own (those of google/protobuf are
// there). The corpus is the schema files of the tests and of proto/; the dictionary is the language's
// keywords, so that changed inputs often still parse.
//
// Invariants, which `fuzzSchemaParser` checks:
// - the compiler gives errors or descriptors, never both and never neither;
// - descriptors come back equal from their serialized form.
// Time and memory are bounded by SchemaLimits. Nothing traps.

import SchemaCompiler

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSchema(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzSchemaParser(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}
