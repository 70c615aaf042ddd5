import Domain

/// Reads how an upstream is reached, which is said alike for every kind.
struct UpstreamConnectionReader {
    let section: Section
    /// Where relative paths count from.
    let folder: String

    /// Reads it, for an upstream at `baseURL`, which is nil where that is a mistake already.
    func read(baseURL: String?) -> UpstreamConnection {
        let addresses = addresses
        if let baseURL { checkHost(baseURL, addresses) }
        return UpstreamConnection(
            addresses: addresses,
            certificateAuthorityFile: section.optional("ca_file", .path(from: folder)),
            proxy: section.optional("proxy", BackendsReader.baseURL),
            speaksHTTP2: section.value("http2", .yesOrNo, usual: true), timeouts: timeouts)
    }

    /// Which addresses a connection may be made to.
    var addresses: AddressPolicy {
        AddressPolicy(
            permitsPrivate: section.value("allow_private_addresses", .yesOrNo, usual: false),
            exceptions: section.values("allow_addresses", Self.range)?.map(\.value) ?? [])
    }

    private static let range = Accepted<AddressRange>(
        words: "an address or a range of them, such as 10.0.0.0/8 or fd00::/8"
    ) { AddressRange($0) }

    /// A URL that names this machine or a private network is a slip more often than meant.
    private func checkHost(_ url: String, _ addresses: AddressPolicy) {
        guard let address = NamedAddress.inURL(url),
            let purpose = addresses.refusal(of: address)
        else { return }
        let isPrivate =
            AddressPolicy(permitsPrivate: true, exceptions: []).refusal(of: address)
            == nil
        section.list.add(
            line: section.line(of: "base_url"), key: section.full("base_url"),
            "\"\(url)\" leads to a \(purpose.rawValue) address, as in this machine or a private "
                + "network; give another URL, or say "
                + (isPrivate ? "allow_private_addresses: true or " : "")
                + "allow_addresses: [\(address)]")
    }

    private var timeouts: UpstreamTimeouts {
        let timeouts = section.section("timeouts", accepted: ConfigurationKeys.timeouts)
        func value(_ key: String, usual: Duration) -> Duration {
            let range: ClosedRange<Duration> = .milliseconds(10) ... .seconds(3600)
            return timeouts?.value(key, .duration(range), usual: usual) ?? usual
        }
        return UpstreamTimeouts(
            connect: value("connect", usual: .seconds(5)),
            firstByte: value("first_byte", usual: .seconds(60)),
            idle: value("idle", usual: .seconds(60)),
            total: value("total", usual: .seconds(600)))
    }
}
