// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

// Source: upstream `pkg/apis/resource/*/defaults.go`. The four versions state the same rules.

extension TypedRules {
    static var devices: [String: [TypedRule]] {
        [
            ResourceV1.ExactDeviceRequest.schema.fullName: [
                TypedRule(ResourceV1.ExactDeviceRequest.self, ["count"]) {
                    $0.count == 0 && $0.allocationMode == "ExactCount"
                } _: {
                    $0.count = 1
                }
            ],
            ResourceV1.DeviceSubRequest.schema.fullName: [
                TypedRule(ResourceV1.DeviceSubRequest.self, ["count"]) {
                    $0.count == 0 && $0.allocationMode == "ExactCount"
                } _: {
                    $0.count = 1
                }
            ],
            ResourceV1beta2.ExactDeviceRequest.schema.fullName: [
                TypedRule(ResourceV1beta2.ExactDeviceRequest.self, ["count"]) {
                    $0.count == 0 && $0.allocationMode == "ExactCount"
                } _: {
                    $0.count = 1
                }
            ],
            ResourceV1beta2.DeviceSubRequest.schema.fullName: [
                TypedRule(ResourceV1beta2.DeviceSubRequest.self, ["count"]) {
                    $0.count == 0 && $0.allocationMode == "ExactCount"
                } _: {
                    $0.count = 1
                }
            ],
            ResourceV1beta1.DeviceSubRequest.schema.fullName: [
                TypedRule(ResourceV1beta1.DeviceSubRequest.self, ["count"]) {
                    $0.count == 0 && $0.allocationMode == "ExactCount"
                } _: {
                    $0.count = 1
                }
            ],
            ResourceV1beta1.DeviceRequest.schema.fullName: [
                // A request with alternatives names no class and has no mode of its own.
                TypedRule(ResourceV1beta1.DeviceRequest.self, ["allocationMode", "count"]) {
                    !$0.deviceClassName.isEmpty
                } _: { request in
                    if request.allocationMode.isEmpty { request.allocationMode = "ExactCount" }
                    if request.allocationMode == "ExactCount" && request.count == 0 {
                        request.count = 1
                    }
                }
            ],
            ResourceV1.DeviceTaint.schema.fullName: [
                TypedRule(ResourceV1.DeviceTaint.self, ["timeAdded"]) {
                    $0.timeAdded == nil
                } _: { taint, now in
                    if let now { taint.timeAdded = MetaV1.Time(now) }
                }
            ],
            ResourceV1beta2.DeviceTaint.schema.fullName: [
                TypedRule(ResourceV1beta2.DeviceTaint.self, ["timeAdded"]) {
                    $0.timeAdded == nil
                } _: { taint, now in
                    if let now { taint.timeAdded = MetaV1.Time(now) }
                }
            ],
            ResourceV1beta1.DeviceTaint.schema.fullName: [
                TypedRule(ResourceV1beta1.DeviceTaint.self, ["timeAdded"]) {
                    $0.timeAdded == nil
                } _: { taint, now in
                    if let now { taint.timeAdded = MetaV1.Time(now) }
                }
            ],
            ResourceV1alpha3.DeviceTaint.schema.fullName: [
                TypedRule(ResourceV1alpha3.DeviceTaint.self, ["timeAdded"]) {
                    $0.timeAdded == nil
                } _: { taint, now in
                    if let now { taint.timeAdded = MetaV1.Time(now) }
                }
            ],
        ]
    }
}
