import ArgumentParser
import Domain
import Testing

@testable import Admin

/// What the admin HTTP API decides before it asks the ledger.
@Suite struct `The admin API's rules` {
    /// The least role for each thing, written down a second time: a change of one is a change of
    /// both.
    private static let least: [AdminRole: [String]] = [
        .auditor: [
            "GET v1/organizations", "GET v1/organizations/{organization}",
            "GET v1/organizations/{organization}/teams",
            "GET v1/organizations/{organization}/teams/{team}",
            "GET v1/organizations/{organization}/keys",
            "GET v1/organizations/{organization}/keys/{key}",
            "GET v1/organizations/{organization}/quotas",
            "GET v1/organizations/{organization}/teams/{team}/quotas",
            "GET v1/organizations/{organization}/keys/{key}/quotas",
            "GET v1/organizations/{organization}/keys/{key}/quotas/check",
            "GET v1/organizations/{organization}/usage",
            "GET v1/organizations/{organization}/statement",
            "GET v1/organizations/{organization}/requests/{request}", "GET v1/models",
            "GET v1/organizations/{organization}/actions",
            "GET v1/organizations/{organization}/actions/{action}",
            "GET v1/organizations/{organization}/events",
            "GET v1/organizations/{organization}/events/{event}", "GET v1/actions",
            "GET v1/actions/{action}", "GET v1/models/{model}/prices", "GET v1/nodes",
            "GET v1/audit", "GET v1/organizations/{organization}/usage/latency",
            "GET v1/organizations/{organization}/usage/export",
            "GET v1/organizations/{organization}/quotas/replay",
            "GET v1/organizations/{organization}/teams/{team}/quotas/replay",
            "GET v1/organizations/{organization}/keys/{key}/quotas/replay",
            "GET v1/models/{model}/reprice", "POST v1/reconcile",
        ],
        .operator: [
            "POST v1/organizations/{organization}/teams",
            "PATCH v1/organizations/{organization}/teams/{team}",
            "POST v1/organizations/{organization}/teams/{team}/suspend",
            "POST v1/organizations/{organization}/teams/{team}/resume",
            "POST v1/organizations/{organization}/keys",
            "PATCH v1/organizations/{organization}/keys/{key}",
            "POST v1/organizations/{organization}/keys/{key}/rename",
            "POST v1/organizations/{organization}/keys/{key}/rotate",
            "POST v1/organizations/{organization}/keys/{key}/finish",
            "POST v1/organizations/{organization}/keys/{key}/revoke",
            "POST v1/organizations/{organization}/keys/{key}/suspend",
            "POST v1/organizations/{organization}/keys/{key}/resume",
            "PATCH v1/organizations/{organization}/quotas",
            "POST v1/organizations/{organization}/quotas/clear",
            "PATCH v1/organizations/{organization}/teams/{team}/quotas",
            "POST v1/organizations/{organization}/teams/{team}/quotas/clear",
            "PATCH v1/organizations/{organization}/keys/{key}/quotas",
            "POST v1/organizations/{organization}/keys/{key}/quotas/clear",
            "POST v1/organizations/{organization}/events/{event}/redeliver",
            "POST v1/organizations/{organization}/events/redeliver-dead",
            "POST v1/organizations/{organization}/events/test",
            "POST v1/models/{model}/prices", "POST v1/models/{model}/prices/clear",
            "POST v1/models/{model}/reprice",
        ],
        .owner: [
            "POST v1/organizations", "PATCH v1/organizations/{organization}",
            "POST v1/organizations/{organization}/suspend",
            "POST v1/organizations/{organization}/resume",
            "DELETE v1/organizations/{organization}",
            "DELETE v1/organizations/{organization}/teams/{team}",
            "DELETE v1/organizations/{organization}/keys/{key}", "POST v1/nodes/{node}/write-off",
            "POST v1/retention", "GET v1/admin-keys", "POST v1/admin-keys",
            "POST v1/admin-keys/{admin_key}/revoke",
        ],
    ]

    private static func caller(
        _ role: AdminRole, of organization: OrganizationID? = nil
    ) -> AdminKeyEntry {
        AdminKeyEntry(
            id: KeyID(rawValue: 1), name: "test", role: role, organization: organization,
            organizationName: organization.map { _ in "acme" }, last4: "abcd",
            createdAt: FakeAdminLedger.now, expiresAt: nil, lastUsedAt: nil, isUsable: true)
    }

    private static func title(_ route: AdminRoute) -> String { "\(route.method) \(route.path)" }

    @Test func `each role may do what is written of it, and nothing else`() {
        #expect(
            Set(AdminRoutes.all.map(Self.title)) == Set(Self.least.values.joined()),
            "a route without its role, or a role without its route")
        for route in AdminRoutes.all {
            let least = Self.least.first { $0.value.contains(Self.title(route)) }?.key ?? .owner
            for role in AdminRole.allCases {
                let isAllowed = (try? AdminAccess.check(Self.caller(role), route)) != nil
                let expected =
                    switch (role, least) {
                    case (.owner, _), (.operator, .operator), (.operator, .auditor),
                        (.auditor, .auditor):
                        true
                    default: false
                    }
                #expect(isAllowed == expected, "\(role) \(Self.title(route))")
            }
        }
    }

    @Test func `an auditor's key changes nothing`() {
        for route in AdminRoutes.all where route.role == .auditor {
            // A comparison has a file to read, and for that a body.
            #expect(route.method == "GET" || Self.title(route) == "POST v1/reconcile")
        }
    }

    @Test func `a bound key may ask nothing of the whole installation`() {
        let caller = Self.caller(.owner, of: OrganizationID(rawValue: 7))
        for route in AdminRoutes.all {
            let isAllowed = (try? AdminAccess.check(caller, route)) != nil
            #expect(isAllowed == (route.reach != .installation), "\(Self.title(route))")
        }
        let wide = AdminRoutes.all.filter { $0.reach == .installation }.map(Self.title)
        #expect(
            Set(wide) == [
                "POST v1/organizations", "POST v1/models/{model}/prices",
                "POST v1/models/{model}/prices/clear", "GET v1/nodes",
                "POST v1/nodes/{node}/write-off", "GET v1/audit", "POST v1/retention",
                "GET v1/actions", "GET v1/actions/{action}", "GET v1/models/{model}/reprice",
                "POST v1/models/{model}/reprice", "POST v1/reconcile",
            ])
    }

    @Test func `whatever has an organization in its path is of that organization`() {
        for route in AdminRoutes.all {
            #expect(
                (route.reach == .organization) == route.path.contains("{organization}"),
                "\(Self.title(route))")
        }
    }

    // MARK: The router

    @Test func `every route is found by its own path and by no other`() {
        for route in AdminRoutes.all {
            let path = route.path.replacing(#/\{[a-z_]+\}/#, with: "a%20b")
            guard
                case .route(let found, let values) = AdminRouter.find(
                    route.method, "/admin/" + path, in: AdminRoutes.all)
            else {
                Issue.record("\(Self.title(route)) is not found")
                continue
            }
            #expect(Self.title(found) == Self.title(route))
            #expect(values == route.names.map { _ in "a b" })
        }
        let names = AdminRoutes.all.map(\.operation)
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: [
        "/admin/", "/admin/v1", "/admin/v1/", "/admin/v1/organizations/", "/admin/v2/nodes",
        "/admin/v1/organizations//teams", "/admin/v1/nodes/", "/admin/v1/organizations/%zz",
        "/admin/v1/organizations/%ff", "/admin/v1/nodes/1/write-off/2",
    ])
    func `what is no path is not found`(path: String) {
        guard case .nothing = AdminRouter.find("GET", path, in: AdminRoutes.all) else {
            Issue.record("found")
            return
        }
    }

    @Test func `another method is told those there are`() {
        guard
            case .otherMethods(let methods) = AdminRouter.find(
                "PUT", "/admin/v1/organizations/acme", in: AdminRoutes.all)
        else {
            Issue.record("not told")
            return
        }
        #expect(Set(methods) == ["GET", "PATCH", "DELETE"])
    }

    // MARK: Pages

    private static func row(_ name: String) -> Record { Record([("name", .text(name))]) }

    @Test func `a page tells whether more follow, and from where`() {
        let rows = ["b", "é", "z/ü"].map(Self.row)
        let first = AdminPage(of: rows, by: ["name"], limit: 2)
        #expect(first.rows.map(\.fields[0].value) == [.text("b"), .text("é")])
        let after = first.next.flatMap { AdminPage.Cursor($0, ["name"]) }
        #expect(after?.parts == ["é"])
        #expect(AdminPage(of: rows, by: ["name"], limit: 3).next == nil)
        #expect(AdminPage(of: [], by: ["name"], limit: 3).next == nil)
    }

    @Test(arguments: ["", "%", "Zg", "YR9i", "YQ==", "AA"])
    func `what is no cursor of this list is refused`(text: String) {
        // "Zg" is f: a name, but three of them or a key's id it is not.
        let cursors = [
            AdminPage.Cursor(text, ["a", "b", "c"]), AdminPage.Cursor(text, ["key_id"]),
        ]
        #expect(cursors.allSatisfy { $0 == nil })
    }

    // MARK: What has a route

    /// Commands that are of the machine that they run on, and not of the ledger.
    private static let local = [
        "doctor": "it looks at the machine, the files and the ports of whoever runs it",
        "completions": "it writes a file for a shell", "manual": "it shows the manual",
    ]

    private static func leaves(
        _ command: any ParsableCommand.Type, _ path: [String] = []
    ) -> [(path: String, type: any ParsableCommand.Type)] {
        let inner = command.configuration.subcommands
        let below = inner.flatMap { leaves($0, path + [$0._commandName]) }
        let isLeaf = inner.isEmpty || command is any AdminSubcommand.Type
        return (isLeaf ? [(path.joined(separator: " "), command)] : []) + below
    }

    @Test func `every command has a route, or a reason to have none`() {
        let routed = Set(AdminRoutes.all.map { ObjectIdentifier($0.command) })
        let leaves = Self.leaves(AdminCommand.self)
        let missing = leaves.filter { !routed.contains(ObjectIdentifier($0.type)) }.map(\.path)
        #expect(Set(missing) == Set(Self.local.keys))
        let known = Set(leaves.map { ObjectIdentifier($0.type) })
        #expect(routed.isSubset(of: known))
    }

    // MARK: What a request says

    private static func read(
        _ method: String, _ target: String, _ body: String = "", type: String = "application/json"
    ) throws -> AdminQuestion {
        let parts = target.split(separator: "?", maxSplits: 1)
        let request = AdminRequest(
            method: method, path: "/admin/" + parts[0],
            query: parts.count > 1 ? String(parts[1]) : "",
            headers: [("content-type", type)], body: Array(body.utf8))
        guard
            case .route(let route, let values) = AdminRouter.find(
                method, request.path, in: AdminRoutes.all)
        else { throw AdminFault.pathUnknown }
        return try AdminQuestion(request, route, values: values)
    }

    @Test func `a request becomes the words of its command`() throws {
        let made = try Self.read(
            "POST", "v1/organizations/a%20b/keys",
            #"{"team":"-x","name":"ci","models":["m","n"],"tags":["a=1","b=2"],"clamp":true,"expires":null}"#
        )
        #expect(
            made.words.all == [
                "--organization=a b", "--team=-x", "--name=ci", "--models=m,n", "--tag=a=1",
                "--tag=b=2", "--clamp", "--",
            ])
        let changed = try Self.read(
            "PATCH", "v1/organizations/o/keys/-k", #"{"models":null,"clamp":false}"#)
        #expect(
            changed.words.all == [
                "--organization=o", "--all-models", "--no-clamp", "--", "-k",
            ])
        let deleted = try Self.read("DELETE", "v1/organizations/o/teams/--yes")
        #expect(deleted.words.all == ["--organization=o", "--yes", "--", "--yes"])
        let asked = try Self.read("GET", "v1/organizations/o/usage?since=7d&by=team&compare=true")
        #expect(
            asked.words.all == ["--organization=o", "--since=7d", "--by=team", "--compare", "--"])
    }

    @Test(
        arguments: [
            ("POST", "v1/organizations", #"{"nmae":"a"}"#, "unknown_field", "nmae"),
            ("POST", "v1/organizations", #"{}"#, "missing_field", "name"),
            ("POST", "v1/organizations", "", "missing_field", "name"),
            ("POST", "v1/organizations", #"{"name":1}"#, "invalid_value", "name"),
            ("POST", "v1/organizations", #"{"name":"a","name":"b"}"#, "invalid_json", nil),
            ("POST", "v1/organizations", #"["a"]"#, "invalid_json", nil),
            ("POST", "v1/organizations", #"{"name":"#, "invalid_json", nil),
            ("POST", "v1/organizations", #"{"name":"a\u0000b"}"#, "invalid_value", "name"),
            (
                "POST", "v1/organizations/o/keys", #"{"team":"t","name":"n","models":["a,b"]}"#,
                "invalid_value", "models"
            ),
            (
                "POST", "v1/organizations/o/keys", #"{"team":"t","name":"n","models":"a"}"#,
                "invalid_value", "models"
            ),
            (
                "POST", "v1/organizations/o/keys", #"{"team":"t","name":"n","endpoints":["x"]}"#,
                "invalid_value", "endpoints"
            ),
            (
                "POST", "v1/organizations/o/keys", #"{"team":"t","name":"n","clamp":"yes"}"#,
                "invalid_value", "clamp"
            ),
            (
                "POST", "v1/organizations/o/keys",
                #"{"team":"t","name":"n","max_completion_tokens":1.5}"#,
                "invalid_value", "max_completion_tokens"
            ),
            ("POST", "v1/models/m/prices", #"{"prompt":2.5}"#, "invalid_value", "prompt"),
            ("GET", "v1/organizations?limit=0", "", "invalid_value", "limit"),
            ("GET", "v1/organizations?limit=201", "", "invalid_value", "limit"),
            ("GET", "v1/organizations?after=%25", "", "invalid_cursor", "after"),
            ("GET", "v1/organizations?sort=name", "", "unknown_field", "sort"),
            ("GET", "v1/organizations?limit=1&limit=2", "", "duplicate_parameter", "limit"),
            ("GET", "v1/organizations?limit=%zz", "", "malformed_query", nil),
            ("GET", "v1/organizations/o/usage?by=week", "", "invalid_value", "by"),
            ("GET", "v1/organizations/o/usage?compare=1", "", "invalid_value", "compare"),
            ("GET", "v1/organizations/o/keys/k/quotas/check", "", "missing_field", "tokens"),
            ("GET", "v1/nodes", "{}", "body_not_taken", nil),
            ("POST", "v1/reconcile", "", "missing_body", nil),
            ("POST", "v1/reconcile?file=/etc/passwd", "a", "unknown_field", "file"),
            ("POST", "v1/reconcile?by=week", "a", "invalid_value", "by"),
            ("POST", "v1/models/m/reprice", #"{"since":"7d"}"#, "missing_field", "price_version"),
            ("GET", "v1/models/m/reprice?since=7d", "", "missing_field", "price_version"),
            ("GET", "v1/organizations/o/usage/export?format=xml", "", "invalid_value", "format"),
            ("GET", "v1/organizations/o/keys?after=Zg", "", "invalid_cursor", "after"),
            ("DELETE", "v1/organizations/o", "{}", "body_not_taken", nil),
        ] as [(String, String, String, String, String?)])
    func `what a request may not say is refused by name`(
        method: String, target: String, body: String, code: String, parameter: String?
    ) {
        let fault = #expect(throws: AdminFault.self) { try Self.read(method, target, body) }
        #expect(fault?.status == 400 && fault?.code == code && fault?.parameter == parameter)
        #expect(fault?.message.isEmpty == false && fault?.advice.isEmpty == false)
    }

    @Test func `a body is JSON of a bounded size`() {
        let type = #expect(throws: AdminFault.self) {
            try Self.read("POST", "v1/organizations", #"{"name":"a"}"#, type: "text/plain")
        }
        #expect(type?.status == 415)
        let size = #expect(throws: AdminFault.self) {
            let name = String(repeating: "a", count: AdminQuestion.mostBody)
            _ = try Self.read("POST", "v1/organizations", #"{"name":"\#(name)"}"#)
        }
        #expect(size?.status == 413)
    }

    @Test func `a file is the whole body, of a bounded size, and never a name of one`() throws {
        let read = try Self.read(
            "POST", "v1/reconcile?backend=a&backend=b&tolerance=1%25", "a,b\n", type: "text/csv")
        #expect(read.file == Array("a,b\n".utf8))
        #expect(read.words.all == ["--backend=a", "--backend=b", "--tolerance=1%", "--", "-"])
        let size = #expect(throws: AdminFault.self) {
            let file = String(repeating: "a", count: AdminQuestion.mostFile + 1)
            _ = try Self.read("POST", "v1/reconcile", file, type: "text/csv")
        }
        #expect(size?.status == 413 && size?.code == "body_too_large")
        let form = #expect(throws: AdminFault.self) {
            try Self.read("POST", "v1/reconcile", "a", type: "multipart/form-data; boundary=x")
        }
        #expect(form?.status == 415)
    }

    @Test func `a command's sentence is told in the words of the API`() {
        #expect(
            AdminFault.restated("The value 'x' is invalid for '--time-zone <zone>': give UTC")
                == "The value 'x' is invalid for time_zone: give UTC")
        #expect(
            AdminFault.restated("--expires 2020-01-01 is past.") == "expires 2020-01-01 is past.")
    }
}
