// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// Turns linked declarations into descriptors.
struct DescriptorBuilder {
    let file: FileDeclaration

    /// The descriptor of the whole file.
    func build() -> FileDescriptor {
        let file = self.file
        func indexes(_ kind: ImportDeclaration.Kind) -> [Int32] {
            file.imports.enumerated().filter { $0.element.kind == kind }.map { Int32($0.offset) }
        }
        return FileDescriptor(
            name: file.name,
            package: file.packageName,
            dependencies: file.imports.map(\.path),
            publicDependencies: indexes(.public),
            weakDependencies: indexes(.weak),
            messages: file.messages.map(self.message),
            enums: file.enums.map(self.enumeration),
            services: file.services.map(self.service),
            extensions: file.extensions.map(self.field),
            options: self.options(file.interpretedOptions),
            sourceCodeInfo: SourceCodeInfo(locations: file.locations),
            syntax: file.syntax,
        )
    }

    private func options(_ message: OptionMessage?) -> DescriptorOptions {
        guard let message else { return DescriptorOptions() }
        let bytes = message.serialized()
        // Options that were all for the source only leave no trace.
        if bytes.isEmpty, message.hasSourceRetention { return DescriptorOptions() }
        return DescriptorOptions(bytes: bytes)
    }

    private func message(_ message: MessageDeclaration) -> MessageDescriptor {
        MessageDescriptor(
            name: message.name,
            fields: message.fields.map(self.field),
            extensions: message.extensions.map(self.field),
            nestedMessages: message.messages.map(self.message),
            enums: message.enums.map(self.enumeration),
            extensionRanges: message.extensionRanges.map { range in
                ExtensionRange(
                    start: range.start,
                    end: range.end + 1,
                    options: self.options(range.interpretedOptions),
                )
            },
            oneofs: message.oneofs.map { oneof in
                OneofDescriptor(name: oneof.name, options: self.options(oneof.interpretedOptions))
            },
            // The one option that compilers set by themselves: map_entry = true.
            options: message.isMapEntry
                ? DescriptorOptions(bytes: [0x38, 0x01]) : self.options(message.interpretedOptions),
            reservedRanges: message.reservedRanges.map {
                ReservedRange(start: $0.start, end: $0.end + 1)
            },
            reservedNames: message.reservedNames.map(\.text),
        )
    }

    private func field(_ field: FieldDeclaration) -> FieldDescriptor {
        let typeName: String
        switch field.type {
        case .message(let message), .group(let message): typeName = "." + message.fullName
        case .enumeration(let enumeration): typeName = "." + enumeration.fullName
        case .scalar, .named, .unresolved: typeName = ""
        }
        return FieldDescriptor(
            name: field.name,
            extendee: field.resolvedExtendee.map { "." + $0.fullName } ?? "",
            number: field.number,
            label: field.label,
            type: field.fieldType,
            typeName: typeName,
            defaultValue: field.defaultValue,
            options: self.options(field.interpretedOptions),
            oneofIndex: field.oneofIndex.map { Int32($0) },
            jsonName: field.jsonName,
            proto3Optional: field.isProto3Optional,
        )
    }

    private func enumeration(_ enumeration: EnumDeclaration) -> EnumDescriptor {
        EnumDescriptor(
            name: enumeration.name,
            values: enumeration.values.map { value in
                EnumValueDescriptor(
                    name: value.name,
                    number: value.number,
                    options: self.options(value.interpretedOptions),
                )
            },
            options: self.options(enumeration.interpretedOptions),
            reservedRanges: enumeration.reservedRanges.map {
                ReservedRange(start: $0.start, end: $0.end)
            },
            reservedNames: enumeration.reservedNames.map(\.text),
        )
    }

    private func service(_ service: ServiceDeclaration) -> ServiceDescriptor {
        ServiceDescriptor(
            name: service.name,
            methods: service.methods.map { method in
                var options = self.options(method.interpretedOptions)
                if method.hasBlock { options.isPresent = true }
                return MethodDescriptor(
                    name: method.name,
                    inputType: method.inputType.map { "." + $0.fullName } ?? "",
                    outputType: method.outputType.map { "." + $0.fullName } ?? "",
                    options: options,
                    clientStreaming: method.clientStreaming,
                    serverStreaming: method.serverStreaming,
                )
            },
            options: self.options(service.interpretedOptions),
        )
    }
}
