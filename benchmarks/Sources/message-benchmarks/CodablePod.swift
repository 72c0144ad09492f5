// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A Pod for Foundation's coders: the fields that the fixture has, as a client would write them down.
///
/// Times and quantities stay strings, which is less work than our messages do.
struct CodablePod: Codable {
    var kind: String
    var apiVersion: String
    var metadata: Metadata
    var spec: Spec
    var status: Status

    struct Metadata: Codable {
        var name: String
        var generateName: String?
        var namespace: String?
        var uid: String?
        var resourceVersion: String?
        var creationTimestamp: String?
        var labels: [String: String]?
        var annotations: [String: String]?
        var ownerReferences: [OwnerReference]?
    }

    struct OwnerReference: Codable {
        var apiVersion: String
        var kind: String
        var name: String
        var uid: String
        var controller: Bool?
        var blockOwnerDeletion: Bool?
    }

    struct Spec: Codable {
        var volumes: [Volume]?
        var containers: [Container]
        var restartPolicy: String?
        var terminationGracePeriodSeconds: Int64?
        var dnsPolicy: String?
        var serviceAccountName: String?
        var serviceAccount: String?
        var nodeName: String?
        var securityContext: SecurityContext?
        var schedulerName: String?
        var tolerations: [Toleration]?
        var priority: Int32?
        var enableServiceLinks: Bool?
        var preemptionPolicy: String?
    }

    struct SecurityContext: Codable {
        var runAsUser: Int64?
    }

    struct Volume: Codable {
        var name: String
        var configMap: ConfigMap?
        var projected: Projected?
    }

    struct ConfigMap: Codable {
        var name: String?
        var items: [KeyToPath]?
        var defaultMode: Int32?
    }

    struct KeyToPath: Codable {
        var key: String
        var path: String
    }

    struct Projected: Codable {
        var sources: [Projection]?
        var defaultMode: Int32?
    }

    struct Projection: Codable {
        var serviceAccountToken: ServiceAccountToken?
        var configMap: ConfigMap?
        var downwardAPI: DownwardAPI?
    }

    struct ServiceAccountToken: Codable {
        var expirationSeconds: Int64?
        var path: String
    }

    struct DownwardAPI: Codable {
        var items: [DownwardAPIFile]?
    }

    struct DownwardAPIFile: Codable {
        var path: String
        var fieldRef: FieldReference?
    }

    struct FieldReference: Codable {
        var apiVersion: String?
        var fieldPath: String
    }

    struct Container: Codable {
        var name: String
        var image: String?
        var ports: [Port]?
        var env: [Variable]?
        var resources: Resources?
        var volumeMounts: [VolumeMount]?
        var livenessProbe: Probe?
        var terminationMessagePath: String?
        var terminationMessagePolicy: String?
        var imagePullPolicy: String?
    }

    struct Port: Codable {
        var name: String?
        var containerPort: Int32
        var `protocol`: String?
    }

    struct Variable: Codable {
        var name: String
        var value: String?
        var valueFrom: VariableSource?
    }

    struct VariableSource: Codable {
        var fieldRef: FieldReference?
    }

    struct Resources: Codable {
        var limits: [String: String]?
        var requests: [String: String]?
    }

    struct VolumeMount: Codable {
        var name: String
        var readOnly: Bool?
        var mountPath: String
    }

    struct Probe: Codable {
        var httpGet: HTTPGet?
        var timeoutSeconds: Int32?
        var periodSeconds: Int32?
        var successThreshold: Int32?
        var failureThreshold: Int32?
    }

    struct HTTPGet: Codable {
        var path: String?
        var port: String
        var scheme: String?
    }

    struct Toleration: Codable {
        var key: String?
        var `operator`: String?
        var effect: String?
        var tolerationSeconds: Int64?
    }

    struct Status: Codable {
        var phase: String?
        var conditions: [Condition]?
        var hostIP: String?
        var podIP: String?
        var podIPs: [PodIP]?
        var startTime: String?
        var containerStatuses: [ContainerStatus]?
        var qosClass: String?
    }

    struct Condition: Codable {
        var type: String
        var status: String
        var lastProbeTime: String?
        var lastTransitionTime: String?
    }

    struct PodIP: Codable {
        var ip: String
    }

    struct ContainerStatus: Codable {
        var name: String
        var state: State?
        var lastState: State?
        var ready: Bool
        var restartCount: Int32
        var image: String
        var imageID: String
        var containerID: String?
        var started: Bool?
    }

    struct State: Codable {
        var running: Running?
    }

    struct Running: Codable {
        var startedAt: String?
    }
}
