// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import GRPCServices
import Protobuf
import RPC
import RPCInterface
import RPCServices
import Synchronization
import Testing

@testable import RPCTool

/// The tool against our own health and reflection services, in process.
@Suite("RPCTool")
struct RPCToolTests {
    private static let catalog = ReflectionCatalog(
        files: [GrpcHealthV1HealthProto.file, GrpcReflectionV1ReflectionProto.file]
    )

    private static func channel(reflects: Bool = true, alpha: Bool = false) -> InProcessChannel {
        var services: [any RPCService] = [HealthStatusService()]
        if reflects && !alpha { services.append(ServerReflection(Self.catalog)) }
        if alpha { services.append(ServerReflectionAlpha(Self.catalog)) }
        return InProcessChannel(services: services)
    }

    /// Requests from a list.
    private static func lines(_ lines: [String]) -> AsyncStream<String> {
        AsyncStream { continuation in
            for line in lines { continuation.yield(line) }
            continuation.finish()
        }
    }

    private final class Output: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { self.lines.withLock { $0 } }
        func add(_ line: String) { self.lines.withLock { $0.append(line) } }
    }

    @Test("lists services by either version of reflection", arguments: [false, true])
    func list(_ alpha: Bool) async throws {
        let names = try await RPCTool(channel: Self.channel(alpha: alpha)).list()
        #expect(names == ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"])
    }

    @Test("says that there is no reflection")
    func noReflection() async {
        let tool = RPCTool(channel: Self.channel(reflects: false))
        await #expect(throws: RPCTool.Failure.noReflection) { _ = try await tool.list() }
    }

    @Test("describes services, methods, messages and enums")
    func describe() async throws {
        let tool = RPCTool(channel: Self.channel())
        let service = try await tool.describe("grpc.health.v1.Health")
        #expect(
            service == """
                // grpc.health.v1.Health
                service Health {
                  rpc Check(.grpc.health.v1.HealthCheckRequest) \
                returns (.grpc.health.v1.HealthCheckResponse);
                  rpc List(.grpc.health.v1.HealthListRequest) \
                returns (.grpc.health.v1.HealthListResponse);
                  rpc Watch(.grpc.health.v1.HealthCheckRequest) \
                returns (stream .grpc.health.v1.HealthCheckResponse);
                }
                """
        )
        let method = try await tool.describe("grpc.health.v1.Health/Watch")
        #expect(method.hasPrefix("rpc Watch("))
        let message = try await tool.describe("grpc.health.v1.HealthListResponse")
        #expect(message.contains("map<string, .grpc.health.v1.HealthCheckResponse> statuses = 1;"))
        let status = try await tool.describe("grpc.health.v1.HealthCheckResponse.ServingStatus")
        #expect(status.contains("  NOT_SERVING = 2;"))
        let oneof = try await tool.describe("grpc.reflection.v1.ServerReflectionRequest")
        #expect(oneof.contains("  oneof message_request {\n    string file_by_filename = 3;"))
        await #expect(throws: RPCTool.Failure.self) {
            _ = try await tool.describe("grpc.health.v1.Nothing")
        }
    }

    @Test(
        "derives the JSON names that a server leaves out",
        arguments: [("a", "a"), ("a_b", "aB"), ("_a_1b", "A1b"), ("aB_c_", "aBC")]
    )
    func jsonNames(_ name: String, _ json: String) {
        let file = FileDescriptor(
            name: "a.proto",
            messages: [
                MessageDescriptor(
                    name: "M",
                    fields: [FieldDescriptor(name: name, number: 1)],
                    nestedMessages: [
                        MessageDescriptor(
                            name: "N",
                            fields: [FieldDescriptor(name: "x", number: 1, jsonName: "given")]
                        )
                    ]
                )
            ]
        ).addingJSONNames()
        #expect(file.messages[0].fields[0].jsonName == json)
        #expect(file.messages[0].nestedMessages[0].fields[0].jsonName == "given")
    }

    @Test(
        "calls a method with JSON",
        arguments: ["grpc.health.v1.Health/Check", "grpc.health.v1.Health.Check"]
    )
    func call(_ name: String) async throws {
        let output = Output()
        _ = try await RPCTool(channel: Self.channel()).call(
            name,
            requests: Self.lines([#"{"service": ""}"#])
        ) { output.add($0) }
        #expect(output.all == [#"{"status":"SERVING"}"#])
    }

    @Test("streams JSON lines both ways")
    func bidirectional() async throws {
        let output = Output()
        _ = try await RPCTool(channel: Self.channel()).call(
            "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            requests: Self.lines([
                #"{"listServices": ""}"#, #"{"fileByFilename": "nothing"}"#,
            ])
        ) { output.add($0) }
        #expect(output.all.count == 2)
        #expect(output.all.first?.contains(#""name":"grpc.health.v1.Health""#) == true)
        #expect(output.all.last?.contains(#""errorCode":5"#) == true)
    }

    @Test(
        "refuses what is no request of the method's type",
        arguments: ["{", "[]", #"{"nothing": 1}"#, #"{"service": 1}"#]
    )
    func badRequest(_ text: String) async {
        let tool = RPCTool(channel: Self.channel())
        await #expect(throws: RPCTool.Failure.self) {
            _ = try await tool.call(
                "grpc.health.v1.Health/Check",
                requests: Self.lines([text])
            ) { _ in }
        }
    }

    @Test("refuses more or fewer requests than the method takes", arguments: [0, 2])
    func requestCount(_ count: Int) async {
        let tool = RPCTool(channel: Self.channel())
        await #expect(throws: RPCTool.Failure.requestCount(count)) {
            _ = try await tool.call(
                "grpc.health.v1.Health/Check",
                requests: Self.lines(Array(repeating: "{}", count: count))
            ) { _ in }
        }
    }

    @Test("passes the server's status on, and refuses names that are no method")
    func failures() async {
        let tool = RPCTool(channel: Self.channel())
        await #expect(throws: RPCError.self) {
            _ = try await tool.call(
                "grpc.health.v1.Health/Check",
                requests: Self.lines([#"{"service": "none"}"#])
            ) { _ in }
        }
        for name in ["Check", "grpc.health.v1.Health/None", "none.None/Check", "a/b/c"] {
            await #expect(throws: RPCTool.Failure.self, "\(name)") {
                _ = try await tool.call(name, requests: Self.lines(["{}"])) { _ in }
            }
        }
    }
}
