// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors
internal import Protobuf

/// Builds the models of schema files: names, types and places, everything but the text.
struct ModelBuilder {
    let files: [FileDescriptor]
    let generated: [String]
    let options: SwiftEmitter.Options

    /// Builds the models of all files to generate, in the order they were named.
    func build() throws(SwiftEmitter.Problem) -> [FileModel] {
        let index = try TypeIndex(self.files)
        let byName = Dictionary(self.files.map { ($0.name, $0) }) { first, _ in first }
        var endless = EndlessMessages(self.files)
        var models: [FileModel] = []
        var seen: Set<String> = []
        for name in self.generated where seen.insert(name).inserted {
            guard let file = byName[name] else { continue }
            if let cycle = endless.cycle(in: file) {
                throw SwiftEmitter.Problem(
                    file: name,
                    message: "a message must contain itself without end, by the fields "
                        + "\(cycle.joined(separator: ", ")); make one of them optional or repeated",
                )
            }
            var builder = FileModelBuilder(
                file: file,
                index: index,
                modules: ModuleFinder(
                    generated: Set(self.generated),
                    mappings: self.options.modules
                ),
            )
            models.append(try builder.build())
        }
        return models
    }
}

/// Tells which module a schema file's types are in.
struct ModuleFinder {
    let generated: Set<String>
    let mappings: [SwiftEmitter.ModuleMapping]

    /// The module of a file; nil for the one being generated.
    func module(of file: String) -> String? {
        if self.generated.contains(file) { return nil }
        let all = self.mappings + SwiftEmitter.wellKnownModules
        return all.first { file.hasPrefix($0.pathPrefix) }?.module
    }
}

/// Builds the model of one file.
struct FileModelBuilder {
    let file: FileDescriptor
    let index: TypeIndex
    let modules: ModuleFinder

    private let namespace: String
    /// Paths of all types of the namespace that are nested in others.
    private let nestedNames: Set<[String]>
    private let comments: Comments
    private let names: RuntimeNames
    private var nextMessage = 0
    private var nextEnum = 0
    private var publicModules: Set<String> = []
    private var usesBytes = false

    init(file: FileDescriptor, index: TypeIndex, modules: ModuleFinder) {
        self.file = file
        self.index = index
        self.modules = modules
        let namespace = TypeIndex.namespace(of: file)
        self.namespace = namespace
        self.nestedNames = index.nested[namespace] ?? []
        self.comments = Comments(file.sourceCodeInfo)
        self.names = RuntimeNames(taken: index.simpleNames)
    }

    mutating func build() throws(SwiftEmitter.Problem) -> FileModel {
        let prefix = self.file.package.isEmpty ? "" : self.file.package + "."
        var messages: [MessageModel] = []
        for (position, message) in self.file.messages.enumerated() {
            messages.append(try self.message(message, prefix, [], [4, Int32(position)]))
        }
        var enums: [EnumModel] = []
        for (position, enumeration) in self.file.enums.enumerated() {
            enums.append(self.enumeration(enumeration, prefix, [5, Int32(position)]))
        }
        let messageModules = self.publicModules
        self.publicModules = []
        var services: [ServiceModel] = []
        for (position, service) in self.file.services.enumerated() {
            services.append(try self.service(service, prefix, [6, Int32(position)]))
        }
        let dependencyModules = Set(
            self.file.dependencies.compactMap { self.modules.module(of: $0) }
        )
        var descriptor = self.file
        descriptor.sourceCodeInfo = nil
        return FileModel(
            name: self.file.name,
            package: self.file.package,
            namespace: self.namespace,
            schemaName: SwiftNamer.schemaName(self.file.name),
            header: Comments.header(self.file.sourceCodeInfo),
            dependencySchemas: self.file.dependencies.map {
                SwiftNamer.schemaName($0) + ".file"
            },
            descriptor: descriptor.serialized(),
            messages: messages,
            enums: enums,
            services: services,
            publicModules: messageModules,
            internalModules: dependencyModules.subtracting(messageModules),
            serviceModules: self.publicModules,
            usesBytes: self.usesBytes,
            names: self.names,
        )
    }

    private func problem(_ message: String) -> SwiftEmitter.Problem {
        SwiftEmitter.Problem(file: self.file.name, message: message)
    }

    // MARK: - Messages

    private mutating func message(
        _ message: MessageDescriptor,
        _ prefix: String,
        _ outer: [String],
        _ path: [Int32],
    ) throws(SwiftEmitter.Problem) -> MessageModel {
        // The runtime counts the same way: a message before what is inside it.
        let index = self.nextMessage
        self.nextMessage += 1
        let fullName = prefix + message.name
        let scope = outer + [SwiftNamer.typeName(message.name)]
        var nested: [MessageModel] = []
        for (position, inner) in message.nestedMessages.enumerated() where !inner.isMapEntry {
            nested.append(
                try self.message(inner, fullName + ".", scope, path + [3, Int32(position)])
            )
        }
        var enums: [EnumModel] = []
        for (position, inner) in message.enums.enumerated() {
            enums.append(self.enumeration(inner, fullName + ".", path + [4, Int32(position)]))
        }
        return MessageModel(
            fullName: fullName,
            swiftName: SwiftNamer.typeName(message.name),
            index: index,
            comment: self.comments[path],
            properties: try self.properties(message, fullName, scope, path),
            messages: nested,
            enums: enums,
        )
    }

    private mutating func properties(
        _ message: MessageDescriptor,
        _ fullName: String,
        _ scope: [String],
        _ path: [Int32],
    ) throws(SwiftEmitter.Problem) -> [PropertyModel] {
        let layout: MessageLayout
        do throws(MessageLayout.Failure) {
            layout = try MessageLayout(message, in: self.file)
        } catch {
            switch error {
            case .tooLarge(let bytes, let limit):
                throw self.problem(
                    "message \(fullName) takes \(bytes) bytes, more than the \(limit) that fit a block"
                )
            }
        }
        var names: Set<String> = []
        var properties: [PropertyModel] = []
        var oneofs: [Int32: Int] = [:]
        for (position, field) in message.fields.enumerated() {
            let model = try self.field(
                field,
                layout.places[position],
                fullName,
                scope,
                path + [2, Int32(position)],
                &names,
            )
            guard let oneof = field.oneofIndex, !field.proto3Optional else {
                properties.append(.field(model))
                continue
            }
            if let place = oneofs[oneof], case .oneof(var known) = properties[place] {
                known.members.append(model)
                properties[place] = .oneof(known)
                continue
            }
            oneofs[oneof] = properties.count
            properties.append(
                .oneof(
                    self.oneof(message, oneof, layout.places[position], path, model, &names)
                )
            )
        }
        return properties
    }

    private func oneof(
        _ message: MessageDescriptor,
        _ index: Int32,
        _ place: MessageLayout.Place,
        _ path: [Int32],
        _ first: FieldModel,
        _ names: inout Set<String>,
    ) -> OneofModel {
        let name =
            message.oneofs.indices.contains(Int(index)) ? message.oneofs[Int(index)].name : "oneof"
        return OneofModel(
            swiftName: Self.unique(SwiftNamer.propertyName(name), "_oneof", &names),
            typeName: SwiftNamer.oneofTypeName(name),
            comment: self.comments[path + [8, index]],
            caseSlot: place.caseSlot ?? 0,
            members: [first],
        )
    }

    // MARK: - Fields

    private mutating func field(
        _ field: FieldDescriptor,
        _ place: MessageLayout.Place,
        _ message: String,
        _ scope: [String],
        _ path: [Int32],
        _ names: inout Set<String>,
    ) throws(SwiftEmitter.Problem) -> FieldModel {
        guard field.type != .group else {
            throw self.problem(
                "field \(message).\(field.name) is a group; use a message field instead"
            )
        }
        let slot = place.slot
        let type: SwiftType
        let storage: FieldModel.Storage
        if field.label == .repeated, let entry = self.index.entries[field.typeName]?.mapEntry {
            let parts = try entry.fields.map { (part) throws(SwiftEmitter.Problem) in
                try self.type(of: part, in: scope).text
            }
            let text = "\(self.names.protobuf("MapField"))<\(parts.joined(separator: ", "))>"
            type = SwiftType(text: text, zero: "\(text)()", isMessage: false)
            storage = .map(slot: slot)
        } else {
            let element = try self.type(of: field, in: scope)
            if field.label == .repeated {
                let text = "\(self.names.protobuf("RepeatedField"))<\(element.text)>"
                type = SwiftType(text: text, zero: "\(text)()", isMessage: false)
                storage = .list(slot: slot)
            } else {
                type = element
                storage = self.storage(place, element)
            }
        }
        var property = SwiftNamer.propertyName(field.name)
        // A member of an enum of that name is not told from those of Optional.
        if place.caseSlot != nil, ["none", "some"].contains(property) { property += "_" }
        let name = Self.unique(property, "_\(field.number)", &names)
        return FieldModel(
            swiftName: name,
            number: field.number,
            comment: self.comments[path],
            isDeprecated: field.options.bool(3),
            type: type,
            storage: storage,
            defaultValue: self.defaultValue(field, name, type, &names),
        )
    }

    private func storage(_ place: MessageLayout.Place, _ type: SwiftType) -> FieldModel.Storage {
        if let caseSlot = place.caseSlot { return .member(slot: place.slot, caseSlot: caseSlot) }
        if let bit = place.bit { return .optional(slot: place.slot, bit: bit) }
        let hasNoPresence = place.isAlways || place.isImplicit
        if type.isMessage {
            return hasNoPresence ? .message(slot: place.slot) : .optionalMessage(slot: place.slot)
        }
        return .plain(slot: place.slot)
    }

    private mutating func type(
        of field: FieldDescriptor,
        in scope: [String],
    ) throws(SwiftEmitter.Problem) -> SwiftType {
        func number(_ name: String) -> SwiftType {
            SwiftType(text: self.names.swift(name), zero: "0", isMessage: false)
        }
        switch field.type {
        case .int32, .sint32, .sfixed32: return number("Int32")
        case .int64, .sint64, .sfixed64: return number("Int64")
        case .uint32, .fixed32: return number("UInt32")
        case .uint64, .fixed64: return number("UInt64")
        case .float: return number("Float")
        case .double: return number("Double")
        case .bool:
            return SwiftType(text: self.names.swift("Bool"), zero: "false", isMessage: false)
        case .string:
            return SwiftType(text: self.names.swift("String"), zero: "\"\"", isMessage: false)
        case .bytes:
            self.usesBytes = true
            // The module has the name of its type: there is no longer way to write it.
            guard !self.index.simpleNames.contains("Bytes") else {
                throw self.problem("a type called Bytes hides the Swift type of bytes fields")
            }
            return SwiftType(text: "Bytes", zero: "Bytes()", isMessage: false)
        case .enum:
            let text = try self.reference(field.typeName, in: scope)
            return SwiftType(text: text, zero: "\(text)(rawValue: 0)", isMessage: false)
        case .message, .group, nil:
            let text = try self.reference(field.typeName, in: scope)
            return SwiftType(text: text, zero: "\(text)()", isMessage: true)
        }
    }

    /// The Swift type of a message or enum, as seen from inside `scope`.
    private mutating func reference(
        _ fullName: String,
        in scope: [String],
    ) throws(SwiftEmitter.Problem) -> String {
        guard let entry = self.index.entries[fullName] else {
            throw self.problem("type \(fullName.dropFirst()) is in none of the files given")
        }
        if let module = self.modules.module(of: entry.file) { self.publicModules.insert(module) }
        if entry.namespace == self.namespace, entry.path.count == 1,
            !self.isHidden(entry.path[0], in: scope)
        {
            return entry.path[0]
        }
        let parts = (entry.namespace.isEmpty ? [] : [entry.namespace]) + entry.path
        // A type called like the namespace would be found first.
        if self.isHidden(parts[0], in: scope)
            || (self.index.topLevel[self.namespace]?.contains(parts[0]) ?? false
                && !(entry.namespace.isEmpty && self.namespace.isEmpty))
        {
            if let module = self.modules.module(of: entry.file) {
                return ([module] + parts).joined(separator: ".")
            }
            throw self.problem(
                "\(parts.joined(separator: ".")) cannot be named inside "
                    + "\(([self.namespace] + scope).joined(separator: ".")), where \(parts[0]) is another "
                    + "type; give one of the files another swift_prefix"
            )
        }
        return parts.joined(separator: ".")
    }

    /// The Swift type of a message as seen from outside any namespace.
    private func qualified(_ fullName: String) -> String {
        guard let entry = self.index.entries[fullName] else { return "" }
        let parts = (entry.namespace.isEmpty ? [] : [entry.namespace]) + entry.path
        return parts.joined(separator: ".")
    }

    /// Whether a name means a nested type somewhere between the namespace and `scope`.
    private func isHidden(_ name: String, in scope: [String]) -> Bool {
        guard !scope.isEmpty else { return false }
        for depth in 1...scope.count {
            let outer = Array(scope.prefix(depth))
            // Anything nested one level below `outer` under this name hides it.
            if self.nestedNames.contains(outer + [name]) { return true }
        }
        return false
    }

    private func defaultValue(
        _ field: FieldDescriptor,
        _ name: String,
        _ type: SwiftType,
        _ names: inout Set<String>,
    ) -> String? {
        guard let text = field.defaultValue, let expression = self.literal(text, field) else {
            return nil
        }
        let constant = Self.unique(
            SwiftNamer.adding("Default", to: name),
            "_\(field.number)",
            &names
        )
        return "\(constant): \(type.text) = \(expression)"
    }

    private func literal(_ text: String, _ field: FieldDescriptor) -> String? {
        switch field.type {
        case .string:
            return SwiftLiteral.string(text)
        case .bytes:
            return "Bytes(\(SwiftLiteral.byteList(escaped: text)))"
        case .float, .double:
            switch text {
            case "inf": return ".infinity"
            case "-inf": return "-.infinity"
            case "nan": return ".nan"
            default: return text
            }
        case .enum:
            guard let entry = self.index.entries[field.typeName], let type = entry.enumeration
            else {
                return nil
            }
            let names = Self.valueNames(type)
            return type.values.firstIndex { $0.name == text }.map {
                "." + SwiftNamer.bare(names[$0])
            }
        case .int64, .uint64, .int32, .fixed64, .fixed32, .bool, .uint32, .sfixed32, .sfixed64,
            .sint32, .sint64:
            return text
        case .message, .group, nil:
            return nil
        }
    }

    /// Adds `suffix` until a name is new.
    private static func unique(
        _ name: String,
        _ suffix: String,
        _ names: inout Set<String>,
    ) -> String {
        var result = name
        while !names.insert(result).inserted { result = SwiftNamer.adding(suffix, to: result) }
        return result
    }

    // MARK: - Enums

    private mutating func enumeration(
        _ enumeration: EnumDescriptor,
        _ prefix: String,
        _ path: [Int32],
    ) -> EnumModel {
        let index = self.nextEnum
        self.nextEnum += 1
        let names = Self.valueNames(enumeration)
        let values = enumeration.values.enumerated().map { position, value in
            EnumModel.Value(
                swiftName: names[position],
                number: value.number,
                comment: self.comments[path + [2, Int32(position)]],
            )
        }
        return EnumModel(
            fullName: prefix + enumeration.name,
            swiftName: SwiftNamer.typeName(enumeration.name),
            index: index,
            comment: self.comments[path],
            values: values,
        )
    }

    /// Names of an enum's values: short ones, or all in full when short ones collide.
    private static func valueNames(_ enumeration: EnumDescriptor) -> [String] {
        let short = enumeration.values.map {
            SwiftNamer.valueName($0.name, inEnum: enumeration.name)
        }
        if Set(short).count == short.count { return short }
        var names: Set<String> = []
        return enumeration.values.map {
            self.unique(SwiftNamer.fullValueName($0.name), "_", &names)
        }
    }

    // MARK: - Services

    private mutating func service(
        _ service: ServiceDescriptor,
        _ prefix: String,
        _ path: [Int32],
    ) throws(SwiftEmitter.Problem) -> ServiceModel {
        var name = SwiftNamer.bare(SwiftNamer.typeName(service.name))
        if name.hasSuffix("Service"), name != "Service" { name.removeLast("Service".count) }
        for suffix in ["Methods", "Client", "Service"] {
            guard !(self.index.topLevel[self.namespace]?.contains(name + suffix) ?? false) else {
                throw self.problem(
                    "service \(prefix + service.name) needs the Swift name \(name + suffix), which a "
                        + "message or enum has"
                )
            }
        }
        var names: Set<String> = []
        var methods: [MethodModel] = []
        for (position, method) in service.methods.enumerated() {
            methods.append(
                MethodModel(
                    name: method.name,
                    swiftName: Self.unique(SwiftNamer.methodName(method.name), "_", &names),
                    kind: Self.kind(method),
                    comment: self.comments[path + [2, Int32(position)]],
                    input: try self.reference(method.inputType, in: []),
                    qualifiedInput: self.qualified(method.inputType),
                    output: try self.reference(method.outputType, in: []),
                    qualifiedOutput: self.qualified(method.outputType),
                )
            )
        }
        return ServiceModel(
            fullName: prefix + service.name,
            baseName: name,
            comment: self.comments[path],
            methods: methods,
        )
    }

    private static func kind(_ method: MethodDescriptor) -> MethodModel.Kind {
        switch (method.clientStreaming, method.serverStreaming) {
        case (false, false): .unary
        case (true, false): .clientStreaming
        case (false, true): .serverStreaming
        case (true, true): .bidirectional
        }
    }
}
