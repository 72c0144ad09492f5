// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import LocalCluster
import Processes
import Testing

@Suite("Supervisor")
struct SupervisorTests {
    /// A cluster's folders, removed with it.
    private final class Folder {
        let layout: ClusterLayout

        init() {
            let path = "/tmp/apus-cluster-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            self.layout = ClusterLayout(dataDirectory: path)
            for folder in [path, self.layout.run, self.layout.logs] { mkdir(folder, 0o755) }
        }

        deinit {
            unlink(self.layout.state)
            rmdir(self.layout.run)
            rmdir(self.layout.logs)
            rmdir(self.layout.dataDirectory)
        }
    }

    private func component(_ name: String, _ script: String, after: [String] = []) -> Component {
        Component(
            name,
            command: ChildProcess.Command("/bin/sh", ["-c", script], logPath: "/dev/null"),
            readiness: .running,
            after: after
        )
    }

    /// Waits until the state says so; nil after two minutes, which a busy machine may need.
    private func state(
        _ folder: Folder,
        where condition: (ClusterStatus) -> Bool
    ) async throws -> ClusterStatus? {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let status = try ClusterStatus.read(folder.layout)
            if condition(status) { return status }
            try await Task.sleep(for: .milliseconds(5))
        }
        return nil
    }

    @Test("starts, restarts what ends, and ends all that it started")
    func life() async throws {
        let folder = Folder()
        let supervisor = Supervisor(
            [
                self.component("steady", "exec sleep 1000"),
                self.component("crashing", "exit 3", after: ["steady"]),
            ],
            layout: folder.layout
        )
        let running = Task { await supervisor.run() }
        let status = try await self.state(folder) { status in
            status.rows.last.map { $0.restarts >= 2 && $0.lastExit == "exit code 3" } ?? false
        }
        let steady = status?.rows.first
        let ranBefore = steady.map { kill($0.processID, 0) == 0 }
        // Whatever was found: nothing may be left running.
        running.cancel()
        await running.value
        #expect(steady?.name == "steady")
        #expect(steady?.state == "ready")
        #expect(steady?.restarts == 0)
        #expect(ranBefore == true)
        if let steady { #expect(kill(steady.processID, 0) != 0) }
        #expect(try ClusterStatus.read(folder.layout).rows.map(\.state) == ["stopped", "stopped"])
    }
}
