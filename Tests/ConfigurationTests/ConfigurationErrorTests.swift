import Testing

@testable import TurnpikeConfiguration

/// One mistake and the exact words for it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let name: String
    /// Replaced in the good file by `with`.
    let replace: String
    let with: String
    let messages: [String]

    var testDescription: String { name }
}

@Suite struct ConfigurationErrors {
    @Test(arguments: mistakes)
    func `a mistake is named with file, line, key and what is accepted`(
        _ mistake: Mistake
    ) throws {
        let text = try GoodFile.text(replacing: mistake.replace, with: mistake.with)
        #expect(GoodFile.problems(of: text) == mistake.messages)
    }

    @Test func `every mistake of a file is told at once, by line`() throws {
        let text = try GoodFile.text(replacing: "slots: 2", with: "slots: none")
            .replacing("listen: 127.0.0.1:8080", with: "listen: here")
            .replacing("context_tokens: 1024", with: "context_tokens: 0")
        #expect(
            GoodFile.problems(of: text).map { $0.prefix(12) } == [
                "good.yaml:1:", "good.yaml:9:", "good.yaml:13",
            ])
    }

    @Test func `a required key that is missing names its section's line`() {
        let problems = GoodFile.problems(of: "listen: 127.0.0.1:1\n")
        #expect(
            problems == [
                "good.yaml:1: database: is missing; give a libpq URL or connection string, "
                    + "such as postgres:///turnpike?host=/run/postgresql",
                "good.yaml:1: data_dir: is missing; give a path",
                "good.yaml:1: pepper_file: is missing; give a path",
                "good.yaml:1: models: is missing; give at least one model alias",
                "good.yaml:1: backends: is missing; give at least one backend",
            ])
    }

    @Test func `what is not YAML names the line`() {
        #expect(
            GoodFile.problems(of: "listen: [1,\ndatabase: }\n") == [
                "good.yaml:2: is not YAML: did not find expected node content"
            ])
        #expect(
            GoodFile.problems(of: "") == [
                "good.yaml: is empty; it needs at least "
                    + "database, data_dir, pepper_file, backends and models"
            ])
        #expect(
            GoodFile.problems(of: "- a\n") == [
                "good.yaml:1: the file: is a list; give a group of keys: "
                    + ConfigurationKeys.root.joined(separator: ", ")
            ])
    }

    @Test func `a file that multiplies itself through aliases is refused`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let list = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(list)]\n"
        }
        let problems = GoodFile.problems(of: text)
        #expect(problems.count == 1)
        #expect(problems[0].hasSuffix("is nested too deep or too large for a configuration"))
    }

    @Test func `a password is never quoted`() throws {
        let text = try GoodFile.text(
            replacing: "postgres:///turnpike", with: "mysql://root:hunter2@db/x")
        let problems = GoodFile.problems(of: text)
        #expect(problems.count == 1)
        #expect(!problems.joined().contains("hunter2"))
    }

    @Test func `what the environment gave is never quoted`() throws {
        let text = try GoodFile.text(replacing: "slots: 2", with: "slots: \"${SLOTS}\"")
        let problems = GoodFile.problems(of: text, environment: ["SLOTS": "sekrit"])
        #expect(
            problems == [
                "good.yaml:9: backends.local.slots: \"${SLOTS}\" is not accepted; "
                    + "give a whole number from 1 to 256"
            ])
    }
}

private let mistakes: [Mistake] = [
    Mistake(
        name: "unknown key with a guess", replace: "listen: 127", with: "listne: 127",
        messages: [
            "good.yaml:1: listne: is no key of a configuration; did you mean \"listen\"? "
                + "accepted here: " + ConfigurationKeys.root.joined(separator: ", ")
        ]),
    Mistake(
        name: "unknown key without a guess", replace: "slots: 2", with: "colour: red",
        messages: [
            "good.yaml:9: backends.local.colour: is no key of a configuration; accepted here: "
                + ConfigurationKeys.localEngine.joined(separator: ", ")
        ]),
    Mistake(
        name: "duplicate key", replace: "key_prefix: sk-acme",
        with: "key_prefix: sk-acme\ndata_dir: /b",
        messages: ["good.yaml:6: data_dir: appears twice; it stands on line 3 already"]),
    Mistake(
        name: "duplicate key in braces", replace: "max_completion_tokens: 512",
        with: "max_completion_tokens: 512,\n  \"max_completion_tokens\": 5",
        messages: [
            "good.yaml:14: models.demo.max_completion_tokens: appears twice; "
                + "it stands on line 13 already"
        ]),
    Mistake(
        name: "wrong type", replace: "slots: 2", with: "slots: [2]",
        messages: [
            "good.yaml:9: backends.local.slots: is a list; give a whole number from 1 to 256"
        ]),
    Mistake(
        name: "no group", replace: "{ kind: openai, base_url: https://api.example.com/v1 }",
        with: "openai",
        messages: [
            "good.yaml:10: backends.openai: is a single value; give a group of keys: "
                + Set(
                    ConfigurationKeys.localEngine + ConfigurationKeys.openAI
                        + ConfigurationKeys.anthropic
                ).sorted()
                .joined(separator: ", ")
        ]),
    Mistake(
        name: "no list", replace: "backends: [local]", with: "backends: local",
        messages: [
            "good.yaml:13: models.demo.backends: is a single value; "
                + "give a list, each a name from the section backends, or "
                + "{ name: NAME, weight: NUMBER }"
        ]),
    Mistake(
        name: "out of range", replace: "slots: 2", with: "slots: 257",
        messages: [
            "good.yaml:9: backends.local.slots: \"257\" is not accepted; "
                + "give a whole number from 1 to 256"
        ]),
    Mistake(
        name: "a number beyond 64 bits", replace: "slots: 2", with: "slots: 99999999999999999999",
        messages: [
            "good.yaml:9: backends.local.slots: \"99999999999999999999\" is not accepted; "
                + "give a whole number from 1 to 256"
        ]),
    Mistake(
        name: "no value", replace: "key_prefix: sk-acme", with: "key_prefix:",
        messages: [
            "good.yaml:5: key_prefix: has no value; "
                + "give 2 to 16 of a-z, 0-9 and \"-\", beginning with a letter, such as "
                + "sk-acme, and not turnpike-admin, which admin keys have"
        ]),
    Mistake(
        name: "bad address", replace: "listen: 127.0.0.1:8080", with: "listen: 127.0.0.1:80800",
        messages: [
            "good.yaml:1: listen: \"127.0.0.1:80800\" is not accepted; give HOST:PORT, "
                + "such as 127.0.0.1:8080 or [::1]:8080, with a port from 0 to 65535"
        ]),
    Mistake(
        name: "one address for two listeners", replace: "key_prefix: sk-acme",
        with: "admin_listen: 127.0.0.1:8080",
        messages: [
            "good.yaml:5: admin_listen: \"127.0.0.1:8080\" is the address of listen; "
                + "give another port"
        ]),
    Mistake(
        name: "a fence before three beats", replace: "key_prefix: sk-acme", with: "fence_after: 2s",
        messages: [
            "good.yaml:5: fence_after: one late beat must not fence a node that lives; "
                + "give fence_after at least three times heartbeat_interval"
        ]),
    Mistake(
        name: "beats too slow for the fence", replace: "key_prefix: sk-acme",
        with: "heartbeat_interval: 5s\nsweep_interval: 1s\nfence_after: 14999ms",
        messages: [
            "good.yaml:7: fence_after: one late beat must not fence a node that lives; "
                + "give fence_after at least three times heartbeat_interval"
        ]),
    Mistake(
        name: "bad duration", replace: "key_prefix: sk-acme", with: "end_wait: 250",
        messages: [
            "good.yaml:5: end_wait: \"250\" is not accepted; "
                + "give a time from 1ms to 1m, written as 250ms, 30s or 5m"
        ]),
    Mistake(
        name: "bad word", replace: "key_prefix: sk-acme", with: "log_format: xml",
        messages: ["good.yaml:5: log_format: \"xml\" is not accepted; give one of text, json"]),
    Mistake(
        name: "unknown kind", replace: "kind: local_engine", with: "kind: magic",
        messages: [
            "good.yaml:7: backends.local.kind: \"magic\" is not accepted; "
                + "give one of local_engine, openai, anthropic"
        ]),
    Mistake(
        name: "a key of another kind", replace: "kind: openai",
        with: "kind: anthropic, several_choices: true",
        messages: [
            "good.yaml:10: backends.openai.several_choices: is no key of a configuration; "
                + "accepted here: " + ConfigurationKeys.anthropic.joined(separator: ", ")
        ]),
    Mistake(
        name: "a budget that the API does not take", replace: "kind: openai",
        with: "kind: anthropic, thinking_budgets: { low: 512 }",
        messages: [
            "good.yaml:10: backends.openai.thinking_budgets.low: \"512\" is not accepted; "
                + "give a whole number from 1024 to 1048576"
        ]),
    Mistake(
        name: "a way of thinking that is none", replace: "kind: openai",
        with: "kind: anthropic, thinking: hard",
        messages: [
            "good.yaml:10: backends.openai.thinking: \"hard\" is not accepted; "
                + "give one of none, budget, adaptive, always"
        ]),
    Mistake(
        name: "a version that would break a header", replace: "kind: openai",
        with: "kind: anthropic, anthropic_version: latest",
        messages: [
            "good.yaml:10: backends.openai.anthropic_version: \"latest\" is not accepted; "
                + "give a version of the API, such as 2023-06-01"
        ]),
    Mistake(
        name: "unknown backend", replace: "backends: [local]", with: "backends: [lokal]",
        messages: [
            "good.yaml:13: models.demo.backends[0]: \"lokal\" is no backend; "
                + "did you mean \"local\"? there are: local, openai"
        ]),
    Mistake(
        name: "a backend twice", replace: "backends: [local]", with: "backends: [local, local]",
        messages: [
            "good.yaml:13: models.demo.backends[1]: \"local\" appears twice; give it once"
        ]),
    Mistake(
        name: "no backend", replace: "backends: [local]", with: "backends: []",
        messages: [
            "good.yaml:13: models.demo.backends: is empty; "
                + "give at least one name from the section backends"
        ]),
    Mistake(
        name: "an answer larger than the context", replace: "max_completion_tokens: 512",
        with: "max_completion_tokens: 1025",
        messages: [
            "good.yaml:13: models.demo.max_completion_tokens: \"1025\" is more than "
                + "context_tokens; give at most 1024"
        ]),
    Mistake(
        name: "too high a temperature", replace: "max_completion_tokens: 512",
        with: "max_completion_tokens: 512,\n  max_temperature: 2.5",
        messages: [
            "good.yaml:14: models.demo.max_temperature: \"2.5\" is not accepted; "
                + "give a number from 0 to 2 with at most three decimals, such as 1.5"
        ]),
    Mistake(
        name: "a temperature that Anthropic's API does not know",
        replace: "openai: { kind: openai, base_url: https://api.example.com/v1 }\nmodels:",
        with: "claude: { kind: anthropic, base_url: https://api.example.com }\nmodels:\n"
            + "  claude: { backends: [claude], context_tokens: 9, max_completion_tokens: 9,\n"
            + "    max_temperature: 1.001 }",
        messages: [
            "good.yaml:13: models.claude.max_temperature: is more than any of the model's backends "
                + "takes; give at most 1"
        ]),
    Mistake(
        name: "a context larger than the engine's slot", replace: "slots: 2",
        with: "context_tokens: 512",
        messages: [
            "good.yaml:13: models.demo.context_tokens: \"1024\" is more than a slot of local has; "
                + "give at most 512, or raise backends.local.context_tokens"
        ]),
    Mistake(
        name: "bad price", replace: "max_completion_tokens: 512",
        with: "max_completion_tokens: 512,\n"
            + "  price: { prompt_usd_per_mtok: 1e2, completion_usd_per_mtok: 0.0000000001 }",
        messages: [
            "good.yaml:14: models.demo.price.prompt_usd_per_mtok: \"1e2\" is not accepted; "
                + "give dollars from 0 to 1000000 with at most nine decimals, such as 2.50",
            "good.yaml:14: models.demo.price.completion_usd_per_mtok: \"0.0000000001\" is not "
                + "accepted; give dollars from 0 to 1000000 with at most nine decimals, "
                + "such as 2.50",
        ]),
    Mistake(
        name: "a secret in a URL", replace: "https://api.example.com/v1",
        with: "https://me@api.example.com/v1",
        messages: [
            "good.yaml:10: backends.openai.base_url: \"https://me@api.example.com/v1\" is not "
                + "accepted; give an http or https URL without user, query or fragment, "
                + "such as https://api.openai.com/v1"
        ]),
    Mistake(
        name: "an upstream on this machine", replace: "https://api.example.com/v1",
        with: "http://127.0.0.1:8000/v1",
        messages: [
            "good.yaml:10: backends.openai.base_url: \"http://127.0.0.1:8000/v1\" leads to a "
                + "loopback address, as in this machine or a private network; give another URL, "
                + "or say allow_private_addresses: true or allow_addresses: [127.0.0.1]"
        ]),
    Mistake(
        name: "a variable that is not set", replace: "/var/lib/turnpike", with: "${NO_SUCH}/x",
        messages: [
            "good.yaml:3: data_dir: the environment variable NO_SUCH is not set"
        ]),
    Mistake(
        name: "a variable without its end", replace: "/var/lib/turnpike", with: "\"${NO_SUCH\"",
        messages: [
            "good.yaml:3: data_dir: has \"${\" without \"}\"; "
                + "write ${NAME}, or $${ for the characters"
        ]),
    Mistake(
        name: "a variable without a name", replace: "/var/lib/turnpike", with: "${1 2}",
        messages: [
            "good.yaml:3: data_dir: \"${1 2}\" names no environment variable; write ${NAME}"
        ]),
    Mistake(
        name: "a bad name of a model", replace: "  demo:", with: "  de mo:",
        messages: [
            "good.yaml:12: models.de mo: is not accepted as a name; "
                + "give 1 to 128 letters, digits and -_.:/@"
        ]),
    Mistake(
        name: "a bad name of a backend", replace: "  openai:", with: "  open/ai:",
        messages: [
            "good.yaml:10: backends.open/ai: is not accepted as a name; "
                + "give 1 to 64 letters, digits, \"-\" and \"_\""
        ]),
]
