// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf

extension HubVersion.Conversion {
    /// `autoscaling/v1` and `v2`: what the older version has no field for travels in annotations.
    ///
    /// Source: upstream `pkg/apis/autoscaling/v1/conversion.go`, `annotations.go`.
    static let autoscalers = HubVersion.Conversion(
        toHub: HubVersion.autoscalerToHub,
        fromHub: HubVersion.autoscalerFromHub
    )
}

extension HubVersion {
    /// The annotation that carries every metric but the use of CPU.
    private static let metricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics"
    private static let behaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior"
    private static let conditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions"
    private static let currentMetricsAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics"

    private typealias Old = AutoscalingV1.HorizontalPodAutoscaler
    private typealias New = AutoscalingV2.HorizontalPodAutoscaler

    fileprivate static func autoscalerToHub(
        _ old: AutoscalingV1.HorizontalPodAutoscaler
    ) -> AutoscalingV2.HorizontalPodAutoscaler {
        New.with {
            $0.metadata = old.metadata
            $0.spec.scaleTargetRef = AutoscalingV2.CrossVersionObjectReference.with {
                $0.kind = old.spec.scaleTargetRef.kind
                $0.name = old.spec.scaleTargetRef.name
                $0.apiVersion = old.spec.scaleTargetRef.apiVersion
            }
            $0.spec.minReplicas = old.spec.minReplicas
            $0.spec.maxReplicas = old.spec.maxReplicas
            if let text = old.metadata.annotations[Self.metricsAnnotation],
                let carrier = try? AutoscalingV2.HorizontalPodAutoscalerSpec(
                    json: "{\"metrics\":\(text)}"
                )
            {
                $0.spec.metrics = carrier.metrics
            }
            if let percentage = old.spec.targetCPUUtilizationPercentage {
                $0.spec.metrics.append(
                    AutoscalingV2.MetricSpec.with {
                        $0.type = "Resource"
                        $0.resource = AutoscalingV2.ResourceMetricSource.with {
                            $0.name = "cpu"
                            $0.target.type = "Utilization"
                            $0.target.averageUtilization = percentage
                        }
                    }
                )
            }
            if let text = old.metadata.annotations[Self.behaviorAnnotation] {
                $0.spec.behavior = try? AutoscalingV2.HorizontalPodAutoscalerBehavior(json: text)
            }
            if let text = old.metadata.annotations[Self.conditionsAnnotation],
                let carrier = try? AutoscalingV2.HorizontalPodAutoscalerStatus(
                    json: "{\"conditions\":\(text)}"
                )
            {
                $0.status.conditions = carrier.conditions
            }
            if let text = old.metadata.annotations[Self.currentMetricsAnnotation],
                let carrier = try? AutoscalingV2.HorizontalPodAutoscalerStatus(
                    json: "{\"currentMetrics\":\(text)}"
                )
            {
                $0.status.currentMetrics = carrier.currentMetrics
            }
            for key in [
                Self.metricsAnnotation, Self.behaviorAnnotation, Self.conditionsAnnotation,
                Self.currentMetricsAnnotation,
            ] where old.metadata.annotations[key] != nil {
                $0.metadata.annotations[key] = nil
            }
            $0.status.observedGeneration = old.status.observedGeneration
            $0.status.lastScaleTime = old.status.lastScaleTime
            $0.status.currentReplicas = old.status.currentReplicas
            $0.status.desiredReplicas = old.status.desiredReplicas
            if let percentage = old.status.currentCPUUtilizationPercentage {
                $0.status.currentMetrics.append(
                    AutoscalingV2.MetricStatus.with {
                        $0.type = "Resource"
                        $0.resource = AutoscalingV2.ResourceMetricStatus.with {
                            $0.name = "cpu"
                            $0.current.averageUtilization = percentage
                        }
                    }
                )
            }
        }
    }

    fileprivate static func autoscalerFromHub(
        _ new: AutoscalingV2.HorizontalPodAutoscaler
    ) -> AutoscalingV1.HorizontalPodAutoscaler {
        Old.with {
            $0.metadata = new.metadata
            $0.spec.scaleTargetRef = AutoscalingV1.CrossVersionObjectReference.with {
                $0.kind = new.spec.scaleTargetRef.kind
                $0.name = new.spec.scaleTargetRef.name
                $0.apiVersion = new.spec.scaleTargetRef.apiVersion
            }
            $0.spec.minReplicas = new.spec.minReplicas
            $0.spec.maxReplicas = new.spec.maxReplicas
            var others = AutoscalingV2.HorizontalPodAutoscalerSpec()
            for metric in new.spec.metrics {
                let percentage =
                    metric.resource?.name == "cpu"
                    ? metric.resource?.target.averageUtilization : nil
                if let percentage, $0.spec.targetCPUUtilizationPercentage == nil {
                    $0.spec.targetCPUUtilizationPercentage = percentage
                } else {
                    others.metrics.append(metric)
                }
            }
            if !others.metrics.isEmpty {
                $0.metadata.annotations[Self.metricsAnnotation] = Self.jsonList(
                    others.metrics.map { try? $0.jsonText() }
                )
            }
            if let behavior = try? new.spec.behavior?.jsonText() {
                $0.metadata.annotations[Self.behaviorAnnotation] = behavior
            }
            if !new.status.conditions.isEmpty {
                $0.metadata.annotations[Self.conditionsAnnotation] = Self.jsonList(
                    new.status.conditions.map { try? $0.jsonText() }
                )
            }
            var currents: [String?] = []
            for metric in new.status.currentMetrics {
                let percentage =
                    metric.resource?.name == "cpu"
                    ? metric.resource?.current.averageUtilization : nil
                if let percentage, $0.status.currentCPUUtilizationPercentage == nil {
                    $0.status.currentCPUUtilizationPercentage = percentage
                } else {
                    currents.append(try? metric.jsonText())
                }
            }
            if !currents.isEmpty {
                $0.metadata.annotations[Self.currentMetricsAnnotation] = Self.jsonList(currents)
            }
            $0.status.observedGeneration = new.status.observedGeneration
            $0.status.lastScaleTime = new.status.lastScaleTime
            $0.status.currentReplicas = new.status.currentReplicas
            $0.status.desiredReplicas = new.status.desiredReplicas
        }
    }

    private static func jsonList(_ items: [String?]) -> String {
        "[" + items.compactMap(\.self).joined(separator: ",") + "]"
    }
}
