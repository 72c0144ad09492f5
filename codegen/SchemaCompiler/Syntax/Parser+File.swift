// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

// MARK: - Files, services

/// Field numbers in descriptor.proto that lead from one declaration to another.
enum DescriptorPath {
    static let filePackage: Int32 = 2
    static let fileDependency: Int32 = 3
    static let fileMessage: Int32 = 4
    static let fileEnum: Int32 = 5
    static let fileService: Int32 = 6
    static let fileExtension: Int32 = 7
    static let fileSyntax: Int32 = 12
    static let messageField: Int32 = 2
    static let messageNested: Int32 = 3
    static let messageEnum: Int32 = 4
    static let messageExtension: Int32 = 6
    static let messageOneof: Int32 = 8
    static let enumValue: Int32 = 2
    static let serviceMethod: Int32 = 2
}

extension Parser {
    mutating func parseFile() {
        let location = self.beginLocation([])
        if self.looksAt("syntax") || self.looksAt("edition") {
            self.recovering { (parser) throws(Failure) in try parser.syntaxStatement() }
        } else {
            self.warn(
                self.current.start,
                "expected a syntax statement, such as syntax = \"proto3\"; the file is read as proto2",
            )
        }
        while self.current.kind != .endOfFile {
            if self.looksAt(symbol: "}") {
                self.report(self.current.start, "expected a declaration, found an unmatched \"}\"")
                _ = self.takeDeclarationEnd("}", location: nil)
                continue
            }
            self.recovering { (parser) throws(Failure) in try parser.topLevelStatement() }
        }
        self.endLocation(location)
    }

    private mutating func syntaxStatement() throws(Failure) {
        let location = self.beginLocation([DescriptorPath.fileSyntax])
        let isEdition = self.looksAt("edition")
        self.advance()
        try self.expect(symbol: "=", "behind \"\(isEdition ? "edition" : "syntax")\"")
        let position = self.current.start
        let value = String(
            decoding: try self.string("the name of the syntax in quotes"),
            as: UTF8.self,
        )
        try self.endDeclaration(";", "behind the syntax statement", location: location)
        self.endLocation(location)
        switch value {
        case "proto2" where !isEdition: self.file.syntax = .proto2
        case "proto3" where !isEdition: self.file.syntax = .proto3
        case _ where isEdition:
            self.report(
                position,
                "expected syntax = \"proto2\" or syntax = \"proto3\": editions are not supported",
            )
            // Read as anything else, the file would be full of errors that are none.
            while self.current.kind != .endOfFile { self.advance() }
        default:
            self.report(position, "expected syntax \"proto2\" or \"proto3\", found \"\(value)\"")
        }
    }

    private mutating func topLevelStatement() throws(Failure) {
        let file = self.file
        if self.takeDeclarationEnd(";", location: nil) { return }
        if self.looksAt("message") {
            let path = [DescriptorPath.fileMessage, Int32(file.messages.count)]
            let message = try self.message(path, parent: nil, scope: file.packageName) {
                file.messages.append($0)
            }
            _ = message
        } else if self.looksAt("enum") {
            let path = [DescriptorPath.fileEnum, Int32(file.enums.count)]
            try self.enumeration(path, scope: file.packageName) { file.enums.append($0) }
        } else if self.looksAt("service") {
            try self.service()
        } else if self.looksAt("extend") {
            try self.extendBlock(
                [DescriptorPath.fileExtension],
                parent: nil,
                scope: file.packageName
            )
        } else if self.looksAt("import") {
            try self.importStatement()
        } else if self.looksAt("package") {
            try self.packageStatement()
        } else if self.looksAt("option") {
            if let option = try self.optionStatement() { file.options.append(option) }
        } else if self.looksAt("syntax") || self.looksAt("edition") {
            self.report(self.current.start, "expected the syntax statement before all others")
            throw Failure()
        } else {
            throw self.failure(
                "expected message, enum, service, extend, import, package or option"
            )
        }
    }

    private mutating func packageStatement() throws(Failure) {
        let location = self.beginLocation([DescriptorPath.filePackage])
        let position = self.current.start
        self.advance()
        let name = try self.qualifiedName("the package name", allowsLeadingDot: false)
        try self.endDeclaration(";", "behind the package name", location: location)
        self.endLocation(location)
        if self.isPackageKnown, self.file.package?.position == name.position { return }
        if self.file.package != nil || self.latePackage != nil {
            self.report(
                position,
                "expected one package statement at most; the file has one already"
            )
        } else if !self.file.messages.isEmpty || !self.file.enums.isEmpty
            || !self.file.services.isEmpty || !self.file.extensions.isEmpty
        {
            self.latePackage = name
        } else {
            self.file.package = name
        }
    }

    private mutating func importStatement() throws(Failure) {
        let index = Int32(self.file.imports.count)
        let location = self.beginLocation([DescriptorPath.fileDependency, index])
        self.advance()
        var kind = ImportDeclaration.Kind.plain
        if self.take("public") {
            kind = .public
        } else if self.take("weak") {
            kind = .weak
        } else if self.looksAt("option") {
            self.report(
                self.current.start,
                "expected a plain import: \"import option\" needs editions"
            )
            throw Failure()
        }
        let position = self.current.start
        let path = String(
            decoding: try self.string("the name of the file to import in quotes"),
            as: UTF8.self,
        )
        try self.endDeclaration(";", "behind the import", location: location)
        self.endLocation(location)
        if self.file.imports.contains(where: { $0.path == path }) {
            self.report(position, "expected each import once; \"\(path)\" is imported already")
        } else {
            self.file.imports.append(ImportDeclaration(path: path, kind: kind, position: position))
        }
    }

    private mutating func service() throws(Failure) {
        let path = [DescriptorPath.fileService, Int32(self.file.services.count)]
        let location = self.beginLocation(path)
        self.advance()
        let name = try self.identifier("the service's name")
        let service = ServiceDeclaration(name: name.text, position: name.position, file: self.file)
        self.file.services.append(service)
        let opened = self.current.start
        try self.endDeclaration("{", "to open the service", location: location)
        self.block("service", openedAt: opened) { (parser) throws(Failure) in
            if parser.takeDeclarationEnd(";", location: nil) { return }
            if parser.looksAt("option") {
                if let option = try parser.optionStatement() { service.options.append(option) }
            } else if parser.looksAt("rpc") {
                try parser.method(
                    path + [DescriptorPath.serviceMethod, Int32(service.methods.count)],
                    in: service,
                )
            } else {
                throw parser.failure("expected rpc or option in the service")
            }
        }
        self.endLocation(location)
    }

    private mutating func method(_ path: [Int32], in service: ServiceDeclaration) throws(Failure) {
        let location = self.beginLocation(path)
        self.advance()
        let name = try self.identifier("the method's name")
        try self.expect(symbol: "(", "before the request type")
        let clientStreaming = self.take("stream")
        let input = try self.qualifiedName("the request type")
        try self.expect(symbol: ")", "behind the request type")
        guard self.take("returns") else {
            throw self.failure("expected \"returns\" behind the request type")
        }
        try self.expect(symbol: "(", "before the response type")
        let serverStreaming = self.take("stream")
        let output = try self.qualifiedName("the response type")
        try self.expect(symbol: ")", "behind the response type")
        let method = MethodDeclaration(
            name: name.text,
            position: name.position,
            input: input,
            output: output,
            clientStreaming: clientStreaming,
            serverStreaming: serverStreaming,
        )
        service.methods.append(method)
        let opened = self.current.start
        if self.takeDeclarationEnd("{", location: location) {
            method.hasBlock = true
            self.block("method", openedAt: opened) { (parser) throws(Failure) in
                if parser.takeDeclarationEnd(";", location: nil) { return }
                guard parser.looksAt("option") else {
                    throw parser.failure("expected option in the method")
                }
                if let option = try parser.optionStatement() { method.options.append(option) }
            }
        } else {
            try self.endDeclaration(";", "or \"{\" behind the method", location: location)
        }
        self.endLocation(location)
    }
}
