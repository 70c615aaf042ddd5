import Domain
import Testing

@testable import TurnpikeConfiguration

@Suite struct ConfigurationValues {
    @Test func `what is left out has its usual value`() throws {
        let read = try GoodFile.read(GoodFile.text)
        #expect(read.adminListen.description == "127.0.0.1:8081")
        #expect(read.drainTimeout == .seconds(30))
        #expect(read.endWait == .milliseconds(250))
        #expect(read.limits.maximumBodyBytes == 4_194_304)
        #expect(read.limits.maximumChoices == 128)
        #expect(!read.storesAnswers)
        #expect(read.logLevel == .info)
        #expect(read.logFormat == .text)
        #expect(
            try GoodFile.read(
                GoodFile.text.replacing("key_prefix: sk-acme\n", with: "")
            ).keyPrefix == "sk-turnpike")
    }

    @Test func `the admin API is where only this machine can reach it, unless told otherwise`()
        throws
    {
        func read(_ listen: String, _ more: String = "") throws -> Configuration {
            try GoodFile.read(GoodFile.text + "\nadmin_listen: \(listen)\n\(more)\n")
        }
        for listen in ["127.0.0.1:8081", "localhost:0", "'[::1]:8081'", "unix:/run/t/admin.sock"] {
            #expect(try read(listen).servesAdminAPI, "\(listen)")
            #expect(try read(listen, "admin_api: local").servesAdminAPI)
            #expect(!(try read(listen, "admin_api: off").servesAdminAPI))
        }
        #expect(try read("unix:/run/t/a.sock").adminListen.socketPath == "/run/t/a.sock")
        #expect(try read("unix:/run/t/a.sock").adminListen.description == "unix:/run/t/a.sock")
        #expect(!(try read("0.0.0.0:8081").servesAdminAPI), "probes and metrics go on alone")
        #expect(try read("0.0.0.0:8081", "admin_api: public").servesAdminAPI)
        let refusal = #expect(throws: ConfigurationFailure.self) {
            try read("10.0.0.7:8081", "admin_api: local")
        }
        #expect(refusal?.description.contains("admin_api: public") == true)
        let long = String(repeating: "a", count: 108)
        for wrong in ["unix:admin.sock", "'unix:'", "unix:/\(long)", "unix:/run/"] {
            let refusal = #expect(throws: ConfigurationFailure.self) { try read(wrong) }
            #expect(refusal?.description.contains("unix:/PATH") == true)
        }
        // Clients come by TCP.
        #expect(throws: ConfigurationFailure.self) {
            try GoodFile.read(
                GoodFile.text(replacing: "127.0.0.1:8080", with: "unix:/run/t/a.sock"))
        }
    }

    @Test func `no API key begins as admin keys do`() {
        #expect(throws: ConfigurationFailure.self) {
            try GoodFile.read(
                GoodFile.text(
                    replacing: "key_prefix: sk-acme", with: "key_prefix: turnpike-admin"))
        }
    }

    @Test func `backends and models stand in the file's order with their values`() throws {
        let read = try GoodFile.read(GoodFile.text)
        #expect(read.backends.map(\.name) == ["local", "openai"])
        guard case .localEngine(let engine) = read.backends[0].kind,
            case .openAI(let upstream) = read.backends[1].kind
        else {
            Issue.record("kinds are \(read.backends)")
            return
        }
        #expect(engine.slots == 2)
        #expect(engine.contextTokens == 1024, "what its model promises")
        #expect(engine.threads == nil)
        #expect(upstream.baseURL == "https://api.example.com/v1")
        #expect(upstream.apiKeyVariables == [])
        #expect(upstream.server == .openAI && upstream.maximumTokensField == nil)
        #expect(upstream.severalChoices == nil && upstream.extraParameters == nil)
        #expect(!upstream.connection.addresses.permitsPrivate)
        #expect(read.routes.map(\.alias) == ["demo"])
        #expect(read.routes[0].upstreamModel == "demo")
        #expect(read.routes[0].price == nil && read.routes[0].imageTokens == nil)
    }

    @Test func `teams' weights are by organization and team, and engines have queues`() throws {
        let read = try GoodFile.read(
            GoodFile.text(
                replacing: "slots: 2 }",
                with: "slots: 2, queue_length: 7, queue_timeout: 5s, "
                    + "start: on_demand, idle_unload: 90s, memory_megabytes: 9 }")
                + "\nengines: { memory_budget_megabytes: 77, team_weights: { research: 3, acme/a b: 2 } }"
        )
        #expect(read.engines.teamWeights == ["default/research": 3, "acme/a b": 2])
        guard case .localEngine(let engine) = read.backends[0].kind else {
            Issue.record("it is \(read.backends[0])")
            return
        }
        #expect(read.engines.memoryBudgetMegabytes == 77 && engine.memoryMegabytes == 9)
        #expect(engine.start == .onDemand && engine.idleUnload == .seconds(90))
        #expect(engine.queueLength == 7 && engine.queueTimeout == .seconds(5))
        #expect(
            GoodFile.problems(
                of: GoodFile.text + "\nengines: { team_weights: { a: 0, b: 1, default/b: 2 } }"
            ).count == 2)
    }

    @Test func `a server that is named decides what the other keys would`() throws {
        func upstream(_ members: String) throws -> UpstreamDescription? {
            let text = try GoodFile.text(
                replacing: "https://api.example.com/v1", with: "https://x.example/v1, \(members)")
            guard case .openAI(let upstream) = try GoodFile.read(text).backends[1].kind else {
                return nil
            }
            return upstream
        }
        let vLLM = try upstream("server: vllm, extra_parameters: [top_k], several_choices: false")
        #expect(vLLM?.server == .vLLM && vLLM?.severalChoices == false)
        #expect(vLLM?.extraParameters == [.topK] && vLLM?.maximumTokensField == nil)
        let keys = try upstream("api_key_env: [FIRST, SECOND]")
        #expect(keys?.apiKeyVariables == ["FIRST", "SECOND"])
        #expect(try upstream("api_key_env: FIRST")?.apiKeyVariables == ["FIRST"])
        let text = try GoodFile.text(
            replacing: "https://api.example.com/v1",
            with: "https://x.example/v1, server: llama_server, extra_parameters: [top_k]")
        #expect(
            GoodFile.problems(of: text) == [
                "good.yaml:10: backends.openai.extra_parameters: is decided by server: "
                    + "llama_server; leave it out"
            ])
    }

    @Test func `a backend that speaks Anthropic's API needs nothing but its kind`() throws {
        guard case .anthropic(let upstream) = try GoodFile.anthropic("kind: anthropic") else {
            Issue.record("it is of another kind")
            return
        }
        #expect(upstream.baseURL == "https://api.anthropic.com")
        #expect(upstream.apiKeyVariables == [] && upstream.version == "2023-06-01")
        #expect(upstream.thinking == .adaptive && upstream.budgets == .init())
        #expect(upstream.takesSampling && !upstream.connection.addresses.permitsPrivate)
        #expect(upstream.connection.timeouts.total == .seconds(600))
    }

    @Test func `every key of a backend that speaks Anthropic's API is read`() throws {
        let kind = try GoodFile.anthropic(
            "kind: anthropic, base_url: http://127.0.0.1:9, allow_private_addresses: true, "
                + "api_key_env: CLAUDE_KEY, anthropic_version: 2024-01-02, thinking: budget, "
                + "thinking_budgets: { minimal: 2001, low: 2002, medium: 2003, high: 2004, "
                + "xhigh: 2005, max: 2006 }, sampling_parameters: false, timeouts: { idle: 7s }")
        guard case .anthropic(let upstream) = kind else {
            Issue.record("it is of another kind")
            return
        }
        #expect(
            upstream.baseURL == "http://127.0.0.1:9" && upstream.connection.addresses.permitsPrivate
        )
        #expect(upstream.apiKeyVariables == ["CLAUDE_KEY"] && upstream.version == "2024-01-02")
        #expect(upstream.thinking == .budget && !upstream.takesSampling)
        let budgets = upstream.budgets
        #expect(
            [
                budgets.minimal, budgets.low, budgets.medium, budgets.high, budgets.xhigh,
                budgets.max,
            ]
                == [2001, 2002, 2003, 2004, 2005, 2006])
        #expect(upstream.connection.timeouts.idle == .seconds(7))
    }

    @Test func `answers are stored where the file says so, in words that mean it`() throws {
        func read(_ value: String) throws -> Bool {
            try GoodFile.read(GoodFile.text + "\nidempotency: { stores_answers: \(value) }\n")
                .storesAnswers
        }
        #expect(try read("true"))
        #expect(try !read("false"))
        #expect(throws: ConfigurationFailure.self) { try read("sometimes") }
    }

    @Test func `a model takes audio, videos and files where their tokens are told`() throws {
        func media(_ keys: String) throws -> MediaTokens {
            let text = try GoodFile.text(
                replacing: "context_tokens: 1024,", with: "context_tokens: 1024, \(keys)")
            return try GoodFile.read(text).routes[0].media
        }
        #expect(try media("") == MediaTokens())
        let all = try media(
            "audio_tokens_per_second: 10, video_tokens: 20, file_tokens: 30, file_ids: true,")
        #expect(all.audioPerSecond == 10 && all.video == 20 && all.file == 30)
        #expect(all.takesFileIDs)
        #expect(all.audio(mostMilliseconds: 30_001) == 600)
        #expect(throws: ConfigurationFailure.self) { try media("file_ids: true,") }
        #expect(throws: ConfigurationFailure.self) { try media("video_tokens: 0,") }
    }

    @Test func `a service tier has a price of its own, and none that is not one`() throws {
        func tiers(_ keys: String) throws -> [ServiceTier: Price] {
            let text = try GoodFile.text(
                replacing: "context_tokens: 1024,",
                with: "context_tokens: 1024, service_tiers: { \(keys) },")
            return try GoodFile.read(text).routes[0].tiers
        }
        let price = "{ prompt_usd_per_mtok: 1, completion_usd_per_mtok: 2 }"
        let read = try tiers("flex: \(price), default: \(price)")
        #expect(Set(read.keys) == [.flex, .standard])
        #expect(read[.flex]?.completion == NanoUSD(dollars: "2"))
        #expect(throws: ConfigurationFailure.self) { try tiers("slow: \(price)") }
        #expect(throws: ConfigurationFailure.self) { try tiers("flex: {}") }
    }

    @Test func `a model speaks and searches as it is told, at a price where it has one`() throws {
        let price = "{ prompt_usd_per_mtok: 1, completion_usd_per_mtok: 2 }"
        func route(_ keys: String) throws -> ModelRoute {
            let text = try GoodFile.text(
                replacing: "context_tokens: 1024,", with: "context_tokens: 1024, \(keys),")
            return try GoodFile.read(text).routes[0]
        }
        let silent = try route("file_ids: false")
        #expect(silent.speech == nil && silent.search == nil && !silent.isRetired)
        #expect(try route("retired: true").isRetired)
        let free = try route("audio_output: {}, web_search: {}")
        #expect(free.speech == SpeechTerms())
        #expect(free.search == SearchTerms(promptTokens: 0, fee: nil))
        let told = try route(
            "price: \(price), audio_output: { history_tokens: 9, price: \(price) }, "
                + "web_search: { prompt_tokens: 7, usd_per_request: 0.025 }")
        #expect(told.speech?.historyTokens == 9 && told.speech?.price == told.price)
        #expect(
            told.search == SearchTerms(promptTokens: 7, fee: NanoUSD(dollars: "0.025")))
        for keys in [
            "price: \(price), audio_output: {}", "price: \(price), web_search: {}",
            "audio_output: { voice: x }", "web_search: { usd_per_request: -1 }",
        ] {
            #expect(throws: ConfigurationFailure.self, "\(keys)") { try route(keys) }
        }
    }

    @Test func `a model has its own highest temperature, and less where Anthropic may answer`()
        throws
    {
        let claude = "kind: anthropic, base_url: https://api.example.com"
        func most(_ backends: String, _ keys: String = "") throws -> Int64 {
            let text = try GoodFile.text(
                replacing: "kind: openai, base_url: https://api.example.com/v1", with: claude
            ).replacing("backends: [local]", with: "backends: [\(backends)]\(keys)")
            return try GoodFile.read(text).routes[0].maximumTemperatureThousandths
        }
        #expect(try most("local") == 2000)
        #expect(try most("openai") == 1000)
        #expect(try most("local, openai") == 1000)
        #expect(try most("local, openai", ", max_temperature: 2") == 2000)
        #expect(try most("openai", ", max_temperature: 0.5") == 500)
        #expect(try most("local", ", max_temperature: 1.25") == 1250)
        #expect(try most("local", ", max_temperature: 0") == 0)
        for value in ["2.001", "3", "-1", "1e0", "01", "1.", ".5", "1.0000", "1,5", "warm"] {
            #expect(throws: ConfigurationFailure.self, "\(value)") {
                try most("local", ", max_temperature: \(value)")
            }
        }
    }

    @Test func `what an upstream adds to a prompt can be told, and is usual otherwise`() throws {
        func overhead(_ keys: String) throws -> PromptOverhead {
            let text = try GoodFile.text(
                replacing: "context_tokens: 1024,", with: "context_tokens: 1024, \(keys)")
            return try GoodFile.read(text).routes[0].overhead
        }
        #expect(try overhead("") == .usual)
        var told = PromptOverhead.usual
        told.request = 500
        told.tool = 0
        #expect(try overhead("prompt_overhead: { request: 500, tool: 0 },") == told)
        #expect(throws: ConfigurationFailure.self) {
            try overhead("prompt_overhead: { tool: -1 },")
        }
    }

    @Test func `relative paths count from the folder of the file`() throws {
        func pepper(_ file: String) throws -> String {
            try Configuration.parse(GoodFile.text, file: file) { _ in nil }.pepperFile
        }
        #expect(try pepper("/etc/turnpike/turnpike.yaml") == "/etc/turnpike/pepper")
        #expect(try pepper("turnpike.yaml") == "pepper")
        #expect(try pepper("conf/turnpike.yaml") == "conf/pepper")
    }

    @Test func `the environment completes values and is not looked into again`() throws {
        let text = try GoodFile.text(
            replacing: "postgres:///turnpike", with: "postgres://u:${PW}@h/$${x}$1")
        let read = try GoodFile.read(text, environment: ["PW": "a${B}"])
        #expect(read.database.connectionString == "postgres://u:a${B}@h/${x}$1")
    }

    @Test func `the database's location cannot be printed`() throws {
        let text = try GoodFile.text(
            replacing: "postgres:///turnpike", with: "postgres://u:hunter2@h/x")
        let read = try GoodFile.read(text)
        var dumped = ""
        dump(read, to: &dumped)
        #expect(!"\(read) \(String(reflecting: read)) \(dumped)".contains("hunter2"))
    }

    @Test func `a price is read exactly and what is left out costs as the prompt`() throws {
        let read = try priced("{ prompt_usd_per_mtok: 2.50, completion_usd_per_mtok: 0.000000001 }")
        let price = try #require(read.routes[0].price)
        #expect(price.prompt.rawValue == 2_500_000_000)
        #expect(price.cached == price.prompt)
        #expect(price.cacheWrite == price.prompt)
        #expect(price.completion.rawValue == 1)
    }

    @Test func `sound has prices of its own where they are given, and a model may speak at them`()
        throws
    {
        let amounts = "prompt_usd_per_mtok: 1, completion_usd_per_mtok: 2"
        let plain = try #require(try priced("{ \(amounts) }").routes[0].price)
        #expect(plain.audioPrompt == nil && plain.audioCompletion == nil)
        let read = try priced(
            "{ \(amounts), audio_prompt_usd_per_mtok: 40, audio_completion_usd_per_mtok: 80 }"
                + ", audio_output: {}")
        let price = try #require(read.routes[0].price)
        #expect(price.audioPrompt?.rawValue == 40_000_000_000)
        #expect(price.audioCompletion?.rawValue == 80_000_000_000)
        #expect(price.version != plain.version && read.routes[0].speech?.price == nil)
        #expect(throws: ConfigurationFailure.self) {
            try priced("{ \(amounts), audio_prompt_usd_per_mtok: 40 }, audio_output: {}")
        }
    }

    @Test func `a price's version follows from alias and amounts alone`() throws {
        func version(_ alias: String, _ dollars: Int64) -> Int64 {
            let amount = NanoUSD(rawValue: dollars)
            return Price(
                alias: alias, prompt: amount, cached: amount, cacheWrite: amount,
                completion: amount
            ).version
        }
        #expect(version("demo", 1) == version("demo", 1))
        #expect(Set([version("demo", 1), version("demo", 2), version("dem", 1)]).count == 3)
        // FNV-1a of "demo\n1\n1\n1\n1" without its top bit, from another implementation.
        #expect(version("demo", 1) == 855_298_285_560_732_734)
    }

    @Test(arguments: [
        ("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:8080", "::1", 8080),
        ("example.com:65535", "example.com", 65535), ("0.0.0.0:80", "0.0.0.0", 80),
    ])
    func `an address is a host and a port`(_ text: String, _ host: String, _ port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", ":", ":80", "host", "host:", "host:x", "host:-1", "host:+1", "host:65536", "::1:80",
        "[]:80", "[::1]", "[g]:80", "a b:80", "host:000080",
    ])
    func `what is no address is refused`(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    private func priced(_ price: String) throws -> Configuration {
        try GoodFile.read(
            try GoodFile.text(
                replacing: "max_completion_tokens: 512",
                with: "max_completion_tokens: 512, price: \(price)"))
    }
}
