import Domain

/// Reads the sections `quota_warnings`, `webhooks` and `events`.
struct WebhooksReader {
    let root: Section
    /// Where relative paths count from.
    let folder: String

    /// At which parts of a quota somebody is warned.
    func readThresholds() -> QuotaThresholds {
        guard let given = root.values("quota_warnings", .whole(1...100)) else { return .usual }
        let percents = given.map(\.value)
        if Set(percents).count < percents.count || percents.count > 10 {
            root.list.add(
                line: root.line(of: "quota_warnings"), key: "quota_warnings",
                "names a threshold twice, or more than ten of them; give each once, such as "
                    + "[80, 100]")
        }
        return QuotaThresholds(percents)
    }

    /// How long events are kept.
    func readRetention() -> EventRetention {
        let usual = EventRetention.usual
        guard let section = root.section("events", accepted: ConfigurationKeys.events) else {
            return usual
        }
        func days(_ key: String, usual: Int32) -> Int32 {
            Int32(section.value(key, .whole(7...36_525), usual: Int64(usual)))
        }
        let keepDays = days("keep_days", usual: usual.keepDays)
        let keepDeadDays = days("keep_dead_days", usual: max(usual.keepDeadDays, keepDays))
        if keepDeadDays < keepDays {
            let key = section.names.contains("keep_dead_days") ? "keep_dead_days" : "keep_days"
            section.list.add(
                line: section.line(of: key), key: section.full(key),
                "events that were given up would go before those that were delivered; give "
                    + "keep_dead_days at least as many as keep_days")
        }
        return EventRetention(keepDays: keepDays, keepDeadDays: keepDeadDays)
    }

    /// Every receiver, in the file's order.
    func read() -> [WebhookDescription] {
        guard let section = root.section("webhooks", accepted: nil) else { return [] }
        return section.names.compactMap { name in
            if !BackendsReader.isName(name) {
                section.list.add(
                    line: section.line(of: name), key: section.full(name),
                    "is not accepted as a name; give 1 to 64 letters, digits, \"-\" and \"_\"")
            }
            return section.section(name, accepted: ConfigurationKeys.webhook)
                .flatMap { webhook($0, name) }
        }
    }

    private func webhook(_ section: Section, _ name: String) -> WebhookDescription? {
        let addresses = UpstreamConnectionReader(section: section, folder: folder).addresses
        let url = section.required("url", Self.url)
        if let url { check(url, addresses, section) }
        let variable = section.required("secret_env", .environmentName)
        let kinds = section.values("events", Self.kind)?.map(\.value)
        if kinds?.isEmpty == true {
            section.list.add(
                line: section.line(of: "events"), key: section.full("events"),
                "is empty; give some of \(Self.kind.words), or leave it out for all")
        }
        func duration(
            _ key: String, _ range: ClosedRange<Duration>, usual: Duration
        ) -> Duration { section.value(key, .duration(range), usual: usual) }
        let schedule = DeliverySchedule(
            attempts: section.value("attempts", .whole(1...50), usual: 10),
            backoff: duration(
                "backoff", .milliseconds(100) ... .seconds(3600), usual: .seconds(5)),
            longestBackoff: duration(
                "longest_backoff", .milliseconds(100) ... .seconds(86_400),
                usual: .seconds(43_200)))
        let timeout = duration(
            "timeout", .milliseconds(100) ... .seconds(60), usual: .seconds(10))
        let organization = section.optional("organization", .text("an organization's name"))
        let authorities = section.optional("ca_file", .path(from: folder))
        guard let url, let variable else { return nil }
        return WebhookDescription(
            name: name, url: WebhookURL(text: url), secretVariable: variable,
            organization: organization,
            kinds: kinds.map(Set.init) ?? [.warning, .exhausted],
            timeout: timeout, schedule: schedule, addresses: addresses,
            certificateAuthorityFile: authorities)
    }

    /// A URL that names this machine or a private network is a slip more often than meant. It is not
    /// quoted: it may hold a token.
    private func check(_ url: String, _ addresses: AddressPolicy, _ section: Section) {
        guard let address = NamedAddress.inURL(url),
            let purpose = addresses.refusal(of: address)
        else { return }
        section.list.add(
            line: section.line(of: "url"), key: section.full("url"),
            "leads to a \(purpose.rawValue) address, as in this machine or a private network; give "
                + "another URL, or say allow_private_addresses: true or "
                + "allow_addresses: [\(address)]")
    }

    private static let kind = Accepted<QuotaEvent.Kind>(
        words: "quota.warning and quota.exhausted"
    ) { text in [.warning, .exhausted].first { $0.name == text } }

    private static let url = Accepted<String>.secretText(
        "an http or https URL without user or fragment"
    ) { text in
        guard let scheme = ["https://", "http://"].first(where: text.lowercased().hasPrefix) else {
            return false
        }
        let host = text.dropFirst(scheme.utf8.count).prefix { $0 != "/" && $0 != "?" }
        return text.utf8.count <= 2048 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && !host.isEmpty && !host.hasPrefix(":") && !host.contains("@") && !text.contains("#")
    }
}
