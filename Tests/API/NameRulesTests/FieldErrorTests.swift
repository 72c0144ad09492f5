// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
import Testing

@Suite("Field error") struct FieldErrorTests {
    private static let image = FieldPath("spec", "containers").index(0).child("image")

    @Test(
        "reads as upstream's",
        arguments: [
            (.required(image), "spec.containers[0].image: Required value"),
            (
                .required(image, "must be set"),
                "spec.containers[0].image: Required value: must be set"
            ),
            (
                .invalid("metadata", "A", "bad"),
                "metadata: Invalid value: \"A\": bad"
            ),
            (.invalid(FieldPath(), "a\"b\n", "bad"), "<nil>: Invalid value: \"a\\\"b\\n\": bad"),
            (
                .invalid("r", -1, "must be greater than or equal to 0"),
                "r: Invalid value: -1: must be greater than or equal to 0"
            ),
            (.invalid("r", true, "no"), "r: Invalid value: true: no"),
            (.invalid("r", .double(1.5), "no"), "r: Invalid value: 1.5: no"),
            (.invalid("r", .null, "no"), "r: Invalid value: null: no"),
            (.invalid("r", .json("{\"a\":1}"), "no"), "r: Invalid value: {\"a\":1}: no"),
            (.invalid("r", .init(["a", "<"]), "no"), "r: Invalid value: [\"a\",\"\\u003c\"]: no"),
            (.invalid("r", .init([String]?.none), "no"), "r: Invalid value: null: no"),
            (.invalid("r", .init(String?.none), "no"), "r: Invalid value: null: no"),
            (
                .typeInvalid("r", "x", "must be a number"),
                "r: Invalid value: \"x\": must be a number"
            ),
            (
                .notSupported("p", "x", supported: ["a", "b"]),
                "p: Unsupported value: \"x\": supported values: \"a\", \"b\""
            ),
            (.notSupported("p", "x", supported: []), "p: Unsupported value: \"x\""),
            (.notFound("n", "x"), "n: Not found: \"x\""),
            (.duplicate("n", "x"), "n: Duplicate value: \"x\""),
            (.forbidden("n", "no"), "n: Forbidden: no"),
            (.tooLong("n", limit: 5), "n: Too long: may not be more than 5 bytes"),
            (.tooLong("n", limit: 1), "n: Too long: may not be more than 1 byte"),
            (.tooLong("n", limit: -1), "n: Too long: value is too long"),
            (.tooLong("n", characterLimit: 5), "n: Too long: may not be more than 5 characters"),
            (.tooLong("n", characterLimit: 1), "n: Too long: may not be more than 1 character"),
            (.tooShort("n", "x", limit: 2), "n: Too short: must be at least 2 characters"),
            (.tooShort("n", "x", limit: 1), "n: Too short: must be at least 1 character"),
            (.tooMany("n", count: 3, limit: 2), "n: Too many: 3: must have at most 2 items"),
            (.tooMany("n", count: 3, limit: 1), "n: Too many: 3: must have at most 1 item"),
            (.tooMany("n", count: -1, limit: 1), "n: Too many: must have at most 1 item"),
            (.tooMany("n", count: 3, limit: -1), "n: Too many: 3: has too many items"),
            (.tooFew("n", count: 0, limit: 1), "n: Too few: 0: must have at least 1 item"),
            (.internalError("n", "oops"), "n: Internal error: oops"),
        ] as [(FieldError, String)]
    )
    func texts(_ error: FieldError, _ expected: String) {
        #expect(error.description == expected)
    }

    @Test(
        "has upstream's reason",
        arguments: zip(
            FieldErrorType.allCases,
            [
                "FieldValueNotFound", "FieldValueRequired", "FieldValueDuplicate",
                "FieldValueInvalid", "FieldValueNotSupported", "FieldValueForbidden",
                "FieldValueTooLong", "FieldValueTooMany", "FieldValueTooFew", "InternalError",
                "FieldValueTypeInvalid", "FieldValueTooShort",
            ]
        )
    )
    func reasons(_ type: FieldErrorType, _ reason: String) {
        #expect(type.rawValue == reason)
        #expect(FieldErrorType.allCases.count == 12)
    }

    @Test(
        "has a path",
        arguments: [
            (FieldPath(), "<nil>"), ("spec", "spec"), (FieldPath("a", "b"), "a.b"),
            (FieldPath("a").index(3), "a[3]"), (FieldPath("a").key("x.y/z"), "a[x.y/z]"),
            (FieldPath("a").index(0).child("b", "c"), "a[0].b.c"),
            (FieldPath("a").key("k").index(1).child("b"), "a[k][1].b"),
            (FieldPath().child("key"), "key"), (FieldPath().index(1), "[1]"),
        ] as [(FieldPath, String)]
    )
    func paths(_ path: FieldPath, _ expected: String) {
        #expect(path.description == expected)
    }

    @Test("is collected while walking down")
    func collecting() {
        var errors = FieldErrors()
        errors.within("spec") { errors in
            errors.within("containers", index: 1) { errors in
                errors.required(at: "image")
                errors.within("env") { errors in
                    errors.within(index: 2) { $0.invalid(at: "name", "", ["one", "two"]) }
                    errors.within(key: "k") { $0.forbidden("no") }
                }
            }
            errors.duplicate(at: "name", "x")
        }
        #expect(
            errors.list.map(\.description) == [
                "spec.containers[1].image: Required value",
                "spec.containers[1].env[2].name: Invalid value: \"\": one",
                "spec.containers[1].env[2].name: Invalid value: \"\": two",
                "spec.containers[1].env[k]: Forbidden: no", "spec.name: Duplicate value: \"x\"",
            ]
        )
        #expect(errors.path.isEmpty)
    }

    @Test("makes the message and the causes of a Status")
    func status() {
        var errors = FieldErrors(at: "spec")
        #expect(
            errors.message(kind: "Pod", group: "", name: "a") == "Pod \"a\" is invalid"
        )
        errors.invalid(at: "replicas", -1, "must be greater than or equal to 0")
        #expect(
            errors.message(kind: "Deployment", group: "apps", name: "web")
                == "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be "
                + "greater than or equal to 0"
        )
        errors.required(at: "selector")
        errors.required(at: "selector")
        #expect(
            errors.aggregate
                == "[spec.replicas: Invalid value: -1: must be greater than or equal to 0, "
                + "spec.selector: Required value]"
        )
        #expect(
            errors.causes == [
                .init(
                    reason: "FieldValueInvalid",
                    message: "Invalid value: -1: must be greater than or equal to 0",
                    field: "spec.replicas"
                ),
                .init(
                    reason: "FieldValueRequired",
                    message: "Required value",
                    field: "spec.selector"
                ),
                .init(
                    reason: "FieldValueRequired",
                    message: "Required value",
                    field: "spec.selector"
                ),
            ]
        )
    }

    @Test("is not kept without bound")
    func bound() {
        var errors = FieldErrors()
        for index in 0..<FieldErrors.maximumErrors + 5 { errors.required(at: "f\(index)") }
        #expect(errors.list.count == FieldErrors.maximumErrors)
        #expect(errors.droppedCount == 5)
    }

    @Test(
        "aggregates",
        arguments: [
            ([], ""), (["a"], "a"), (["a", "a"], "a"), (["a", "b"], "[a, b]"),
            (["a", "b", "a"], "[a, b]"),
        ] as [([String], String)]
    )
    func aggregates(_ messages: [String], _ expected: String) {
        #expect(aggregateText(messages) == expected)
    }
}
