// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Declarations hold what they refer to, and what they refer to holds them. A compilation that is
// over cuts these circles, so that nothing of it stays in memory.

extension FileDeclaration {
    /// Cuts all references between declarations.
    func dismantle() {
        for message in self.messages { message.dismantle() }
        for enumeration in self.enums { enumeration.dismantle() }
        for field in self.extensions { field.dismantle() }
        for service in self.services { service.dismantle() }
        self.messages = []
        self.enums = []
        self.extensions = []
        self.services = []
        self.interpretedOptions = nil
    }
}

extension MessageDeclaration {
    fileprivate func dismantle() {
        for message in self.messages { message.dismantle() }
        for enumeration in self.enums { enumeration.dismantle() }
        for field in self.fields + self.extensions { field.dismantle() }
        for oneof in self.oneofs { oneof.interpretedOptions = nil }
        for range in self.extensionRanges { range.interpretedOptions = nil }
        self.messages = []
        self.enums = []
        self.fields = []
        self.extensions = []
        self.fieldsByName = [:]
        self.interpretedOptions = nil
    }
}

extension FieldDeclaration {
    fileprivate func dismantle() {
        self.type = .unresolved
        self.resolvedExtendee = nil
        self.interpretedOptions = nil
    }
}

extension EnumDeclaration {
    fileprivate func dismantle() {
        for value in self.values { value.interpretedOptions = nil }
        self.values = []
        self.interpretedOptions = nil
    }
}

extension ServiceDeclaration {
    fileprivate func dismantle() {
        for method in self.methods {
            method.inputType = nil
            method.outputType = nil
            method.interpretedOptions = nil
        }
        self.methods = []
        self.interpretedOptions = nil
    }
}
