extension Configuration {
    /// The top-level keys, other than the catalog's `models`, whose values differ in `other`: a
    /// running gateway takes them at its next start only.
    public func keysThatNeedARestart(in other: Configuration) -> [String] {
        let same: [(key: String, isSame: Bool)] = [
            ("listen", listen == other.listen),
            ("admin_listen", adminListen == other.adminListen),
            ("admin_api", adminAPI == other.adminAPI),
            ("database", database == other.database),
            ("data_dir", dataDirectory == other.dataDirectory),
            ("pepper_file", pepperFile == other.pepperFile),
            ("pepper_id", pepperID == other.pepperID),
            ("other_pepper", otherPepper == other.otherPepper),
            ("key_prefix", keyPrefix == other.keyPrefix),
            ("reload_on_change", reloadsOnChange == other.reloadsOnChange),
            ("backends", Self.unplaced(backends) == Self.unplaced(other.backends)),
            (
                "routing",
                routing == other.routing && shadowKeyVariable == other.shadowKeyVariable
            ),
            ("engines", engines.teamWeights == other.engines.teamWeights),
            ("limits", limits == other.limits),
            ("idempotency", storesAnswers == other.storesAnswers),
            ("safeguards", judge == other.judge && analyzer == other.analyzer),
            ("quota_warnings", quotaWarnings == other.quotaWarnings),
            ("webhooks", webhooks == other.webhooks),
            ("events", eventRetention == other.eventRetention),
            ("log_level", logLevel == other.logLevel),
            ("log_format", logFormat == other.logFormat),
            ("drain_timeout", drainTimeout == other.drainTimeout),
            ("end_wait", endWait == other.endWait),
            ("heartbeat_interval", heartbeatInterval == other.heartbeatInterval),
            ("fence_after", fenceAfter == other.fenceAfter),
            ("sweep_interval", sweepInterval == other.sweepInterval),
        ]
        return same.filter { !$0.isSame }.map(\.key)
    }

    /// Backends without the lines on which they stand.
    private static func unplaced(_ backends: [BackendDescription]) -> [BackendDescription] {
        backends.map { BackendDescription(name: $0.name, line: 0, kind: $0.kind) }
    }
}
