// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Protobuf

/// What a client wants of exec or attach.
package struct StreamOptions: Sendable {
    package var command: [String]
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool
    package var tty: Bool

    /// - Returns: nil when not one of the streams is wanted.
    package init?(command: [String], stdin: Bool, stdout: Bool, stderr: Bool, tty: Bool) {
        self.command = command
        self.stdin = stdin
        self.stdout = stdout
        self.tty = tty
        // A terminal has one output.
        self.stderr = stderr && !tty
        guard self.stdin || self.stdout || self.stderr else { return nil }
    }

    var message: ApusNode.Streams {
        ApusNode.Streams.with {
            $0.stdin = self.stdin
            $0.stdout = self.stdout
            $0.stderr = self.stderr
            $0.tty = self.tty
        }
    }
}
