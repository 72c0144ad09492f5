// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Testing

@testable import RPC

@Suite("RPCServiceTable")
struct RPCServiceTableTests {
    private let table = RPCServiceTable([TestEcho()])

    @Test("finds methods by their exact path")
    func finds() throws {
        #expect(try self.table.method(at: "/test.v1.Echo/Unary").method == EchoMethods.unary)
        #expect(self.table.serviceNames == ["test.v1.Echo"])
    }

    @Test(
        "refuses every other reading of a path",
        arguments: [
            "", "/", "test.v1.Echo/Unary", "/test.v1.Echo", "/test.v1.Echo/", "//Unary",
            "//test.v1.Echo/Unary", "/test.v1.Echo//Unary", "/test.v1.Echo/Unary/",
            "/test.v1.Echo/unary", "/test.v1.Echo%2fUnary", "/test.v1.Echo/Unary?a=b",
            "/./test.v1.Echo/Unary", "/a/../test.v1.Echo/Unary", "/test.v1.Echo/Other",
            "/test.v1.Other/Unary", "http://host/test.v1.Echo/Unary", "/test.v1.Echo/Unary ",
        ]
    )
    func refuses(_ path: String) {
        let error = #expect(throws: RPCError.self) { _ = try self.table.method(at: path) }
        #expect(error?.code == .unimplemented)
    }
}
