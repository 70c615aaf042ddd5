import Domain

/// Reads a configuration out of text: the order of the story, with every problem collected.
struct ConfigurationReader {
    let file: String
    let list: ProblemList

    init(file: String, environment: @escaping (String) -> String?) {
        self.file = file
        list = ProblemList(file: file, environment: environment)
    }

    /// The folder that relative paths count from.
    private var folder: String {
        guard let slash = file.lastIndex(of: "/") else { return "" }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// Reads the whole file, or says everything that is wrong with it.
    func read(_ text: String) throws(ConfigurationFailure) -> Configuration {
        var reader = DocumentReader(file: file)
        let document = try reader.read(text)
        guard
            let root = Section(document, path: "", accepted: ConfigurationKeys.root, list: list)
        else { throw ConfigurationFailure(problems: list.problems) }

        let path = Accepted<String>.path(from: folder)
        let database = root.required("database", Self.database)
        let dataDirectory = root.required("data_dir", path)
        let pepperFile = root.required("pepper_file", path)
        let models = ModelsReader(root: root)
        let backends = BackendsReader(root: root, folder: folder).read(
            contexts: models.largestContexts)
        let routes = models.read(backends: backends)
        let configuration = assemble(
            root, database ?? "", dataDirectory ?? "", pepperFile ?? "", backends.known, routes)
        check(configuration, root)
        guard list.problems.isEmpty else { throw ConfigurationFailure(problems: list.problems) }
        return configuration
    }

    private func assemble(
        _ root: Section, _ database: String, _ dataDirectory: String, _ pepperFile: String,
        _ backends: [BackendDescription], _ routes: [ModelRoute]
    ) -> Configuration {
        let safeguards = SafeguardsReader(root: root)
        let webhooks = WebhooksReader(root: root, folder: folder)
        return Configuration(
            file: file,
            listen: root.value(
                "listen", .address, usual: ListenAddress(host: "127.0.0.1", port: 8080)),
            adminListen: root.value(
                "admin_listen", .adminAddress,
                usual: ListenAddress(host: "127.0.0.1", port: 8081)),
            adminAPI: root.value("admin_api", .word, usual: .local),
            database: DatabaseLocation(connectionString: database),
            dataDirectory: dataDirectory, pepperFile: pepperFile,
            pepperID: Int16(root.value("pepper_id", .whole(Self.pepperIDs), usual: 1)),
            otherPepper: otherPepper(root),
            keyPrefix: root.value("key_prefix", .keyPrefix, usual: "sk-turnpike"),
            reloadsOnChange: root.value("reload_on_change", .yesOrNo, usual: true),
            backends: backends, engines: EnginesReader(root: root).read(), routes: routes,
            routing: RoutingReader(root: root).read(),
            shadowKeyVariable: RoutingReader(root: root).readShadowKey(for: routes),
            limits: limits(root),
            storesAnswers: root.section("idempotency", accepted: ConfigurationKeys.idempotency)?
                .value("stores_answers", .yesOrNo, usual: false) ?? false,
            judge: safeguards.readJudge(of: routes), analyzer: safeguards.readAnalyzer(),
            quotaWarnings: webhooks.readThresholds(), webhooks: webhooks.read(),
            eventRetention: webhooks.readRetention(),
            logLevel: root.value("log_level", .word, usual: .info),
            logFormat: root.value("log_format", .word, usual: .text),
            drainTimeout: root.value(
                "drain_timeout", .duration(.zero ... .seconds(600)), usual: .seconds(30)),
            endWait: root.value(
                "end_wait", .duration(.milliseconds(1) ... .seconds(60)),
                usual: .milliseconds(250)),
            heartbeatInterval: root.value(
                "heartbeat_interval", .duration(.milliseconds(100) ... .seconds(5)),
                usual: .seconds(1)),
            fenceAfter: root.value(
                "fence_after", .duration(.milliseconds(500) ... .seconds(600)),
                usual: .seconds(15)),
            sweepInterval: root.value(
                "sweep_interval", .duration(.milliseconds(100) ... .seconds(300)),
                usual: .seconds(5)))
    }

    private static let pepperIDs: ClosedRange<Int64> = 1...Int64(Int16.max)

    private func otherPepper(_ root: Section) -> PepperLocation? {
        guard
            let section = root.section("other_pepper", accepted: ConfigurationKeys.otherPepper)
        else { return nil }
        let file = section.required("file", .path(from: folder))
        let id = section.required("id", .whole(Self.pepperIDs))
        guard let file, let id else { return nil }
        return PepperLocation(file: file, id: Int16(id))
    }

    private func limits(_ root: Section) -> LimitsConfiguration {
        let section = root.section("limits", accepted: ConfigurationKeys.limits)
        func value(_ key: String, _ range: ClosedRange<Int64>, usual: Int64) -> Int64 {
            section?.value(key, .whole(range), usual: usual) ?? usual
        }
        return LimitsConfiguration(
            maximumBodyBytes: value("max_body_bytes", 1024...67_108_864, usual: 4_194_304),
            maximumChoices: value("max_choices", 1...128, usual: 128),
            keySharePercent: value("key_share_percent", 1...100, usual: 50))
    }

    private func check(_ configuration: Configuration, _ root: Section) {
        if configuration.listen == configuration.adminListen, configuration.listen.port != 0 {
            list.add(
                line: root.line(of: "admin_listen"), key: "admin_listen",
                "\"\(configuration.adminListen)\" is the address of listen; give another port")
        }
        // Said in so many words, it is to be served; left unsaid, probes and metrics go on alone.
        if configuration.adminAPI == .local, root.names.contains("admin_api"),
            !configuration.adminListen.isLoopback
        {
            list.add(
                line: root.line(of: "admin_listen"), key: "admin_listen",
                "\"\(configuration.adminListen)\" can be reached from other machines, and admin_api "
                    + "is local; give a loopback address or unix:/PATH, or say admin_api: public")
        }
        if let other = configuration.otherPepper, other.id == configuration.pepperID {
            list.add(
                line: root.line(of: "other_pepper"), key: "other_pepper.id",
                "\(other.id) is the number of pepper_file too; give each pepper a number of its own"
            )
        }
        if configuration.fenceAfter < configuration.heartbeatInterval * 3 {
            let key = root.names.contains("fence_after") ? "fence_after" : "heartbeat_interval"
            list.add(
                line: root.line(of: key), key: key,
                "one late beat must not fence a node that lives; give fence_after at least three "
                    + "times heartbeat_interval")
        }
    }

    private static let database = Accepted<String>.secretText(
        "a libpq URL or connection string, such as postgres:///turnpike?host=/run/postgresql"
    ) { text in
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") || text.contains("=")
    }
}

extension Configuration {
    /// Reads a configuration out of YAML text. `file` names it in errors, and relative paths count
    /// from its folder. `environment` gives the values of `${NAME}`. Pure: no file is looked at.
    public static func parse(
        _ text: String, file: String, environment: @escaping (String) -> String?
    ) throws(ConfigurationFailure) -> Configuration {
        try ConfigurationReader(file: file, environment: environment).read(text)
    }
}
