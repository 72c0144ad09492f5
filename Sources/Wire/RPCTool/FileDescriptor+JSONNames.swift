// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors

extension FileDescriptor {
    /// The same file with a JSON name for every field: reflection of some servers, Python's among
    /// them, leaves out those that follow from the field's name.
    func addingJSONNames() -> FileDescriptor {
        var file = self
        file.messages = self.messages.map(Self.addingJSONNames)
        return file
    }

    private static func addingJSONNames(_ message: MessageDescriptor) -> MessageDescriptor {
        var message = message
        message.nestedMessages = message.nestedMessages.map(Self.addingJSONNames)
        for index in message.fields.indices where message.fields[index].jsonName.isEmpty {
            message.fields[index].jsonName = Self.jsonName(message.fields[index].name)
        }
        return message
    }

    /// Underscores go, and the letter behind one becomes upper case, as protoc does it.
    static func jsonName(_ name: String) -> String {
        var result: [UInt8] = []
        var isUpper = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                isUpper = true
            } else {
                let isLowerCase = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                result.append(isUpper && isLowerCase ? byte - 32 : byte)
                isUpper = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
