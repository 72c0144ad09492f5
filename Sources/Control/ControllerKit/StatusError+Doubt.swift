// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ObjectModel

extension StatusError {
    /// The request may have been carried out all the same.
    package var isDoubtful: Bool {
        self.reason == .timeout || self.reason == .serviceUnavailable
            || self.reason == .internalError || self.reason == .serverTimeout
    }
}
