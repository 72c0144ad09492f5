// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Selectors

extension FieldSelector {
    /// Objects of a name.
    static func name(_ name: String) -> FieldSelector {
        FieldSelector([Term("metadata.name", name)])
    }
}
