// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Processes

/// Addresses of the loopback interface: what pods send to the cluster's DNS address ends on their own
/// node, whatever the rules of Services say, and no other node is asked for it.
public enum LocalAddress {
    /// Makes `address` one of this machine's. It may be one already. Blocks for milliseconds.
    public static func add(_ address: String) throws(ProcessError) {
        try self.ip(["address", "replace", self.single(address), "dev", "lo"])
    }

    /// Undoes `add`. It may be undone already.
    public static func remove(_ address: String) throws(ProcessError) {
        try self.ip(["address", "del", self.single(address), "dev", "lo"], logPath: "/dev/null")
    }

    private static func single(_ address: String) -> String {
        address.utf8.contains(UInt8(ascii: ":")) ? "\(address)/128" : "\(address)/32"
    }

    private static func ip(
        _ arguments: [String],
        logPath: String? = nil
    ) throws(ProcessError) {
        // The bind that follows says clearly what is missing when this did not work.
        _ = try ChildProcess.start(ChildProcess.Command("ip", arguments, logPath: logPath))
            .waitForExit()
    }
}
