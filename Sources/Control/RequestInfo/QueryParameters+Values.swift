// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

extension QueryParameters {
    /// The first value of a parameter, empty when it is absent.
    public func string(_ name: String) -> String {
        self.first(name) ?? ""
    }

    /// A truth value, or nil when the parameter is absent.
    ///
    /// `0` and `false` (in any case) are false; everything else is true, the empty text too.
    public func bool(_ name: String) -> Bool? {
        self.first(name).map { $0 != "0" && $0.lowercased() != "false" }
    }

    /// A decimal number, or nil when the parameter is absent.
    public func int64(_ name: String) throws(ParameterError) -> Int64? {
        guard let text = self.first(name) else { return nil }
        switch GoInteger.parse(text) {
        case .success(let value): return value
        case .failure(let fault):
            throw .badRequest(fault.message(function: "ParseInt", text))
        }
    }
}
