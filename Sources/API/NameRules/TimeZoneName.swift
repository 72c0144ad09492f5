// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Formats {
    /// The faults of the time zone of a CronJob.
    ///
    /// - Parameter isKnown: whether the zone is in the time zone database of the system.
    ///
    /// Source: upstream `pkg/apis/batch/validation/validation.go`.
    public static func timeZone(
        _ path: FieldPath,
        _ zone: String?,
        isKnown: (String) -> Bool
    ) -> [FieldError] {
        guard let zone else { return [] }
        if zone.isEmpty {
            return [.invalid(path, "", "timeZone must be nil or non-empty string")]
        }
        for part in zone.split(at: UInt8(ascii: "/")) where !self.isTimeZonePart(part) {
            return [.invalid(path, .string(zone), "unknown time zone \(zone)")]
        }
        var errors: [FieldError] = []
        let isLocal = zone.lowercased() == "local"
        if isLocal {
            errors.append(
                .invalid(
                    path,
                    .string(zone),
                    "timeZone must be an explicit time zone as defined in "
                        + "https://www.iana.org/time-zones"
                )
            )
        }
        // Go knows "Local" and "UTC" without the database.
        if zone != "Local", zone != "UTC", !isKnown(zone) {
            errors.append(.invalid(path, .string(zone), "unknown time zone \(zone)"))
        }
        return errors
    }

    /// Whether the text may stand between the slashes of a zone: a file name that does not climb.
    private static func isTimeZonePart(_ part: Substring) -> Bool {
        guard part != ".", part != "..", part.utf8.first != UInt8(ascii: "-"),
            (1...14).contains(part.utf8.count)
        else { return false }
        return part.utf8.allSatisfy { byte in
            byte.isAlphanumeric || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "+")
        }
    }
}
