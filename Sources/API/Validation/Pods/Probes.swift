// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import Protobuf

extension FieldErrors {
    mutating func validateProbes(of container: CoreV1.Container, _ pod: PodContext) {
        self.ifPresent("livenessProbe", container.livenessProbe) { errors, probe in
            errors.validateProbe(probe, pod)
            errors.validateOneSuccess(probe)
        }
        self.ifPresent("readinessProbe", container.readinessProbe) { errors, probe in
            errors.validateProbe(probe, pod)
            if let seconds = probe.terminationGracePeriodSeconds {
                errors.invalid(
                    at: "terminationGracePeriodSeconds",
                    .integer(seconds),
                    "must not be set for readinessProbes"
                )
            }
        }
        self.ifPresent("startupProbe", container.startupProbe) { errors, probe in
            errors.validateProbe(probe, pod)
            errors.validateOneSuccess(probe)
        }
    }

    private mutating func validateOneSuccess(_ probe: CoreV1.Probe) {
        if probe.successThreshold != 1 {
            self.invalid(at: "successThreshold", .number(probe.successThreshold), "must be 1")
        }
    }

    private mutating func validateProbe(_ probe: CoreV1.Probe, _ pod: PodContext) {
        self.validateHandler(
            exec: probe.handler.exec,
            httpGet: probe.handler.httpGet,
            tcpSocket: probe.handler.tcpSocket,
            grpc: probe.handler.grpc,
            sleep: nil,
            pod
        )
        self.nonnegative("initialDelaySeconds", probe.initialDelaySeconds)
        self.nonnegative("timeoutSeconds", probe.timeoutSeconds)
        self.nonnegative("periodSeconds", probe.periodSeconds)
        self.nonnegative("successThreshold", probe.successThreshold)
        self.nonnegative("failureThreshold", probe.failureThreshold)
        self.positive(
            "terminationGracePeriodSeconds",
            probe.terminationGracePeriodSeconds,
            "must be greater than 0"
        )
    }

    mutating func validateLifecycle(_ lifecycle: CoreV1.Lifecycle, _ pod: PodContext) {
        for (name, handler) in [
            ("postStart", lifecycle.postStart), ("preStop", lifecycle.preStop),
        ] {
            self.ifPresent(name, handler) { errors, handler in
                errors.validateHandler(
                    exec: handler.exec,
                    httpGet: handler.httpGet,
                    tcpSocket: handler.tcpSocket,
                    grpc: nil,
                    sleep: handler.sleep,
                    pod
                )
            }
        }
    }

    private mutating func validateHandler(
        exec: CoreV1.ExecAction?,
        httpGet: CoreV1.HTTPGetAction?,
        tcpSocket: CoreV1.TCPSocketAction?,
        grpc: CoreV1.GRPCAction?,
        sleep: CoreV1.SleepAction?,
        _ pod: PodContext
    ) {
        var count = 0
        func isFirst(_ errors: inout FieldErrors) -> Bool {
            count += 1
            if count > 1 { errors.forbidden("may not specify more than 1 handler type") }
            return count == 1
        }
        self.ifPresent("exec", exec) { errors, exec in
            guard isFirst(&errors) else { return }
            if exec.command.isEmpty { errors.required(at: "command") }
        }
        self.ifPresent("httpGet", httpGet) { errors, get in
            guard isFirst(&errors) else { return }
            errors.mustHave("path", get.path)
            errors.validatePort("port", get.port)
            if get.scheme != "HTTP" && get.scheme != "HTTPS" {
                errors.notSupported(
                    at: "scheme",
                    .string(get.scheme),
                    supported: ["HTTP", "HTTPS"]
                )
            }
            for header in get.httpHeaders {
                errors.invalid(
                    at: "httpHeaders",
                    .string(header.name),
                    Formats.httpHeaderName(header.name)
                )
            }
        }
        self.ifPresent("tcpSocket", tcpSocket) { errors, socket in
            if isFirst(&errors) { errors.validatePort("port", socket.port) }
        }
        self.ifPresent("grpc", grpc) { errors, grpc in
            guard isFirst(&errors) else { return }
            errors.validatePort("port", IntStr.IntOrString(.int(grpc.port)))
        }
        self.ifPresent("sleep", sleep) { errors, sleep in
            guard isFirst(&errors) else { return }
            if sleep.seconds < 0 || sleep.seconds > pod.gracePeriodSeconds {
                errors.invalid(
                    .integer(sleep.seconds),
                    "must be non-negative and less than terminationGracePeriodSeconds "
                        + "(\(pod.gracePeriodSeconds))"
                )
            }
        }
        if count == 0 { self.required("must specify a handler type") }
    }
}

extension FieldErrors {
    /// A value is missing at the field at hand.
    mutating func required(_ detail: String) { self.required(at: nil, detail) }

    /// A value at the field at hand is not permitted.
    mutating func forbidden(_ detail: String) { self.forbidden(at: nil, detail) }
}
