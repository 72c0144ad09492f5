// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import Glibc
import Testing

/// A file with every field of every message of descriptor.proto set.
private let everything = FileDescriptor(
    name: "all/things.proto",
    package: "all.things",
    dependencies: ["a.proto", "b.proto", "c.proto"],
    publicDependencies: [0, 2],
    weakDependencies: [1],
    optionDependencies: ["o.proto"],
    messages: [
        MessageDescriptor(
            name: "M",
            fields: [
                FieldDescriptor(
                    name: "f",
                    number: 536_870_911,
                    label: .repeated,
                    type: .message,
                    typeName: ".all.things.M.N",
                    options: DescriptorOptions(bytes: [0x10, 0x01]),
                    oneofIndex: 0,
                    jsonName: "F",
                    proto3Optional: true,
                ),
                FieldDescriptor(name: "g", number: 1, type: .string, defaultValue: ""),
            ],
            extensions: [
                FieldDescriptor(
                    name: "x",
                    extendee: ".all.things.M",
                    number: 100,
                    label: .required,
                    type: .sint64,
                )
            ],
            nestedMessages: [
                MessageDescriptor(name: "N", options: DescriptorOptions(bytes: [0x38, 0x01]))
            ],
            enums: [
                EnumDescriptor(name: "E", values: [EnumValueDescriptor(name: "V", number: -1)])
            ],
            extensionRanges: [
                ExtensionRange(start: 100, end: 200, options: DescriptorOptions(bytes: []))
            ],
            oneofs: [OneofDescriptor(name: "o", options: DescriptorOptions(bytes: [0x08, 0x01]))],
            options: DescriptorOptions(bytes: [0x18, 0x01]),
            reservedRanges: [ReservedRange(start: 5, end: 7)],
            reservedNames: ["r", "s"],
            visibility: 1,
        )
    ],
    enums: [
        EnumDescriptor(
            name: "E",
            values: [
                EnumValueDescriptor(
                    name: "A",
                    number: .min,
                    options: DescriptorOptions(bytes: [0x08, 0x01]),
                ),
                EnumValueDescriptor(name: "B", number: .max),
            ],
            options: DescriptorOptions(bytes: [0x10, 0x01]),
            reservedRanges: [ReservedRange(start: -5, end: .max)],
            reservedNames: ["C"],
            visibility: 2,
        )
    ],
    services: [
        ServiceDescriptor(
            name: "S",
            methods: [
                MethodDescriptor(
                    name: "Call",
                    inputType: ".a.In",
                    outputType: ".a.Out",
                    options: DescriptorOptions(bytes: []),
                    clientStreaming: true,
                    serverStreaming: true,
                )
            ],
            options: DescriptorOptions(bytes: [0x88, 0x02, 0x01]),
        )
    ],
    extensions: [FieldDescriptor(name: "y", extendee: ".M", number: 101, type: .group)],
    options: DescriptorOptions(bytes: [0x0a, 0x01, 0x6a]),
    sourceCodeInfo: SourceCodeInfo(locations: [
        SourceLocation(
            path: [4, 0, 2, 1],
            span: [1, 2, 300],
            leadingComments: " l\n",
            trailingComments: "",
            leadingDetachedComments: ["a", "ü"],
        )
    ]),
    syntax: .editions,
    edition: 1000,
)

@Suite("Descriptors")
struct DescriptorTests {
    @Test("come back equal from their serialized form")
    func roundTrip() throws {
        let bytes = everything.serialized()
        #expect(try FileDescriptor(parsing: bytes) == everything)
        let borrowed = try bytes.withUnsafeBytes { try FileDescriptor(parsing: $0) }
        #expect(borrowed == everything)
        let set = FileDescriptorSet(files: [everything, FileDescriptor(name: "empty.proto")])
        #expect(try FileDescriptorSet(parsing: set.serialized()) == set)
    }

    @Test("serialize to the bytes that the format prescribes")
    func golden() {
        let file = FileDescriptor(
            name: "a",
            messages: [MessageDescriptor(name: "M")],
            syntax: .proto3,
        )
        #expect(
            file.serialized() == [
                0x0a, 0x01, 0x61,  // name
                0x22, 0x03, 0x0a, 0x01, 0x4d,  // message_type
                0x62, 0x06, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x33,  // syntax
            ]
        )
        let value = EnumValueDescriptor(name: "V", number: -1)
        #expect(
            value.serialized() == [
                0x0a, 0x01, 0x56, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
            ]
        )
    }

    @Test("leave out what is absent and keep what is empty")
    func presence() throws {
        #expect(FileDescriptor().serialized().isEmpty)
        let method = MethodDescriptor(name: "m", options: DescriptorOptions(bytes: []))
        #expect(method.serialized() == [0x0a, 0x01, 0x6d, 0x22, 0x00])
        #expect(try MethodDescriptor(parsing: method.serialized()).options.isPresent)
        let field = FieldDescriptor(name: "f", type: .string, defaultValue: "")
        #expect(try FieldDescriptor(parsing: field.serialized()).defaultValue == "")
        let bare = FieldDescriptor(name: "f", type: .string)
        #expect(try FieldDescriptor(parsing: bare.serialized()).defaultValue == nil)
    }

    @Test("skip fields that they do not know, of every wire type")
    func unknownFields() throws {
        let unknown: [UInt8] = [
            0xa0, 0x3f, 0x07,  // 1012: varint
            0xa1, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8,  // fixed64
            0xa2, 0x3f, 0x02, 0xff, 0xff,  // length-delimited
            0xa3, 0x3f, 0x0b, 0x08, 0x01, 0x0c, 0xa4, 0x3f,  // group with a group inside
            0xa5, 0x3f, 1, 2, 3, 4,  // fixed32
        ]
        #expect(try FileDescriptor(parsing: unknown + everything.serialized()) == everything)
        #expect(try FileDescriptor(parsing: everything.serialized() + unknown) == everything)
    }

    @Test("take packed and unpacked lists of numbers")
    func packedLists() throws {
        let packed = try FileDescriptor(parsing: [0x52, 0x02, 0x00, 0x02])
        let unpacked = try FileDescriptor(parsing: [0x50, 0x00, 0x50, 0x02])
        #expect(packed.publicDependencies == [0, 2])
        #expect(unpacked == packed)
    }

    @Test("merge options that come in parts")
    func mergedOptions() throws {
        let message = try MessageDescriptor(parsing: [
            0x3a, 0x02, 0x18, 0x01, 0x3a, 0x02, 0x38, 0x01,
        ])
        #expect(message.options.bytes == [0x18, 0x01, 0x38, 0x01])
        #expect(message.isMapEntry)
    }

    @Test("know which types can be packed")
    func packable() {
        let unpackable = FieldType.allCases.filter { !$0.isPackable }
        #expect(unpackable == [.string, .group, .message, .bytes])
    }

    @Test(
        "equal protoc's bytes",
        .enabled(if: system("python3 -c 'import grpc_tools, google.protobuf' 2>/dev/null") == 0),
    )
    func protoc() throws {
        let output = "/tmp/apus-descriptors-\(getpid())"
        defer { unlink(output) }
        let code = system(
            """
            cd "$(python3 -c 'import grpc_tools, os; print(os.path.dirname(grpc_tools.__file__))')/_proto" &&
            python3 -m grpc_tools.protoc -I. --include_imports --include_source_info \
                --descriptor_set_out='\(output)' $(find google -name '*.proto')
            """
        )
        #expect(code == 0)
        let file = try #require(fopen(output, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        let set = try FileDescriptorSet(parsing: bytes)
        #expect(set.files.count >= 12)
        #expect(set.serialized() == bytes)
    }
}
