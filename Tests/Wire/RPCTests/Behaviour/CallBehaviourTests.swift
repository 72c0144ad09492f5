// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPC
import RPCInterface
import Testing

/// What every transport does.
@Suite("Calls", .serialized, .timeLimit(.minutes(10)))
struct CallBehaviourTests {
    // MARK: The four kinds

    @Test("unary", arguments: Transport.allCases, [0, 1, 100, 70_000, 3_000_000])
    func unary(_ transport: Transport, _ size: Int) async throws {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await transport.withEcho { client in
            let request = EchoRequest(number: 42, payload: payload)
            for _ in 0..<3 {
                let response = try await client.unary(request)
                #expect(response == request)
            }
        }
    }

    @Test("server streaming", arguments: Transport.allCases, [0, 1, 2, 1000] as [UInt64])
    func download(_ transport: Transport, _ count: UInt64) async throws {
        try await transport.withEcho { client in
            let request = EchoRequest(number: count, payload: [1, 2, 3])
            let responses = try await client.download(request)
            var expected: UInt64 = 0
            for try await response in responses {
                #expect(response == EchoResponse(number: expected, payload: [1, 2, 3]))
                expected += 1
            }
            #expect(expected == count)
            // The end stays the end.
            #expect(try await responses.next() == nil)
        }
    }

    @Test("client streaming", arguments: Transport.allCases, [0, 1, 1000] as [UInt64])
    func upload(_ transport: Transport, _ count: UInt64) async throws {
        try await transport.withEcho { client in
            let call = try await client.upload()
            for number in 0..<count {
                try await call.write(EchoRequest(number: number, payload: [7]))
            }
            let response = try await call.finish()
            #expect(response.number == (0..<count).reduce(0, +))
            #expect(response.payload.count == Int(count))
        }
    }

    @Test("bidirectional, one by one", arguments: Transport.allCases)
    func pingPong(_ transport: Transport) async throws {
        try await transport.withEcho { client in
            let call = try await client.talk()
            let responses = call.responses
            for number in 0..<100 as Range<UInt64> {
                try await call.write(EchoRequest(number: number))
                #expect(try await responses.next()?.number == number)
            }
            call.finishRequests()
            #expect(try await responses.next() == nil)
        }
    }

    @Test("bidirectional, both ways at once", arguments: Transport.allCases)
    func talk(_ transport: Transport) async throws {
        try await transport.withEcho { client in
            let call = try await client.talk()
            async let sent: Void = {
                for number in 0..<2000 as Range<UInt64> {
                    try await call.write(EchoRequest(number: number, payload: [1, 2, 3]))
                }
                call.finishRequests()
            }()
            var count: UInt64 = 0
            for try await response in call.responses {
                #expect(response.number == count)
                count += 1
            }
            try await sent
            #expect(count == 2000)
        }
    }

    @Test("an empty stream both ways", arguments: Transport.allCases)
    func emptyStream(_ transport: Transport) async throws {
        try await transport.withEcho { client in
            let call = try await client.talk()
            call.finishRequests()
            #expect(try await call.responses.next() == nil)
        }
    }

    @Test("many calls at once", arguments: Transport.allCases)
    func many(_ transport: Transport) async throws {
        try await transport.withEcho { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<500 as Range<UInt64> {
                    group.addTask {
                        let payload = [UInt8](repeating: UInt8(number % 256), count: 500)
                        let request = EchoRequest(number: number, payload: payload)
                        return try await client.unary(request) == request
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    // MARK: Metadata

    @Test("metadata goes both ways", arguments: Transport.allCases)
    func metadata(_ transport: Transport) async throws {
        var service = TestEcho()
        service.onUnary = { request, context in
            var initial: Metadata = ["x-initial": context.metadata["x-request"] ?? "missing"]
            initial.add("x-initial-bin", binary: context.metadata[binary: "x-request-bin"] ?? [])
            context.addInitialMetadata(initial)
            var trailing: Metadata = ["x-trailing": "t1", "x-trailing": "t2"]
            trailing.add("x-trailing-bin", binary: [0, 255])
            context.addTrailingMetadata(trailing)
            return request
        }
        try await transport.withEcho(service) { client in
            var options = CallOptions(metadata: ["x-request": "hello, world"])
            options.metadata.add("x-request-bin", binary: [0xab, 0xab, 0xab])
            let response = try await client.channel.unary(
                EchoMethods.unary,
                EchoRequest(),
                options: options,
                returning: EchoResponse.self
            )
            #expect(response.initialMetadata["x-initial"] == "hello, world")
            #expect(response.initialMetadata[binary: "x-initial-bin"] == [0xab, 0xab, 0xab])
            #expect(response.trailingMetadata.values(named: "x-trailing") == ["t1", "t2"])
            #expect(response.trailingMetadata[binary: "x-trailing-bin"] == [0, 255])
            // The protocol's own names are not metadata.
            #expect(response.trailingMetadata["grpc-status"] == nil)
            #expect(response.initialMetadata["content-type"] == nil)
        }
    }

    @Test("response headers can go before the first message", arguments: Transport.allCases)
    func earlyHeaders(_ transport: Transport) async throws {
        var service = TestEcho()
        service.onTalk = { requests, responses, context in
            context.addInitialMetadata(["x-early": "yes"])
            try context.sendInitialMetadata()
            // Too late, and ignored.
            context.addInitialMetadata(["x-late": "yes"])
            for try await request in requests { try await responses.write(request) }
        }
        try await transport.withEcho(service) { client in
            let call = try await client.talk()
            let metadata = try await call.responses.initialMetadata()
            #expect(metadata["x-early"] == "yes")
            #expect(metadata["x-late"] == nil)
            call.finishRequests()
            #expect(try await call.responses.next() == nil)
        }
    }

    @Test("metadata that breaks the rules fails the call", arguments: Transport.allCases)
    func invalidMetadata(_ transport: Transport) async throws {
        var service = TestEcho()
        service.onUnary = { request, context in
            context.addTrailingMetadata(["x-bad": "line\nbreak"])
            return request
        }
        try await transport.withEcho(service) { client in
            let ours = await rpcError {
                _ = try await client.unary(
                    EchoRequest(),
                    options: CallOptions(metadata: ["Upper": "x"])
                )
            }
            #expect(ours?.code == .internalError)
            let theirs = await rpcError { _ = try await client.unary(EchoRequest()) }
            #expect(theirs?.code == .internalError)
        }
    }

    // MARK: Status

    @Test("every status code arrives", arguments: Transport.allCases)
    func statusCodes(_ transport: Transport) async throws {
        var service = TestEcho()
        service.onUnary = { request, _ in
            throw RPCError(
                code: RPCStatusCode(rawValue: Int(request.number)),
                message: "code \(request.number)"
            )
        }
        try await transport.withEcho(service) { client in
            for code in RPCStatusCode.all.dropFirst() + [RPCStatusCode(rawValue: 99)] {
                let error = await rpcError {
                    _ = try await client.unary(EchoRequest(number: UInt64(code.rawValue)))
                }
                #expect(error?.code == code)
                #expect(error?.message == "code \(code.rawValue)")
            }
        }
    }

    @Test("status message, details and trailers arrive unchanged", arguments: Transport.allCases)
    func statusParts(_ transport: Transport) async throws {
        let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈 100%\t\n"
        var service = TestEcho()
        service.onDownload = { _, responses, _ in
            try await responses.write(EchoResponse(number: 1))
            throw RPCError(
                code: .dataLoss,
                message: message,
                details: [0, 1, 2, 255],
                metadata: ["x-reason": "because"]
            )
        }
        try await transport.withEcho(service) { client in
            let responses = try await client.download(EchoRequest())
            // What was written before the error arrives before it.
            #expect(try await responses.next()?.number == 1)
            let error = await rpcError { _ = try await responses.next() }
            #expect(error?.code == .dataLoss)
            #expect(error?.message == message)
            #expect(error?.details == [0, 1, 2, 255])
            #expect(error?.metadata["x-reason"] == "because")
            #expect(responses.trailingMetadata["x-reason"] == "because")
        }
    }

    @Test("an error that is no status is UNKNOWN", arguments: Transport.allCases)
    func otherError(_ transport: Transport) async throws {
        struct Odd: Error {}
        var service = TestEcho()
        service.onUnary = { _, _ in throw Odd() }
        service.onUpload = { _, _ in throw CancellationError() }
        try await transport.withEcho(service) { client in
            await expectStatus(.unknown) { _ = try await client.unary(EchoRequest()) }
            let error = await rpcError { _ = try await client.upload().finish() }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("unknown methods and services are UNIMPLEMENTED", arguments: Transport.allCases)
    func unimplemented(_ transport: Transport) async throws {
        try await transport.withEcho { client in
            for (service, name) in [("test.v1.Echo", "Nothing"), ("test.v1.Nothing", "Unary")] {
                for kind in RPCKind.allCases {
                    let method = RPCMethod(service: service, name: name, kind: kind)
                    let error = await rpcError {
                        let _: EchoResponse = try await client.channel.unary(
                            method,
                            EchoRequest(),
                            options: CallOptions()
                        )
                    }
                    #expect(error?.code == .unimplemented)
                }
            }
        }
    }

    @Test("a message that cannot be decoded is INTERNAL on its side", arguments: Transport.allCases)
    func undecodable(_ transport: Transport) async throws {
        struct Raw: RPCMessage {
            var bytes: [UInt8]
            init(_ bytes: [UInt8]) { self.bytes = bytes }
            init(rpcBytes bytes: UnsafeRawBufferPointer) throws { self.bytes = [UInt8](bytes) }
            func encodeRPC(to sink: inout RPCByteSink) throws {
                sink.append(contentsOf: self.bytes)
            }
        }
        try await transport.withEcho { client in
            for method in [EchoMethods.unary, EchoMethods.upload, EchoMethods.talk] {
                let error = await rpcError {
                    let _: Raw = try await client.channel.unary(
                        method,
                        Raw([1, 2, 3]),
                        options: CallOptions()
                    )
                }
                #expect(error?.code == .internalError, "\(method)")
            }
        }
    }

    @Test("a client that sends no request gets an error", arguments: Transport.allCases)
    func missingRequest(_ transport: Transport) async throws {
        try await transport.withEcho { client in
            let call = try await client.channel.start(EchoMethods.unary, options: CallOptions())
            call.finishRequests()
            let error = await rpcError { _ = try await RPCResponse<EchoResponse>(only: call) }
            #expect(error?.code == .internalError)
        }
    }

    @Test("a server may end a call before it has read all requests", arguments: Transport.allCases)
    func earlyEnd(_ transport: Transport) async throws {
        var service = TestEcho()
        service.onUpload = { requests, _ in
            _ = try await requests.next()
            throw RPCError(code: .failedPrecondition, message: "enough")
        }
        try await transport.withEcho(service) { client in
            let call = try await client.upload()
            let error = await rpcError {
                // Far more than any window: the writer must not hang.
                for number in 0..<100 as Range<UInt64> {
                    let payload = [UInt8](repeating: 1, count: 100_000)
                    try await call.write(EchoRequest(number: number, payload: payload))
                }
                _ = try await call.finish()
            }
            #expect(error?.code == .failedPrecondition)
            let again = await rpcError { _ = try await call.finish() }
            #expect(again?.code == .failedPrecondition)
        }
    }

    // MARK: Limits

    @Test("requests are held to the server's limit", arguments: Transport.allCases, [-1, 0, 1])
    func requestLimit(_ transport: Transport, _ delta: Int) async throws {
        var server = RPCServerOptions()
        server.limits.maxInboundMessageBytes = 1000
        try await transport.withEcho(server: server) { client in
            // Eight bytes are the number's.
            let request = EchoRequest(payload: [UInt8](repeating: 1, count: 992 + delta))
            if delta <= 0 {
                #expect(try await client.unary(request) == request)
                let call = try await client.upload()
                try await call.write(request)
                #expect(try await call.finish() == request)
            } else {
                let error = await rpcError { _ = try await client.unary(request) }
                #expect(error?.code == .resourceExhausted)
                let streaming = await rpcError {
                    let call = try await client.upload()
                    try await call.write(request)
                    _ = try await call.finish()
                }
                #expect(streaming?.code == .resourceExhausted)
            }
        }
    }

    @Test("responses are held to the client's limit", arguments: Transport.allCases, [-1, 0, 1])
    func responseLimit(_ transport: Transport, _ delta: Int) async throws {
        try await transport.withEcho { client in
            let request = EchoRequest(payload: [UInt8](repeating: 1, count: 992 + delta))
            let options = CallOptions(maxResponseMessageBytes: 1000)
            if delta <= 0 {
                let response = try await client.unary(request, options: options)
                #expect(response == request)
            } else {
                let error = await rpcError {
                    _ = try await client.unary(request, options: options)
                }
                #expect(error?.code == .resourceExhausted)
            }
        }
    }

    @Test("both sides hold what they send to their limits", arguments: Transport.allCases, [0, 1])
    func sendLimits(_ transport: Transport, _ delta: Int) async throws {
        var server = RPCServerOptions()
        server.limits.maxOutboundMessageBytes = 2000
        try await transport.withEcho(server: server) { client in
            let options = CallOptions(maxRequestMessageBytes: 1000)
            let request = EchoRequest(payload: [UInt8](repeating: 1, count: 992 + delta))
            let code = await rpcErrorCode {
                _ = try await client.unary(request, options: options)
            }
            #expect(code == (delta == 0 ? nil : .resourceExhausted))
            let large = EchoRequest(payload: [UInt8](repeating: 1, count: 1992 + delta))
            let other = await rpcErrorCode { _ = try await client.unary(large) }
            #expect(other == (delta == 0 ? nil : .resourceExhausted))
        }
    }

    private func rpcErrorCode(_ body: () async throws -> Void) async -> RPCStatusCode? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? RPCError)?.code ?? .unknown
        }
    }

    // MARK: Backpressure

    @Test(
        "a server that writes faster than its client reads is suspended",
        arguments: Transport.allCases
    )
    func serverBackpressure(_ transport: Transport) async throws {
        let written = Shared(0)
        var service = TestEcho()
        service.onDownload = { request, responses, _ in
            for number in 0..<request.number {
                let payload = [UInt8](repeating: 1, count: 10_000)
                try await responses.write(EchoResponse(number: number, payload: payload))
                written.update { $0 += 1 }
            }
        }
        try await transport.withEcho(service) { client in
            let responses = try await client.download(EchoRequest(number: 5000))
            _ = try await responses.next()
            try await Task.sleep(for: .milliseconds(300))
            // 50 MB in all; windows and buffers on the way hold a few.
            let stalled = written.value
            #expect(stalled < 1500)
            var count = 1
            for try await _ in responses { count += 1 }
            #expect(count == 5000)
        }
    }

    @Test(
        "a client that writes faster than its server reads is suspended",
        arguments: Transport.allCases
    )
    func clientBackpressure(_ transport: Transport) async throws {
        let gate = Shared(false)
        let written = Shared(0)
        var service = TestEcho()
        service.onUpload = { requests, _ in
            try await poll("the gate opens") { gate.value }
            var response = EchoResponse()
            for try await _ in requests { response.number += 1 }
            return response
        }
        try await transport.withEcho(service) { client in
            let call = try await client.upload()
            async let sent: Void = {
                for _ in 0..<5000 {
                    try await call.write(EchoRequest(payload: [UInt8](repeating: 1, count: 10_000)))
                    written.update { $0 += 1 }
                }
            }()
            try await Task.sleep(for: .milliseconds(300))
            #expect(written.value < 1500)
            gate.set(true)
            try await sent
            #expect(try await call.finish().number == 5000)
        }
    }

    // MARK: Deadlines and cancellation

    @Test("a deadline ends the call on both sides", arguments: Transport.allCases)
    func deadline(_ transport: Transport) async throws {
        let handler = Shared("running")
        let seen = Shared<ContinuousClock.Instant?>(nil)
        let begun = Shared<ContinuousClock.Instant?>(nil)
        var service = TestEcho()
        service.onUnary = { request, context in
            begun.set(.now)
            seen.set(context.deadline)
            do {
                try await sleepUntilCancelled()
            } catch {
                handler.set(context.isCancelled ? "cancelled" : "odd")
                throw error
            }
            return request
        }
        try await transport.withEcho(service) { client in
            // A first call without a deadline, so that the second does not wait for a connection.
            _ = try await client.upload().finish()
            // On a busy machine a short time may pass before the handler has begun.
            for timeout in [Duration.milliseconds(500), .seconds(5), .seconds(30)] {
                let start = ContinuousClock.now
                let error = await rpcError {
                    let options = CallOptions(timeout: timeout)
                    _ = try await client.unary(EchoRequest(), options: options)
                }
                #expect(error?.code == .deadlineExceeded)
                #expect(ContinuousClock.now - start >= timeout)
                guard let deadline = seen.value, let begun = begun.value else { continue }
                try await poll("the handler is cancelled") { handler.value == "cancelled" }
                // The server counts from when the call reached it.
                #expect(deadline - start >= timeout - .milliseconds(1))
                #expect(deadline - begun <= timeout + .milliseconds(1))
                break
            }
            #expect(seen.value != nil)
        }
    }

    @Test("a deadline that has passed starts nothing", arguments: Transport.allCases)
    func pastDeadline(_ transport: Transport) async throws {
        let calls = Shared(0)
        var service = TestEcho()
        service.onUnary = { request, _ in
            calls.update { $0 += 1 }
            return request
        }
        try await transport.withEcho(service) { client in
            for options in [
                CallOptions(timeout: .zero), CallOptions(timeout: .seconds(-1)),
                CallOptions(timeout: .seconds(1), deadline: .now),
            ] {
                let error = await rpcError {
                    _ = try await client.unary(EchoRequest(), options: options)
                }
                #expect(error?.code == .deadlineExceeded)
            }
            #expect(calls.value == 0)
            // Very long ones do not overflow.
            for timeout in [Duration.seconds(Int64.max / 2), .seconds(99_999_999 * 3600)] {
                _ = try await client.unary(
                    EchoRequest(),
                    options: CallOptions(timeout: timeout)
                )
            }
        }
    }

    @Test("a deadline is handed on", arguments: Transport.allCases)
    func propagation(_ transport: Transport) async throws {
        var service = TestEcho()
        service.onUnary = { request, context in
            let deadline = CallOptions(propagating: context).deadline
            return EchoResponse(number: deadline == context.deadline && deadline != nil ? 1 : 0)
        }
        try await transport.withEcho(service) { client in
            let options = CallOptions(timeout: .seconds(30))
            let handedOn = try await client.unary(EchoRequest(), options: options)
            #expect(handedOn.number == 1)
            #expect(try await client.unary(EchoRequest()).number == 0)
        }
    }

    @Test("cancelling the task cancels the call and its handler", arguments: Transport.allCases)
    func taskCancellation(_ transport: Transport) async throws {
        let handler = Shared("none")
        var service = TestEcho()
        service.onUnary = { request, _ in
            handler.set("running")
            do {
                try await sleepUntilCancelled()
            } catch {
                handler.set("cancelled")
                throw error
            }
            return request
        }
        try await transport.withEcho(service) { client in
            let task = Task { try await client.unary(EchoRequest()) }
            try await poll("the handler runs") { handler.value == "running" }
            task.cancel()
            let error = await rpcError { _ = try await task.value }
            #expect(error?.code == .cancelled)
            try await poll("the handler is cancelled") { handler.value == "cancelled" }
        }
    }

    @Test("cancel after the start and after the first response", arguments: Transport.allCases)
    func cancel(_ transport: Transport) async throws {
        let handlers = Shared(0)
        var service = TestEcho()
        service.onTalk = { requests, responses, _ in
            defer { handlers.update { $0 += 1 } }
            for try await request in requests { try await responses.write(request) }
        }
        try await transport.withEcho(service) { client in
            let begun = try await client.talk()
            begun.cancel()
            await expectStatus(.cancelled) { _ = try await begun.responses.next() }
            let answered = try await client.talk()
            try await answered.write(EchoRequest(number: 5))
            #expect(try await answered.responses.next()?.number == 5)
            answered.cancel()
            await expectStatus(.cancelled) { _ = try await answered.responses.next() }
            let write = await rpcError { try await answered.write(EchoRequest()) }
            #expect(write?.code == .cancelled)
            try await poll("the handler ends") { handlers.value >= 1 }
        }
    }

    @Test("a call that nobody holds is cancelled", arguments: Transport.allCases)
    func dropped(_ transport: Transport) async throws {
        let handler = Shared("none")
        var service = TestEcho()
        service.onDownload = { _, responses, _ in
            try await responses.write(EchoResponse(number: 1))
            do {
                try await sleepUntilCancelled()
            } catch {
                handler.set("cancelled")
            }
        }
        try await transport.withEcho(service) { client in
            for try await _ in try await client.download(EchoRequest()) { break }
            try await poll("the handler is cancelled") { handler.value == "cancelled" }
        }
    }

    @Test(
        "a reader and a writer that wait are told of a cancellation",
        arguments: Transport.allCases
    )
    func waitingHandlers(_ transport: Transport) async throws {
        let reader = Shared<RPCStatusCode?>(nil)
        let writer = Shared<RPCStatusCode?>(nil)
        var service = TestEcho()
        service.onTalk = { requests, responses, _ in
            async let write: Void = {
                do {
                    while true {
                        let payload = [UInt8](repeating: 1, count: 10_000)
                        try await responses.write(EchoResponse(payload: payload))
                    }
                } catch {
                    writer.set((error as? RPCError)?.code)
                }
            }()
            do {
                while try await requests.next() != nil {}
            } catch {
                reader.set((error as? RPCError)?.code)
            }
            await write
        }
        try await transport.withEcho(service) { client in
            let call = try await client.talk()
            _ = try await call.responses.next()
            try await Task.sleep(for: .milliseconds(50))
            call.cancel()
            try await poll("both end") { reader.value == .cancelled && writer.value == .cancelled }
        }
    }

    // MARK: Interceptors

    @Test("server interceptors run around the handler", arguments: Transport.allCases)
    func serverInterceptors(_ transport: Transport) async throws {
        struct Authenticate: ServerInterceptor {
            let log: Shared<[String]>
            func intercept(_ context: ServerContext, next: () async throws -> Void) async throws {
                guard let user = context.metadata["x-user"] else {
                    throw RPCError(code: .unauthenticated, message: "who are you?")
                }
                context.attachment = user
                self.log.update { $0.append("before") }
                try await next()
                self.log.update { $0.append("after") }
                context.addTrailingMetadata(["x-served": user])
            }
        }
        struct Log: ServerInterceptor {
            let log: Shared<[String]>
            func intercept(_ context: ServerContext, next: () async throws -> Void) async throws {
                self.log.update { $0.append(context.method.name) }
                try await next()
            }
        }
        let log = Shared<[String]>([])
        var server = RPCServerOptions()
        server.interceptors = [Authenticate(log: log), Log(log: log)]
        var service = TestEcho()
        service.onUnary = { request, context in
            let user = context.attachment as? String
            log.update { $0.append("handler \(user ?? "")") }
            return request
        }
        try await transport.withEcho(service, server: server) { client in
            let refused = await rpcError { _ = try await client.unary(EchoRequest()) }
            #expect(refused?.code == .unauthenticated)
            #expect(log.value == [])
            let response = try await client.channel.unary(
                EchoMethods.unary,
                EchoRequest(),
                options: CallOptions(metadata: ["x-user": "ann"]),
                returning: EchoResponse.self
            )
            #expect(response.trailingMetadata["x-served"] == "ann")
            #expect(log.value == ["before", "Unary", "handler ann", "after"])
        }
    }

    @Test("client interceptors change options and see the end", arguments: Transport.allCases)
    func clientInterceptors(_ transport: Transport) async throws {
        struct Token: ClientInterceptor {
            let log: Shared<[String]>
            func willStart(
                _ method: RPCMethod,
                _ options: inout CallOptions
            ) async throws(RPCError) {
                await Task.yield()
                if method == EchoMethods.talk {
                    throw RPCError(code: .permissionDenied, message: "not here")
                }
                options.metadata.add("authorization", "Bearer t")
            }
            func didFinish(_ method: RPCMethod, _ status: RPCStatus) {
                self.log.update { $0.append("\(method.name) \(status.code)") }
            }
        }
        let log = Shared<[String]>([])
        var options = RPCClientOptions()
        options.interceptors = [Token(log: log)]
        var service = TestEcho()
        service.onUnary = { request, context in
            guard context.metadata["authorization"] == "Bearer t" else {
                throw RPCError(code: .unauthenticated, message: "")
            }
            guard request.number == 0 else { throw RPCError(code: .notFound, message: "") }
            return request
        }
        try await transport.withEcho(service, client: options) { client in
            _ = try await client.unary(EchoRequest())
            let error = await rpcError { _ = try await client.unary(EchoRequest(number: 1)) }
            #expect(error?.code == .notFound)
            await expectStatus(.permissionDenied) { _ = try await client.talk() }
            try await poll("both ends were seen") { log.value.count == 2 }
            #expect(log.value == ["Unary OK", "Unary NOT_FOUND"])
        }
    }

    @Test("the peer is known", arguments: Transport.allCases)
    func peer(_ transport: Transport) async throws {
        let peer = Shared("")
        var service = TestEcho()
        service.onUnary = { request, context in
            peer.set(context.peer.address)
            return request
        }
        try await transport.withEcho(service) { client in
            _ = try await client.unary(EchoRequest())
            #expect(peer.value.hasPrefix(transport.peerPrefix))
        }
    }
}
